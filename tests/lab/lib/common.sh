# SPDX-License-Identifier: GPL-2.0-or-later
# What every part of the lab needs: messages, steps with keys, chroots.

say()
{
	printf 'lab: %s\n' "$*" >&2
}

die()
{
	printf 'lab: error: %s\n' "$*" >&2
	exit 1
}

# One hash of the named files (names and contents) and of the text on stdin.
key_of()
{
	{
		cat
		local f
		for f; do
			printf '%s ' "${f#"$LAB_DIR"/}"
			sha256sum <"$f"
		done
	} | sha256sum | cut -c1-24
}

# step NAME KEY FUNCTION [OLD]: run FUNCTION unless NAME was made from KEY already. When it
# fails and the file OLD exists from an earlier build, warn and go on with that.
step()
{
	local name=$1 key=$2 fn=$3 start=$SECONDS

	if [ "$(cat "$CACHE/$name.key" 2>/dev/null)" = "$key" ]; then
		return 0
	fi
	rm -f "$CACHE/$name.key"
	say "$name: building"
	# Not inside a condition: bash would ignore set -e there.
	( set -e; "$fn" ) >"$CACHE/$name.log" 2>&1 </dev/null
	if [ $? -ne 0 ]; then
		tail -n 40 "$CACHE/$name.log" >&2
		if [ -n "${4-}" ] && [ -e "$4" ]; then
			say "WARNING: $name failed (log: $CACHE/$name.log); going on with the old one"
			return 0
		fi
		die "$name failed; the whole log is $CACHE/$name.log"
	fi
	echo "$key" >"$CACHE/$name.key"
	STEPS_RUN=$((STEPS_RUN + 1))
	say "$name: done in $((SECONDS - start)) s"
}

# Everything the lab makes belongs to root inside its chroots.
need_root()
{
	[ "$(id -u)" = 0 ] || die "this needs root (chroots and mounts): run it with sudo"
}

need_tools()
{
	local pair missing=()

	for pair; do
		command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	{
		apt-get update -q && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -q --no-install-recommends "${missing[@]}"
	} >"$CACHE/apt.log" 2>&1 </dev/null ||
		die "apt could not install ${missing[*]}; the whole log is $CACHE/apt.log"
}

# in_root ROOT COMMAND...: run in a chroot with the cache at /lab; its mounts end with it.
in_root()
{
	local root=$1
	shift
	mkdir -p "$root/lab"
	touch "$root/etc/resolv.conf"
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -ec '
		root=$1 cache=$2; shift 2
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount --bind "$cache" "$root/lab"
		if [ -e /etc/resolv.conf ]; then
			mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
		fi
		exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
			INITRD=No CCACHE_DIR=/lab/ccache MAKEFLAGS="${MAKEFLAGS-}" \
			${http_proxy:+http_proxy="$http_proxy"} \
			${https_proxy:+https_proxy="$https_proxy"} \
			"$@"' sh "$root" "$CACHE" "$@"
}

# A package list: one name a line, # starts a comment.
packages()
{
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$LAB_DIR/packages/$1"
}

# Kernel versions in the build root: stable is the lowest, backports the highest.
kernel_version()
{
	local list

	list=$(ls "$CACHE/root/usr/lib/modules" | sort -V)
	case $1 in
	stable) echo "$list" | head -n 1 ;;
	backports) echo "$list" | tail -n 1 ;;
	esac
}
