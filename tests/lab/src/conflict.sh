# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests conflict-*: what a device has left, asked in every way there is; who holds it; what is
# refused; and that nothing of anybody else's changes.

MANAGER="org.idxdvd1 /org/idxdvd1 org.idxdvd1.Manager"
: >rows

bdf_of()
{
	basename "$(readlink -f "$DSA/devices/$1/..")"
}

type_of()
{
	case $1 in
	iax*) echo idxd-iax-1dwq-v1 ;;
	*) echo idxd-dsa-1dwq-v1 ;;
	esac
}

# host_layout DEVICE WQS SIZE [WQ]: the host lays its device out, as accel-config would, and enables it.
# WQ is laid out already: one that is to be shared must be so before its device is enabled
# (docs/conflicts.md).
host_layout()
{
	local dev=$1 n=$(($2 - 1)) size=$3 e
	for e in "$DSA/devices/$dev"/engine*; do
		put 0 "$e/group_id" || return 1
	done
	while [ $n -ge 0 ]; do
		[ "wq${dev#???}.$n" = "${4:-}" ] ||
			wq_config "$dev" "wq${dev#???}.$n" group=0 mode=dedicated size="$size" || return 1
		n=$((n - 1))
	done
	device_enable "$dev"
}

manager()
{
	# shellcheck disable=SC2086
	busctl --json=short call $MANAGER "$@"
}

# by_kernel, by_dbus, by_mdevctl, by_virsh DEVICE: how many mdevs of its type can be made at once.
# Without a queue in the pool there is no such type, for the kernel and those who ask it.
by_kernel()
{
	cat "/sys/bus/pci/devices/$(bdf_of "$1")/mdev_supported_types/$(type_of "$1")/available_instances" \
		2>/dev/null || echo 0
}

by_dbus()
{
	manager Refresh >/dev/null && manager ListTypes | jq -r --arg d "$1" --arg t "$(type_of "$1")" \
		'.data[0][] | select(.Device.data == $d and .Type.data == $t) | .AvailableInstances.data'
}

by_mdevctl()
{
	mdevctl types --parent "$(bdf_of "$1")" --dumpjson | jq -rs --arg t "$(type_of "$1")" \
		'[.. | objects | .[$t]? | objects | .available_instances] | add // 0'
}

by_virsh()
{
	virsh -q -c nodedev:///system nodedev-dumpxml "pci_$(bdf_of "$1" | tr :. __)" | awk -v t="$(type_of "$1")" '
		/<type id=/ { ours = index($0, "\047" t "\047") }
		ours && /<availableInstances>/ { gsub(/[^0-9]/, ""); n = $0 }
		END { print n + 0 }'
}

# available DEVICE: the four answers; one number if they are the same.
available()
{
	local k d m v
	k=$(by_kernel "$1") d=$(by_dbus "$1") m=$(by_mdevctl "$1") v=$(by_virsh "$1")
	if [ "$k$k$k" = "$d$m$v" ]; then
		echo "$k"
	else
		echo "kernel $k, D-Bus $d, mdevctl $m, virsh $v"
	fi
}

# The pool is filled up again after each change, so that two answers may stand for two moments.
is_settled()
{
	AVAILABLE=$(available "$1")
	[ "$AVAILABLE" -ge 0 ] 2>/dev/null
}

# capacity DEVICE: where its queues are.
capacity()
{
	manager Refresh >/dev/null && manager GetCapacity | jq -r --arg d "$1" '
		.data[0][] | select(.Device.data == $d) | with_entries(.value = .value.data) |
		"\(.FreeNow)+\(.Creatable) host \(.Host) mdevs \(.Mdevs)/\(.MdevsInUse) foreign \(.Foreign)"'
}

# look DEVICE: what there is before somebody comes.
look()
{
	wait_until 20 is_settled "$1" || not_ok "$1: available instances: $AVAILABLE"
	BEFORE=$AVAILABLE CAPACITY=$(capacity "$1")
}

# error_name METHOD ARGUMENTS...: the name of the error that it has; busctl says it only in its log.
error_name()
{
	# shellcheck disable=SC2086
	SYSTEMD_LOG_LEVEL=debug busctl call $MANAGER "$@" 2>&1 |
		sed -n 's/.*error-name=\([A-Za-z0-9.]*\).*/\1/p' | tail -n 1
}

# holders WQ-OR-DEVICE: one line, without the times.
holders()
{
	idxdctl holders | awk -v q="$1" '$1 == q' | sed -e 's/  *since .*//' -e 's/  */ /g' | paste -sd'|' |
		sed 's/|/; /g'
}

# held NAME DEVICE WQ ERROR REGEX: the queue is held, by whom the REGEX says, and refused as ERROR.
held()
{
	local name=$1 dev=$2 wq=$3 error=org.idxdvd1.Error.$4 regex=$5 line said
	wait_until 20 is_settled "$dev" || not_ok "$name: available instances: $AVAILABLE"
	ok "$name: available instances, by kernel, D-Bus, mdevctl and virsh: $AVAILABLE"
	line=$(holders "$wq")
	expect_match "$name: holder" "$regex" "$line"
	expect "$name: what the refusal would be" "$error" "$(manager Explain s "$wq" | jq -r '.data[1]')"
	expect "$name: CreateMdev is refused" "$error" \
		"$(error_name CreateMdev 'sa{sv}' "$(type_of "$dev")" 2 parent s "$dev" wq s "$wq")"
	said=$(idxdctl create --type "$(type_of "$dev")" --parent "$dev" --wq "$wq" 2>&1)
	expect "$name: idxdctl create: exit status" 5 $?
	expect_match "$name: idxdctl create" "^idxdctl: create: $wq: " "$said"
	row "$name" "$CAPACITY" "$(capacity "$dev")" "$BEFORE" "$AVAILABLE" "$line" "$4"
}

# row NAME BEFORE AFTER AVAILABLE-BEFORE AVAILABLE-AFTER HOLDER ERROR
row()
{
	printf '| %s | %s | %s | %s, %s | %s | %s |\n' "$1" "$2" "$3" "$4" "$5" "$6" "$7" >>rows
}

table()
{
	echo "| holder | capacity before | capacity after | available_instances before, after | holder line | refusal |"
	echo "|---|---|---|---|---|---|"
	cat rows
}

# gone NAME DEVICE: all is as it was before.
gone()
{
	local capacity=$CAPACITY before=$BEFORE
	look "$2"
	expect "$1: gone, capacity" "$capacity" "$CAPACITY"
	expect "$1: gone, available instances" "$before" "$BEFORE"
}

# state OBJECT...: every attribute of dsaN, wqN.M, ... that does not count what happens.
state()
{
	local o f
	for o; do
		for f in "$DSA/devices/$o"/*; do
			[ -f "$f" ] && [ -r "$f" ] || continue
			case ${f##*/} in
			clients | occupancy | cmd_status | errors) ;;
			*) echo "$o ${f##*/}: $(tr '\n' ';' <"$f" 2>/dev/null)" ;;
			esac
		done
		echo "$o driver: $(basename "$(readlink "$DSA/devices/$o/driver")")"
	done
}

# verbs NAME DEVICE OBJECT...: each verb without force, and as many mdevs as can be had; not a byte of
# the objects changes.
verbs()
{
	local name=$1 dev=$2 type made= u n
	shift 2
	type=$(type_of "$dev")
	state "$@" >state.before
	while u=$(idxdctl create --type "$type" --parent "$dev" 2>/dev/null); do
		made="$made $u"
	done
	n=$(echo $made | wc -w)
	u=$(idxdctl define --type "$type" --parent "$dev" --label a=b) || not_ok "$name: define"
	# shellcheck disable=SC2086
	[ -z "$made" ] || idxdctl destroy $made || not_ok "$name: destroy"
	{
		idxdctl modify --auto "$u" && idxdctl start "$u" && idxdctl stop "$u" &&
			idxdctl undefine "$u" && idxdctl export >document &&
			idxdctl apply document && idxdctl assert document
	} >/dev/null || not_ok "$name: verbs of definitions and documents"
	{
		idxdctl list && idxdctl types && idxdctl status && idxdctl holders
	} >/dev/null || not_ok "$name: verbs that look"
	check "$name: release" idxdctl release "$dev"
	check "$name: adopt" idxdctl adopt --host-wqs 0 "$dev"
	state "$@" >state.after
	if cmp state.before state.after; then
		ok "$name: after $n creates and every other verb, $(wc -l <state.before) attributes of $* are the same"
	else
		diff state.before state.after
		not_ok "$name: something changed in $*"
	fi
}

# dpdk_start OPTION...: dpdk-test takes a device, and keeps it until dpdk_stop.
dpdk_start()
{
	put 256 /proc/sys/vm/nr_hugepages && mkdir -p /dev/hugepages &&
		{ mountpoint -q /dev/hugepages || mount -t hugetlbfs none /dev/hugepages; } &&
		mkfifo /run/dpdk.in && {
			dpdk-test --no-telemetry -l 0 "$@" </run/dpdk.in >/run/dpdk.out 2>&1 &
		} && DPDK=$! && exec 8>/run/dpdk.in && wait_until 60 grep -q 'RTE>>' /run/dpdk.out
}

dpdk_stop()
{
	echo quit >&8
	exec 8>&-
	wait $DPDK
	rm -f /run/dpdk.in
}
