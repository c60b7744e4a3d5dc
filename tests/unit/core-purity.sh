#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The core needs nothing of its environment but env.h and four functions.
set -eu
core=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/kmod/core
cc=${CC:-cc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# purity DIR: prints what is impure in DIR's sources, nothing when they are pure
purity() {
	grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' "$1"/*.[ch] | grep -v '/env\.h:' || :
	grep -Hn '__KERNEL__' "$1"/*.[ch] | grep -v '/env\.h:' || :
	rm -f "$tmp"/*.o
	for file in "$1"/*.c; do
		$cc -std=gnu11 -O2 -Wall -ffreestanding -mgeneral-regs-only -I"$core" \
			-c "$file" -o "$tmp/$(basename "$file" .c).o" || echo "$file: does not compile"
	done
	ld -r -o "$tmp/all" "$tmp"/*.o
	nm -u "$tmp/all" | awk '{ print $2 }' | grep -vx 'mem\(cpy\|move\|set\|cmp\)' |
		sed 's/^/needs /' || :
}

# Does this test see anything at all?
mkdir "$tmp/bad"
printf '#include <stdio.h>\nint bad(void);\nint bad(void) { return puts("x"); }\n' >"$tmp/bad/bad.c"
for sign in '#include <stdio.h>' 'needs puts'; do
	purity "$tmp/bad" | grep -qF "$sign" || { echo "cannot see: $sign"; exit 1; }
done

found=$(purity "$core")
[ -z "$found" ] || { echo "$found"; exit 1; }

# FILES is what the module is built from; it must name every source, and only those.
listed=$(sort "$core/FILES")
present=$(cd "$core" && ls -- *.c | sort)
[ "$listed" = "$present" ] || { echo "kmod/core/FILES does not name the sources"; exit 1; }
echo "pure: $(echo "$present" | wc -l) files"
