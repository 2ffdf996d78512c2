# SPDX-License-Identifier: GPL-2.0
# What one types here; the kernel's build system reads Kbuild instead.
#
#   make                       daxrmap.ko for the pinned distribution kernel
#   make KDIR=/path/to/tree    daxrmap.ko for any prepared kernel tree
#   make help                  the rest

# Passed on to kbuild when given here: V=1 shows commands, W=1 warns more.
KBUILD_ARGS := $(foreach v,V W C,$(if $($v),$v=$($v)))

all: module

ifdef KDIR
# Someone else's tree: with this machine's tools, and without ours.
KDIR_ABS := $(abspath $(KDIR))
KDIR_RELEASE = $(shell cat $(KDIR_ABS)/include/config/kernel.release 2>/dev/null)
module:
	@sh scripts/build/check-kdir.sh $(KDIR_ABS)
	@mkdir -p build
	+@log=build/$(KDIR_RELEASE).log; rm -f $$log.ok; \
	{ $(MAKE) -C $(KDIR_ABS) M=$(CURDIR) MO=$(CURDIR)/build/$(KDIR_RELEASE) modules 2>&1 && \
		touch $$log.ok; } | tee $$log; \
	[ -e $$log.ok ] || { scripts/build/kernel-difference.sh $(KDIR_RELEASE) $$log; exit 1; }
	@echo "==> build/$(KDIR_RELEASE)/daxrmap.ko"
else
module: setup
	scripts/build/module.sh stock $(KBUILD_ARGS) modules
	@echo "==> build/stock/daxrmap.ko"
endif

setup:
	@scripts/setup/root.sh
	@scripts/setup/kernel.sh

debug-kernel: setup
	@scripts/setup/debug-kernel.sh

module-debug: debug-kernel
	scripts/build/module.sh debug $(KBUILD_ARGS) modules
	@echo "==> build/debug/daxrmap.ko"

selftests: setup
	scripts/build/selftests.sh

# For the pinned distribution kernel.
samples: module
	scripts/build/samples.sh stock
	@echo "==> build/stock/samples"

tools:
	@scripts/setup/root.sh
	scripts/build/tools.sh
	@echo "==> build/tools"

# Debian packages: the programs, the module's source for DKMS, modules for the pinned kernels.
deb:
	@scripts/build/deb.sh

# They are installed in a guest with systemd, and by DKMS, and purged: some 20 minutes.
test-packages:
	@scripts/tests/packages-machine.sh

# What Documentation/first-hour.rst shows is run in that guest, and the page is written anew.
first-hour:
	@scripts/tests/first-hour.sh

# TESTS="a b" runs only these self tests.
test:
	@scripts/tests/run.sh
test-stock test-debug test-nfit test-virtio test-host:
	@scripts/tests/run.sh $(@:test-%=%)

# Each kernel that the mirror has: SUITES="sid experimental" TESTS="a b" only these.
test-kernels:
	@scripts/tests/kernels.sh

# mkfs, copy, clone, lose a page, heal, have the power cut, mount again.
story:
	@scripts/tests/run.sh story

# Debian's programs, in a root tree of their own: TESTS="git sqlite" only these.
programs:
	@scripts/tests/run.sh programs

# Machine checks, raised through QEMU's monitor.
mce:
	@scripts/tests/run.sh mce

# Persistent memory behind CXL: what the device says, on daxrmap, ext4, XFS. CXL="quick xfs" only these parts.
cxl:
	@CXL="$(or $(CXL),quick ext4 xfs interleave removal kill)" scripts/tests/run.sh cxl

# The patches for drivers/cxl (Documentation/upstream), in a debug kernel of their own.
cxl-upstream: setup
	@scripts/tests/cxl-upstream.sh

# All of it, one after the other: beside XFS and ext4, then the owner tree, mounts and aging.
bench: setup
	@scripts/bench/fs.sh
	@scripts/bench/fs.sh --wall
	@scripts/bench/owner-tree.sh

# LOADS="names holes": only these. ROUNDS=5: so many turns of each.
bench-fs: setup
	@scripts/bench/fs.sh $(LOADS)
	@$(if $(LOADS),:,scripts/bench/fs.sh --wall)

# Where the kernel is meanwhile, function by function: LOADS="attributes" has to say of what.
profile: setup
	@scripts/bench/fs.sh --profile $(LOADS)

# Under five minutes: the first sizes of each load, in one turn.
bench-quick: setup
	@scripts/bench/fs.sh --quick $(LOADS)

# What got slower than in OLD=bench.csv, by more than PERCENT=10; NEW=file is tests/bench/out/bench.csv.
NEW ?= tests/bench/out/bench.csv
bench-diff: setup
	@scripts/bench/report.sh diff "$(OLD)" "$(NEW)" $(PERCENT)

# N=100000: so many records, quickly; the rest is in scripts/bench/owner-tree.sh.
bench-rmap: setup
	@scripts/bench/owner-tree.sh $(N)

# Only how long a mount takes.
bench-mount: setup
	@scripts/bench/mount.sh

# What the guard costs those who use ext4 and XFS, and memory_failure().
bench-guard: setup
	@scripts/bench/guard.sh

# How fast a scrub is, and what a reader beside it feels.
bench-scrub: setup
	@scripts/bench/scrub.sh

# FUZZ_TARGET=rmap: only that one.
FUZZ_SECONDS ?= 180
fuzz:
	@scripts/setup/root.sh
	@scripts/tests/fuzz.sh $(FUZZ_SECONDS) $(FUZZ_TARGET)

# So many states of the medium after a crash, drawn anew with another
# DAXRMAP_SEED (tests/host/src/crash.rs), and machines that are killed under load:
# CYCLES=20 of them.
CRASH_STATES ?= 1000000
crash: setup power-cut
	@DAXRMAP_CRASH_STATES=$(CRASH_STATES) scripts/tests/cargo.sh tests/host \
		crash::every -- --nocapture

power-cut: setup
	@scripts/tests/power-cut.sh

# Files come and go on a nearly full device, beside XFS and ext4. ROUNDS=40 SEED=1 SIZE=1024 FS=daxrmap
aging: setup
	@ROUNDS=$(ROUNDS) SEED=$(SEED) SIZE=$(SIZE) FS="$(FS)" scripts/bench/aging.sh

# Every state of the failure protocol's model. MODEL="faults two": only those.
model:
	@scripts/setup/root.sh
	@scripts/checks/model.sh $(MODEL)

# One of the kernel's own faults, on XFS or ext4: Documentation/kernel-faults.rst
kernel-fault: setup
	@scripts/guest/kernel-fault.sh $(FAULT)

# Takes one cure out at a time, and wants a self test to notice.
mutants: module debug-kernel
	@scripts/tests/mutants.sh $(MUTANTS)

# STRESS_EVENTS=10000, STRESS_SEED=random, STRESS_KERNEL=stock|debug. The guard: FS=ext4|xfs
# STACK=linear|stripe|pmem GUARD=hold|watch|off
stress: $(if $(filter debug,$(STRESS_KERNEL)),module-debug,module)
	@OPS=$(STRESS_EVENTS) SEED=$(STRESS_SEED) KERNEL=$(STRESS_KERNEL) FS=$(FS) STACK=$(STACK) GUARD=$(GUARD) \
		scripts/tests/long.sh $@

# Random operations against a model. OPS=50000, SEED=random, KERNEL=stock|debug, FS=daxrmap|xfs
fsx fsstress: $(if $(filter debug,$(KERNEL)),module-debug,module)
	@OPS=$(OPS) SEED=$(SEED) KERNEL=$(KERNEL) FS=$(FS) scripts/tests/long.sh $@

demo: module
	@scripts/guest/demo.sh

clippy: setup
	scripts/build/module.sh stock --to $(CURDIR)/build/clippy CLIPPY=1 $(KBUILD_ARGS) modules

# What each room of src/ takes from others. ROOM=fs/file: inside of one.
house: setup
	@scripts/checks/house.sh --draw $(ROOM)

fmt: setup
	@scripts/checks/rustfmt.sh
fmt-check: setup
	@scripts/checks/rustfmt.sh --check

doc: module
	@scripts/build/rustdoc.sh

# The cache (root tree, kernels) stays: rm -r ~/.cache/daxrmap by hand.
clean:
	rm -rf build

help:
	@echo 'make                the module for the pinned distribution kernel, build/stock/daxrmap.ko'
	@echo 'make KDIR=DIR       the module for any prepared kernel tree with CONFIG_RUST'
	@echo 'make module-debug   the module for the debug kernel, build/debug/daxrmap.ko'
	@echo 'make samples        a filesystem that uses daxrmap from another module, build/stock/samples'
	@echo 'make tools          the user space tools, in build/tools'
	@echo 'make deb            Debian packages, in build/deb'
	@echo 'make setup          what the builds need, into ~/.cache/daxrmap (done by the others too)'
	@echo 'make debug-kernel   build the debug kernel, some 10 minutes'
	@echo 'make test           every test; the last line has the counts'
	@echo 'make test-stock     only the self tests on the stock kernel  (TESTS="a b": only these)'
	@echo 'make test-debug     only the self tests on the debug kernel'
	@echo 'make test-nfit      only the self tests on an NVDIMM'
	@echo 'make test-virtio    only the self tests on virtio-pmem'
	@echo 'make story          a story: mkfs, copy, clone, a failure, a power failure'
	@echo 'make programs       only public programs: fio, stress-ng, PostgreSQL ... (TESTS="a b": only these)'
	@echo 'make test-kernels   the self tests on every kernel of backports, sid, experimental (SUITES="sid")'
	@echo 'make test-packages  the packages installed, upgraded and purged in a guest with systemd, some 20 minutes'
	@echo 'make first-hour     a first hour with the packages, recorded as Documentation/first-hour.rst'
	@echo 'make test-host      only the tests that need no kernel'
	@echo 'make mce            only the real machine checks, in QEMU on the stock kernel'
	@echo 'make cxl-upstream   the patches for drivers/cxl, in a debug kernel that has them: the first time 15 minutes'
	@echo 'make cxl            only what CXL devices say, on daxrmap, ext4, XFS (CXL="quick xfs": these parts)'
	@echo 'make model          model-check the failure protocol, some 2 minutes (MODEL="faults two")'
	@echo 'make crash          a million states of the medium after a crash (CRASH_STATES), and:'
	@echo 'make power-cut      machines killed under load, an oracle watching (CYCLES=20, POWER_CUT_SEED)'
	@echo 'make mutants        take one cure out at a time: the self tests must notice (MUTANTS="a b")'
	@echo 'make kernel-fault   one of the faults that the kernel has itself (FAULT=cachestat; without it: a list)'
	@echo 'make stress         10,000 poison events under load, an oracle watching (STRESS_EVENTS, STRESS_SEED)'
	@echo '                    and the guard: FS=ext4|xfs STACK=linear|stripe|pmem (GUARD=hold|watch|off)'
	@echo 'make fsx            random operations on a file, a model watching (OPS=50000, SEED, KERNEL=debug, FS=xfs)'
	@echo 'make fsstress       random operations on names, four processes (OPS=20000, SEED, KERNEL=debug, FS=xfs)'
	@echo 'make bench          beside XFS and ext4, the owner tree, mounts, aging: under an hour'
	@echo 'make bench-fs       only beside XFS and ext4, by instructions and by the clock (LOADS="names holes")'
	@echo 'make bench-quick    the same in under five minutes: less of each load'
	@echo 'make profile        where the kernel is in these loads, ours and the others (LOADS="attributes")'
	@echo 'make bench-diff     what got slower since OLD=bench.csv (NEW=bench.csv, PERCENT=10); fails if anything has'
	@echo 'make bench-rmap     only the owner tree against its peers, mounts, aging (N=100000: quickly)'
	@echo 'make bench-mount    only how long a mount takes, beside XFS and ext4, some 15 minutes'
	@echo 'make bench-guard    what the guard costs ext4 and XFS, while nothing fails and when something does'
	@echo 'make bench-scrub    how fast a scrub is beside reads of the same, and what a reader beside it feels'
	@echo 'make aging          only extents and free space after long use, beside XFS and ext4, some 5 minutes'
	@echo 'make fuzz           fuzz the owner and free trees, and the replay of a log (FUZZ_SECONDS=180)'
	@echo 'make demo           a poisoned page, from injection to its owners, in QEMU'
	@echo 'make clippy         lint; make fmt: format; make fmt-check: is it formatted?'
	@echo 'make house          the rooms of src/, and what each takes from others (ROOM=fs)'
	@echo 'make doc            API documentation, build/doc'
	@echo 'make clean          remove build/; the cache stays'
	@echo 'What is where: README.md, scripts/README, tests/selftests/README'

.PHONY: all module setup debug-kernel module-debug selftests samples tools deb test test-packages first-hour test-stock \
	test-debug test-nfit test-virtio test-kernels test-host story programs mce cxl cxl-upstream bench bench-fs profile bench-quick bench-diff bench-rmap bench-mount bench-guard bench-scrub aging fuzz model crash power-cut kernel-fault mutants stress fsx fsstress demo clippy house fmt fmt-check doc clean help
