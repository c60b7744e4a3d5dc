#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Writes a header with the few fields of idxd's private structures that the
# module needs, at the offsets that BTF gives for exactly this kernel build.
#
# usage: layout.sh KVER VMLINUX IDXD_KO LIST > header
set -eu

here=$(dirname "$0")
kver=$1 vmlinux=$2 ko=$3 list=$4

die()
{
	echo "idxd_mdev: error: $*" >&2
	exit 1
}

command -v pahole >/dev/null || die "pahole not found; it comes with the package pahole"
[ -r "$vmlinux" ] || die "no BTF of the kernel: $vmlinux not found; install the headers of $kver"
[ -r "$ko" ] || die "idxd.ko not found for $kver at '$ko'; install the package that holds \
the modules of $kver (linux-image or linux-modules) or pass IDXD_KO=FILE"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

case $ko in
*.xz) xz -dc "$ko" >"$tmp/idxd.ko" ;;
*.zst) zstd -qdc "$ko" >"$tmp/idxd.ko" ;;
*.gz) gzip -dc "$ko" >"$tmp/idxd.ko" ;;
*) cp "$ko" "$tmp/idxd.ko" ;;
esac || die "cannot unpack $ko"

names=$(sed -n 's/^\(struct\|enum\) \([a-z_0-9]*\).*/\2/p' "$list" | paste -sd,)
pahole -F btf --btf_base="$vmlinux" -C "$names" "$tmp/idxd.ko" >"$tmp/dump" 2>"$tmp/err" ||
	die "pahole cannot read the BTF of $ko against $vmlinux; both must be of one build:" \
		"$(head -n 1 "$tmp/err")"

awk -v kver="$kver" -f "$here/layout.awk" "$list" "$tmp/dump"
