# SPDX-License-Identifier: GPL-2.0-or-later
# For tests that run in the host VM: . /usr/lib/idxd-lab/lib.sh
# Reports checks, scales counts, drives idxd and dmatest, starts guests.

LAB=/usr/lib/idxd-lab
. "$LAB/guest-lib"

LAB_CHECKS=0 LAB_FAILED=0
trap 'lab_end $?' EXIT

ok()
{
	LAB_CHECKS=$((LAB_CHECKS + 1))
	echo "ok - $*"
}

not_ok()
{
	LAB_CHECKS=$((LAB_CHECKS + 1))
	LAB_FAILED=$((LAB_FAILED + 1))
	echo "NOT OK - $*"
}

# check WHAT COMMAND...: the command must succeed.
check()
{
	local what=$1
	shift
	if "$@"; then ok "$what"; else not_ok "$what: '$*' failed ($?)"; fi
}

# refuse WHAT REGEX COMMAND...: the command must fail, saying something that matches REGEX.
refuse()
{
	local what=$1 regex=$2 said rc
	shift 2
	said=$("$@" 2>&1)
	rc=$?
	if [ $rc -eq 0 ]; then
		not_ok "$what: '$*' should have been refused"
	elif echo "$said" | grep -Eq -e "$regex"; then
		ok "$what: refused: $said"
	else
		not_ok "$what: refused, but said '$said' instead of /$regex/"
	fi
}

# expect WHAT WANTED FOUND
expect()
{
	if [ "$2" = "$3" ]; then ok "$1: $3"; else not_ok "$1: wanted '$2', found '$3'"; fi
}

# expect_match WHAT REGEX FOUND
expect_match()
{
	if echo "$3" | grep -Eq -e "$2"; then ok "$1: $3"; else not_ok "$1: '$3' does not match /$2/"; fi
}

skip()
{
	echo "skip: $*"
	trap - EXIT
	exit 77
}

# The test's exit status: a failed check fails it, and so does a test without any check.
lab_end()
{
	local rc=$1
	trap - EXIT
	guest_kill_all
	[ "$LAB_FAILED" = 0 ] || rc=1
	if [ "$rc" = 0 ] && [ "$LAB_CHECKS" = 0 ]; then
		echo "the test made no check"
		rc=1
	fi
	echo "checks: $LAB_CHECKS, failed: $LAB_FAILED, status $rc"
	exit "$rc"
}

# lab_count N: N in a soak, N/20 (at least 1) in an ordinary test.
lab_count()
{
	if [ "${SOAK:-0}" = 1 ]; then
		echo "$1"
	elif [ "$1" -lt 20 ]; then
		echo 1
	else
		echo $(($1 / 20))
	fi
}

# --- guests -------------------------------------------------------------------------------

GUEST_DIR=/run/idxd-lab/guests

# guest_start NAME OPTION... -- SCRIPT: boot a guest in the background; SCRIPT is shell text
# that runs there with guest-lib. Options: --kernel stable|backports, --mdev UUID, --pci BDF,
# --cpus N, --memory SIZE, --file SRC[:NAME] (lands in /lab), --program FILE (at its own path, with
# the libraries it needs), --append TEXT, --device TEXT, --qemu TEXT (more arguments), --vmm COMMAND
# (another QEMU), --machine TEXT, --incoming URI (it arrives by migration; SCRIPT is not run)
guest_start()
{
	local name=$1 kernel=${LAB_KERNEL:-stable} cpus=1 memory=512 append= dir=$GUEST_DIR/$1
	local args=$dir/args vmm=qemu-system-x86_64 machine=q35
	shift
	rm -rf "$dir"
	mkdir -p "$dir/initrd/lab"
	[ -e "$LAB/guest/vmlinuz-$kernel" ] || kernel=stable
	: >"$args"
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel) kernel=$2 ;;
		--cpus) cpus=$2 ;;
		--memory) memory=$2 ;;
		--append) append="$append $2" ;;
		--mdev) echo "-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/$2" >>"$args" ;;
		--pci) echo "-device vfio-pci,host=$2" >>"$args" ;;
		--device) echo "-device $2" >>"$args" ;;
		--qemu) echo "$2" >>"$args" ;;
		--vmm) vmm=$2 ;;
		--machine) machine=$2 ;;
		--incoming) echo "-incoming $2" >>"$args"; : >"$dir/up" ;;
		--program) guest_program "$dir/initrd" "$2" || return 1 ;;
		--file) cp "${2%%:*}" "$dir/initrd/lab/$(basename "${2#*:}")" || return 1 ;;
		--) shift; break ;;
		*) not_ok "guest_start: unknown option $1"; return 1 ;;
		esac
		shift 2
	done
	printf '%s\n' "$*" >"$dir/initrd/lab/script"
	(cd "$dir/initrd" && find . | busybox cpio -o -H newc 2>/dev/null) >"$dir/extra"
	cp "$LAB/guest/initrd-$kernel" "$dir/initrd.img"
	# An archive is only looked for at multiples of 4 bytes.
	truncate -s %4 "$dir/initrd.img"
	cat "$dir/extra" >>"$dir/initrd.img"
	rm -rf "$dir/initrd" "$dir/extra"
	modprobe kvm_amd
	cat >"$dir/run" <<-EOF
		exec $vmm -machine $machine,accel=kvm -cpu host -smp $cpus -m $memory \\
			-name $name -nodefaults -no-user-config -display none -no-reboot \\
			-chardev file,id=con,path=$dir/console -serial chardev:con \\
			-kernel $LAB/guest/vmlinuz-$kernel -initrd $dir/initrd.img \\
			-append "console=ttyS0 quiet loglevel=5 panic=-1 LAB_SLOW=${LAB_SLOW:-1}$append" \\
			$(paste -sd' ' "$args")
	EOF
	guest_boot "$name"
}

# guest_program DIR FILE: a program, or a library that is loaded while it runs.
guest_program()
{
	local file real

	{ echo "$2"; ldd "$2" | sed -nE 's/^[^/]*(\/[^ ]+) \(0x.*/\1/p'; } | while read -r file; do
		real=$(readlink -f "$file")
		install -D "$real" "$1$real" || return 1
		[ -e "$1$file" ] || { mkdir -p "$1${file%/*}" && ln -s "$real" "$1$file"; } || return 1
	done
}

guest_boot()
{
	local dir=$GUEST_DIR/$1
	sh "$dir/run" >"$dir/qemu.log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
}

# guest_up NAME: until its kernel runs our init, before which no driver of the device is loaded. A
# kernel that says nothing for two minutes before (seen once in 80 nested boots) will not say
# anything later: that boot is shown, and repeated once.
guest_up()
{
	local dir=$GUEST_DIR/$1 size=0 new silent=0

	[ ! -e "$dir/up" ] || return 0
	: >"$dir/up"
	until grep -qs '^guest: .* up after' "$dir/console" || guest_gone "$(cat "$dir/pid")"; do
		sleep 1
		new=$(stat -c %s "$dir/console" 2>/dev/null || echo 0)
		silent=$((silent + 1))
		[ "$new" = "$size" ] || silent=0
		size=$new
		[ "$silent" -ge $((120 * ${LAB_SLOW:-1})) ] || continue
		{
			echo "guest $1: stuck in its boot, started again; so far it said"
			tr -d '\r' <"$dir/console" | sed "s/^/$1 (stuck)| /"
		} >&2			# what the caller does with the console must not hide it
		kill -9 "$(cat "$dir/pid")"
		wait "$(cat "$dir/pid")" 2>/dev/null
		guest_boot "$1"
		return 0
	done
}

# guest_wait NAME [SECONDS]: until the guest ends; prints its console, returns its exit status.
guest_wait()
{
	local dir=$GUEST_DIR/$1 limit=${2:-120} pid rc
	guest_up "$1"
	pid=$(cat "$dir/pid")
	if ! wait_until "$limit" guest_gone "$pid"; then
		echo "guest $1: not finished after $limit s; stopped"
		kill "$pid"
	fi
	wait "$pid" 2>/dev/null
	guest_console "$1"
	rc=$(tr -d '\r' <"$dir/console" | sed -n 's/^guest: exit \([0-9]*\)$/\1/p' | tail -n 1)
	if [ -z "$rc" ]; then
		echo "guest $1: ended without a status"
		return 125
	fi
	return "$rc"
}

guest_gone()
{
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

guest_console()
{
	: >"$GUEST_DIR/$1/shown"
	sed "s/^/$1: qemu: /" "$GUEST_DIR/$1/qemu.log"
	[ ! -e "$GUEST_DIR/$1/console" ] || tr -d '\r' <"$GUEST_DIR/$1/console" | sed "s/^/$1| /"
}

# guest_lines NAME REGEX: what it said of that; its console is still shown whole at the end.
guest_lines()
{
	tr -d '\r' <"$GUEST_DIR/$1/console" | grep -E -e "$2" | sed "s/^/$1| /"
}

# guest_says NAME REGEX [SECONDS]: until a console line of the guest matches.
guest_says()
{
	guest_up "$1"
	wait_until "${3:-60}" grep -Eqs -e "$2" "$GUEST_DIR/$1/console"
}

# guest OPTION... -- SCRIPT: start one, wait for it, return its status.
guest()
{
	local name
	name=guest$(ls "$GUEST_DIR" 2>/dev/null | wc -l)
	guest_start "$name" "$@" || return 1
	guest_wait "$name" "${GUEST_TIMEOUT:-180}"
}

guest_kill_all()
{
	local dir
	for dir in "$GUEST_DIR"/*/; do
		[ -e "$dir/pid" ] || continue
		kill "$(cat "$dir/pid")" 2>/dev/null || :
		# A test need not show its guests, but what their kernels complained of must be seen.
		[ -e "$dir/shown" ] || guest_console "$(basename "$dir")"
	done
	return 0
}
