#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every source says its licence, and the right one for its folder.
set -u
cd "${top_srcdir:-.}" || exit 1
bad=0 n=0

for f in $(find cli idxdvd kmod libvirt policy tests -type f \
		\( -name '*.c' -o -name '*.h' -o -name '*.sh' -o -name '*.py' -o -name '*.mk' -o -name '*.awk' \
		-o -name Kbuild -o -name Makefile -o -name test \) ! -path '*/.*'); do
	n=$((n + 1))
	case $f in
	kmod/core/*.mk | kmod/local.mk) want='GPL-2.0' ;;
	kmod/core/*) want='GPL-2.0-only OR LGPL-2.1-or-later' ;;
	kmod/*) want='GPL-2.0-only' ;;
	*) want='GPL-2.0-or-later' ;;
	esac
	if ! head -n 3 "$f" | grep -qF "SPDX-License-Identifier: $want"; then
		echo "lint: $f: no 'SPDX-License-Identifier: $want' in its first lines"
		bad=1
	fi
done

echo "lint: $n files looked at"
[ $n -gt 20 ] || { echo "lint: too few files: is top_srcdir right?"; exit 1; }
exit $bad
