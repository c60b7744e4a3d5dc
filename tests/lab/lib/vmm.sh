# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU of other Debian suites, unmodified, for the host VM: program, libraries, firmware, in one folder.

# vmm_sources SUITE: what Debian has its packages in; backports are of use with their suite.
vmm_sources()
{
	sources | sed -n "1s/ trixie / ${1%-backports} /p"
	[ "${1%-backports}" = "$1" ] || sources | sed -n "1s/ trixie / $1 /p"
}

# vmm_make SUITE: unpacks the packages, installs none, and keeps what a guest of the lab needs.
vmm_make()
{
	local tree=$CACHE/vmm/$1.tree dir=$CACHE/vmm/$1 loader proxy

	proxy=$(apt-config dump Acquire::http::Proxy 2>/dev/null |
		sed -n 's/^Acquire::http::Proxy "\(.*\)";/\1/p')
	mkdir -p "$dir/lib"
	vmm_sources "$1" | mmdebstrap --variant=extract --mode=root \
		--aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt="APT::Default-Release \"$1\"" \
		${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} \
		--include=qemu-system-x86,seabios "${1%-backports}" "$tree" -
	loader=$(find "$tree" -type f -path '*/x86_64-linux-gnu/ld-linux-x86-64.so.2')
	"$loader" --library-path "$tree/lib/x86_64-linux-gnu:$tree/usr/lib/x86_64-linux-gnu" --list \
		"$tree/usr/bin/qemu-system-x86_64" | sed -nE 's/^[^/]*(\/[^ ]+) \(0x.*/\1/p' >"$tree/list"
	xargs -d '\n' cp -L -t "$dir/lib" <"$tree/list"
	cp -L "$loader" "$dir/lib/"
	cp -L "$tree"/usr/share/seabios/bios-256k.bin "$tree"/usr/share/qemu/{linuxboot_dma,kvmvapic}.bin "$dir/"
	cp -L "$tree/usr/bin/qemu-system-x86_64" "$dir/program"
	cat >"$dir/qemu" <<-'Q'
		#!/bin/sh
		dir=$(dirname "$(readlink -f "$0")")
		exec "$dir/lib/ld-linux-x86-64.so.2" --library-path "$dir/lib" "$dir/program" -L "$dir" "$@"
	Q
	chmod 755 "$dir/qemu"
	"$dir/qemu" --version
	rm -rf --one-file-system "$tree"
}

vmm_make_all()
{
	local suite

	rm -rf --one-file-system "$CACHE/vmm"
	for suite in bookworm trixie-backports; do
		vmm_make "$suite"
	done
}

vmm_key()
{
	{ declare -f sources vmm_sources vmm_make vmm_make_all; cat "$CACHE/generation" 2>/dev/null || :; } | key_of
}

# test_vmms NAME: puts them in the VM for a test that has the file vmms.
test_vmms()
{
	[ -e "$TEST_DIR/$1/vmms" ] || return 0
	exec 9>"$CACHE/lock"
	flock 9
	step vmm "$(vmm_key)" vmm_make_all
	exec 9>&-
	OPT_PUTS+=("$CACHE/vmm:/root/test/vmm")
}
