# SPDX-License-Identifier: GPL-2.0-or-later
# The whole device in the hands of a program, through vfio-pci: what the lab's model had to guess.

# Every choice the model marks, "file<TAB>text", from the source: the list is never older than it.
# Without those that are about the other kind of device only.
model_choices()
{
	local f files=()

	for f in "$MODEL"/*.c; do
		case $1${f##*/} in
		dsaiaa*.c | iaxbatch.c | iaxdelta.c | iaxdif.c | iaxops.c) ;;
		*) files+=("$f") ;;
		esac
	done
	awk '
		FNR == 1 { open = 0 }
		/unverified:/ { open = 1; text = "" }
		open {
			line = $0
			sub(/[ \t]+$/, "", line)
			if (line ~ /unverified:/) sub(/.*unverified: */, "", line)
			end = line ~ /\*\//
			sub(/ *\*\/.*/, "", line)
			sub(/^[ \t]*\*? */, "", line)
			text = text (text == "" ? "" : " ") line
			if (end) {
				file = FILENAME
				sub(/.*\//, "", file)
				sub(/ +$/, "", text)
				print file "\t" text
				open = 0
			}
		}' "${files[@]}"
}

# choice_probe FILE TEXT: "probe NAME" or "never REASON", from the table in tests/hw/choices.
choice_probe()
{
	local file regex how

	while IFS='|' read -r file regex how; do
		if [ "$file" = "$1" ] && [[ $2 =~ $regex ]]; then
			echo "$how"
			return
		fi
	done < <(sed -e '/^#/d' -e 's/ *| */|/g' "$TOP/tests/hw/choices")
	echo "never no probe for it yet"
}

# choices_report NAME ANSWERS REASON: one line per choice; ANSWERS is what the program printed, REASON
# why there is none.
choices_report()
{
	local name=$1 answers=$2 reason=$3 file text how result answer

	[ -e "$answers" ] || answers=/dev/null
	while IFS=$'\t' read -r file text; do
		how=$(choice_probe "$file" "$text")
		result=not-tested answer=$reason
		case $how in
		never*) answer=${how#never } ;;
		probe*)
			how=$(sed -n "s/^choice ${how#probe } //p" "$answers" | head -n 1)
			[ -z "$how" ] || result=${how%% *} answer=${how#* }
			;;
		esac
		printf '%s\t%s\t%s\t%s\t%s\n' "$result" "$name" "$file" "$text" "$answer" >>"$OUT/choices"
	done < <(model_choices "$KIND")
}

vfio_take()
{
	local args=

	! erratum "$BDF" || args=disable_denylist=1
	# shellcheck disable=SC2086
	modprobe vfio-pci $args && modprobe vfio_iommu_type1 2>/dev/null
	put vfio-pci "$PCI/$BDF/driver_override" && put "$BDF" /sys/bus/pci/drivers/idxd/unbind &&
		put "$BDF" /sys/bus/pci/drivers_probe && [ "$(driver_of "$PCI/$BDF")" = vfio-pci ]
}

vfio_give()
{
	put "$BDF" /sys/bus/pci/drivers/vfio-pci/unbind &&
		device_rebind "$BDF" "$(cat "$STATE/$1/driver_override")" &&
		wait_until 20 test -e "$PCI/$BDF/$1/version"
}

# step_whole DEVICE: under vfio-pci no other program and no driver has it.
step_whole()
{
	local dev=$1 program group why=''

	if ! program=$(program choices); then
		why=$program
	elif ! keeps_number "$dev"; then
		why="idxd would give the device another number afterwards"
	elif [ "$(ls "$PCI/$BDF/iommu_group/devices" 2>/dev/null | wc -l)" != 1 ]; then
		why="other devices share its IOMMU group"
	elif erratum "$BDF" && [ "$OPT_ERRATUM" = no ]; then
		why="the device is under CVE-2024-21823; --allow-erratum permits it for this run"
	elif erratum "$BDF" && [ "$(cat /sys/module/vfio_pci/parameters/disable_denylist 2>/dev/null)" = N ]; then
		why="vfio-pci is loaded already, and refuses this device"
	fi
	if [ -n "$why" ]; then
		skip "whole device" "$why"
		choices_report "$dev" /dev/null "$why"
		return 0
	fi
	if check "whole device: vfio-pci has it" vfio_take; then
		group=/dev/vfio/$(basename "$(readlink -f "$PCI/$BDF/iommu_group")")
		check "whole device: the program ran to its end" run_choices "$program" "$group" $KIND
	fi
	check "whole device: idxd has it back" vfio_give "$dev"
	choices_report "$dev" "$WORK/answers" "the program did not get that far"
}

run_choices()
{
	timeout 150 "$1" "$BDF" "$2" "$3" >"$WORK/answers"
	local rc=$?
	cat "$WORK/answers"
	return $rc
}
