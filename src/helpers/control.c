// SPDX-License-Identifier: GPL-2.0
/*
 * A misc device that answers ioctls and nothing else. (The kernel crate's
 * miscdevice does not hold the module before 7.3.)
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <daxrmap_helpers.h>

static long (*answer)(void *data, unsigned int cmd, unsigned long arg);
static void *answer_data;

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return answer(answer_data, cmd, arg);
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "daxrmap",
	.fops = &control_fops,
	.mode = 0600,
};

int daxrmap_control_register(long (*ioctl)(void *data, unsigned int cmd,
					   unsigned long arg),
			     void *data)
{
	answer = ioctl;
	answer_data = data;
	return misc_register(&control);
}

void daxrmap_control_unregister(void)
{
	misc_deregister(&control);
}
