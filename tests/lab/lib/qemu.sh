# SPDX-License-Identifier: GPL-2.0-or-later
# The lab's QEMU: Debian's source, our patches, our device model.

QEMU_IN=$LAB_DIR/qemu

# What decides how the tree is configured; sources only decide what is rebuilt.
qemu_tree_key()
{
	{ build_root_key; declare -f make_qemu_tree; } | key_of "$QEMU_IN/configure-flags"
}

qemu_key()
{
	# shellcheck disable=SC2046
	{ qemu_tree_key; declare -f make_qemu; } | key_of $(find "$QEMU_IN/patches" "$QEMU_IN/dsa" -type f | LC_ALL=C sort)
}

make_qemu_tree()
{
	rm -rf --one-file-system "$CACHE/qemu"
	mkdir -p "$CACHE/qemu/pristine"
	in_root "$CACHE/root" sh -ec '
		cd /lab/qemu
		apt-get update -q
		apt-get source -q --download-only qemu
		dpkg-source -x qemu_*.dsc src
		dpkg-parsechangelog -l src/debian/changelog -S Version >version
		rm -f qemu_*'
	qemu_sync
	in_root "$CACHE/root" bash -ec '
		mkdir -p /lab/qemu/src/build
		cd /lab/qemu/src/build
		mapfile -t flags < <(sed -e "/^#/d" -e "/^\$/d")
		../configure --cc="ccache gcc" --host-cc="ccache gcc" "${flags[@]}"' \
		<"$QEMU_IN/configure-flags"
}

# Files that a set of patches creates, changes or deletes.
patched_files()
{
	[ $# -gt 0 ] || return 0
	sed -n -e 's,^--- a/,,p' -e 's,^+++ b/,,p' "$@" | sed 's/\t.*//' | sort -u
}

# put_file FROM TO: copy only what differs, so that ninja rebuilds only that.
put_file()
{
	cmp -s "$1" "$2" && return 0
	mkdir -p "$(dirname "$2")"
	cp "$1" "$2.new"
	mv "$2.new" "$2"
	echo "changed: $2"
}

# Bring the source tree to: Debian's files + patches + model.
qemu_sync()
{
	local q=$CACHE/qemu tmp f p list
	local patches=()

	mapfile -t patches < <(find "$QEMU_IN/patches" -name '*.patch' | LC_ALL=C sort)
	list=$({ patched_files "${patches[@]}"; cat "$q/patched" 2>/dev/null || :; } | sort -u)
	rm -rf "$q/work"
	tmp=$q/work
	mkdir -p "$tmp"
	for f in $list; do
		if ! grep -qxF "$f" "$q/patched" 2>/dev/null && [ -e "$q/src/$f" ]; then
			mkdir -p "$q/pristine/$(dirname "$f")"
			cp "$q/src/$f" "$q/pristine/$f"
		fi
		if [ -e "$q/pristine/$f" ]; then
			mkdir -p "$tmp/$(dirname "$f")"
			cp "$q/pristine/$f" "$tmp/$f"
		fi
	done
	echo "$list" >"$q/patched"
	for p in "${patches[@]}"; do
		echo "patch ${p##*/}"
		in_root "$CACHE/root" patch -d /lab/qemu/work -p1 -s --no-backup-if-mismatch <"$p"
	done
	for f in $list; do
		if [ -e "$tmp/$f" ]; then
			put_file "$tmp/$f" "$q/src/$f"
		else
			rm -f "$q/src/$f"
		fi
	done
	qemu_sync_model
}

qemu_sync_model()
{
	local dst=$CACHE/qemu/src/hw/misc/idxd-lab f

	[ -d "$QEMU_IN/dsa" ] || return 0
	# meson only looks again for a subfolder when the file that names it changed.
	[ -e "$dst/meson.build" ] || touch "${dst%/*}/meson.build"
	mkdir -p "$dst"
	for f in "$dst"/*; do
		[ -e "$QEMU_IN/dsa/${f##*/}" ] || rm -f "$f"
	done
	for f in "$QEMU_IN"/dsa/*; do
		[ -f "$f" ] && put_file "$f" "$dst/${f##*/}"
	done
	return 0
}

make_qemu()
{
	qemu_sync
	in_root "$CACHE/root" sh -ec '
		cd /lab/qemu/src/build
		ninja qemu-system-x86_64
		cp qemu-system-x86_64 /lab/qemu/qemu.new
		mv /lab/qemu/qemu.new /lab/qemu/qemu-system-x86_64
		mkdir -p /lab/qemu/bios
		cp /usr/share/seabios/bios-256k.bin /usr/share/qemu/*.bin /lab/qemu/bios
		rm -f /lab/qemu/has-model
		if /lab/qemu/qemu-system-x86_64 -device help | grep -q "\"idxd-lab\""; then
			: >/lab/qemu/has-model
		fi'
}

build_qemu()
{
	[ -f "$QEMU_IN/configure-flags" ] || die "$QEMU_IN/configure-flags is missing"
	step qemu-tree "$(qemu_tree_key)" make_qemu_tree
	# "lab run" is for working: a half-edited model shall not keep others from booting.
	if [ "$verb" = run ] || [ "$verb" = shell ] || [ "${JUDGE_RECORD-yes}" = no ]; then
		step qemu "$(qemu_key)" make_qemu "$CACHE/qemu/qemu-system-x86_64"
	else
		step qemu "$(qemu_key)" make_qemu
	fi
}

# QEMU runs on this machine with the C library of the root it was built in.
qemu_command()
{
	local root=$CACHE/root

	echo "$root/lib64/ld-linux-x86-64.so.2" --library-path \
		"$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu" \
		"$CACHE/qemu/qemu-system-x86_64" -L "$CACHE/qemu/bios"
}
