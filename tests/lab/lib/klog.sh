# SPDX-License-Identifier: GPL-2.0-or-later
# What a kernel log must not contain.

KLOG_BAD='WARNING: |BUG: |kernel BUG at |Oops|Call Trace:|possible circular locking'
KLOG_BAD+='|possible recursive locking|inconsistent lock state|suspicious RCU usage'
KLOG_BAD+='|INFO: task .* blocked|rcu: INFO: |detected stall|soft lockup|hard LOCKUP'
KLOG_BAD+='|general protection fault|Kernel panic|refcount_t: |UBSAN: |KASAN: |KCSAN: '
KLOG_BAD+='|list_(add|del) corruption|stack segment|double fault|unable to handle'
KLOG_BAD+='|new suspected memory leak|ODEBUG: (free|init|activate|assert|destroy)'
KLOG_BAD+='|INFO: trying to register non-static key'

# What the kernel of OPT_KERNEL complains of by itself, as EXPECTED of klog_check.
klog_expected()
{
	[ "${OPT_KERNEL-}" != debug ] || echo "$DEBUG_DIR/expected-log"
}

# klog_check LOG EXPECTED...: prints the bad lines; fails when there are some. EXPECTED may name
# a file of lines "REGEX ## REASON": such a line is no failure, and when it stands between
# "cut here" and "end trace", neither is the rest of that block.
klog_check()
{
	local log=$1 file lines=""

	shift
	for file; do
		[ -e "$file" ] || continue
		if grep -vE '^(#|$)' "$file" | grep -qvE '.+ ## .+'; then
			echo "$file: each line needs a reason: REGEX ## REASON"
			return 1
		fi
		lines+=$(cat "$file")$'\n'
	done
	tr -d '\r' <"$log" | KLOG_EXPECTED=$lines awk -v bad="$KLOG_BAD" '
		BEGIN {
			count = split(ENVIRON["KLOG_EXPECTED"], lines, "\n")
			for (i = 1; i <= count; i++)
				if (lines[i] !~ /^#/ && match(lines[i], / ## /))
					ok[substr(lines[i], 1, RSTART - 1)] = 1
		}
		function pardoned(line,   re) {
			for (re in ok)
				if (line ~ re)
					return 1
			return 0
		}
		function flush(   i) {
			for (i = 1; i <= n; i++)
				if (!pardon && block[i] ~ bad) {
					print block[i]
					found = 1
				}
			n = pardon = inside = 0
		}
		/-----\[ cut here \]-----/ { flush(); inside = 1 }
		{
			block[++n] = $0
			if (pardoned($0)) {
				pardon = 1
			}
		}
		!inside || /---\[ end trace/ { flush() }
		END { flush(); exit found }'
}
