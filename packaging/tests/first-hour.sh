# SPDX-License-Identifier: GPL-2.0
# The step "first-hour" of guest.sh, sourced: what an administrator types in a first hour, and what comes of it, as a
# page of Documentation. All output is what came; only what apt says of its progress is left out.

page=/test/first-hour.rst
said=/run/said

# A paragraph, from standard input, with "::" at its end if commands follow.
tell() { { cat; echo; } >>$page; }
# put COMMAND [FILTER]: the command, and its output, which is in $said too.
put() {
	printf '    # %s\n' "$1" >>$page
	sh -c "cd /root; $1" >$said.all 2>&1
	rc=$?
	${2:-cat} <$said.all >$said
	expand $said | sed -e 's/^\(.\)/    \1/' >>$page
}
run() { # and it has to succeed
	put "$@"
	[ $rc = 0 ] || check "$1" sh -c "cat $said.all; false"
}
run_failing() {
	put "$@"
	[ $rc != 0 ] || check "fails: $1" sh -c "cat $said.all; false"
}
end_of_block() { echo >>$page; }
# expect NAME PATTERN: in what was said last.
expect() { check "$1" grep -qE -e "$2" $said; }
journal_says() { journalctl -q -o cat "$@" >$said.j && grep -qE -e "$text" $said.j; }
wait_journal() { # PATTERN UNIT
	text=$1
	check "the journal of $2 has: $1" wait_for journal_says -u "$2"
}
apt_lines() { grep -E '^(Setting up|Removing|Purging) ' || true; }

# The packages, where one would have put them.
mv /test/debs/*.deb /root/
cp /test/mapper /usr/local/bin/
rm -f $page

tell <<'END'
.. SPDX-License-Identifier: GPL-2.0

============
A first hour
============

A recording: what an administrator types, and what the machine says. ``make first-hour`` makes this page anew: a machine
with systemd in QEMU, trixie and a kernel of its backports, with two devices of 128 MiB of persistent memory, runs what
stands behind each "#" (``packaging/tests/first-hour.sh``), and it is an error if what it says is not what is told here.
Only apt's progress is left out.

No memory is bad in it: the kernel is told that a page has failed, as a machine check tells it.

Install
=======

The packages that ``make deb`` has built, :doc:`install`::

END
run 'uname -r'
run 'ls *.deb'
run 'apt-get install -y ./*.deb' apt_lines
expect "installed" 'Setting up daxrmap-tools'
end_of_block

tell <<'END'
A filesystem
============

``-L`` gives it a label, by which fstab can name it::

END
run 'mkfs.daxrmap -L db /dev/pmem0'
udevadm settle
run "echo 'LABEL=db /db daxrmap defaults 0 0' >>/etc/fstab"
run 'mkdir /db; systemctl daemon-reload; mount /db'
run 'findmnt /db'
expect "mounted" 'daxrmap'
end_of_block
tell <<'END'
Some files, a clone of one of them, which shares all of its pages, and a backup::

END
run 'cp -r /usr/share/perl5 /db/perl5'
run 'seq 1 200000 >/db/orders'
run 'cp --reflink=always /db/orders /db/orders.monday'
run 'mkdir -p /var/backups/daxrmap && cp -a /db /var/backups/daxrmap/'
run 'df -h /db'
end_of_block

tell <<'END'
Somebody watches
================

::

END
run 'systemctl enable --now daxrmap-monitor' cat
run 'systemctl is-active daxrmap-monitor'
expect "active" '^active$'
end_of_block
tell <<'END'
A program maps the file. It has asked to be told of failed memory (``PR_MCE_KILL_EARLY``), and prints what it is told; one
that does neither would be killed by the signal::

END
run 'systemd-run --quiet --unit=shop mapper hold /db/orders 409600'
wait_journal '^mapped$' shop
run 'daxrmap owners /db --file /db/orders:409600'
expect "two owners" '2 owners'
pfn=$(sed -n 's/.*(pfn \(0x[0-9a-f]*\)).*/\1/p' $said)
end_of_block

tell <<'END'
A page fails
============

The page frame of that line::

END
run 'modprobe hwpoison_inject'
run "echo $pfn >/sys/kernel/debug/hwpoison/corrupt-pfn"
wait_journal '^told: ' shop
wait_journal 'the failure is dealt with' daxrmap-monitor
end_of_block
tell <<'END'
What the program was told, what the monitor says, and the kernel::

END
run 'journalctl -q -u shop -o cat'
expect "the process was told" 'told: BUS_MCEERR_AO, byte 409600'
run 'journalctl -q -u daxrmap-monitor -o short --no-hostname -n 4'
expect "both owners" '/db/orders\.monday: lost: offset 409600'
run 'journalctl -q -k -o cat -n 4'
end_of_block
tell <<'END'
An entry of the journal has the facts in fields::

END
run "journalctl -q -u daxrmap-monitor DAXRMAP_EVENT=owner -n 1 -o export | grep -a ^DAXRMAP_ | grep -av ^DAXRMAP_JSON"
expect "fields" '^DAXRMAP_OFFSET=409600$'
end_of_block
tell <<'END'
What is lost, and a picture of the device. Nobody can read the page, by whichever name::

END
run 'daxrmap lost /db'
expect "two files" '/db/orders\.monday: offset 409600'
run_failing 'cat /db/orders.monday >/dev/null'
expect "no silent read" 'Input/output error'
run 'daxrmap map /db'
expect "a bad block" 'bad'
end_of_block

tell <<'END'
Restored by hand
================

What is written over is good again, in that file only: the clone has lost the page still. It is made anew::

END
run 'cp /var/backups/daxrmap/db/orders /db/orders'
run 'daxrmap lost /db'
expect "one file" '^/db/orders\.monday: .*owners 1$'
run 'cmp /db/orders /var/backups/daxrmap/db/orders'
run 'cp --reflink=always /db/orders /db/orders.monday'
run 'daxrmap lost /db'
check "nothing is lost" test ! -s $said
end_of_block

tell <<'END'
Restored by itself
==================

A hook that comes with the tools writes the lost bytes, and only these, from a backup by the same paths::

END
run 'cp /usr/share/doc/daxrmap-tools/examples/restore /etc/daxrmap/on-failure.d/'
run 'chmod 755 /etc/daxrmap/on-failure.d/restore'
run 'touch /var/backups/daxrmap/db/orders* # the backup is no older than the files'
run 'daxrmap owners /db --file /db/orders:819200'
pfn=$(sed -n 's/.*(pfn \(0x[0-9a-f]*\)).*/\1/p' $said)
run "echo $pfn >/sys/kernel/debug/hwpoison/corrupt-pfn"
wait_journal '/db/orders: healed: offset 819200' daxrmap-monitor
wait_journal '/db/orders.monday: healed: offset 819200' daxrmap-monitor
wait_journal 'Finished ' daxrmap-on-failure
end_of_block
tell <<'END'
A moment later::

END
run 'daxrmap lost /db'
check "nothing is lost again" test ! -s $said
run 'cmp /db/orders /var/backups/daxrmap/db/orders && cmp /db/orders.monday /var/backups/daxrmap/db/orders && echo the same'
expect "the same" '^the same$'
run 'journalctl -q -u daxrmap-monitor -u daxrmap-on-failure -o short --no-hostname -n 8'
expect "healed" '/db/orders.monday: healed'
end_of_block

tell <<'END'
An ext4 beside it
=================

The guard does the same for the filesystems that are there already; XFS is no different::

END
run 'mkfs.ext4 -q -b 4096 /dev/pmem1'
run 'mkdir /srv/old; mount -o dax=always /dev/pmem1 /srv/old'
run 'systemctl enable --now daxrmap-guard'
run 'seq 1 10000 >/srv/old/bills'
run 'mkdir -p /var/backups/daxrmap/srv && cp -a /srv/old /var/backups/daxrmap/srv/'
run 'systemd-run --quiet --unit=office mapper hold /srv/old/bills 8192'
wait_journal '^mapped$' office
run 'daxrmap owners /srv/old --file /srv/old/bills:8192'
expect "one owner" '1 owner'
pfn=$(sed -n 's/.*(pfn \(0x[0-9a-f]*\)).*/\1/p' $said)
run "echo $pfn >/sys/kernel/debug/hwpoison/corrupt-pfn"
wait_journal '^told: ' office
wait_journal '/srv/old .*: the failure is dealt with' daxrmap-monitor
check "the hook has restored it" wait_for cmp -s /srv/old/bills /var/backups/daxrmap/srv/old/bills
end_of_block
tell <<'END'
And a moment later::

END
run 'journalctl -q -u office -u daxrmap-monitor -o short --no-hostname -n 6'
expect "told" 'told: BUS_MCEERR_AO, byte 8192'
run 'cmp /srv/old/bills /var/backups/daxrmap/srv/old/bills && echo the same'
expect "the same there" '^the same$'
run 'daxrmap guard status'
end_of_block

tell <<'END'
A scrub
=======

It reads what is in use, so that what fails is found before a program meets it. A timer does so each month::

END
run 'systemctl enable --now daxrmap-scrub@db.timer' cat
run 'systemctl list-timers --no-pager daxrmap-scrub@db.timer'
run 'daxrmap scrub /db'
expect "nothing found" 'found: *0 pages'
run 'daxrmap status /db'
end_of_block

tell <<'END'
Away with it
============

::

END
run 'systemctl disable --now daxrmap-scrub@db.timer' cat
check "no word of metrics that nobody collects" sh -c '! journalctl -q -u daxrmap-monitor | grep -F daxrmap.prom'
run 'umount /db /srv/old'
run "sed -i '/daxrmap/d' /etc/fstab"
run 'rm /etc/daxrmap/on-failure.d/restore'
run "apt-get purge -y 'daxrmap-*'" apt_lines
expect "purged" 'Purging configuration files for daxrmap-tools'
run 'rmmod daxrmap'
run "find / -xdev -iname '*daxrmap*' -not -path '/root/*' -not -path '/var/backups/*'"
check "nothing is left" test ! -s $said
end_of_block
check "the page is written" test -s $page
