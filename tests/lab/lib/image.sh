# SPDX-License-Identifier: GPL-2.0-or-later
# The host VM's disk and its initramfs.

image_key()
{
	{ dmatest_key; guest_key; declare -f make_image dress_root pack_image; } |
		key_of "$LAB_DIR"/vm/host-{masked,lab.service,udev-trigger.conf,modprobe.conf}
}

initrd_key()
{
	{ build_root_key; ls "$CACHE/root/usr/lib/modules"; declare -f make_initrd copy_modules; } |
		key_of "$LAB_DIR/vm/host-init"
}

# copy_modules ROOT KERNEL DST NAME...: modules with what they need, unpacked, in load order.
# ROOT holds usr/lib/modules/KERNEL; a name that is built in needs nothing.
copy_modules()
{
	local root=$1 k=$2 dst=$3 m path
	shift 3
	mkdir -p "$dst"
	for m; do
		in_root "$CACHE/root" modprobe -d "/lab${root#"$CACHE"}" -S "$k" --show-depends "$m"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r path; do
		path=${path#"/lab${root#"$CACHE"}"}
		m=${path##*/}
		m=${m%.xz}
		case $path in
		*.xz) xz -dc "$root$path" >"$dst/$m" ;;
		*) cp "$root$path" "$dst/$m" ;;
		esac
		echo "$m" >>"$dst/order"
	done
	[ -e "$dst/order" ] || : >"$dst/order"
}

# pack_initrd DIR FILE
pack_initrd()
{
	( cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet ) | gzip -1 >"$2.new"
	mv "$2.new" "$2"
}

# make_initrd ROOT KERNEL FILE: ROOT may lack modules when the kernel has it all built in.
make_initrd()
{
	local dir

	dir=$(mktemp -d "$CACHE/initrd.XXXXXX")
	mkdir -p "$dir"/{bin,dev,proc,sys,root,modules}
	cp "$CACHE/root/usr/bin/busybox" "$dir/bin/busybox"
	install -m 755 "$LAB_DIR/vm/host-init" "$dir/init"
	: >"$dir/modules/order"
	if [ -e "$1/usr/lib/modules/$2/modules.dep" ]; then
		copy_modules "$1" "$2" "$dir/modules" virtio_pci virtio_blk virtio_console ext4
	fi
	pack_initrd "$dir" "$3"
	rm -rf "$dir"
}

make_initrds()
{
	local k

	mkdir -p "$CACHE/initrd"
	for k in $(kernel_version stable) $(kernel_version backports); do
		make_initrd "$CACHE/root" "$k" "$CACHE/initrd/$k.gz"
	done
}

# dress_root DIR: turn a Debian tree into the host VM's root.
dress_root()
{
	local r=$1 k unit

	for k in $(kernel_version stable) $(kernel_version backports); do
		mkdir -p "$r/usr/lib/modules"
		rm -rf "$r/usr/lib/modules/$k"
		cp -a "$CACHE/root/usr/lib/modules/$k" "$r/usr/lib/modules/$k"
		rm -rf "$r/usr/lib/modules/$k"/{build,source,vmlinuz,vmlinux,updates} \
			"$r/usr/lib/modules/$k"/kernel/{sound,drivers/{gpu,media,net/wireless,staging}}
		mkdir -p "$r/usr/lib/modules/$k/updates"
		cp "$CACHE/dmatest/$k/dmatest.ko" "$r/usr/lib/modules/$k/updates/"
		chroot "$r" depmod "$k"
	done
	mkdir -p "$r/usr/lib/idxd-lab" "$r/root" "$r/etc/systemd/journald.conf.d"
	cp -r "$CACHE/guest/out" "$r/usr/lib/idxd-lab/guest"
	cp "$LAB_DIR/vm/host-lab.service" "$r/usr/lib/systemd/system/idxd-lab.service"
	ln -sf /usr/lib/systemd/system/idxd-lab.service \
		"$r/etc/systemd/system/multi-user.target.wants/idxd-lab.service"
	ln -sf /usr/lib/systemd/system/multi-user.target "$r/etc/systemd/system/default.target"
	while read -r unit; do
		ln -sf /dev/null "$r/etc/systemd/system/$unit"
	done < <(sed -e 's/#.*//' -e '/^$/d' "$LAB_DIR/vm/host-masked")
	# Coldplug of what the VM has; the rest of udev is Debian's.
	mkdir -p "$r/etc/systemd/system/systemd-udev-trigger.service.d" \
		"$r/etc/systemd/system-generators"
	cp "$LAB_DIR/vm/host-udev-trigger.conf" \
		"$r/etc/systemd/system/systemd-udev-trigger.service.d/lab.conf"
	cp "$LAB_DIR/vm/host-modprobe.conf" "$r/etc/modprobe.d/lab.conf"
	for unit in "$r"/usr/lib/systemd/system-generators/*; do
		ln -sf /dev/null "$r/etc/systemd/system-generators/${unit##*/}"
	done
	printf '[Journal]\nStorage=volatile\nForwardToConsole=no\n' \
		>"$r/etc/systemd/journald.conf.d/lab.conf"
	echo lab >"$r/etc/hostname"
	echo '127.0.0.1 localhost lab' >"$r/etc/hosts"
	echo '0123456789abcdef0123456789abcdef' >"$r/etc/machine-id"
	: >"$r/etc/fstab"
	rm -f "$r/etc/resolv.conf" && : >"$r/etc/resolv.conf"
	chroot "$r" passwd -d root >/dev/null
	rm -rf "$r"/var/cache/apt/* "$r"/var/lib/apt/lists/* "$r"/usr/share/{doc,man,locale,info}
	: >"$r/etc/.updated"
	: >"$r/var/.updated"
}

# pack_image DIR FILE: an ext4 image with some free room.
pack_image()
{
	local mb

	mb=$(du -sm "$1" | cut -f1)
	rm -f "$2.new"
	mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -N 200000 -E lazy_itable_init=1 \
		-d "$1" "$2.new" "$((mb * 5 / 4 + 1024))M"
	mv "$2.new" "$2"
}

make_image()
{
	local r=$CACHE/image.tree

	rm -rf --one-file-system "$r"
	cp -a --reflink=auto "$CACHE/host-root" "$r"
	dress_root "$r"
	pack_image "$r" "$CACHE/image.ext4"
	rm -rf --one-file-system "$r"
}

build_image()
{
	step initrd "$(initrd_key)" make_initrds
	step image "$(image_key)" make_image
}

# image_with PACKAGE...: an image that has these Debian packages too; prints its file.
image_with()
{
	local name r

	if [ $# -eq 0 ]; then
		echo "$CACHE/image.ext4"
		return
	fi
	exec 9>"$CACHE/lock"
	flock 9
	name=image-$(printf '%s\n' "$@" | LC_ALL=C sort -u | sha256sum | cut -c1-12)
	DEBS=("$@") IMAGE_NAME=$name
	step "$name" "$({ image_key; printf '%s\n' "$@" | LC_ALL=C sort -u; } | key_of)" \
		make_image_with >&2
	echo "$CACHE/$name.ext4"
}

make_image_with()
{
	local r=$CACHE/$IMAGE_NAME.tree

	rm -rf --one-file-system "$r"
	cp -a --reflink=auto "$CACHE/host-root" "$r"
	printf '#!/bin/sh\nexit 101\n' >"$r/usr/sbin/policy-rc.d"
	chmod 755 "$r/usr/sbin/policy-rc.d"
	in_root "$r" apt-get update -q
	in_root "$r" apt-get install -y -q --no-install-recommends \
		-o DPkg::Options::=--force-unsafe-io "${DEBS[@]}"
	rm -f "$r/usr/sbin/policy-rc.d"
	dress_root "$r"
	pack_image "$r" "$CACHE/$IMAGE_NAME.ext4"
	rm -rf --one-file-system "$r"
}
