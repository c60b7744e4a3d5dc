# SPDX-License-Identifier: GPL-2.0-or-later
# The VM's clock.

# Under TCG the VM's time stamp counter is this machine's. A kernel that boots on a busy machine can
# measure it wrong by a factor of six; then its seconds are short and it reports stalls, or they are
# long and it seems to sleep for ever. So it is measured here, once per boot of this machine, and told.
clock_append()
{
	local file=$CACHE/tsc-khz boot khz was=

	boot=$(cat /proc/sys/kernel/random/boot_id)
	[ ! -e "$file" ] || read -r was khz <"$file"
	if [ "$was" != "$boot" ]; then
		program_make tsc-khz src/tsc-khz.c >&2 || return 1
		khz=$("$CACHE/$PROGRAM")
		echo "$boot $khz" >"$file.$BASHPID"
		mv "$file.$BASHPID" "$file"
	fi
	echo "tsc=reliable tsc_early_khz=$khz"
}
