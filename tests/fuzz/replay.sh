#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every input of the corpus once more: what libFuzzer found worth keeping, and mended findings.
set -eu
bin=${top_builddir:-.}/tests/fuzz
corpus=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/fuzz/corpus

for dir in "$corpus"/*/; do
	name=$(basename "$dir")
	set -- "$dir"*
	[ $# -gt 20 ] || { echo "replay: only $# inputs for $name"; exit 1; }
	# Without libxml2 there is no hook.
	[ -x "$bin/$name" ] || case $name in hook-*) echo "$name: not built"; continue ;; esac
	"$bin/$name" "$@" || { echo "replay: $name failed"; exit 1; }
	echo "$name: $# inputs replayed"
done
