// SPDX-License-Identifier: GPL-2.0
/* Machine checks, the process that they hit, and two kinds of pmem. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "common.h"
#include "common/basics/text.h"
#include "machine.h"

#define PATIENCE 20000		/* ms: the debug kernel is slow */

const char *no_machine_checks(void)
{
	char buf[16384];

	if (access("/sys/devices/system/machinecheck", F_OK))
		return "this kernel has no machine checks (CONFIG_X86_MCE)";
	if (dr_slurp("/proc/cpuinfo", buf, sizeof(buf)) < 0 ||
	    !strstr(buf, "GenuineIntel") || !strstr(buf, " mca "))
		return "the CPU has no machine checks of Intel's kind";
	return NULL;
}

long machine_checks(void)
{
	static char buf[65536];
	char *p, *end;
	long n = 0, each;

	if (dr_slurp("/proc/interrupts", buf, sizeof(buf)) < 0)
		return -1;
	p = strstr(buf, "MCE:");
	if (!p)
		return -1;
	/* a number for each CPU, then what it is */
	for (p += 4; each = strtol(p, &end, 10), end != p; p = end)
		n += each;
	return n;
}

int run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? dr_errno() : 0;
}

void request(const char *kind, int cpu, unsigned long paddr, const void *vaddr)
{
	printf("# MCE-REQUEST %s %d %#lx %016lx\n", kind, cpu, paddr,
	       (unsigned long)vaddr);
	fflush(stdout);
}

/*
 * The pmem device of that bus: what it is called, and the namespace, or what has
 * been made of one, that it is on. 0 or -ENODEV.
 */
static int find_pmem(const char *provider, char *dev, size_t size, char *on,
		     size_t on_size)
{
	DIR *d = opendir("/sys/block");
	struct dirent *e;
	char link[320], path[4096], text[64];
	int r = -ENODEV;

	while (d && r && (e = readdir(d))) {
		char *bus;

		if (strncmp(e->d_name, "pmem", 4))
			continue;
		/* .../ndbus1/region1/namespace1.0 */
		snprintf(link, sizeof(link), "/sys/block/%s/device", e->d_name);
		if (!realpath(link, path))
			continue;
		snprintf(on, on_size, "%s", strrchr(path, '/') + 1);
		bus = strstr(path, "/ndbus");
		if (!bus || !(bus = strchr(bus + 1, '/')))
			continue;
		snprintf(bus, sizeof(path) - (bus - path), "/provider");
		if (dr_slurp(path, text, sizeof(text)) < 0)
			continue;
		text[strcspn(text, "\n")] = 0;
		if (strcmp(text, provider))
			continue;
		snprintf(dev, size, "/dev/%s", e->d_name);
		r = 0;
	}
	if (d)
		closedir(d);
	return r;
}

int use_pmem(const char *provider)
{
	char dev[300], on[64], cmd[256];
	int r = find_pmem(provider, dev, sizeof(dev), on, sizeof(on));

	/* A new NVDIMM is one namespace without page structs, so without DAX. */
	if (!r && !strcmp(provider, NFIT) && strncmp(on, "pfn", 3)) {
		snprintf(cmd, sizeof(cmd), "ndctl create-namespace -f -e %s -m fsdax -M mem "
			 ">/dev/null", on);
		if (system(cmd))
			return -EIO;
		r = find_pmem(provider, dev, sizeof(dev), on, sizeof(on));
	}
	if (!r && setenv("DAXRMAP_TEST_DEV", dev, 1))
		r = dr_errno();
	return r;
}

static int is_listed(unsigned long block)
{
	unsigned long first, count;
	char file[128], buf[4096], *line, *save;
	ssize_t r;

	snprintf(file, sizeof(file), "/sys/block/%s/badblocks",
		 strrchr(dr_dev(), '/') + 1);
	r = dr_slurp(file, buf, sizeof(buf));
	if (r < 0)
		return r;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%lu %lu", &first, &count) == 2 &&
		    first < (block + 1) * 8 && first + count > block * 8)
			return 1;
	return 0;
}

int wait_listed(unsigned long block)
{
	for (int ms = 0; ms < dr_patience(PATIENCE); ms += 10) {
		int r = is_listed(block);

		if (r)
			return r < 0 ? r : 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

int mention_poison(unsigned long paddr)
{
	static const char dir[] = DEBUGFS "/mce-inject";
	char addr[32];
	/* "bank" is what starts it; the status says: memory, uncorrected */
	const char *const step[][2] = { { "flags", "sw\n" },
		{ "status", "0xbd000000000000c0" }, { "addr", addr },
		{ "misc", "0x8c" }, { "bank", "1" } };
	char path[64];
	int r = 0;

	if (access(dir, F_OK) && system("modprobe mce_inject"))
		return -ENOENT;
	snprintf(addr, sizeof(addr), "%#lx", paddr);
	for (int i = 0; i < 5 && !r; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, step[i][0]);
		r = dr_put(path, step[i][1]);
	}
	return r;
}

static int consume(void *arg)
{
	struct consumer *c = arg;
	struct dr_sig s[4];
	char *base = dr_map(c->name, 0, (c->blk + 2) * BLK, PROT_READ | PROT_WRITE,
			    MAP_SHARED);

	if (!base || run_on(c->cpu))
		return 1;
	c->page = base + c->blk * BLK;
	c->byte = c->page + 0x240;
	c->before = dr_load(c->byte);
	if (c->before.sig.signo)
		return 2;
	c->ready = 1;
	c->first = dr_load_until_told(c->byte);
	c->told = 1;
	while (!c->go)
		usleep(1000);
	c->again = dr_load(c->byte);
	c->beside = dr_load(c->page + BLK);
	c->strays = dr_signals(s, 4);
	return 0;
}

static int wait_until(volatile int *is)
{
	for (int ms = 0; ms < dr_patience(PATIENCE) && !*is; ms += 10)
		usleep(10000);
	return *is ? 0 : -ETIMEDOUT;
}

struct consumer *consumer_start(int cpu, const char *name, unsigned long blk)
{
	struct consumer *c = dr_shared_mem(sizeof(*c));

	snprintf(c->name, sizeof(c->name), "%s", name);
	c->blk = blk;
	c->cpu = cpu;
	c->pid = dr_spawn(consume, c);
	return wait_until(&c->ready) ? NULL : c;
}

int consumer_told(struct consumer *c)
{
	return wait_until(&c->told);
}

int consumer_end(struct consumer *c)
{
	int r;

	c->go = 1;
	r = dr_wait_for(c->pid, PATIENCE);

	if (r == -ETIMEDOUT) {
		kill(c->pid, SIGKILL);
		dr_wait(c->pid);
	}
	return r;
}
