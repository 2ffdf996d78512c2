// SPDX-License-Identifier: GPL-2.0
/* Space that is asked for, and space that is not in one piece. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include "bench.h"
#include "common/basics/text.h"
#include "common/files/files.h"

void fallocate_mib(const struct turn *t)
{
	long bytes = t->size * MIB;
	static char page[PAGE];
	int fd;

	if (t->size <= 64)
		age();
	for (int i = 0; i < 3; i++) {
		fd = open_file("f", O_RDWR | O_CREAT);
		begin();
		must(fallocate(fd, 0, 0, bytes) ? dr_errno() : 0, "fallocate");
		end(t, "fallocate (MiB)");
		/* What it gave is to be written, too: no price is hidden there. */
		for (long n = 0; n < 64; n++) {
			long at = n * 2654435761L % (bytes / PAGE) * PAGE;

			begin();
			write_at(fd, page, PAGE, at);
			end(t, "write 4 KiB into what fallocate gave (MiB)");
		}
		begin();
		must(fsync(fd) ? dr_errno() : 0, "fsync");
		end(t, "fsync after these writes (MiB)");
		begin();
		must(ftruncate(fd, 0) ? dr_errno() : 0, "truncate");
		end(t, "truncate of it (MiB)");
		close(fd);
		must(unlink(dr_path("f")) ? dr_errno() : 0, "unlink");
		settle();
	}
}

/* As a log is written whose space was asked for: one page after the other. @size: MiB. */
void write_in_turn(const struct turn *t)
{
	static char page[PAGE];
	int fd = open_file("f", O_RDWR | O_CREAT);

	must(fallocate(fd, 0, 0, t->size * MIB) ? dr_errno() : 0, "fallocate");
	for (long at = 0; at < t->size * MIB; at += PAGE) {
		begin();
		write_at(fd, page, PAGE, at);
		end(t, "write 4 KiB in turn into what fallocate gave (MiB)");
	}
	close(fd);
}

/* @size: KiB. */
void zero_range(const struct turn *t)
{
	long bytes = t->size << 10;
	int rounds = t->size > 1024 ? 3 : 200, fd = make_file("f", 64 * MIB, MIB);

	for (int i = 0; i < rounds; i++) {
		long at = i * 2 * bytes % (64 * MIB);

		begin();
		must(fallocate(fd, FALLOC_FL_ZERO_RANGE, at, bytes) ? dr_errno() : 0, "zero range");
		end(t, "ZERO_RANGE (KiB)");
	}
	close(fd);
}

static void write_pieces(const struct turn *t, const char *what, const char *name, long piece, int n)
{
	char *data = calloc(1, piece);
	int fd = open_file(name, O_WRONLY | O_CREAT);

	must(data ? 0 : -ENOMEM, "memory");
	for (int i = 0; i < n; i++) {
		begin();
		write_at(fd, data, piece, i * piece);
		end(t, what);
	}
	free(data);
	close(fd);
}

/* @size: so many free blocks, none beside another one. */
void write_into_holes(const struct turn *t)
{
	leave_holes(t->size);
	write_pieces(t, "write 64 KiB into single free blocks", "a", 64 << 10, 12);
	write_pieces(t, "write 256 KiB into single free blocks", "b", 256 << 10, 4);
}

/* @size: files. What a file costs must not grow with them: the last tenth is measured for itself. */
void create_and_write(const struct turn *t)
{
	static char page[PAGE];

	age();
	must(mkdir(dr_path("d"), 0755) ? dr_errno() : 0, "mkdir");
	for (long i = 0; i < t->size; i++) {
		int fd;

		begin();
		fd = open_file(numbered("d/", i), O_WRONLY | O_CREAT | O_EXCL);
		write_at(fd, page, PAGE, 0);
		close(fd);
		end(t, i < t->size - t->size / 10 ? "create + write 4 KiB" :
		    "create + write 4 KiB, the last tenth of so many");
	}
}
