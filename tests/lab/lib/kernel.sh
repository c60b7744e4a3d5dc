# SPDX-License-Identifier: GPL-2.0-or-later
# Which kernel a run boots, and how this tree's module is built for it.

# kernel_select: from OPT_KERNEL, OPT_BUILD and OPT_MODULES, sets KERNEL (version), KERNEL_FILE,
# KERNEL_INITRD and KERNEL_SLOW (the factor of all time limits). For a kernel that is not
# Debian's also KERNEL_TREE, which holds its modules; KERNEL_BUILD, where it was built, if that
# is known; and KERNEL_BUILT, "here" or "root": which system's tools built it.
kernel_select()
{
	KERNEL_TREE="" KERNEL_BUILD="" KERNEL_BUILT=root KERNEL_SLOW=1 KERNEL_APPEND=""
	case $OPT_KERNEL in
	stable | backports)
		KERNEL=$(kernel_version "$OPT_KERNEL")
		KERNEL_FILE=$CACHE/root/boot/vmlinuz-$KERNEL
		KERNEL_INITRD=$CACHE/initrd/$KERNEL.gz
		;;
	debug)
		debug_kernel_select
		;;
	*)
		[ -r "$OPT_KERNEL" ] ||
			die "no kernel '$OPT_KERNEL': stable, backports, debug or a bzImage"
		kernel_foreign
		;;
	esac
}

# A bzImage says its version itself.
kernel_release()
{
	local at

	at=$(od -An -tu2 -j 526 -N 2 "$1" | tr -d ' ')
	dd if="$1" bs=1 skip=$((at + 512)) count=128 2>/dev/null | tr '\0' ' ' | cut -d' ' -f1
}

# Somebody's bzImage. Its modules come from --modules or are installed from --build.
kernel_foreign()
{
	local key

	KERNEL=$(kernel_release "$OPT_KERNEL")
	[ -n "$KERNEL" ] || die "$OPT_KERNEL is not a bzImage"
	KERNEL_FILE=$OPT_KERNEL KERNEL_BUILT=here
	[ -z "$OPT_BUILD" ] || kernel_build_select
	[ -z "$OPT_MODULES" ] || [ -d "$OPT_MODULES/lib/modules/$KERNEL" ] ||
		die "no $OPT_MODULES/lib/modules/$KERNEL for $OPT_KERNEL"
	key=$(kernel_foreign_files | xargs -d '\n' stat -c '%n %s %Y' | key_of | cut -c1-10)
	KERNEL_TREE=$CACHE/foreign/$KERNEL-$key
	KERNEL_INITRD=$KERNEL_TREE/initrd.gz
	exec 9>"$CACHE/lock"
	flock 9
	[ -e "$KERNEL_INITRD" ] || kernel_foreign_tree
	exec 9>&-
	[ "$SKIP_MODULE" = no ] && [ -z "$KERNEL_BUILD" ] || return 0
	say "idxd_mdev is not in this run: without --build DIR it cannot be built for $OPT_KERNEL"
	SKIP_MODULE=yes
}

# What a run of it depends on.
kernel_foreign_files()
{
	echo "$OPT_KERNEL"
	if [ -n "$OPT_MODULES" ]; then
		find "$OPT_MODULES/lib/modules/$KERNEL" -name '*.ko*'
	elif [ -n "$OPT_BUILD" ]; then
		sed -e "s|^|$KERNEL_BUILD/|" -e 's/\.o$/.ko/' "$KERNEL_BUILD/modules.order"
	fi
}

# Its modules and its initramfs; those of kernels that were not used for a week go away.
kernel_foreign_tree()
{
	local modules=$KERNEL_TREE/usr/lib/modules

	mkdir -p "$CACHE/foreign"
	find "$CACHE/foreign" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
	rm -rf "$KERNEL_TREE"
	mkdir -p "$modules"
	ln -s usr/lib "$KERNEL_TREE/lib"
	if [ -n "$OPT_MODULES" ]; then
		cp -a "$OPT_MODULES/lib/modules/$KERNEL" "$modules/"
	elif [ -n "$OPT_BUILD" ]; then
		make -s -C "$KERNEL_BUILD" INSTALL_MOD_PATH="$KERNEL_TREE/usr" INSTALL_MOD_STRIP=1 \
			modules_install >"$KERNEL_TREE/log" 2>&1 || {
				cat "$KERNEL_TREE/log" >&2
				die "make modules_install failed in $KERNEL_BUILD"
			}
	fi
	rm -f "$modules/$KERNEL"/{build,source}
	make_initrd "$KERNEL_TREE" "$KERNEL" "$KERNEL_INITRD"
}

kernel_build_select()
{
	local built

	KERNEL_BUILD=$(cd "$OPT_BUILD" 2>/dev/null && pwd) || die "--build: no folder $OPT_BUILD"
	built=$(cat "$KERNEL_BUILD/include/config/kernel.release" 2>/dev/null)
	[ -n "$built" ] || die "--build: nothing was built in $OPT_BUILD"
	[ "$built" = "$KERNEL" ] || die "$OPT_KERNEL is $KERNEL, but $OPT_BUILD has built $built"
}

# kernel_key: changes when a module for this kernel has to be built anew.
kernel_key()
{
	build_root_key
	[ -z "$KERNEL_BUILD" ] || stat -c '%n %s %Y' "$(kernel_build_here)/vmlinux"
}

# The folder KERNEL_BUILD as this machine sees it.
kernel_build_here()
{
	case $KERNEL_BUILT in
	root) echo "$CACHE${KERNEL_BUILD#/lab}" ;;
	here) echo "$KERNEL_BUILD" ;;
	esac
}

# kernel_module: builds kmod/ of TREE in TREE/kmod-KERNEL/build, with what built the kernel.
kernel_module()
{
	local args=("KVER=$KERNEL")

	if [ -n "$KERNEL_BUILD" ]; then
		args+=("KDIR=$KERNEL_BUILD" "IDXD_KO=$KERNEL_BUILD/drivers/dma/idxd/idxd.ko")
	fi
	case $KERNEL_BUILT in
	root)
		in_root "$CACHE/root" make -C "/lab/$TREE_NAME/src/kmod" "${args[@]}" \
			BUILDDIR="/lab/$TREE_NAME/kmod-$KERNEL/build"
		;;
	here)
		make -C "$TREE/src/kmod" "${args[@]}" BUILDDIR="$TREE/kmod-$KERNEL/build"
		;;
	esac
}

# The kernel's own modules, as the build root sees them.
kernel_modules_in_root()
{
	if [ -n "$KERNEL_TREE" ]; then
		echo "/lab${KERNEL_TREE#"$CACHE"}/usr/lib/modules/$KERNEL"
	else
		echo "/usr/lib/modules/$KERNEL"
	fi
}
