// SPDX-License-Identifier: GPL-2.0
/*
 * Says what a CXL memory device would, where there is none: "ADDRESS LENGTH TYPE", written to the
 * parameter `say`, is a record of poison, on the CPU of who writes.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>

#define CREATE_TRACE_POINTS
#include "cxl_said.h"

static int say(const char *text, const struct kernel_param *param)
{
	unsigned long long address;
	unsigned int length;
	u8 type;

	if (sscanf(text, "%llx %u %hhu", &address, &length, &type) != 3)
		return -EINVAL;
	trace_cxl_poison(address, length, type);
	return 0;
}

static const struct kernel_param_ops ops = { .set = say };
module_param_cb(say, &ops, NULL, 0200);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What a CXL memory device says, without one");
