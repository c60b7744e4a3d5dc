# SPDX-License-Identifier: GPL-2.0-or-later
# An image that has what a user would have: this tree's Debian packages, built on a Debian 13 that has
# their build dependencies only, and installed by apt on one that has nothing of ours.

DEB_ROOT=deb-root

# deb_root: where packages are built.
deb_root_key()
{
	{ root_key; declare -f make_deb_root; } | key_of "$TOP/debian/control"
}

make_deb_root()
{
	local r=$CACHE/$DEB_ROOT

	rm -rf --one-file-system "$r"
	cp -a --reflink=auto "$CACHE/host-root" "$r"
	in_root "$r" apt-get update -q
	in_root "$r" apt-get build-dep -y -q --no-install-recommends \
		-o DPkg::Options::=--force-unsafe-io "/lab/$TREE_NAME/src"
}

# What the packages are made of; tests are no part of them.
debs_key()
{
	{
		deb_root_key
		cd "$TREE/src" && find . -path ./tests -prune -o -type f -print0 | LC_ALL=C sort -z |
			xargs -0 sha256sum
	} | key_of
}

make_debs()
{
	in_root "$CACHE/$DEB_ROOT" sh -ec '
		rm -rf "/lab/$1/debs" && mkdir "/lab/$1/debs"
		cp -a "/lab/$1/src" "/lab/$1/debs/idxdvd"
		cd "/lab/$1/debs/idxdvd"
		DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b
		rm -rf "/lab/$1/debs/idxdvd"' sh "$TREE_NAME"
}

# clean_root: kernels (as in the build root), DKMS, the packages a test asks for; nothing of ours.
# What later steps install has been fetched, so that they need no mirror.
make_clean_root()
{
	local r=$CACHE/$CLEAN_ROOT k

	rm -rf --one-file-system "$r"
	cp -a --reflink=auto "$CACHE/host-root" "$r"
	mkdir -p "$r/usr/lib/modules"
	for k in "${CLEAN_KERNELS[@]}"; do
		cp -a "$CACHE/root/usr/lib/modules/$k" "$r/usr/lib/modules/"
		rm -rf "$r/usr/lib/modules/$k/build" "$r/usr/lib/modules/$k/source"
	done
	printf '#!/bin/sh\nexit 101\n' >"$r/usr/sbin/policy-rc.d"
	chmod 755 "$r/usr/sbin/policy-rc.d"
	in_root "$r" apt-get update -q
	in_root "$r" apt-get install -y -q --no-install-recommends \
		-o DPkg::Options::=--force-unsafe-io dkms gcc make libc6-dev pahole xz-utils \
		"${DEBS[@]}"
	in_root "$r" apt-get install -y -q --no-install-recommends --download-only \
		"${CLEAN_KERNELS[@]/#/linux-headers-}" libxml2
}

# The first kernel's headers come with the packages, as README.md has it; the second's come later, as
# with an upgrade of the kernel. It is DKMS that builds the module, for both.
make_packaged()
{
	local r=$TREE/packaged.tree k

	rm -rf --one-file-system "$r"
	cp -a --reflink=auto "$CACHE/$CLEAN_ROOT" "$r"
	cp "$TREE"/debs/*.deb "$r/root/"
	in_root "$r" sh -ec '
		rm -f /root/*-dbgsym_*
		apt() { apt-get -y -q --no-install-recommends -o DPkg::Options::=--force-unsafe-io "$@"; }
		apt install "linux-headers-$1" /root/*.deb
		apt install "linux-headers-$2"
		dkms status' sh "${CLEAN_KERNELS[@]}"
	rm -f "$r/usr/sbin/policy-rc.d"
	mkdir "$r/dkms-built"
	for k in "${CLEAN_KERNELS[@]}"; do
		mv "$r/usr/lib/modules/$k/updates/dkms" "$r/dkms-built/$k"
	done
	dress_root "$r"
	for k in "${CLEAN_KERNELS[@]}"; do
		mv "$r/dkms-built/$k" "$r/usr/lib/modules/$k/updates/dkms"
		chroot "$r" depmod "$k"
	done
	rmdir "$r/dkms-built"
	pack_image "$r" "$TREE/$PACKAGED.ext4"
	rm -rf --one-file-system "$r"
}

# image_packaged PACKAGE...: an image with these Debian packages and ours; prints its file.
image_packaged()
{
	local list

	list=$(printf '%s\n' "$@" | LC_ALL=C sort -u)
	CLEAN_ROOT=clean-$(sha256sum <<<"$list" | cut -c1-12)
	PACKAGED=packaged-${CLEAN_ROOT#clean-}
	DEBS=("$@")
	CLEAN_KERNELS=("$(kernel_version stable)" "$(kernel_version backports)")
	mkdir -p "$TREE"
	exec 8>"$TREE/lock"
	flock 8
	tree_copy
	exec 9>"$CACHE/lock"
	flock 9
	step "$DEB_ROOT" "$(deb_root_key)" make_deb_root >&2
	step "$CLEAN_ROOT" "$({ build_root_key; echo "$list"; declare -f make_clean_root; } | key_of)" \
		make_clean_root >&2
	exec 9>&-
	step "$TREE_NAME/debs" "$(debs_key)" make_debs >&2
	step "$TREE_NAME/$PACKAGED" "$({ image_key; cat "$CACHE/$TREE_NAME/debs.key" \
		"$CACHE/$CLEAN_ROOT.key"; declare -f make_packaged; } | key_of)" make_packaged >&2
	exec 8>&-
	echo "$TREE/$PACKAGED.ext4"
}
