# SPDX-License-Identifier: GPL-2.0-or-later
# Newer Debian packages. The lab never looks for them by itself: what was tested yesterday is what is
# tested today, and no build waits for a mirror.

# What the mirror has newer than the trees have: "NAME OLD NEW" each.
update_newer()
{
	in_root "$CACHE/root" sh -ec '
		apt-get update -q >&2
		{
			apt-get -s -y dist-upgrade
			apt-get -s -y -t trixie-backports install linux-image-amd64 linux-headers-amd64
		} | sed -n "s/^Inst \([^ ]*\) \[\([^]]*\)\] (\([^ ]*\).*/\1 \2 \3/p; s/^Inst \([^ ]*\) (\([^ ]*\).*/\1 - \2/p" |
			sort -u
		old=$(cat /lab/qemu/version)
		new=$(apt-cache showsrc qemu | sed -n "s/^Version: //p" | sort -V | tail -n 1)
		[ -z "$new" ] || [ "$old" = "$new" ] || echo "qemu-source $old $new"'
}

# A new generation makes every key a new one, so that all is made again.
update()
{
	local newer

	newer=$(update_newer 2>"$CACHE/update.log") || {
		tail -n 20 "$CACHE/update.log" >&2
		die "cannot ask the mirror for newer packages"
	}
	if [ -z "$newer" ]; then
		say "the mirror has nothing newer"
		return
	fi
	say "newer packages ($(echo "$newer" | wc -l)), so the lab is built again:"
	echo "$newer" | head -n 20 >&2
	date -u +%Y-%m-%dT%H:%M:%SZ >"$CACHE/generation"
}

# Said after a build, from the age of the trees alone.
update_hint()
{
	[ -z "$(find "$CACHE/host-root.key" -mtime +30 2>/dev/null)" ] ||
		say "the Debian packages are a month old: lab build --update takes newer ones"
}
