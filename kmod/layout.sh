#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Writes a header with the few fields of private structures that the module
# needs, at the offsets that they have in exactly this kernel build: from its BTF,
# or from the debug information of objects that define the structures.
#
# usage: layout.sh KVER LIST VMLINUX IDXD_KO > header
#        layout.sh KVER LIST - OBJECT... > header
set -eu

here=$(dirname "$0")
kver=$1 list=$2 vmlinux=$3 ko=$4
shift 3

die()
{
	echo "idxd_mdev: error: $*" >&2
	exit 1
}

command -v pahole >/dev/null || die "pahole not found; it comes with the package pahole"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
names=$(sed -n 's/^\(struct\|enum\) \([a-z_0-9]*\).*/\2/p' "$list" | paste -sd,)

if [ "$vmlinux" = - ]; then
	# one at a time: pahole stops at the first that an object has not; awk says what is missing
	for name in $(echo "$names" | tr , ' '); do
		for object; do
			pahole -F dwarf --suppress_aligned_attribute -C "$name" "$object" \
				2>"$tmp/err" || :
		done
	done >"$tmp/dump"
	[ -s "$tmp/dump" ] || die "pahole finds no structure in $*: $(head -n 1 "$tmp/err")"
	awk -v kver="$kver" -f "$here/layout.awk" "$list" "$tmp/dump"
	exit
fi

[ -r "$vmlinux" ] || die "no BTF of the kernel: $vmlinux not found; install the headers of $kver"
[ -r "$ko" ] || die "idxd.ko not found for $kver at '$ko'; install the package that holds \
the modules of $kver (linux-image or linux-modules) or pass IDXD_KO=FILE"

case $ko in
*.xz) xz -dc "$ko" >"$tmp/idxd.ko" ;;
*.zst) zstd -qdc "$ko" >"$tmp/idxd.ko" ;;
*.gz) gzip -dc "$ko" >"$tmp/idxd.ko" ;;
*) cp "$ko" "$tmp/idxd.ko" ;;
esac || die "cannot unpack $ko"

pahole -F btf --btf_base="$vmlinux" -C "$names" "$tmp/idxd.ko" >"$tmp/dump" 2>"$tmp/err" ||
	die "pahole cannot read the BTF of $ko against $vmlinux; both must be of one build:" \
		"$(head -n 1 "$tmp/err")"

awk -v kver="$kver" -f "$here/layout.awk" "$list" "$tmp/dump"
