#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may include what. A row: files (shell patterns), then an extended regular expression that no
# #include line of theirs may match, then why.
set -u
cd "${top_srcdir:-.}" || exit 1
bad=0 rows=0

row()
{
	files=$1 forbidden=$2 why=$3
	rows=$((rows + 1))
	# shellcheck disable=SC2086
	set -- $(ls $files 2>/dev/null)
	if [ $# = 0 ]; then
		echo "lint: no file matches '$files': the rule has gone stale"
		bad=1
		return
	fi
	if grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]].*($forbidden)" "$@" /dev/null; then
		echo "lint: forbidden above: $why"
		bad=1
	fi
}

row 'kmod/core/*.c kmod/core/vd.h kmod/core/reg.h' '<' \
	'the core knows its environment only through env.h'
row 'idxdvd/alloc.c idxdvd/alloc.h idxdvd/plan.c idxdvd/device.c idxdvd/mdev.c' \
	'systemd/|libudev|accel-config|sysfs\.h|backend|time\.h|unistd' \
	'the allocator and the model are pure'
row 'idxdvd/backend-host.c idxdvd/sysfs.c' 'systemd/sd-bus|store\.h|bus-' \
	'a backend knows neither the bus nor the store'
row 'idxdvd/bus-*.c' 'backend|sysfs\.h|store\.h|journal\.h|accel-config|libudev' \
	'a handler makes one call into the manager'
row 'cli/*.c cli/*.h' 'accel-config|libudev|manager\.h|backend|alloc\.h|sysfs\.h|store\.h' \
	'the command line talks D-Bus only'
row 'cli/doctor/*.c cli/doctor/*.h' 'systemd/|accel-config|libudev|client\.h|idxdvd/[a-z-]*\.h' \
	'the doctor needs neither bus nor daemon: it reads files'
row 'idxdvd/common/*.h' 'manager|backend|alloc|accel-config' \
	'common knows nothing of devices'
row 'tests/lab/qemu/dsa/*.c tests/lab/qemu/dsa/*.h' 'kmod' \
	'the PF model never sees the virtual device it judges'

echo "lint: $rows include rules"
exit $bad
