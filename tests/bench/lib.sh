# SPDX-License-Identifier: GPL-2.0-or-later
# For benches that run in the host VM: . ./lib.sh
. /usr/lib/idxd-lab/lib.sh

BENCH_CONFIG="mode=dedicated type=user name=idxdvd driver=mdev priority=10"

# bench_value FILE WHAT KEY: the value of KEY in the last line "bench: WHAT ... KEY=VALUE".
bench_value()
{
	tr -d '\r' <"$1" | sed -n "s/.*bench: $2 .*\\<$3=\\([0-9]*\\).*/\\1/p" | tail -n 1
}

# ratio WHAT A NAME B NAME: both sides, and A over B.
ratio()
{
	awk -v what="$1" -v a="$2" -v an="$3" -v b="$4" -v bn="$5" 'BEGIN {
		printf "bench: %s: %s %s, %s %s, ratio ", what, a, an, b, bn
		if (b) printf "%.2f\n", a / b; else print "none"
	}'
}

# bench_pool GROUP...: the accelerator with a queue in each GROUP given, all in the pool, and one engine
# in each group; sets TYPE.
bench_pool()
{
	local dev group groups= n=0
	dev=$(idxd_device)
	TYPE=$DSA/devices/$dev/../mdev_supported_types/idxd-dsa-1dwq-v1
	modprobe idxd_mdev
	modprobe vfio_iommu_type1
	for group; do
		case $groups in
		*" $group "*) engine_config "$dev" engine0.$n -1 || return 1 ;;
		*) engine_config "$dev" engine0.$n "$group" || return 1 ;;
		esac
		groups="$groups $group "
		wq_config "$dev" wq0.$n group="$group" size=16 $BENCH_CONFIG || return 1
		n=$((n + 1))
	done
	device_enable "$dev" || return 1
	while [ $n -gt 0 ]; do
		n=$((n - 1))
		wq_enable wq0.$n mdev || return 1
	done
}

# bench_mdev [WQ]: a new mdev; prints its UUID.
bench_mdev()
{
	local uuid
	uuid=$(cat /proc/sys/kernel/random/uuid)
	put "$uuid" "$TYPE/create" || return 1
	[ -z "${1-}" ] || put "$1" "/sys/bus/mdev/devices/$uuid/wq" || return 1
	echo "$uuid"
}
