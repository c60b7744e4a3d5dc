# SPDX-License-Identifier: GPL-2.0-or-later
# The debug kernel: Debian's backports source with a small configuration and every checker on.

DEBUG_DIR=$LAB_DIR/debug-kernel
DEBUG_KERNEL=$CACHE/debug-kernel

debug_source_key()
{
	{ kernel_version backports; declare -f make_debug_source; } | key_of
}

debug_kernel_key()
{
	{ debug_source_key; build_root_key; declare -f make_debug_kernel debug_config; } |
		key_of "$DEBUG_DIR"/*
}

make_debug_source()
{
	local series

	series=$(kernel_version backports | sed -E 's/^([0-9]+\.[0-9]+).*/\1/')
	rm -rf "$DEBUG_KERNEL"
	mkdir -p "$DEBUG_KERNEL/src"
	in_root "$CACHE/root" apt-get update -q
	in_root "$CACHE/root" sh -ec '
		cd /lab/debug-kernel
		apt-get download -q "linux-source-$1"
		d=$(echo linux-source-"$1"_*.deb)
		dpkg-deb --fsys-tarfile "$d" | tar -xO "./usr/src/linux-source-$1.tar.xz" |
			tar -xJ -C src --strip-components=1
		rm -f "$d"' sh "$series"
}

# Nothing but the fragments and what they select; an option that did not survive is an error.
debug_config()
{
	local build=$DEBUG_KERNEL/build option lost=0

	mkdir -p "$build"
	cat "$DEBUG_DIR"/*.config >"$build/fragments"
	in_root "$CACHE/root" make -s -C /lab/debug-kernel/src O=/lab/debug-kernel/build \
		KCONFIG_ALLCONFIG=/lab/debug-kernel/build/fragments allnoconfig
	while read -r option; do
		grep -qxF "$option" "$build/.config" && continue
		echo "lost: $option (the kernel has: $(grep -w "${option%%=*}" "$build/.config"))"
		lost=1
	done < <(grep '^CONFIG_' "$build/fragments")
	return $lost
}

make_debug_kernel()
{
	local dest=$DEBUG_KERNEL/dest k

	# shellcheck disable=SC2046
	in_root "$CACHE/root" apt-get install -y -q --no-install-recommends \
		$(sed -e 's/#.*//' "$DEBUG_DIR/packages")
	debug_config
	in_root "$CACHE/root" sh -ec '
		cd /lab/debug-kernel/build
		export KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab
		export CCACHE_DEPEND=1
		make -j"$(nproc)" CC="ccache gcc" bzImage modules
		rm -rf ../dest
		make -s INSTALL_MOD_PATH=/lab/debug-kernel/dest/usr INSTALL_MOD_STRIP=1 modules_install'
	k=$(cat "$DEBUG_KERNEL/build/include/config/kernel.release")
	rm -f "$dest/usr/lib/modules/$k"/{build,source}
	ln -s usr/lib "$dest/lib"
	make_initrd "$dest" "$k" "$dest/initrd.gz"
}

build_debug_kernel()
{
	step debug-kernel-source "$(debug_source_key)" make_debug_source
	step debug-kernel "$(debug_kernel_key)" make_debug_kernel
}

# The debug kernel of an earlier build will do when its inputs changed since; says so.
debug_kernel_select()
{
	[ -e "$DEBUG_KERNEL/dest/initrd.gz" ] ||
		die "there is no debug kernel yet: lab build --debug-kernel (about an hour)"
	[ "$(cat "$CACHE/debug-kernel.key" 2>/dev/null)" = "$(debug_kernel_key)" ] ||
		say "WARNING: the debug kernel is of an earlier configuration: lab build --debug-kernel"
	KERNEL=$(cat "$DEBUG_KERNEL/build/include/config/kernel.release")
	KERNEL_FILE=$DEBUG_KERNEL/build/arch/x86/boot/bzImage
	KERNEL_TREE=$DEBUG_KERNEL/dest
	KERNEL_INITRD=$KERNEL_TREE/initrd.gz
	KERNEL_BUILD=/lab/debug-kernel/build
	# Emulated, KASAN and lockdep are slow.
	KERNEL_SLOW=4
	KERNEL_APPEND="slab_debug=FZP"
}
