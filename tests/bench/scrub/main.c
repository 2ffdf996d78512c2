// SPDX-License-Identifier: GPL-2.0
/*
 * How fast a scrub is, beside reads of the same, and what a reader beside it feels
 * (scripts/bench/scrub.sh). Wants /dev/pmem0. What is compared is measured in turn, round after
 * round, and its medians are compared: whatever else the machine does, it does to all of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <uapi/daxrmap.h>

/* Lines of the table have this before them, so that they are found in the guest's log. */
#define LINE	"scrub-cost: "
#define DEV	"/dev/pmem0"
#define MNT	"/mnt"
#define FILE_	MNT "/f"
#define PAGE	4096L
#define BYTES	(64L << 20)
#define AT_ONCE	(1L << 20)
#define ROUNDS	9
#define WINDOW	1.0	/* seconds that a reader is looked at */
#define MOST	2000000	/* reads in a window */

static void must(int ok, const char *what)
{
	if (ok)
		return;
	printf("not ok scrub-cost: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double part(double *t, int n, double of)
{
	qsort(t, n, sizeof(*t), by_size);
	return t[(int)((n - 1) * of)];
}

static char *buf;

static void make(void)
{
	int fd;

	must(!system("mkfs.ext4 -Fq -b 4096 " DEV " >/dev/null"), "mkfs");
	mkdir(MNT, 0755);
	must(!mount(DEV, MNT, "ext4", 0, "dax=always"), "mount");
	fd = open(FILE_, O_CREAT | O_WRONLY, 0600);
	must(fd >= 0, "open");
	memset(buf, 0x5a, AT_ONCE);
	for (long at = 0; at < BYTES; at += AT_ONCE)
		must(pwrite(fd, buf, AT_ONCE, at) == AT_ONCE, "write");
	close(fd);
	sync();
}

static void read_all(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | flags);

	must(fd >= 0, path);
	for (long at = 0; at < BYTES; at += AT_ONCE)
		must(pread(fd, buf, AT_ONCE, at) == AT_ONCE, path);
	close(fd);
}

static void by_scrub(void)
{
	int fd = open("/dev/daxrmap", O_RDWR);
	struct daxrmap_scrub s = { .count = BYTES / PAGE };
	struct stat st;

	must(fd >= 0 && !stat(DEV, &st), "/dev/daxrmap");
	s.major = major(st.st_rdev);
	s.minor = minor(st.st_rdev);
	while (s.count) {
		must(!ioctl(fd, DAXRMAP_IOC_SCRUB, &s), "scrub");
		must(!s.found && !s.known, "nothing is bad");
	}
	close(fd);
}

static void by_file(void)
{
	read_all(FILE_, 0);
}

static void by_device(void)
{
	read_all(DEV, O_DIRECT);
}

static const struct way { const char *name; void (*run)(void); } ways[] = {
	{ "scrub", by_scrub },
	{ "read(2) of a file, DAX", by_file },
	{ "read(2) of the device, O_DIRECT", by_device },
};
#define WAYS	((int)(sizeof(ways) / sizeof(*ways)))

static double speed(void)
{
	double t[WAYS][ROUNDS], scrub = 0;

	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < WAYS; i++) {
			double from = now();

			ways[i].run();
			t[i][round] = now() - from;
		}
	printf(LINE "%-34s %10s %8s\n", "64 MiB, 1 MiB at a time", "MiB/s", "ratio");
	for (int i = 0; i < WAYS; i++) {
		double rate = BYTES / part(t[i], ROUNDS, 0.5);

		if (!i)
			scrub = rate;
		printf(LINE "%-34s %10.0f %8.2f\n", ways[i].name, rate / (1 << 20), rate / scrub);
	}
	return scrub;
}

/* Starts the tool, as the timer's unit does but for the class of its scheduling. */
static pid_t start(const char *rate, int niceness)
{
	pid_t pid = fork();

	if (!pid) {
		int fd = open("/dev/null", O_WRONLY);

		dup2(fd, 1);
		must(nice(niceness) == niceness, "nice");
		for (;;) {
			pid_t one = fork();

			if (!one) {
				execl("/usr/sbin/daxrmap", "daxrmap", "scrub", "--all", "--restart",
				      "--rate", rate, DEV, NULL);
				_exit(100);
			}
			waitpid(one, NULL, 0);
		}
	}
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* What it has started. */
	must(!system("kill -INT $(pidof daxrmap) 2>/dev/null; while pidof daxrmap >/dev/null; do :; done"),
	     "the tool ends");
}

/* What a reader feels. */
enum { RATE, P50, P99, LONGEST, SHARE, FEELS };

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * A page at a time, at random, for a while: reads a second; how long one in 2, one in 100 and the longest
 * takes; how much of a CPU it had.
 */
static void reader(double *out)
{
	double had = cpu();
	static double t[MOST];
	int fd = open(FILE_, O_RDONLY), n = 0;
	double from = now(), at = from;

	must(fd >= 0, FILE_);
	while (at < from + WINDOW && n < MOST) {
		double end;

		must(pread(fd, buf, PAGE, random() % (BYTES / PAGE) * PAGE) == PAGE, "read");
		end = now();
		t[n++] = end - at;
		at = end;
	}
	close(fd);
	out[RATE] = n / (at - from);
	out[SHARE] = (cpu() - had) / (at - from);
	out[P50] = part(t, n, 0.5);
	out[P99] = part(t, n, 0.99);
	out[LONGEST] = t[n - 1];
}

static void beside(double full)
{
	struct { const char *name; char rate[32]; int niceness; } how[] = {
		{ "nobody", "", 0 },
		{ "a scrub without a limit", "1T", 0 },
		{ "the same, nice 19", "1T", 19 },
		{ "--rate a tenth of it, nice 19", "", 19 },
		{ "nobody, once more", "", 0 },
	};
	enum { N = sizeof(how) / sizeof(*how), LIMITED = 3 };
	static double got[N][FEELS][ROUNDS];
	double base[FEELS] = { 0 };

	snprintf(how[LIMITED].rate, sizeof(how[LIMITED].rate), "%.0f", full / 10);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < N; i++) {
			pid_t pid = *how[i].rate ? start(how[i].rate, how[i].niceness) : 0;
			double one[FEELS];

			if (pid)
				usleep(300000);
			reader(one);
			for (int j = 0; j < FEELS; j++)
				got[i][j][round] = one[j];
			if (pid)
				stop(pid);
		}
	printf(LINE "\n" LINE "%-34s %10s %8s %8s %8s %8s %8s\n", "a reader beside", "reads/s", "ratio",
	       "p50", "p99", "longest", "CPU");
	for (int i = 0; i < N; i++) {
		double now_[FEELS];

		for (int j = 0; j < FEELS; j++) {
			now_[j] = part(got[i][j], ROUNDS, 0.5);
			if (!i)
				base[j] = now_[j];
		}
		printf(LINE "%-34s %10.0f %8.2f %8.2f %8.2f %5.1f ms %6.0f %%\n", how[i].name,
		       now_[RATE], now_[RATE] / base[RATE], now_[P50] / base[P50], now_[P99] / base[P99],
		       now_[LONGEST] * 1e3, now_[SHARE] * 100);
	}
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	buf = aligned_alloc(PAGE, AT_ONCE);
	must(!!buf, "memory");
	make();
	beside(speed());
	must(!umount(MNT), "umount");
	return 0;
}
