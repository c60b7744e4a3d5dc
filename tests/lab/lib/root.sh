# SPDX-License-Identifier: GPL-2.0-or-later
# Two Debian 13 trees: host-root (what the VM boots) and root (the same and all that builds).

# The Debian mirror this machine already uses.
mirror()
{
	local uri

	if [ -n "${IDXD_LAB_MIRROR-}" ]; then
		echo "$IDXD_LAB_MIRROR"
		return
	fi
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' 'Component: main' 2>/dev/null | head -n 1)
	# Before the first update apt does not know a source's origin: go by its name.
	[ -n "$uri" ] || uri=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Component: main' 2>/dev/null |
		grep -m 1 -E '/debian/?$')
	case $uri in
	mirror+file:*) uri=$(awk '/^[a-z]+:/ { print $1; exit }' "${uri#mirror+file:}") ;;
	esac
	[ -n "$uri" ] || die "no Debian mirror in this machine's apt sources:" \
		"name one with IDXD_LAB_MIRROR=URL"
	echo "$uri"
}

sources()
{
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg m suite

	[ -e "$keyring" ] || keyring=${keyring%.gpg}.pgp
	[ -e "$keyring" ] || die "no debian-archive-keyring: install that package"
	m=$(mirror) || exit 1
	for suite in trixie trixie-updates trixie-backports; do
		echo "deb [signed-by=$keyring] $m $suite main"
	done
	echo "deb-src [signed-by=$keyring] $m trixie main"
}

root_key()
{
	{ packages host; declare -f make_host_root sources; cat "$CACHE/generation" 2>/dev/null || :; } | key_of
}

build_root_key()
{
	{ root_key; packages build; declare -f make_root; } | key_of
}

make_host_root()
{
	local new=$CACHE/host-root.new proxy

	rm -rf --one-file-system "$new"
	proxy=$(apt-config dump Acquire::http::Proxy 2>/dev/null |
		sed -n 's/^Acquire::http::Proxy "\(.*\)";/\1/p')
	sources | mmdebstrap --variant=minbase --mode=root \
		--aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} \
		--dpkgopt=path-exclude='/usr/share/man/*' \
		--dpkgopt=path-exclude='/usr/share/doc/*' \
		--dpkgopt=path-exclude='/usr/share/locale/*' \
		--dpkgopt=path-exclude='/usr/share/info/*' \
		--dpkgopt=path-exclude='/usr/share/icons/*' \
		--include="$(packages host | paste -sd,)" trixie "$new" -
	sources >"$new/etc/apt/sources.list"
	rm -f "$new"/etc/apt/sources.list.d/*
	rm -rf --one-file-system "$CACHE/host-root"
	mv "$new" "$CACHE/host-root"
}

make_root()
{
	local new=$CACHE/root.new

	rm -rf --one-file-system "$new"
	cp -a --reflink=auto "$CACHE/host-root" "$new"
	in_root "$new" apt-get update -q
	# shellcheck disable=SC2046
	in_root "$new" apt-get install -y -q --no-install-recommends \
		-o DPkg::Options::=--force-unsafe-io $(packages build) \
		linux-image-amd64 linux-headers-amd64
	in_root "$new" apt-get install -y -q --no-install-recommends -t trixie-backports \
		-o DPkg::Options::=--force-unsafe-io linux-image-amd64 linux-headers-amd64
	in_root "$new" apt-get clean
	rm -rf --one-file-system "$CACHE/root"
	mv "$new" "$CACHE/root"
	in_root "$CACHE/root" dpkg-query -W >"$CACHE/root.versions"
}

build_roots()
{
	step host-root "$(root_key)" make_host_root
	step root "$(build_root_key)" make_root
}
