# SPDX-License-Identifier: GPL-2.0-or-later
# One boot of the host VM.

run_defaults()
{
	OPT_KERNEL=stable OPT_BUILD="" OPT_MODULES="" OPT_HW="" OPT_APPEND="" OPT_KEEP_LOG=""
	OPT_TIMEOUT=600
	OPT_DEBS=() OPT_PUTS=() OPT_ENV=() OPT_QEMU=()
	OPT_PACKAGED=no
	SKIP_USERSPACE=no SKIP_MODULE=no
}

# This tree comes as Debian packages (packaged.sh), and not by make install.
run_packaged()
{
	OPT_PACKAGED=yes SKIP_USERSPACE=yes SKIP_MODULE=yes
}

# skip_part PART: leave this part of the tree out of the VM.
skip_part()
{
	case $1 in
	userspace) SKIP_USERSPACE=yes ;;
	module) SKIP_MODULE=yes ;;
	*) die "cannot skip '$1': userspace or module" ;;
	esac
}

# run_options ARGUMENTS...: sets OPT_*, leaves the rest in REST.
run_options()
{
	local more

	REST=()
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel | --build | --modules | --hw | --deb | --put | --append | --keep-log | \
			--timeout | --env | --skip | --bug | --qemu)
			[ $# -ge 2 ] || die "$1 needs a value"
			;;
		esac
		case $1 in
		--kernel) OPT_KERNEL=$2 ;;
		--build) OPT_BUILD=$2 ;;
		--modules) OPT_MODULES=$2 ;;
		--hw) OPT_HW=$2 ;;
		--deb) OPT_DEBS+=("$2") ;;
		--put) OPT_PUTS+=("$2") ;;
		--append) OPT_APPEND="$OPT_APPEND $2" ;;
		--keep-log) OPT_KEEP_LOG=$2 ;;
		--timeout) OPT_TIMEOUT=$2 ;;
		--env) OPT_ENV+=("$2") ;;
		--bug) HW_BUG=$2 ;;
		--qemu) read -r -a more <<<"$2" && OPT_QEMU+=("${more[@]}") ;;
		--skip)
			skip_part "$2"
			;;
		--packaged)
			run_packaged
			shift
			continue
			;;
		--)
			shift
			REST+=("$@")
			return
			;;
		-*) die "unknown option $1 (see lab help)" ;;
		*)
			REST+=("$1")
			shift
			continue
			;;
		esac
		shift 2
	done
}

# run_stage DIR: this run's own files.
run_stage()
{
	local dir=$1 put src dst v

	mkdir -p "$dir/etc/idxd-lab"
	chmod 755 "$dir" "$dir/etc" "$dir/etc/idxd-lab"
	printf '%s\n' "$COMMAND" >"$dir/etc/idxd-lab/command"
	{
		printf 'export LAB_KERNEL=%q LAB_SLOW=%q LAB_TERM=%q SOAK=%q\n' "$OPT_KERNEL" \
			"$KERNEL_SLOW" "${TERM:-dumb}" "${SOAK:-0}"
		for v in "${OPT_ENV[@]}"; do
			printf 'export %s=%q\n' "${v%%=*}" "${v#*=}"
		done
	} >"$dir/etc/idxd-lab/env"
	[ "$MODE" != shell ] || : >"$dir/etc/idxd-lab/shell"
	# The lab's own scripts are no part of the image.
	mkdir -p "$dir/usr/lib/idxd-lab"
	cp "$LAB_DIR/lib.sh" "$LAB_DIR/vm/guest-lib" "$dir/usr/lib/idxd-lab/"
	install -m 755 "$LAB_DIR/vm/host-run" "$dir/usr/lib/idxd-lab/run"
	for put in "${OPT_PUTS[@]}"; do
		src=${put%%:*} dst=${put#*:}
		[ -e "$src" ] || die "--put: no $src"
		case $dst in
		/bin/* | /sbin/* | /lib/* | /lib64/*) dst=/usr$dst ;;
		/*) ;;
		*) die "--put SRC:DST needs an absolute DST, not '$dst'" ;;
		esac
		mkdir -p "$dir$(dirname "$dst")"
		cp -a "$src" "$dir$dst"
	done
}

# run_disk DIR FILE: the raw disk that the initramfs unpacks.
run_disk()
{
	local part args=()

	[ -z "$KERNEL_TREE" ] || args+=(-C "$KERNEL_TREE" ./usr)
	for part in "${TREE_PARTS[@]}"; do
		args+=(-C "$part" .)
	done
	tar -cf "$2" -b 1 --owner=0 --group=0 "${args[@]}" -C "$1" .
	truncate -s '%1M' "$2"
}

run_banner()
{
	local root=$CACHE/root

	say "QEMU $(cat "$CACHE/qemu/version") with our patches; kernel $KERNEL ($OPT_KERNEL);" \
		"accel-config $(version_of accel-config), mdevctl $(version_of mdevctl)," \
		"nested QEMU $(version_of qemu-system-x86)"
	[ -z "$HW_BUG" ] || say "the emulated accelerators have a bug on purpose: $HW_BUG"
}

version_of()
{
	awk -v p="$1" '{ sub(/:.*/, "", $1) } $1 == p { print $2 }' "$CACHE/root.versions"
}

# run_vm: boots what OPT_* and COMMAND say; returns the command's exit status.
run_vm()
{
	local run image status=125 qemu_status pid watch_pid cat_pid append rest

	run=$(mktemp -d "${TMPDIR:-/tmp}/idxd-lab.XXXXXX")
	RUN_DIR=$run
	trap run_clean EXIT
	kernel_select
	build_tree "$KERNEL"
	if [ "$OPT_PACKAGED" = yes ]; then
		image=$(image_packaged "${OPT_DEBS[@]}") || exit 1
	else
		image=$(image_with "${OPT_DEBS[@]}") || exit 1
	fi
	hw_read "$OPT_HW"
	hw_args
	run_stage "$run/stage"
	run_disk "$run/stage" "$run/disk"
	run_banner
	# no_timer_check: on a busy machine the test of the timer at boot may starve, and panics.
	append="console=ttyS0 root=/dev/vda rw loglevel=7 panic=-1 printk.devkmsg=on no_timer_check"
	append+=" mitigations=off audit=0 lsm=landlock,lockdown,yama systemd.show_status=0 net.ifnames=0"
	append+=" $(clock_append)"
	[ "$HW_IOMMU" != on ] || append+=" intel_iommu=on,sm_on"
	append+="${KERNEL_APPEND:+ $KERNEL_APPEND}$OPT_APPEND${HW_APPEND:+ $HW_APPEND}"
	: >"$run/status"
	local ports=(-device virtio-serial-pci,bus=pcie.0
		-chardev "file,id=status,path=$run/status"
		-device virtserialport,chardev=status,name=lab.status)
	if [ "$MODE" = shell ]; then
		ports+=(-chardev stdio,id=out,signal=off -device virtconsole,chardev=out)
	else
		mkfifo "$run/out"
		cat <"$run/out" &
		cat_pid=$!
		ports+=(-chardev "file,id=out,path=$run/out"
			-device virtserialport,chardev=out,name=lab.out)
	fi
	# shellcheck disable=SC2046
	TMPDIR=$run timeout --foreground -k 5 "$((OPT_TIMEOUT * KERNEL_SLOW))" $(qemu_command) \
		"${HW_ARGS[@]}" -nodefaults -no-user-config -display none -no-reboot \
		-chardev "file,id=console,path=$run/console" -serial chardev:console \
		-drive "file=$image,format=raw,if=none,id=root,snapshot=on" \
		-device virtio-blk-pci,bus=pcie.0,drive=root \
		-drive "file=$run/disk,format=raw,if=none,id=tree,readonly=on" \
		-device virtio-blk-pci,bus=pcie.0,drive=tree "${ports[@]}" \
		-kernel "$KERNEL_FILE" -initrd "$KERNEL_INITRD" -append "$append" "${OPT_QEMU[@]}" \
		2>"$run/qemu.log" <&0 &
	pid=$!
	run_watch "$run" "$pid" &
	watch_pid=$!
	trap 'kill $pid 2>/dev/null; run_clean; exit 130' INT TERM
	wait "$pid"
	qemu_status=$?
	trap - INT TERM
	kill "$watch_pid" 2>/dev/null
	[ -z "${cat_pid-}" ] || { kill_reader "$run" ; wait "$cat_pid"; } 2>/dev/null
	rest=$(cat "$run/status")
	if [ -n "$rest" ]; then
		status=$rest
	elif [ -e "$run/stuck" ]; then
		status=126
		say "the VM got stuck before the command, silent for $((BOOT_LIMIT * KERNEL_SLOW)) s; last console lines:"
		tail -n 15 "$run/console" >&2
	else
		run_died "$qemu_status"
		[ "$qemu_status" != 124 ] || status=124
	fi
	[ -z "$OPT_KEEP_LOG" ] || cp "$run/console" "$OPT_KEEP_LOG"
	[ -z "$OPT_KEEP_LOG" ] || [ ! -s "$run/qemu.log" ] || cp "$run/qemu.log" "$OPT_KEEP_LOG.qemu"
	return "$status"
}

# Rarely, and on a busy machine only, a boot loses a timer and sleeps for ever. Nothing of what is
# to be run has run then. BOOT_LIMIT is in seconds without a line on the console; a boot that is
# merely slow still talks.
BOOT_LIMIT=${IDXD_LAB_BOOT_LIMIT:-180}
run_watch()
{
	local n=0 size was=

	while [ "$n" -lt $((BOOT_LIMIT * KERNEL_SLOW)) ]; do
		sleep 1
		! grep -q 'lab: command starts after' "$1/console" 2>/dev/null || return 0
		size=$(stat -c %s "$1/console" 2>/dev/null)
		[ "$size" = "$was" ] || n=0
		was=$size
		n=$((n + 1))
	done
	: >"$1/stuck"
	kill "$2"
}

# run_vm, and again when the VM did not boot; says so. After three times it is a failure.
run_booted()
{
	local try rc

	for try in 1 2 3; do
		run_vm
		rc=$?
		[ $rc = 126 ] || return $rc
		[ -z "$OPT_KEEP_LOG" ] || cp "$OPT_KEEP_LOG" "$OPT_KEEP_LOG.boot$try"
		run_clean
		say "boot $try failed"
	done
	return $rc
}

# If QEMU never opened its end of the pipe, the reader still waits for a writer.
kill_reader()
{
	: <>"$1/out"
}

run_died()
{
	if [ "$1" = 124 ]; then
		say "the VM did not finish within $((OPT_TIMEOUT * KERNEL_SLOW)) s; its last console lines:"
	else
		say "the VM ended (QEMU status $1) without the command's status; last console lines:"
	fi
	tail -n 30 "$RUN_DIR/console" >&2
	[ ! -s "$RUN_DIR/qemu.log" ] || { say "QEMU said:"; tail -n 20 "$RUN_DIR/qemu.log" >&2; }
}

run_clean()
{
	[ -z "${RUN_DIR-}" ] || rm -rf "$RUN_DIR"
	RUN_DIR=
}
