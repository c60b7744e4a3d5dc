# SPDX-License-Identifier: GPL-2.0-or-later
# dmatest.ko, which Debian does not build, from Debian's own kernel source.

DMATEST_MK='obj-m := dmatest.o'

dmatest_key()
{
	{
		build_root_key
		ls "$CACHE/root/usr/lib/modules"
		declare -f dmatest_source make_dmatest
	} | key_of
}

# dmatest_source SERIES: dmatest.c and the header it includes, from linux-source-SERIES.
dmatest_source()
{
	in_root "$CACHE/root" sh -c '
		set -e
		cd /lab/dmatest
		rm -f linux-source-*.deb
		apt-get download -q "linux-source-$1"
		d=$(echo linux-source-"$1"_*.deb)
		mkdir -p "src-$1"
		cd "src-$1"
		dpkg-deb --fsys-tarfile "../$d" |
			tar -xO "./usr/src/linux-source-$1.tar.xz" |
			tar -xJ --strip-components=3 --occurrence=1 \
				"linux-source-$1/drivers/dma/dmatest.c" \
				"linux-source-$1/drivers/dma/dmaengine.h" || :
		test -s dmatest.c && test -s dmaengine.h
		rm -f "../$d"' sh "$1"
}

make_dmatest()
{
	local k series

	rm -rf "$CACHE/dmatest"
	mkdir -p "$CACHE/dmatest"
	in_root "$CACHE/root" apt-get update -q
	for k in $(kernel_version stable) $(kernel_version backports); do
		series=$(echo "$k" | sed -E 's/^([0-9]+\.[0-9]+).*/\1/')
		dmatest_source "$series"
		cp -r "$CACHE/dmatest/src-$series" "$CACHE/dmatest/$k"
		echo "$DMATEST_MK" >"$CACHE/dmatest/$k/Kbuild"
		in_root "$CACHE/root" make -C "/usr/lib/modules/$k/build" \
			M="/lab/dmatest/$k" CONFIG_DEBUG_INFO_BTF_MODULES= modules
	done
}

build_dmatest()
{
	step dmatest "$(dmatest_key)" make_dmatest
}
