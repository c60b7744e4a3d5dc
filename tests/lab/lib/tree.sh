# SPDX-License-Identifier: GPL-2.0-or-later
# This clone, built for the VM: userspace once, the kernel module per kernel.

TOP=$(cd "$LAB_DIR/../.." && pwd)
TREE_NAME=tree/$(echo "$TOP" | sha256sum | cut -c1-10)
TREE=$CACHE/$TREE_NAME

# The sources are copied, so that neither a configured clone nor this build disturbs the other.
tree_copy()
{
	local ok

	mkdir -p "$TREE/src"
	# What is built is current again only when the copy is whole.
	mv "$TREE/userspace.ok" "$TREE/userspace.was" 2>/dev/null
	for ok in "$TREE"/kmod-*/ok; do
		[ ! -e "$ok" ] || mv "$ok" "${ok%ok}was"
	done
	rsync -ai --delete --exclude=/.git --exclude=/tests/lab/qemu --exclude='*.cmd' \
		--filter=':- .gitignore' "$TOP/" "$TREE/src/" >"$TREE/changes.all" ||
		die "this tree cannot be copied to $TREE"
	grep -v '/$' "$TREE/changes.all" >"$TREE/changes"
	# What a change made stale is forgotten: this run may build for one kernel only.
	if grep -q '^[^ ]* *kmod/' "$TREE/changes"; then
		rm -f "$TREE"/kmod-*/was
	fi
	if grep -q -v '^[^ ]* *\(kmod\|tests\)/' "$TREE/changes"; then
		rm -f "$TREE/userspace.was"
	fi
	for ok in "$TREE"/kmod-*/was; do
		[ ! -e "$ok" ] || mv "$ok" "${ok%was}ok"
	done
	mv "$TREE/userspace.was" "$TREE/userspace.ok" 2>/dev/null
	return 0
}

make_userspace()
{
	in_root "$CACHE/root" sh -ec '
		t=/lab/$1
		cd "$t/src"
		[ -x configure ] || autoreconf -i
		build()
		{
			mkdir -p "$t/build"
			cd "$t/build"
			[ -e config.status ] || "$t/src/configure" --prefix=/usr --sysconfdir=/etc \
				--localstatedir=/var CC="ccache gcc" || return 1
			make -j"$(nproc)"
		}
		# A file that went away can leave an old build without a rule for it.
		build || { rm -rf "$t/build"; build; }
		rm -rf "$t/dest"
		make -s install DESTDIR="$t/dest"
		mkdir -p "$t/dest"' sh "$TREE_NAME"
	build_root_key >"$TREE/userspace.ok"
}

# make_module KERNEL
make_module()
{
	local k=$1 d=$TREE/kmod-$1

	mkdir -p "$d"
	kernel_module
	[ -n "$(find "$d/build" -name '*.ko')" ] || {
		echo "kmod/Makefile made no module"
		return 1
	}
	install_modules "$k" "$d"
	kernel_key >"$d/ok"
}

# Modules and a module index that knows them; indexing is slow, so only when names change.
install_modules()
{
	local k=$1 d=$2 dst=$2/dest/usr/lib/modules/$1 m index

	mkdir -p "$dst/updates"
	rm -f "$dst"/updates/*.ko
	find "$d/build" -name '*.ko' -exec cp -t "$dst/updates" {} +
	[ -n "$KERNEL_TREE" ] || cp "$CACHE/dmatest/$k/dmatest.ko" "$dst/updates/"
	index=$(for m in "$dst"/updates/*.ko; do
		in_root "$CACHE/root" modinfo -F depends "/lab${m#"$CACHE"}"
		in_root "$CACHE/root" modinfo -F alias "/lab${m#"$CACHE"}"
		echo "${m##*/}"
		[ -z "$KERNEL_BUILD" ] || kernel_key
	done | sha256sum)
	[ "$index" != "$(cat "$d/index" 2>/dev/null)" ] || return 0
	mkdir -p "$dst/kernel"
	in_root "$CACHE/root" sh -ec '
		mkdir -p "$3/kernel"
		mount --bind "$3/kernel" "$2/usr/lib/modules/$1/kernel"
		cp "$3"/modules.builtin* "$3/modules.order" "$2/usr/lib/modules/$1/"
		depmod -b "$2/usr" "$1" || depmod -b "$2" "$1"
		umount "$2/usr/lib/modules/$1/kernel"' sh "$k" "/lab${d#"$CACHE"}/dest" "$(kernel_modules_in_root)"
	rmdir "$dst/kernel"
	echo "$index" >"$d/index"
}

# quietly NAME COMMAND...: its output goes to a log that is shown when it fails.
quietly()
{
	local name=$1 start=$SECONDS
	shift
	( set -e; "$@" ) >"$TREE/$name.log" 2>&1 </dev/null
	if [ $? -ne 0 ]; then
		tail -n 40 "$TREE/$name.log" >&2
		die "this tree's $name does not build; the whole log is $TREE/$name.log"
	fi
	say "$name: built in $((SECONDS - start)) s"
}

# build_tree KERNEL: sets TREE_PARTS to the folders to install.
build_tree()
{
	local k=$1 key

	TREE_PARTS=()
	# What needs nothing of the tree need not wait for those who build it.
	[ "$SKIP_USERSPACE$SKIP_MODULE" != yesyes ] || return 0
	key=$(build_root_key)
	mkdir -p "$TREE"
	exec 8>"$TREE/lock"
	flock 8
	tree_copy
	if [ "$SKIP_USERSPACE" = no ]; then
		if [ "$(cat "$TREE/userspace.ok" 2>/dev/null)" != "$key" ]; then
			quietly userspace make_userspace
		fi
		TREE_PARTS+=("$TREE/dest")
	fi
	if [ "$SKIP_MODULE" = no ]; then
		if [ ! -e "$TREE/src/kmod/Makefile" ]; then
			say "kmod/ has no Makefile: booting without the idxd_mdev module"
		else
			if [ "$(cat "$TREE/kmod-$k/ok" 2>/dev/null)" != "$(kernel_key)" ]; then
				quietly "module-$k" make_module "$k"
			fi
			TREE_PARTS+=("$TREE/kmod-$k/dest")
		fi
	fi
	exec 8>&-
}

# Userspace alone with one compiler, warnings being errors, and its make check.
verb_userspace()
{
	[ $# -eq 1 ] || die "lab userspace takes the compiler, gcc or clang"
	need_root
	lab_build
	rm -rf "$TREE/check-$1"
	mkdir -p "$TREE/check-$1/src" "$TREE/check-$1/build"
	rsync -a --exclude=/.git --filter=':- .gitignore' "$TOP/" "$TREE/check-$1/src/"
	in_root "$CACHE/root" sh -ec '
		cd "/lab/$1/src"
		autoreconf -i
		cd ../build
		../src/configure --enable-werror CC="$2"
		make -j"$(nproc)"
		make -j"$(nproc)" check' sh "$TREE_NAME/check-$1" "$1"
}
