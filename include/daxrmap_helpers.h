/* SPDX-License-Identifier: GPL-2.0 */
/*
 * C helpers: inline functions, macros and struct fields that bindgen cannot
 * see. One file of src/helpers per kernel header. Each does exactly one
 * thing; what it may be called under is said where Rust wraps it.
 */
#ifndef DAXRMAP_HELPERS_H
#define DAXRMAP_HELPERS_H

#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/fileattr.h>
#include <linux/fs.h>
#include <linux/fserror.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/ratelimit_types.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/tracepoint-defs.h>
#include <linux/uio.h>

/* fs.c */
loff_t daxrmap_i_size_read(const struct inode *inode);
void daxrmap_i_size_write(struct inode *inode, loff_t size);
void daxrmap_inode_lock(struct inode *inode);
void daxrmap_inode_unlock(struct inode *inode);
void daxrmap_inode_lock_shared(struct inode *inode);
bool daxrmap_inode_trylock(struct inode *inode);
bool daxrmap_inode_trylock_shared(struct inode *inode);
void daxrmap_inode_unlock_shared(struct inode *inode);
void daxrmap_invalidate_lock(struct inode *inode);
void daxrmap_invalidate_unlock(struct inode *inode);
void daxrmap_invalidate_lock_shared(struct inode *inode);
bool daxrmap_invalidate_trylock_shared(struct inode *inode);
void daxrmap_invalidate_unlock_shared(struct inode *inode);
bool daxrmap_mapping_mapped(const struct inode *inode);
void daxrmap_sb_start_pagefault(struct super_block *sb);
void daxrmap_sb_end_pagefault(struct super_block *sb);
u32 daxrmap_i_uid_read(const struct inode *inode);
u32 daxrmap_i_gid_read(const struct inode *inode);
void daxrmap_i_uid_write(struct inode *inode, u32 uid);
void daxrmap_i_gid_write(struct inode *inode, u32 gid);
void daxrmap_get_times(const struct inode *inode, struct timespec64 *atime,
		       struct timespec64 *mtime, struct timespec64 *ctime);
void daxrmap_set_ctime(struct inode *inode, struct timespec64 ctime);
void daxrmap_set_times(struct inode *inode, struct timespec64 atime,
		       struct timespec64 mtime, struct timespec64 ctime);
struct inode *daxrmap_in_core(struct super_block *sb, u64 ino);
bool daxrmap_inode_is_new(struct inode *inode);
void daxrmap_file_accessed(struct file *file);
ssize_t daxrmap_generic_write_sync(struct kiocb *iocb, ssize_t count);
bool daxrmap_dir_emit_dots(struct file *file, struct dir_context *ctx);
bool daxrmap_dir_emit(struct dir_context *ctx, const char *name, int len,
		      u64 ino, unsigned int type);
bool daxrmap_has_narrow_pos(const struct file *file);
bool daxrmap_sb_is_watched(struct super_block *sb);
void daxrmap_report_data_lost(struct inode *inode, loff_t pos, u64 len,
			      bool wait);

/* memremap.c */
struct dev_pagemap *daxrmap_get_device_page(unsigned long pfn);
void daxrmap_put_device_page(struct dev_pagemap *pgmap);
void daxrmap_again_device_page(struct dev_pagemap *pgmap);
void daxrmap_wait_for_frames(const struct dev_pagemap *pgmap,
			     unsigned long pfn);
bool daxrmap_frames_are_mapped(const struct dev_pagemap *pgmap,
			       unsigned long pfn, unsigned long end);

/* acl.c */
void daxrmap_posix_acl_release(struct posix_acl *acl);

/* security.c */
int daxrmap_new_labels(struct inode *inode, struct inode *dir,
		       const struct qstr *name, initxattrs add, void *to);

/* fileattr.c */
bool daxrmap_fileattr_has_fsx(const struct file_kattr *fa);

/* block.c */
bool daxrmap_needs_flush(struct block_device *bdev, struct dax_device *dax_dev);
bool daxrmap_bad_sectors(const struct gendisk *disk, sector_t start,
			 sector_t len, sector_t *bad, sector_t *count);

/* ratelimit.c */
void daxrmap_ratelimit_init(struct ratelimit_state *rs, unsigned int seconds,
			    int burst);
void daxrmap_ratelimit_exit(struct ratelimit_state *rs, const char *what);

/* shadow.c */
int daxrmap_guard_shadows(void);
void daxrmap_unguard_shadows(void);

/* trace.c; the numbers are in the tracepoints' records, so they stay. */
enum daxrmap_outcome {
	DAXRMAP_OUTCOME_ABSENT = 0,
	DAXRMAP_OUTCOME_UNMAPPED = 1,
	DAXRMAP_OUTCOME_KILLED = 2,
	DAXRMAP_OUTCOME_MOVED = 3,
};

enum daxrmap_healed_by {
	DAXRMAP_HEALED_BY_WRITE = 0,
	DAXRMAP_HEALED_BY_ZERO_RANGE = 1,
	DAXRMAP_HEALED_BY_PUNCH_HOLE = 2,
};

void daxrmap_trace_publish(dev_t dev, u64 block, u64 count, int mf_flags,
			   u64 newly_bad, int err);
void daxrmap_trace_notify(dev_t dev, u64 block, u64 count, int mf_flags,
			  u64 owners, u64 told, u64 absent, int err);
void daxrmap_trace_owner(dev_t dev, u64 ino, u64 pgoff, u64 count, u64 block,
			 enum daxrmap_outcome outcome, int err);
bool daxrmap_trace_heal_enabled(void);
void daxrmap_trace_heal(dev_t dev, u64 ino, u64 pgoff, u64 count,
			u64 old_block, s64 new_block,
			enum daxrmap_healed_by by);

/* workqueue.c */
struct workqueue_struct *daxrmap_alloc_workqueue(const char *name);

/* mm.c */
unsigned int daxrmap_memalloc_nofs_save(void);
void daxrmap_memalloc_nofs_restore(unsigned int flags);
void daxrmap_pagefault_disable(void);
void daxrmap_pagefault_enable(void);
void daxrmap_iov_iter_truncate(struct iov_iter *iter, size_t count);
void daxrmap_iov_iter_reexpand(struct iov_iter *iter, size_t count);
void daxrmap_cond_resched(void);
bool daxrmap_fatal_signal_pending(void);

/* dax.c */
bool daxrmap_mmap_supported(const struct vm_area_desc *desc,
			    struct dax_device *dax_dev);
void daxrmap_vma_set_huge(struct vm_area_desc *desc);
int daxrmap_break_layout(struct inode *inode, loff_t start, loff_t end);
bool daxrmap_entry_is_real(struct inode *inode, pgoff_t index);
bool daxrmap_find_frames(struct inode *inode, pgoff_t *index,
			 unsigned long pfn, unsigned long end,
			 unsigned long *found, unsigned long *pages);
bool daxrmap_next_dirty(struct inode *inode, pgoff_t *index, pgoff_t last,
			unsigned long *pages, unsigned long *pfn);
struct inode *daxrmap_folio_owner(unsigned long pfn, struct super_block *sb,
				  pgoff_t *index);
bool daxrmap_is_untouched(struct inode *inode, pgoff_t first, pgoff_t last);
void daxrmap_mark_poisoned(unsigned long pfn, bool poisoned);
unsigned long daxrmap_next_unmapped(unsigned long pfn, unsigned long end);
bool daxrmap_is_poisoned(unsigned long pfn);
bool daxrmap_survives_poison(void);
void daxrmap_memcpy_flushcache(void *to, const void *from, size_t len);
void daxrmap_pmem_wmb(void);
void daxrmap_invalidate_pmem(void *addr, size_t len);
bool daxrmap_entry_head(struct inode *inode, pgoff_t index,
			unsigned long *head);

/* disks.c */
struct daxrmap_disk_ops {
	void (*added)(void *data, struct gendisk *disk);
	void (*removed)(void *data, struct gendisk *disk);
};

int daxrmap_disks_register(const struct daxrmap_disk_ops *ops, void *data);
void daxrmap_disks_unregister(void);
struct device *daxrmap_disk_device(struct gendisk *disk);
const char *daxrmap_disk_name(const struct gendisk *disk);
dev_t daxrmap_disk_number(struct gendisk *disk);
bool daxrmap_disk_is_used(struct gendisk *disk);
void daxrmap_disk_changed(struct gendisk *disk);
bool daxrmap_set_bad_sectors(struct gendisk *disk, sector_t start,
			     sector_t len);
bool daxrmap_bad_entry(const struct gendisk *disk, int index, sector_t *start,
		       sector_t *len);

/* tracepoint.c */
struct tracepoint *daxrmap_find_tracepoint(const char *name);
void daxrmap_tracepoint_synchronize(void);
unsigned long daxrmap_failed_address(int sig,
				     const struct kernel_siginfo *info,
				     int *shift);
int daxrmap_task_process(const struct task_struct *task);

/* cxl.c */
#define DAXRMAP_CXL_MEDIA	0
#define DAXRMAP_CXL_DRAM	1
#define DAXRMAP_CXL_POISON	2

/* Of a trace event of a CXL memory device what one has to know: 0 where it has no such field. */
struct daxrmap_cxl_record {
	u64 hpa;	/* of the first byte; all ones: nobody has it mapped */
	u64 dpa;	/* the device's own address of it */
	u32 length;	/* bytes of the device */
	u32 log;	/* enum cxl_event_log_type */
	u8 kind;	/* DAXRMAP_CXL_* */
	u8 descriptor;	/* of the memory event */
	u8 type;	/* of the memory event; for poison: listed, injected, cleared */
	u8 flags;	/* of the address; for poison: of the list */
	char region[32];
};

int daxrmap_cxl_start(void (*told)(void *data, const struct daxrmap_cxl_record *record),
		      void *data);
void daxrmap_cxl_stop(void);
bool daxrmap_cxl_is_heard(void);
bool daxrmap_cxl_interleave(const char *region, u64 *ways, u64 *granularity);

/* others.c */
struct file_system_type *daxrmap_present_type(const char *name);
void daxrmap_put_type(struct file_system_type *type);
bool daxrmap_sb_may_be_dax(const struct super_block *sb);
struct inode *daxrmap_next_file(struct super_block *sb, struct inode *prev,
				bool pages, bool *wanted);
struct inode *daxrmap_folio_other(unsigned long pfn, pgoff_t *index);
void daxrmap_up_super(struct super_block *sb);
void daxrmap_pin_super(struct super_block *sb);
const void *daxrmap_folio_mapping(unsigned long pfn);

/* early_kill.c */
unsigned int daxrmap_signal_early(struct inode *inode, pgoff_t index,
				  bool always,
				  bool (*told)(void *data, int process,
					       unsigned long addr),
				  void *data);

void daxrmap_early_kill_open(void);
void daxrmap_early_kill_close(void);
int daxrmap_early_kill(void);

/* processes.c */
struct daxrmap_processes;
struct daxrmap_processes *daxrmap_processes_new(void);
void daxrmap_processes_free(struct daxrmap_processes *set);
bool daxrmap_processes_tell(struct daxrmap_processes *set, struct inode *inode,
			    pgoff_t index, unsigned long pfn, bool always);

/* control.c */
int daxrmap_control_register(long (*ioctl)(void *data, unsigned int cmd,
					   unsigned long arg),
			     void *data);
void daxrmap_control_unregister(void);

/* stream.c */
struct daxrmap_stream_ops {
	/* @to: where to in user space. Errors as read(2) has them. */
	ssize_t (*read)(void *data, unsigned long to, size_t len, bool wait);
	bool (*poll)(void *data, struct file *file,
		     struct poll_table_struct *table);
	void (*release)(void *data);
};

int daxrmap_open_stream(const char *name, const struct daxrmap_stream_ops *ops,
			void *data);
int daxrmap_encode_handle(struct inode *inode, u32 *handle, int *words);

/* api.c */
struct daxrmap_ops;

struct daxrmap_api {
	int (*enter)(void *data, struct dax_device *dax_dev, u64 size,
		     const struct daxrmap_ops *ops, void *fs);
	int (*stop)(void *data, struct dax_device *dax_dev, void *fs);
	int (*leave)(void *data, struct dax_device *dax_dev, void *fs);
};

void daxrmap_api_begin(const struct daxrmap_api *answers, void *data);
bool daxrmap_get_module(struct module *module);
void daxrmap_put_module(struct module *module);
bool daxrmap_get_char_dax(struct dax_device *dax_dev);
dev_t daxrmap_dax_number(struct dax_device *dax_dev);

#endif
