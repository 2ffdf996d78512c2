/* SPDX-License-Identifier: GPL-2.0 */
/* The rows of which_times.c, in the order of Documentation/syscalls.rst. */
ROW(stat, "stat, access",
    access("d/f", R_OK), "", NULL, NULL)
ROW(open, "open, close",
    with("d/f", O_RDONLY), "", NULL, NULL)
ROW(list, "readdir",
    list(), "d:a", NULL, NULL)
ROW(read, "read",
    pread(f, buf, 1, 0), "f:a", NULL, NULL)
ROW(read_nothing, "read of 0 bytes",
    pread(f, buf, 0, 0), "", NULL, NULL)
ROW(read_end, "read beyond the end",
    pread(f, buf, 1, 1 << 20), "f:a", NULL, NULL)
ROW(load, "load through mmap",
    (*(volatile char *)map, 0), "", NULL, NULL)
ROW(map, "mmap",
    map_once(), "f:a", NULL, NULL)
ROW(store, "store through mmap",
    (*(volatile char *)map = 1, 0), "f:mc", NULL, NULL)
ROW(write, "write",
    pwrite(f, "x", 1, 0), "f:mc", NULL, NULL)
ROW(write_nothing, "write of 0 bytes",
    pwrite(f, "x", 0, 0), "", NULL, NULL)
ROW(append, "write beyond the end",
    pwrite(f, "x", 1, 5 * BLK), "f:mc", NULL, NULL)
ROW(fsync, "fsync",
    fsync(f), "", NULL, NULL)
ROW(trunc_less, "truncate, to less",
    truncate("d/f", BLK + 1), "f:mc", NULL, NULL)
ROW(trunc_more, "truncate, to more",
    truncate("d/f", 9 * BLK), "f:mc", NULL, NULL)
ROW(trunc_same, "truncate, to the same",
    truncate("d/f", 4 * BLK + 100), "", NULL, "f:mc")
ROW(ftrunc_less, "ftruncate, to less",
    ftruncate(f, BLK + 1), "f:mc", NULL, NULL)
ROW(ftrunc_more, "ftruncate, to more",
    ftruncate(f, 9 * BLK), "f:mc", NULL, NULL)
ROW(ftrunc_same, "ftruncate, to the same",
    ftruncate(f, 4 * BLK + 100), "f:mc", NULL, NULL)
ROW(o_trunc, "open with O_TRUNC",
    with("d/f", O_WRONLY | O_TRUNC), "f:mc", NULL, NULL)
ROW(alloc, "fallocate 0, of blocks that are there",
    fallocate(f, 0, 0, BLK), "f:mc", NULL, NULL)
ROW(alloc_more, "fallocate 0, beyond the end",
    fallocate(f, 0, 0, 9 * BLK), "f:mc", NULL, NULL)
ROW(alloc_keep, "fallocate KEEP_SIZE",
    fallocate(f, KEEP, 8 * BLK, BLK), "f:mc", NULL, NULL)
ROW(alloc_too_much, "fallocate of more than there is",
    !fallocate(f, KEEP, 0, 1L << 40), "", "f:mc", "f:mc")
ROW(punch, "PUNCH_HOLE",
    fallocate(f, KEEP | FALLOC_FL_PUNCH_HOLE, BLK, BLK), "f:mc", NULL, NULL)
ROW(punch_hole, "PUNCH_HOLE, of a hole",
    fallocate(f, KEEP | FALLOC_FL_PUNCH_HOLE, 100 * BLK, BLK), "f:mc", NULL, NULL)
ROW(zero, "ZERO_RANGE",
    fallocate(f, FALLOC_FL_ZERO_RANGE, BLK, BLK), "f:mc", NULL, NULL)
ROW(collapse, "COLLAPSE_RANGE",
    fallocate(f, FALLOC_FL_COLLAPSE_RANGE, BLK, BLK), "f:mc", NULL, NULL)
ROW(insert, "INSERT_RANGE",
    fallocate(f, FALLOC_FL_INSERT_RANGE, BLK, BLK), "f:mc", NULL, NULL)
ROW(unshare, "UNSHARE_RANGE",
    fallocate(f, FALLOC_FL_UNSHARE_RANGE, BLK, BLK), "f:mc", NULL, "!")
ROW(clone, "FICLONE of f to g",
    ioctl(g, FICLONE, f), "g:mc", NULL, "!")
ROW(clone_range, "FICLONERANGE of f to g",
    clone_range(), "g:mc", NULL, "!")
ROW(dedupe, "FIDEDUPERANGE of f and g, the same",
    dedupe(0), "", NULL, "!")
ROW(dedupe_other, "FIDEDUPERANGE of f and g, not the same",
    dedupe(BLK), "", NULL, "!")
ROW(copy, "copy_file_range of f to g",
    copy_file_range(f, NULL, g, NULL, 100, 0), "f:a g:mc", NULL, NULL)
ROW(chmod, "chmod",
    fchmod(f, 0600), "f:c", NULL, NULL)
ROW(chmod_same, "chmod, to the same",
    fchmod(f, 0644), "f:c", NULL, NULL)
ROW(chown, "chown",
    fchown(f, 1, 1), "f:c", NULL, NULL)
ROW(chown_same, "chown, to the same",
    fchown(f, 0, 0), "f:c", NULL, NULL)
ROW(chown_nothing, "chown -1 -1",
    fchown(f, -1, -1), "f:c", NULL, NULL)
ROW(utimens, "utimensat",
    times("d/f", 1, 2), "f:amc", NULL, NULL)
ROW(utimens_now, "utimensat, UTIME_NOW",
    times("d/f", UTIME_NOW, UTIME_NOW), "f:amc", NULL, NULL)
ROW(utimens_atime, "utimensat, of atime only",
    times("d/f", 1, UTIME_OMIT), "f:ac", NULL, NULL)
ROW(utimens_none, "utimensat, UTIME_OMIT",
    times("d/f", UTIME_OMIT, UTIME_OMIT), "", NULL, NULL)
ROW(chattr, "FS_IOC_SETFLAGS",
    chattr(FS_NODUMP_FL), "f:c", NULL, NULL)
ROW(chattr_same, "FS_IOC_SETFLAGS, to the same",
    chattr(0), "f:c", NULL, NULL)
ROW(setxattr, "setxattr",
    fsetxattr(f, "user.a", "2", 1, 0), "f:c", NULL, NULL)
ROW(setxattr_same, "setxattr, to the same",
    fsetxattr(f, "user.b", "1", 1, 0), "f:c", NULL, "")
ROW(getxattr, "getxattr",
    fgetxattr(f, "user.b", buf, sizeof(buf)), "", NULL, NULL)
ROW(removexattr, "removexattr",
    fremovexattr(f, "user.b"), "f:c", NULL, NULL)
ROW(create, "open with O_CREAT",
    with("d/new", O_CREAT | O_EXCL | O_WRONLY), "d:mc", NULL, NULL)
ROW(mkdir, "mkdir",
    mkdir("d/new", 0755), "d:mc", NULL, NULL)
ROW(mknod, "mknod",
    mknod("d/new", S_IFIFO | 0644, 0), "d:mc", NULL, NULL)
ROW(symlink, "symlink",
    symlink("f", "d/new"), "d:mc", NULL, NULL)
ROW(tmpfile, "O_TMPFILE in d",
    with("d", O_TMPFILE | O_RDWR), "", NULL, NULL)
ROW(link, "link f to e",
    link("d/f", "e/new"), "f:c e:mc", NULL, NULL)
ROW(unlink, "unlink",
    unlink("d/f"), "f:c d:mc", NULL, NULL)
ROW(rmdir, "rmdir s",
    rmdir("d/s"), "d:mc s:c", NULL, NULL)
ROW(rename, "rename f",
    rename("d/f", "d/new"), "f:c d:mc", NULL, NULL)
ROW(rename_away, "rename f to e",
    rename("d/f", "e/new"), "f:c d:mc e:mc", NULL, NULL)
ROW(rename_over, "rename f over g",
    rename("d/f", "d/g"), "f:c g:c d:mc", NULL, NULL)
ROW(rename_dir, "rename s",
    rename("d/s", "d/new"), "d:mc s:c", NULL, NULL)
ROW(rename_dir_away, "rename s to e",
    rename("d/s", "e/new"), "d:mc e:mc s:c", NULL, NULL)
ROW(exchange, "RENAME_EXCHANGE f and s",
    renameat2(AT_FDCWD, "d/f", AT_FDCWD, "d/s", RENAME_EXCHANGE), "f:c d:mc s:c", "d:mc", NULL)
ROW(whiteout, "RENAME_WHITEOUT f to e",
    renameat2(AT_FDCWD, "d/f", AT_FDCWD, "e/new", RENAME_WHITEOUT), "f:c d:mc e:mc", NULL, NULL)
