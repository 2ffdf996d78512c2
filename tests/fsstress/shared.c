// SPDX-License-Identifier: GPL-2.0
/*
 * Operations in the directory that all change. Who comes first is not known; what a
 * call may say, whoever does, is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <linux/fs.h>
#include "fsstress.h"
#include "shared.h"

enum { SOME = 8 };	/* names in a directory */

/* Up to three levels down. Two rotating buffers. */
static const char *any_path(void)
{
	static char path[2][256];
	static int next;
	int deep = dr_pick(3), n;

	next = !next;
	n = snprintf(path[next], sizeof(*path), "%s/" SHARED_DIR, dr_mnt());
	do
		n += snprintf(path[next] + n, sizeof(*path) - n, "/s%lu", dr_pick(SOME));
	while (deep--);
	return path[next];
}

/* What a call must say: that it worked, or one of `errs`. */
static void may(const char *what, long r, const int *errs)
{
	int got = r == -1 ? errno : 0;

	if (!got)
		return;
	for (; *errs; errs++)
		if (*errs == got)
			return;
	fault(CALLS, "%s in the shared directory: %s", what, strerror(got));
}

#define MAY(what, r, ...) may(what, r, (const int[]){ ENOENT, ENOTDIR, __VA_ARGS__, 0 })

/* All of a file, or nothing of it. */
static int write_whole(const char *path, int flags)
{
	uint64_t word = dr_random(), buf[WHOLE / 8];
	int fd = open(path, flags | O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return -1;
	for (int i = 0; i < WHOLE / 8; i++)
		buf[i] = word;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		if (dr_pick(4))
			must("write", pwrite(fd, buf, WHOLE, 0) == WHOLE ? 0 : -1, 0);
		else
			must("truncate", ftruncate(fd, 0), 0);
	}
	close(fd);
	return 0;
}

/* A whole file is read, or an empty one, whoever writes meanwhile. */
static int read_whole(const char *path)
{
	uint64_t buf[WHOLE / 8];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		n = pread(fd, buf, WHOLE, 0);
		if (n && n != WHOLE)
			fault(SHARED, "a read of a shared file: %zd bytes", n);
		for (int i = 1; n == WHOLE && i < WHOLE / 8; i++)
			if (buf[i] != buf[0]) {
				fault(SHARED, "a shared file has a part of another write");
				break;
			}
	}
	close(fd);
	return 0;
}

void race_op(void)
{
	static const int flags[] = { 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT };
	const char *a = any_path(), *b = any_path();
	int how = flags[dr_pick(5)];
	struct stat st;

	note("shared: %s and %s", a, b);
	switch (dr_pick(12)) {
	case 0 ... 1:
		MAY("open, O_CREAT", write_whole(a, O_CREAT | O_EXCL), EEXIST);
		break;
	case 2:
		MAY("mkdir", mkdir(a, 0700), EEXIST);
		break;
	case 3:
		MAY("symlink", symlink("not/there", a), EEXIST);
		break;
	case 4:
		MAY("mknod", mknod(a, S_IFIFO | 0600, 0), EEXIST);
		break;
	case 5:
		MAY("link", link(a, b), EEXIST, EPERM);
		break;
	case 6:
		MAY("unlink", unlink(a), EISDIR);
		break;
	case 7:
		MAY("rmdir", rmdir(a), ENOTEMPTY);
		break;
	case 8:
		MAY("open", write_whole(a, 0), EISDIR, ELOOP, ENXIO);
		break;
	case 9:
		MAY("open", read_whole(a), ELOOP, ENXIO);
		break;
	case 10:
		MAY("lstat", lstat(a, &st), ENOENT);
		break;
	default:
		MAY("rename", renameat2(AT_FDCWD, a, AT_FDCWD, b, how), EEXIST, EISDIR,
		    ENOTEMPTY, EINVAL);
	}
	DONE(RACE);
}

/* What came from the shared directory goes: back, if it is a directory with something in it. */
static void dispose(const char *path)
{
	char back[256];
	static int spilled;

	if (!unlink(path) || (errno == EISDIR && !rmdir(path)))
		return;
	if (!must("rmdir of a directory that was shared", -1, ENOTEMPTY))
		return;
	snprintf(back, sizeof(back), "%s/" SHARED_DIR "/spilled %d %d %d", dr_mnt(), w->round, me,
		 spilled++);
	must("rename to the shared directory",
	     renameat2(AT_FDCWD, path, AT_FDCWD, back, RENAME_NOREPLACE), 0);
}

/* From the process's own directory to the shared one, in the place of what is there perhaps. */
void give_op(void)
{
	int how = dr_pick(2) ? RENAME_EXCHANGE : 0;
	const char *own = path_of(TOP, "to give"), *to = any_path();

	note("give to %s, flags %d", to, how);
	changed(TOP);
	if (!must("open", write_whole(own, O_CREAT | O_EXCL), 0))
		return;
	if (!renameat2(AT_FDCWD, own, AT_FDCWD, to, how)) {
		DONE(GIVE);
		if (!how)
			return;
	} else {
		MAY("rename", -1, EISDIR);
	}
	dispose(own);
}

void take_op(void)
{
	const char *from = any_path(), *own = path_of(TOP, "taken");

	note("take %s", from);
	changed(TOP);
	if (renameat2(AT_FDCWD, from, AT_FDCWD, own, RENAME_NOREPLACE)) {
		MAY("rename", -1, ENOENT);
		return;
	}
	dispose(own);
	DONE(TAKE);
}
