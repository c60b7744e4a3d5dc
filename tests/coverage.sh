#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints line coverage of the pure parts after "make check" in a build made with --enable-coverage.
#   tests/coverage.sh BUILDDIR
set -eu
cd "$1"
top=$(sed -n 's/^abs_top_srcdir = //p' Makefile)

# Totals over the gcov summaries of all objects that belong to one of the sources given.
report()
{
	label=$1
	shift
	for src in "$@"; do
		base=$(basename "$src" .c)
		# A source may be built into several objects; gcov merges what it is given.
		find . -name "*$base.gcda" -path "*$(dirname "$src")*" | while read -r gcda; do
			gcov -n "$gcda" 2>/dev/null
		done | awk -v want="$src" '
			/^File / { f = $2; gsub(/\x27/, "", f) }
			/^Lines executed/ && f ~ want "$" {
				split($2, a, ":"); sub(/%/, "", a[2]);
				if (a[2] + 0 >= best) { best = a[2] + 0; n = $4 }
				seen = 1
			}
			END { if (seen) printf "%s %.2f %d\n", want, best, n }'
	done | awk -v label="$label" '
		{ printf "  %-28s %6.2f%% of %d lines\n", $1, $2, $3; hit += $2 * $3 / 100; all += $3 }
		END {
			if (!all) { print label ": no coverage data" ; exit 1 }
			printf "  %-28s %6.2f%% of %d lines\n", label, 100 * hit / all, all
		}'
}

echo "coverage: lines run by make check"
core=$(cd "$top" && ls kmod/core/*.c)
# shellcheck disable=SC2086
report "kmod/core, all" $core
report "allocator, all" idxdvd/alloc.c idxdvd/layout.c idxdvd/place.c idxdvd/steps.c
