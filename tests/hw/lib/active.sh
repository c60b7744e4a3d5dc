# SPDX-License-Identifier: GPL-2.0-or-later
# The phase that uses one idle device: the kernel's copies, the module, slices, the daemon.

# Kernel code of the tests' own: writes attributes, makes queues, runs dmatest.
# shellcheck source=/dev/null
. "$TOP/tests/lab/vm/guest-lib"

TYPES=mdev_supported_types

# active NAME BDF: every step leaves the device cleared for the next.
active()
{
	local name=$1 bdf=$2

	N=${name#???} SUBJECT=$name BDF=$bdf
	case $name in iax*) KIND=iax ;; *) KIND=dsa ;; esac
	step "$name" kernel-queue 60 step_kernel_queue
	step "$name" dmatest 180 step_dmatest
	if module_get; then
		step "$name" slice-msix 180 step_slice msix
		step "$name" slice-ims 180 step_slice ims
		step "$name" daemon 180 step_daemon
	fi
	if [ "$OPT_WHOLE" = yes ]; then
		step "$name" whole-device 180 step_whole
	fi
}

configurable()
{
	[ "$(cat "$PCI/$BDF/$1/configurable")" = 1 ] || {
		skip "$2" "the device cannot be configured"
		return 1
	}
}

# queue_size DEVICE: entries for one queue, whatever the device has.
queue_size()
{
	local total

	total=$(cat "$PCI/$BDF/$1/max_work_queues_size")
	[ "$total" -lt 32 ] && echo $((total / 2)) || echo 16
}

# --- in-tree idxd -------------------------------------------------------------------------------

kernel_channel()
{
	engine_config "$1" "engine$N.0" 0 && kernel_wq "$1" "wq$N.0" group=0 mode=dedicated \
		size="$(queue_size "$1")" >"$WORK/channel" && cat "$WORK/channel"
}

step_kernel_queue()
{
	local dev=$1 i

	configurable "$dev" "work queue for the kernel" || return 0
	[ $KIND = dsa ] || { skip "work queue for the kernel" "an IAA has no dmaengine queues"; return 0; }
	for i in 1 2 3; do
		check "a work queue for the kernel, time $i" kernel_channel "$dev" || break
		check "it is taken away again, time $i" device_clear "$BDF"
	done
	device_clear "$BDF"
}

step_dmatest()
{
	local dev=$1

	[ $KIND = dsa ] || { skip "copies by dmatest" "an IAA does not copy"; return 0; }
	if [ -d /sys/module/dmatest ]; then
		skip "copies by dmatest" "dmatest is loaded already: somebody else may be using it"
		return 0
	fi
	if ! modprobe -n dmatest 2>/dev/null; then
		skip "copies by dmatest" "this kernel comes without dmatest"
		return 0
	fi
	configurable "$dev" "copies by dmatest" || return 0
	if kernel_channel "$dev"; then
		check "2 x $OPT_COPIES copies by dmatest" dmatest "$(cat "$WORK/channel")" 2 "$OPT_COPIES"
	else
		row fail active "$dev" "a channel for dmatest"
	fi
	rmmod dmatest
	device_clear "$BDF"
}

# --- idxd_mdev ----------------------------------------------------------------------------------

# module_get: sets MODULE_LOAD to the command that loads it; not in a step, it can take long to build.
module_get()
{
	local why k log=$OUT/active/module.log

	MODULE_OURS=no
	if [ -d /sys/module/idxd_mdev ]; then
		row note active "$SUBJECT" "idxd_mdev is loaded already" "used as it is"
		return 0
	fi
	MODULE_OURS=yes
	k=$(uname -r)
	if [ -e "/lib/modules/$k/build/Makefile" ] && command -v make >/dev/null; then
		mkdir -p "$OUT/active"
		echo "building idxd_mdev for $k" >&3
		if make -C "$TOP/kmod" KVER="$k" BUILDDIR="$WORK/kmod" >"$WORK/module.log" 2>&1; then
			row pass active "$SUBJECT" "idxd_mdev builds for this kernel"
			MODULE=$WORK/kmod/idxd_mdev.ko
		else
			row fail active "$SUBJECT" "idxd_mdev builds for this kernel" "$(tail -n 1 "$WORK/module.log")"
		fi
		collect active/module.log cat "$WORK/module.log"
		[ -e "${MODULE-}" ]
	elif modprobe -n idxd_mdev 2>/dev/null; then
		row note active "$SUBJECT" "idxd_mdev is the installed one" "no kernel headers to build this tree's"
		MODULE=
	else
		why="no kernel headers in /lib/modules/$k/build, and it is not installed"
		for k in "slice with MSI-X" "slice with IMS" "daemon"; do
			row skip active "$SUBJECT" "$k" "$why"
		done
		return 1
	fi
}

# module_load BACKEND
module_load()
{
	local unsafe=
	[ "$OPT_ERRATUM" = no ] || unsafe=allow_unsafe=1
	modprobe vfio_iommu_type1 2>/dev/null
	if [ -n "${MODULE-}" ]; then
		modprobe -a mdev vfio idxd 2>/dev/null
		# shellcheck disable=SC2086
		insmod "$MODULE" irq_backend="$1" $unsafe
	else
		# shellcheck disable=SC2086
		modprobe idxd_mdev irq_backend="$1" $unsafe
	fi
}

# may_slice WHAT: erratum devices only with the owner's word.
may_slice()
{
	erratum "$BDF" || return 0
	[ "$OPT_ERRATUM" = yes ] || {
		skip "$1" "the device is under CVE-2024-21823; --allow-erratum permits it for this run"
		return 1
	}
}

pool_of_one()
{
	engine_config "$1" "engine$N.0" 0 &&
		wq_config "$1" "wq$N.0" group=0 mode=dedicated size="$(queue_size "$1")" type=user \
			name=idxdvd driver=mdev priority=10 &&
		device_enable "$1" && { [ -e "$DSA/drivers/mdev/wq$N.0" ] || wq_enable "wq$N.0" mdev; }
}

step_slice()
{
	local backend=$1 dev=$2 what="slice with $1" client uuid type

	configurable "$dev" "$what" && may_slice "$what" || return 0
	if [ "$MODULE_OURS" = no ]; then
		backend=
		[ "$1" = msix ] || { skip "$what" "idxd_mdev was loaded already; with its own choice it ran once"; return 0; }
	elif [ "$1" = ims ] && [ "$(bits "$(cat "$PCI/$BDF/$dev/gen_cap")" 30 25)" = 0 ]; then
		skip "$what" "the device has no IMS"
		return 0
	fi
	[ -z "$backend" ] || check "idxd_mdev loads with irq_backend=$backend" module_load "$backend" || return 0
	if check "$what: a pool of one queue" pool_of_one "$dev"; then
		type=$PCI/$BDF/$TYPES/idxd-$KIND-1dwq-v1
		[ "$OPT_ERRATUM" = no ] || ! erratum "$BDF" || put 1 "$PCI/$BDF/idxd_mdev_unsafe"
		uuid=$(cat /proc/sys/kernel/random/uuid)
		if check "$what: create an mdev" put "$uuid" "$type/create"; then
			slice_use "$what" "$uuid"
			check "$what: remove the mdev" put 1 "/sys/bus/mdev/devices/$uuid/remove"
		fi
	fi
	device_clear "$BDF"
	[ -z "$backend" ] || check "idxd_mdev unloads" rmmod idxd_mdev
}

# What a driver does, and what it must not be able to do: addresses that are not its own.
slice_use()
{
	local client

	if [ $KIND != dsa ]; then
		skip "$1: copies and escape attempts" "vfio-client copies memory, which an IAA does not do"
	elif ! client=$(program vfio-client); then
		skip "$1: copies and escape attempts" "$client"
	else
		check "$1: $OPT_COPIES copies, escape attempts, resets" "$client" "$2" "$OPT_COPIES"
	fi
}

# --- idxdvd and idxdctl -------------------------------------------------------------------------

# find_program NAME: this tree's build, else the installed one.
find_program()
{
	local p

	for p in "$TOP/$1" "$TOP/$1/$1" "$TOP"/build*/"$1" "$TOP"/build*/"$1/$1" /usr/libexec/"$1" \
			/usr/local/libexec/"$1" "$(command -v "$1")"; do
		[ -f "$p" ] && [ -x "$p" ] && { echo "$p"; return; }
	done
	return 1
}

# A bus of our own, unless the system's idxdvd runs: then that one decides.
daemon_start()
{
	local daemon=$1 dir=$WORK/bus

	mkdir -p "$dir/state"
	cat >"$dir/conf" <<-X
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig><type>system</type><listen>unix:path=$dir/socket</listen><auth>EXTERNAL</auth>
		<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
		<allow receive_sender="*"/></policy></busconfig>
	X
	dbus-daemon --config-file="$dir/conf" --nofork --nopidfile &
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$dir/socket
	wait_until 10 test -S "$dir/socket" || return 1
	"$daemon" --state-dir "$dir/state" &
	wait_until 20 "$CTL" status >/dev/null 2>&1
}

step_daemon()
{
	local dev=$1 daemon uuid

	configurable "$dev" daemon && may_slice daemon || return 0
	CTL=$(find_program idxdctl) && daemon=$(find_program idxdvd) || {
		skip daemon "idxdvd and idxdctl are neither built in this tree nor installed"
		return 0
	}
	if [ "$MODULE_OURS" = yes ]; then
		check "daemon: idxd_mdev loads" module_load auto || return 0
	fi
	if grep -qsx idxdvd /proc/[0-9]*/comm; then
		row note active "$dev" "idxdvd runs already" "asked instead of one of our own"
	elif ! command -v dbus-daemon >/dev/null; then
		skip daemon "no dbus-daemon for a bus of its own"
		return 0
	else
		# Not by check, which would wait for the end of what is started.
		if ! daemon_start "$daemon"; then
			row fail active "$dev" "daemon: starts on a bus of its own" "see the step's log"
			return 0
		fi
		row pass active "$dev" "daemon: starts on a bus of its own"
	fi
	daemon_session "$dev"
	# With the step its processes end; what they made is gone before.
	kill $(jobs -p) 2>/dev/null
	wait
	device_clear "$BDF"
	[ "$MODULE_OURS" = no ] || check "daemon: idxd_mdev unloads" rmmod idxd_mdev
}

daemon_session()
{
	local dev=$1 uuid

	check "daemon: adopt" "$CTL" adopt "$dev" || return 0
	[ "$OPT_ERRATUM" = no ] || ! erratum "$BDF" || put 1 "$PCI/$BDF/idxd_mdev_unsafe"
	check "daemon: types" "$CTL" types --json
	if uuid=$("$CTL" create --parent "$dev"); then
		row pass active "$dev" "daemon: create"
		check "daemon: list shows the mdev" sh -c "'$CTL' list --json | grep -q $uuid"
		slice_use "daemon's mdev" "$uuid"
		check "daemon: destroy" "$CTL" destroy "$uuid"
	else
		row fail active "$dev" "daemon: create" "see the step's log"
	fi
	check "daemon: release" "$CTL" release "$dev"
}
