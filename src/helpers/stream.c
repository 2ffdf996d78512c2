// SPDX-License-Identifier: GPL-2.0
/*
 * A file without a name that can be read and polled, and nothing else. An open
 * one holds the module: anon_inode_getfd() takes a reference for .owner.
 */
#include <linux/anon_inodes.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <daxrmap_helpers.h>

/* What is read. */
struct stream {
	const struct daxrmap_stream_ops *ops;
	void *data;
};

static ssize_t stream_read(struct file *file, char __user *to, size_t len,
			   loff_t *pos)
{
	const struct stream *s = file->private_data;

	return s->ops->read(s->data, (unsigned long)to, len,
			    !(file->f_flags & O_NONBLOCK));
}

static __poll_t stream_poll(struct file *file, poll_table *table)
{
	const struct stream *s = file->private_data;

	if (s->ops->poll(s->data, file, table))
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

static int stream_release(struct inode *inode, struct file *file)
{
	struct stream *s = file->private_data;

	s->ops->release(s->data);
	kfree(s);
	return 0;
}

static const struct file_operations stream_fops = {
	.owner = THIS_MODULE,
	.read = stream_read,
	.poll = stream_poll,
	.release = stream_release,
	.llseek = noop_llseek,
};

/*
 * A new file descriptor, for reading, closed on exec; its end calls release.
 * An error, and @data stays the caller's. @name is that of a static string.
 */
int daxrmap_open_stream(const char *name, const struct daxrmap_stream_ops *ops,
			void *data)
{
	struct stream *s = kmalloc_obj(*s);
	int fd;

	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->data = data;
	fd = anon_inode_getfd(name, &stream_fops, s, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		kfree(s);
	return fd;
}

/*
 * The handle of an inode, without its parent: its type, and in @words how many
 * words it has; in @words there is at first how many there is room for. 0 or
 * less: there is none.
 */
int daxrmap_encode_handle(struct inode *inode, u32 *handle, int *words)
{
	int type = exportfs_encode_inode_fh(inode, (struct fid *)handle, words,
					    NULL, 0);

	return type == FILEID_INVALID ? 0 : type;
}
