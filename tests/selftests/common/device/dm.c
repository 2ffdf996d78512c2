// SPDX-License-Identifier: GPL-2.0
/* Devices of the device mapper. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include "dm.h"
#include "common/basics/clock.h"
#include "common/basics/text.h"

#define CONTROL	"/dev/mapper/control"
#define ROOM	65536

struct question {
	struct dm_ioctl io;
	char room[ROOM];
};

static int control(void)
{
	int fd = open(CONTROL, O_RDWR | O_CLOEXEC);

	/* Where it is a module, it waits for its first use. */
	if (fd < 0 && errno == ENOENT && !system("modprobe dm_mod 2>/dev/null"))
		fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	return fd < 0 ? dr_errno() : fd;
}

/* Asks about the device of that name; what else the question has is there already. */
static int ask(unsigned long what, const char *name, struct question *q)
{
	int r, fd = control();

	if (fd < 0)
		return fd;
	q->io.version[0] = DM_VERSION_MAJOR;
	q->io.data_size = sizeof(*q);
	q->io.data_start = offsetof(struct question, room);
	snprintf(q->io.name, sizeof(q->io.name), "%s", name);
	r = ioctl(fd, what, q) ? dr_errno() : 0;
	close(fd);
	return r;
}

static int ask_only(unsigned long what, const char *name, unsigned int flags)
{
	struct question *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->io.flags = flags;
	r = ask(what, name, q);
	free(q);
	return r;
}

/* One line of a table, to `at`: how many bytes that took, or -errno. */
static int put_target(char *at, size_t room, const char *line, size_t len)
{
	struct dm_target_spec *t = (struct dm_target_spec *)at;
	unsigned long long start, sectors;
	char type[DM_MAX_TYPE_NAME];
	int n = 0, bytes;

	if (sscanf(line, "%llu %llu %15s%n", &start, &sectors, type, &n) < 3 || (size_t)n > len)
		return -EINVAL;
	/* Not by sscanf(), for which the next line's first word would be an argument. */
	n += line[n] == ' ';
	bytes = (sizeof(*t) + len - n + 1 + 7) & ~7;
	if ((size_t)bytes > room)
		return -E2BIG;
	t->sector_start = start;
	t->length = sectors;
	memcpy(t->target_type, type, sizeof(type));
	memcpy(at + sizeof(*t), line + n, len - n);
	t->next = bytes;
	return bytes;
}

static int load(const char *name, const char *table)
{
	struct question *q = calloc(1, sizeof(*q));
	size_t used = 0;
	int r = 0;

	if (!q)
		return -ENOMEM;
	while (*table && r >= 0) {
		size_t len = strcspn(table, "\n");

		r = put_target(q->room + used, ROOM - used, table, len);
		if (r > 0) {
			used += r;
			q->io.target_count++;
		}
		table += len + (table[len] == '\n');
	}
	if (r >= 0)
		r = ask(DM_TABLE_LOAD, name, q);
	free(q);
	return r;
}

/* Without its flag, DM_DEV_SUSPEND is resume. */
static int resume(const char *name)
{
	return ask_only(DM_DEV_SUSPEND, name, 0);
}

int dr_dm_make(const char *name, const char *table)
{
	int r = ask_only(DM_DEV_CREATE, name, 0);

	if (r)
		return r;
	r = load(name, table);
	r = r ?: resume(name);
	if (r)
		dr_dm_remove(name);
	return r;
}

int dr_dm_reload(const char *name, const char *table)
{
	int r = load(name, table);

	if (r)
		return r;
	/* Without a freeze of the filesystem, as LVM does it for a linear volume. */
	r = ask_only(DM_DEV_SUSPEND, name, DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG);
	return resume(name) ?: r;
}

int dr_dm_remove(const char *name)
{
	int r = -EBUSY;

	for (int i = 0; i < dr_patience(500) && r == -EBUSY; i++) {
		r = ask_only(DM_DEV_REMOVE, name, 0);
		if (r == -EBUSY)
			usleep(10000);
	}
	return r;
}

const char *dr_dm_path(const char *name)
{
	static char path[32];
	struct question *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return NULL;
	r = ask(DM_DEV_STATUS, name, q);
	snprintf(path, sizeof(path), "/dev/dm-%u", minor(q->io.dev));
	free(q);
	return r ? NULL : path;
}

long dr_sectors(const char *dev)
{
	unsigned long long bytes = 0;
	int r, fd = open(dev, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return dr_errno();
	r = ioctl(fd, BLKGETSIZE64, &bytes) ? dr_errno() : 0;
	close(fd);
	return r ? r : (long)(bytes / 512);
}

/* As snprintf() to the end of the table, but the program ends if it does not fit. */
static __attribute__((format(printf, 3, 4))) void
add(char *table, size_t size, const char *format, ...)
{
	size_t used = strlen(table);
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(table + used, size - used, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= size - used)
		abort();
}

void dr_dm_linear(char *table, size_t size, const char *dev, long start, long sectors)
{
	*table = 0;
	add(table, size, "0 %ld linear %s %ld\n", sectors, dev, start);
}

void dr_dm_striped(char *table, size_t size, long chunk, const char *a, const char *b,
		   long sectors_of_each)
{
	*table = 0;
	add(table, size, "0 %ld striped 2 %ld %s 0 %s 0\n", 2 * sectors_of_each, chunk, a, b);
}

void dr_dm_pieces(char *table, size_t size, const char *dev, long piece, long sectors)
{
	long n = sectors / piece;

	*table = 0;
	for (long i = 0; i < n; i++)
		add(table, size, "%ld %ld linear %s %ld\n", i * piece, piece, dev,
		    (i + n / 2) % n * piece);
}
