# SPDX-License-Identifier: GPL-2.0
# Guests whose QEMU does something to the machine while they run, as they ask for it on their console: its
# monitor is JSON (QMP), on two pipes that are opened before QEMU is. Sourced after lib-guest.sh. $work is a
# folder that goes with the script.

work=$(mktemp -d "$CACHE/qemu.XXXXXX")
guest=
clean() {
	[ -z "$guest" ] || kill -TERM "$guest" 2>/dev/null || true
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# qmp COMMAND [ARGUMENTS]: prints the answer's line. Events are passed over.
qmp() {
	local line
	printf '{"execute": "%s", "arguments": {%s}}\n' "$1" "${2:-}" >&"$to"
	while IFS= read -r -t 60 -u "$from" line; do
		case $line in
		'{"return"'* | '{"error"'*) printf '%s\n' "$line"; return 0 ;;
		esac
	done
	echo '{"error": "no answer"}'
}

# serve LOG REQUEST COMMAND: calls COMMAND with the words of each request in the log, as they come, until it
# fails or the guest ends. REQUEST is what finds them in a line, as the part in parentheses of sed's pattern.
serve() {
	local done=0 request
	while kill -0 "$guest" 2>/dev/null; do
		sleep 0.1
		[ -e "$1" ] || continue
		request=$(tr -d '\r' <"$1" | sed -n "s/.*tap: # $2\$/\\1/p" | sed -n "$((done + 1))p")
		[ -n "$request" ] || continue
		done=$((done + 1))
		# shellcheck disable=SC2086
		$3 $request || return 0
	done
}

# monitored LOG SAID SERVER RUN-QEMU-ARGUMENT...: runs a guest, and `SERVER LOG` beside it. The arguments
# have a "--". Sets $rc.
monitored() {
	local log=$1 said=$2 server=$3
	shift 3
	rc=0
	rm -f "$log" "$work"/qmp.*
	mkfifo "$work/qmp.in" "$work/qmp.out"
	exec {to}<>"$work/qmp.in" {from}<>"$work/qmp.out"
	scripts/guest/run-qemu.sh --log "$log" "$@" \
		-chardev "pipe,id=qmp,path=$work/qmp" -mon chardev=qmp,mode=control >"$said" 2>&1 &
	guest=$!
	qmp qmp_capabilities >/dev/null
	"$server" "$log"
	wait "$guest" || rc=$?
	guest=
	exec {to}>&- {from}>&-
}
