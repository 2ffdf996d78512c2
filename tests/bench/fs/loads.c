// SPDX-License-Identifier: GPL-2.0
/* The loads. A new one is a function, and a line here. */
#include "bench.h"

const struct load loads[] = {
	/* family, name, function, sizes, how many of them quickly, what it needs */
	{ "space", "fallocate", fallocate_mib, { 64, 4, 512 }, 1, 0 },
	{ "space", "in-turn", write_in_turn, { 16 }, 1, 0 },
	{ "space", "zero-range", zero_range, { 4, 32768 }, 2, 0 },
	{ "space", "holes", write_into_holes, { 1000, 10000 }, 1, 0 },
	{ "names", "create-write", create_and_write, { 1000, 2000, 10000 }, 2, 0 },
	{ "names", "names", names, { 1000, 10000, 100000 }, 1, 0 },
	{ "names", "readdir", read_directory, { 1000, 10000 }, 1, 0 },
	{ "names", "rm-r", remove_tree, { 1000, 5000 }, 1, 0 },
	{ "attributes", "attributes", attributes, { 1 }, 1, 0 },
	{ "data", "append", append, { 1 }, 1, 0 },
	{ "data", "fragmented", fragmented_io, { 4096 }, 1, 0 },
	{ "data", "msync", msync_dirty, { 256 }, 1, 0 },
	{ "faults", "faults", faults, { 512 }, 1, 0 },
	{ "faults", "huge", huge_faults, { 16 }, 1, 0 },
	{ "faults", "map-sync", sync_faults, { 512 }, 1, 0 },
	{ "clones", "clone", clone_extents, { 1000, 1, 10, 100, 10000 }, 1, CLONES },
	{ "clones", "cow", copy_on_write, { 512 }, 1, CLONES },
	{ "clones", "copy-tree", copy_tree, { 500 }, 1, CLONES },
	{ "clones", "unlink-clone", unlink_clone, { 1000, 10000, 100000 }, 1, CLONES },
	{ "waits", "beside-xattrs", beside_xattrs, { 65536 }, 1, 0 },
	{ "waits", "beside-removal", beside_removal, { 20000 }, 1, CLONES },
	{ "waits", "matrix", matrix, { 1 }, 0, 0 },
	{ "failures", "fsync-with-bad", fsync_with_bad, { 1000, 100, 10000 }, 1, POISONS },
	{ "failures", "poison-mapped", poison_mapped, { 1, 64, 1024 }, 2, CLONES | POISONS },
	{ "failures", "poison-unmapped", poison_unmapped, { 1024, 64, 10000 }, 1, CLONES | POISONS },
	{ "failures", "poison-not-in-core", poison_not_in_core, { 1024, 64 }, 0, CLONES | POISONS },
	{ "programs", "fio", fio, { 16 }, 1, 0 },
	{ "programs", "sqlite", sqlite, { 300 }, 1, 0 },
	{ "programs", "pgbench", pgbench, { 300 }, 0, 0 },
	{ "memory", "files", memory_of_files, { 20000 }, 0, 0 },
	{ "memory", "extents", memory_of_extents, { 20000 }, 0, 0 },
	{ "memory", "clones", memory_of_clones, { 5000 }, 0, CLONES },
};
const int n_loads = sizeof(loads) / sizeof(*loads);
