#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every userspace header compiles alone, with nothing included before it.
set -u
cd "${top_srcdir:-.}" || exit 1
bad=0 n=0
flags=$(${PKG_CONFIG:-pkg-config} --cflags libsystemd libudev json-c libaccel-config) || exit 1

for h in idxdvd/*.h idxdvd/common/*.h cli/*.h cli/doctor/*.h libvirt/*.h kmod/core/*.h; do
	[ -e "$h" ] || continue
	n=$((n + 1))
	# Included, as the main file it would be blamed for inline functions that it does not use.
	# shellcheck disable=SC2086
	if ! printf '#include "%s"\n' "$h" | ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra \
			-Wno-unused-parameter -Werror -fsyntax-only -I. $flags -x c -; then
		echo "lint: $h is not self-contained"
		bad=1
	fi
done

echo "lint: $n headers compiled alone"
[ $n -gt 5 ] || { echo "lint: too few headers: is top_srcdir right?"; exit 1; }
exit $bad
