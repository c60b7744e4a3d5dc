# SPDX-License-Identifier: GPL-2.0-or-later
# Programs, steps that can be interrupted, the kernel log, modules.

# Where each program comes from; headers are beside the sources.
program_sources()
{
	local guest=$TOP/tests/lab/qemu/dsa/guest

	case $1 in
	peek | vfio-client) echo "$TOP/tests/lab/src/$1.c" ;;
	choices) echo "$guest/choices.c $guest/pf.c" ;;
	esac
}

# program NAME: prints the path of the program, compiling it if need be; fails with a reason.
program()
{
	local p=$WORK/bin/$1 cc

	if [ -n "$OPT_PROGRAMS" ] && [ -x "$OPT_PROGRAMS/$1" ]; then
		echo "$OPT_PROGRAMS/$1"
		return
	fi
	[ ! -x "$p" ] || { echo "$p"; return; }
	for cc in ${CC-} cc gcc clang; do
		command -v "$cc" >/dev/null 2>&1 && break
		cc=
	done
	if [ -z "$cc" ]; then
		echo "no C compiler for $1 (install gcc, or give --programs)"
		return 1
	fi
	mkdir -p "$WORK/bin"
	# shellcheck disable=SC2046
	if ! "$cc" -std=gnu11 -D_GNU_SOURCE -O2 -o "$p" \
			$(program_sources "$1") >"$WORK/$1.log" 2>&1; then
		echo "$1 does not compile: $(grep -m 1 error "$WORK/$1.log")"
		return 1
	fi
	echo "$p"
}

# --- the kernel log -----------------------------------------------------------------------------

# shellcheck source=/dev/null
. "$TOP/tests/lab/lib/klog.sh"

klog_mark()
{
	KLOG_MARK="idxd-hw-run: $$ $1"
	echo "$KLOG_MARK" >/dev/kmsg
}

klog_new()
{
	dmesg | awk -v mark="$KLOG_MARK" 'seen { print } index($0, mark) { seen = 1 }'
}

# Other people's lines stay out of the report: what is left is about accelerators, or a complaint.
klog_ours()
{
	awk -v bad="$KLOG_BAD" '
		/-----\[ cut here \]-----/ { inside = 1 }
		inside || more > 0 || $0 ~ bad ||
		/idxd|dsa[0-9]|iax[0-9]|DMAR|IOMMU|iommu|vfio|mdev|dmatest/ { print }
		$0 ~ bad { more = 60 }
		more > 0 { more-- }
		/---\[ end trace/ { inside = more = 0 }'
}

# klog_end SUBJECT NAME: keeps the new lines, and is a check of its own.
klog_end()
{
	local raw=$WORK/klog bad

	klog_new >"$raw"
	collect "active/$1-$2.kernel" klog_ours <"$raw"
	if bad=$(klog_check "$raw" ""); then
		row pass active "$1" "$2: kernel log has no warning" "$(wc -l <"$raw") new lines"
	else
		row fail active "$1" "$2: kernel log" "$(echo "$bad" | head -n 1)"
	fi
}

# --- steps --------------------------------------------------------------------------------------

# Each step is a process group of its own: Ctrl-C reaches this script, which then ends the step.
# step DEVICE NAME SECONDS FUNCTION ARGUMENT...
step()
{
	local dev=$1 name=$2 limit=$3 log=$OUT/active/$1-$2.log timer
	shift 3
	mkdir -p "$OUT/active"
	STEP=$name
	klog_mark "$dev $name"
	set -m
	( trap - INT TERM HUP EXIT; "$@" "$dev" ) >"$log.raw" 2>&1 </dev/null &
	STEP_PID=$!
	( trap - INT TERM HUP EXIT; sleep "$limit"; echo "not finished after $limit s" >>"$log.raw"
	  kill -- "-$STEP_PID" ) >/dev/null 2>&1 </dev/null &
	timer=$!
	STEP_TIMER=$timer
	set +m
	wait "$STEP_PID"
	STEP_STATUS=$?
	kill -- "-$timer" 2>/dev/null
	wait "$timer" 2>/dev/null
	STEP_PID='' STEP_TIMER=''
	redact <"$log.raw" >"$log"
	rm -f "$log.raw"
	if [ "$STEP_STATUS" -ne 0 ]; then
		row fail active "$dev" "$name: ended with status $STEP_STATUS" "$(tail -n 1 "$log")"
		# What it left behind must not fail the next one.
		device_clear "$BDF" >>"$log" 2>&1
		modules_restore >>"$log"
	fi
	klog_end "$dev" "$name"
}

step_stop()
{
	local pid

	for pid in $STEP_PID $STEP_TIMER; do
		kill -- "-$pid" 2>/dev/null
		wait_until 10 group_gone "$pid" || kill -9 -- "-$pid" 2>/dev/null
	done
	[ ! -e "$OUT/active" ] || for pid in "$OUT"/active/*.raw; do
		[ ! -e "$pid" ] || { redact <"$pid" >"${pid%.raw}"; rm -f "$pid"; }
	done
	STEP_PID='' STEP_TIMER=''
}

group_gone()
{
	! kill -0 -- "-$1" 2>/dev/null
}

# check WHAT COMMAND...: a row; for use in steps.
check()
{
	local what=$1 said rc
	shift
	said=$("$@" 2>&1)
	rc=$?
	printf '# %s\n%s\n' "$*" "$said"
	if [ $rc -eq 0 ]; then
		row pass active "$SUBJECT" "$what"
	else
		row fail active "$SUBJECT" "$what" "status $rc: $(echo "$said" | tail -n 1)"
	fi
	return $rc
}

skip()
{
	row skip active "$SUBJECT" "$1" "$2"
}

# --- modules ------------------------------------------------------------------------------------

# Only these are ever removed, and only if they were not there at the start.
OUR_MODULES='idxd_mdev dmatest vfio_pci vfio_pci_core vfio_iommu_type1 mdev vfio iommufd irqbypass'

modules()
{
	cut -d' ' -f1 /proc/modules | LC_ALL=C sort
}

modules_restore()
{
	local m again=yes

	while [ "$again" = yes ]; do
		again=no
		for m in $OUR_MODULES; do
			grep -qx "$m" "$STATE/modules" && continue
			[ -d "/sys/module/$m" ] && [ -e "/sys/module/$m/refcnt" ] || continue
			[ "$(cat "/sys/module/$m/refcnt")" = 0 ] || continue
			rmmod "$m" 2>/dev/null && again=yes
		done
	done
	for m in $OUR_MODULES; do
		grep -qx "$m" "$STATE/modules" || [ ! -e "/sys/module/$m/refcnt" ] || {
			echo "module $m is still loaded"
			return 1
		}
	done
}
