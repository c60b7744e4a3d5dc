# SPDX-License-Identifier: GPL-2.0-or-later
# Accelerators: which there are, who uses them, their state saved and restored.

PCI=/sys/bus/pci/devices
ACCEL_IDS='0x0b25 0x11fb 0x1212 0x0cfe 0x1216 0xb02d 0xfd2d'
ERRATUM_IDS='0x0b25 0x0cfe'

# PCI addresses of all accelerators.
accelerators()
{
	local d

	for d in "$PCI"/*; do
		[ -e "$d/vendor" ] || continue
		[ "$(cat "$d/vendor")" = 0x8086 ] || continue
		case " $ACCEL_IDS " in
		*" $(cat "$d/device") "*) echo "${d##*/}" ;;
		*) [ "$(driver_of "$d")" != idxd ] || echo "${d##*/}" ;;
		esac
	done
}

driver_of()
{
	local d

	d=$(readlink "$1/driver") || return 0
	echo "${d##*/}"
}

# name_of BDF: dsa0, or the address if idxd has not got it.
name_of()
{
	local d

	for d in "$PCI/$1"/dsa[0-9]* "$PCI/$1"/iax[0-9]*; do
		[ ! -e "$d/version" ] || { echo "${d##*/}"; return; }
	done
	echo "$1"
}

bdf_of()
{
	local b

	for b in $(accelerators); do
		[ "$(name_of "$b")" != "$1" ] || { echo "$b"; return; }
	done
	return 1
}

erratum()
{
	case " $ERRATUM_IDS " in
	*" $(cat "$PCI/$1/device") "*) return 0 ;;
	esac
	return 1
}

# openers PATH...: who has one of these files open.
openers()
{
	local fd target pid path

	for fd in /proc/[0-9]*/fd/*; do
		target=$(readlink "$fd" 2>/dev/null) || continue
		for path; do
			[ "$target" = "$path" ] || continue
			pid=${fd#/proc/}
			pid=${pid%%/*}
			echo "$(cat "/proc/$pid/comm" 2>/dev/null) (pid $pid)"
		done
	done | LC_ALL=C sort -u | paste -sd, | sed 's/,/, /g'
}

# wq_holder DEVDIR WQ: one line if something is bound to it.
wq_holder()
{
	local dev=$1 wq=$2 driver who='' c

	driver=$(driver_of "$dev/$wq")
	[ -n "$driver" ] || return 0
	case $driver in
	dmaengine)
		for c in "$dev"/dma/dma*chan* "$dev/$wq"/dma/dma*chan*; do
			[ ! -e "$c" ] || who="$who ${c##*/}"
		done
		who="kernel clients, $(cat "$dev/$wq/clients" 2>/dev/null) open${who:+, channels$who}"
		;;
	user)
		who=$(openers "/dev/dsa/$wq" "/dev/iax/$wq")
		who="programs: ${who:-none at the moment}"
		;;
	crypto) who="kernel's iaa_crypto" ;;
	mdev)
		for c in /sys/bus/mdev/devices/*; do
			[ -e "$c/wq" ] && [ "$(cat "$c/wq")" = "$wq" ] && who="mdev ${c##*/}"
		done
		who=${who:-the pool of idxdvd}
		;;
	*) who="driver $driver" ;;
	esac
	echo "$wq by $driver ($who)"
}

# Somebody's settings on a device that is not even enabled; idxd's own defaults for an IAA are not.
foreign_setting()
{
	local dev=$1 wq size type iaa=no

	case ${dev##*/} in iax*) iaa=yes ;; esac
	for wq in "$dev"/wq[0-9]*; do
		size=$(cat "$wq/size") type=$(cat "$wq/type")
		if [ $iaa = yes ] && [ "$(cat "$wq/name" "$wq/driver_name" 2>/dev/null | paste -sd' ')" = \
				"iaa_crypto crypto" ]; then
			continue
		fi
		[ "$size" = 0 ] || { echo "${wq##*/} has a size ($size)"; return; }
		[ "$type" = none ] || { echo "${wq##*/} has a type ($type)"; return; }
	done
	[ $iaa = no ] || return 0
	for wq in "$dev"/engine[0-9]*; do
		[ "$(cat "$wq/group_id")" = -1 ] || { echo "${wq##*/} is in a group"; return; }
	done
}

# holders BDF: a line per holder; nothing if the device is idle.
holders()
{
	local bdf=$1 driver dev wq said='' group

	driver=$(driver_of "$PCI/$bdf")
	case $driver in
	idxd) ;;
	'') return ;;
	*)
		group=$(basename "$(readlink -f "$PCI/$bdf/iommu_group")")
		wq=$(openers "/dev/vfio/$group" /dev/vfio/devices/*)
		echo "driver $driver${wq:+, opened by $wq}"
		return
		;;
	esac
	dev=$PCI/$bdf/$(name_of "$bdf")
	[ -e "$dev/version" ] || { echo "idxd, which shows no device"; return; }
	said=$(for wq in "$dev"/wq[0-9]*; do
		wq_holder "$dev" "${wq##*/}"
	done)
	if [ -n "$said" ]; then
		echo "$said"
	elif [ "$(cat "$dev/state")" != disabled ]; then
		echo "somebody's configuration (the device is $(cat "$dev/state"))"
	elif [ "$(cat "$dev/configurable")" = 1 ]; then
		said=$(foreign_setting "$dev")
		[ -z "$said" ] || echo "somebody's configuration ($said)"
	fi
}

# --- state --------------------------------------------------------------------------------------

# attributes DEVDIR: "path:value" of all that can be read, but for the old names of read buffers, which
# the kernel complains of. With "settled", without what moves by itself or only tells of the last error.
attributes()
{
	(cd "$1" && grep -rs --exclude='*token*' '' . 2>/dev/null) | sed 's,^\./,,' | LC_ALL=C sort |
		if [ "${2-}" = settled ]; then
			grep -Ev '^([^:]*/)?(clients|occupancy|errors|cmd_status|cdev_minor|uevent):|(^|/)power/'
		else
			cat
		fi
	find "$1" -name driver -type l -printf '%P -> %l\n' | sed 's, -> .*/, -> ,' | LC_ALL=C sort
}

# In this order they can be written on a disabled device; all else follows from them.
ENGINE_ATTRS='group_id'
WQ_ATTRS='group_id mode size threshold priority block_on_fault type name driver_name max_transfer_size
	max_batch_size ats_disable prs_disable op_config enqcmds_retries'
GROUP_ATTRS='read_buffers_reserved read_buffers_allowed use_read_buffer_limit traffic_class_a
	traffic_class_b desc_progress_limit batch_progress_limit'
DEVICE_ATTRS='read_buffer_limit event_log_size'

# write_back KIND-PATTERN ATTRS DIR: writes what differs from the saved values.
write_back()
{
	local saved=$1 dir=$2 item attr was

	shift 2
	for item in $1; do
		for attr in $2; do
			was=$(sed -n "s,^$item/$attr:,,p" "$saved")
			[ "$item" != . ] || was=$(sed -n "s,^$attr:,,p" "$saved")
			[ -n "$was" ] && [ -e "$dir/$item/$attr" ] || continue
			[ "$(cat "$dir/$item/$attr" 2>/dev/null)" != "$was" ] || continue
			echo "$was" 2>/dev/null >"$dir/$item/$attr" || echo "cannot write $item/$attr=$was"
		done
	done
}

state_save()
{
	local name=$1 bdf=$2

	mkdir -p "$STATE/$name"
	echo "$bdf" >"$STATE/$name/bdf"
	cat "$PCI/$bdf/driver_override" >"$STATE/$name/driver_override"
	attributes "$PCI/$bdf/$name" >"$STATE/$name/all"
	attributes "$PCI/$bdf/$name" settled >"$STATE/$name/settled"
	[ -e "$STATE/modules" ] || modules >"$STATE/modules"
}

# Our own traces: mdevs on the device, its queues, the device itself. Nothing else was ever there.
device_clear()
{
	local bdf=$1 name m wq

	name=$(name_of "$bdf")
	for m in "$PCI/$bdf"/????????-????-????-????-????????????; do
		[ ! -e "$m/remove" ] || echo 1 >"$m/remove"
	done
	[ -e "$PCI/$bdf/$name/version" ] || return 0
	for wq in "$PCI/$bdf/$name"/wq[0-9]*; do
		m=$(driver_of "$wq")
		[ -z "$m" ] || echo "${wq##*/}" >"$DSA/drivers/$m/unbind"
	done
	[ "$(cat "$PCI/$bdf/$name/state")" != enabled ] || echo "$name" >"$DSA/drivers/idxd/unbind"
}

# idxd gives a device the lowest free number: it keeps its own only if no lower one is free.
keeps_number()
{
	local n=${1#???} i

	for ((i = 0; i < n; i++)); do
		[ -e "$DSA/devices/dsa$i" ] || [ -e "$DSA/devices/iax$i" ] || return 1
	done
}

device_rebind()
{
	local bdf=$1 driver override=$2

	driver=$(driver_of "$PCI/$bdf")
	[ -z "$driver" ] || echo "$bdf" >"/sys/bus/pci/drivers/$driver/unbind"
	case $override in '(null)') override= ;; esac
	echo "$override" >"$PCI/$bdf/driver_override"
	echo "$bdf" >/sys/bus/pci/drivers/idxd/bind
}

state_settled()
{
	attributes "$PCI/$2/$1" settled | cmp -s - "$STATE/$1/settled"
}

# state_restore NAME: back to what was saved; prints what cannot be.
state_restore()
{
	local name=$1 s=$STATE/$1 bdf override try dir

	bdf=$(cat "$s/bdf")
	override=$(cat "$s/driver_override")
	dir=$PCI/$bdf/$name
	for try in 1 2; do
		if [ $try = 2 ] || [ "$(driver_of "$PCI/$bdf")" != idxd ]; then
			[ "$(driver_of "$PCI/$bdf")" != idxd ] || keeps_number "$name" || break
			device_rebind "$bdf" "$override"
		fi
		device_clear "$bdf"
		write_back "$s/settled" "$dir" "$(cd "$dir" && echo engine*)" "$ENGINE_ATTRS"
		write_back "$s/settled" "$dir" . "$DEVICE_ATTRS"
		write_back "$s/settled" "$dir" "$(cd "$dir" && echo group*)" "$GROUP_ATTRS"
		write_back "$s/settled" "$dir" "$(cd "$dir" && echo wq*)" "$WQ_ATTRS"
		! state_settled "$name" "$bdf" || return 0
	done
	attributes "$dir" settled | diff "$s/settled" - | grep '^[<>]' | head -n 5
	return 1
}
