# SPDX-License-Identifier: GPL-2.0-or-later
# The nested guests: a kernel and an initramfs each, shipped inside the host VM's disk.

guest_key()
{
	{ dmatest_key; declare -f make_guest copy_modules pack_initrd; } |
		key_of "$LAB_DIR"/vm/guest-*
}

make_guest()
{
	local name k dir=$CACHE/guest/tree out=$CACHE/guest/out

	rm -rf "$CACHE/guest"
	mkdir -p "$out"
	for name in stable backports; do
		k=$(kernel_version "$name")
		rm -rf "$dir"
		mkdir -p "$dir"/{bin,dev,proc,sys,tmp,lab}
		cp "$CACHE/root/usr/bin/busybox" "$dir/bin/busybox"
		install -m 755 "$LAB_DIR/vm/guest-init" "$dir/init"
		cp "$LAB_DIR/vm/guest-lib" "$dir/guest-lib"
		copy_modules "$CACHE/root" "$k" "$dir/modules" idxd
		cp "$CACHE/dmatest/$k/dmatest.ko" "$dir/modules/dmatest.ko"
		pack_initrd "$dir" "$out/initrd-$name"
		cp "$CACHE/root/boot/vmlinuz-$k" "$out/vmlinuz-$name"
		echo "$k" >"$out/version-$name"
	done
	rm -rf "$dir"
}

build_guest()
{
	step guest "$(guest_key)" make_guest
}
