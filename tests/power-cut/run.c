// SPDX-License-Identifier: GPL-2.0
/* Does the workers' operations on the mount. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "common.h"
#include "run.h"

const char *slot_path(const struct model *m, int slot)
{
	static char path[4][32];
	static int next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(*path), "w%d/%c/f%d", m->worker, 'a' + slot / NAMES,
		 slot % NAMES);
	return path[next];
}

const char *extra_dir(const struct model *m)
{
	static char path[32];

	snprintf(path, sizeof(path), "w%d/extra", m->worker);
	return path;
}

static int failed(int result)
{
	return result < 0 ? errno : 0;
}

static void fill(const struct model *m, const struct op *op, uint64_t *to)
{
	for (unsigned int s = 0; s < op->len; s++)
		for (unsigned int i = 0; i < SECTOR / 8; i++)
			*to++ = word_of(stamp_of(m, op, op->from + s), i);
}

static int do_write(const struct model *m, const struct op *op, int fd)
{
	static uint64_t buf[SECTORS * SECTOR / 8];
	ssize_t len = op->len * SECTOR, n;

	fill(m, op, buf);
	n = pwrite(fd, buf, len, op->from * SECTOR);
	if (n != len)
		return n < 0 ? errno : ENODATA;
	return failed(fsync(fd));
}

static int do_store(const struct model *m, const struct op *op, int fd)
{
	unsigned int first = op->from / PER_PAGE;
	size_t len = (pages_of(op->from + op->len) - first) * BLK;
	int flags = op->flag ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED, r;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, first * BLK);

	/* virtio-pmem: who maps it cannot make it durable alone. */
	if (p == MAP_FAILED && errno == EOPNOTSUPP && op->flag)
		p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, first * BLK);
	if (p == MAP_FAILED)
		return errno;
	fill(m, op, (uint64_t *)(p + op->from % PER_PAGE * SECTOR));
	/* With MAP_SYNC it would do to write the cache lines back. */
	r = failed(msync(p, len, MS_SYNC));
	munmap(p, len);
	return r;
}

static int do_poison(const struct op *op, int fd)
{
	char *p = mmap(NULL, BLK, PROT_READ, MAP_SHARED, fd, op->from * SECTOR);
	int r;

	if (p == MAP_FAILED)
		return errno;
	(void)dr_load(p);
	r = -dr_poison_addr(p);
	munmap(p, BLK);
	/* It tells us, of course. */
	dr_signals(NULL, 0);
	return r;
}

static int do_notify(const struct model *m, const struct op *op)
{
	long block = dr_block(slot_path(m, op->a), op->from / PER_PAGE, NULL);

	return block < 0 ? -block : -dr_notify(block * BLK, BLK);
}

static int do_clone(const struct model *m, const struct op *op, int fd)
{
	struct file_clone_range range = {
		.src_fd = fd,
		.src_offset = op->from * SECTOR,
		.src_length = op->len * SECTOR,
		.dest_offset = op->to * SECTOR,
	};
	int to = dr_open(slot_path(m, op->b), O_RDWR), r;

	if (to < 0)
		return -to;
	if (op->kind == CLONE_ALL)
		r = failed(ioctl(to, FICLONE, fd));
	else
		r = failed(ioctl(to, FICLONERANGE, &range));
	close(to);
	return r;
}

/* Those that need the file open. */
static int with_file(const struct model *m, const struct op *op)
{
	static const int modes[] = {
		[PUNCH] = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		[ZERO] = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	int fd = dr_open(slot_path(m, op->a), O_RDWR), r, mode;

	if (fd < 0)
		return -fd;
	switch (op->kind) {
	case WRITE:
		r = do_write(m, op, fd);
		break;
	case STORE:
		r = do_store(m, op, fd);
		break;
	case POISON:
		r = do_poison(op, fd);
		break;
	case TRUNCATE:
		r = failed(ftruncate(fd, op->to * SECTOR));
		break;
	case PUNCH:
	case ZERO:
	case ALLOCATE:
		mode = op->kind != ALLOCATE ? modes[op->kind] :
			op->flag ? FALLOC_FL_KEEP_SIZE : 0;
		r = failed(fallocate(fd, mode, op->from * SECTOR, op->len * SECTOR));
		break;
	default:
		r = do_clone(m, op, fd);
	}
	close(fd);
	return r;
}

static int do_unlink(const struct model *m, const struct op *op)
{
	static int kept = -1;
	const char *name = slot_path(m, op->a);

	if (op->flag) {
		/* Its last name may go while it is in use. */
		if (kept >= 0)
			close(kept);
		kept = dr_open(name, O_RDWR);
	}
	return failed(unlink(dr_path(name)));
}

int op_run(const struct model *m, const struct op *op)
{
	const char *a = op->a < 0 ? "" : dr_path(slot_path(m, op->a));
	const char *b = op->b < 0 ? "" : dr_path(slot_path(m, op->b));
	int fd;

	switch (op->kind) {
	case CREATE:
		fd = open(a, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0)
			return errno;
		close(fd);
		return 0;
	case RENAME:
		return failed(rename(a, b));
	case EXCHANGE:
		return failed(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE));
	case UNLINK:
		return do_unlink(m, op);
	case NOTIFY:
		return do_notify(m, op);
	case MAKE_DIR:
		return failed(mkdir(dr_path(extra_dir(m)), 0755));
	case REMOVE_DIR:
		return failed(rmdir(dr_path(extra_dir(m))));
	default:
		return with_file(m, op);
	}
}
