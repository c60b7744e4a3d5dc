# SPDX-License-Identifier: GPL-2.0-or-later
# Compares an accelerator with the lab's model of it: properties, operations, capabilities, all taken
# from the model's own source and from the profiles in tests/lab/hw.

MODEL=$TOP/tests/lab/qemu/dsa
declare -A PROPERTY ATTR
declare -a REGISTER

# model_profiles TYPE: the hardware descriptions with such an accelerator; "default" without any.
model_profiles()
{
	local f found=no

	for f in "$TOP"/tests/lab/hw/*.hw; do
		[ -e "$f" ] || continue
		[ -n "$(profile_section "$f" "$1")" ] || continue
		echo "$f"
		found=yes
	done
	[ $found = yes ] || echo default
}

# profile_section FILE TYPE: key=value of its first accelerator of this type.
profile_section()
{
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' "$1" | awk -v want="$2" '
		function flush() { if (open && !done && type == want) { printf "%s", text; done = 1 } }
		$0 == "[accelerator]" { flush(); open = 1; text = ""; type = "dsa"; next }
		open && /=/ {
			if ($0 ~ /^type=/) type = substr($0, 6)
			text = text $0 "\n"
		}
		END { flush() }'
}

# model_load PROFILE TYPE: sets PROPERTY: what the profile says, else the model's default.
model_load()
{
	local name value

	PROPERTY=()
	while read -r name value; do
		case $value in
		true | on | yes) value=1 ;;
		false | off | no) value=0 ;;
		0x*) value=$((value)) ;;
		esac
		PROPERTY[$name]=$value
	done < <(
		sed -nE 's/.*DEFINE_PROP_[A-Z0-9]+\("([a-z0-9-]+)", *[A-Za-z]+, *[a-z0-9_]+, *([^)]*)\).*/\1 \2/p' \
			"$MODEL/device.c"
		[ "$1" = default ] || profile_section "$1" "$2" | tr '=' ' '
	)
	[ "${PROPERTY[device-id]}" != 0 ] || PROPERTY[device-id]=$((0x11fb))
	[ "$2.${PROPERTY[device-id]}" != "iaa.$((0x11fb))" ] || PROPERTY[device-id]=$((0x1216))
}

# model_opcodes TYPE VERSION: hexadecimal numbers of the operations that the model has by then.
model_opcodes()
{
	local file=$MODEL/desc.c

	[ "$1" != iaa ] || file=$MODEL/iaa.c
	cat "$MODEL"/*.h "$file" | awk -v version="$2" '
		function entry() {
			if (name in number && since <= version)
				print number[name]
			name = ""
		}
		BEGIN { of["V2"] = of["0x200"] = 512; of["V3"] = of["0x300"] = 768 }
		{
			line = $0
			while (match(line, /(OP|IAA)_[A-Z0-9_]+ = 0x[0-9a-f]+/)) {
				split(substr(line, RSTART, RLENGTH), p, / = /)
				number[p[1]] = substr(p[2], 3)
				line = substr(line, RSTART + RLENGTH)
			}
		}
		match($0, /\[(OP|IAA)_[A-Z0-9_]+\] =/) {
			entry()
			name = substr($0, RSTART + 1, RLENGTH - 4)
			since = 0
		}
		match($0, /since = V[0-9]/) { since = of[substr($0, RSTART + 8, 2)] }
		match($0, /, 0x[0-9]00\)/) { since = of[substr($0, RSTART + 2, 5)] }
		/^};/ { entry() }' | LC_ALL=C sort -u
}

# --- what the hardware says ---------------------------------------------------------------------

# hw_load NAME: sets REGISTER by offset, from the file written before, and ATTR by name.
hw_load()
{
	local a at value

	REGISTER=() ATTR=()
	if [ -e "$OUT/registers/$1" ]; then
		while IFS=': ' read -r at value; do
			REGISTER[$((0x$at))]=0x$value
		done <"$OUT/registers/$1"
	fi
	for a in version gen_cap op_cap max_groups max_work_queues max_work_queues_size max_engines \
			max_read_buffers; do
		[ ! -r "$PCI/$BDF/$1/$a" ] || read -r "ATTR[$a]" <"$PCI/$BDF/$1/$a"
	done
}

# reg64 OFFSET: into R; empty if the registers were not read.
reg64()
{
	R=${REGISTER[$1]-}
	[ -z "$R" ] || R=$((REGISTER[$1] | REGISTER[$1 + 4] << 32))
}

# bits_of VALUE HIGH LOW: into R.
bits_of()
{
	R=$((($1 >> $3) & ((1 << ($2 - $3 + 1)) - 1)))
}

# hw_field HIGH LOW REGISTER [ATTRIBUTE]: a field of a register, else the attribute; into R.
hw_field()
{
	reg64 $(($3))
	if [ -n "$R" ]; then
		bits_of "$R" "$1" "$2"
	else
		R=${4:+${ATTR[$4]-}}
	fi
}

# A field of GENCAP, which sysfs has as well.
hw_gencap()
{
	reg64 16
	R=${R:-${ATTR[gen_cap]-}}
	[ -z "$R" ] || bits_of "$R" "$1" "$2"
}

# Numbers of the bits set in OPCAP; sysfs hides Batch on a device that is unsafe for user programs.
hw_opcodes()
{
	local words n=0 w i

	words=
	for ((i = 0x40; i < 0x60; i += 4)); do
		words="$words ${REGISTER[$i]-}"
	done
	[ -n "${words// /}" ] || words=$(echo "${ATTR[op_cap]-}" | tr ',' '\n' | tac | sed '/./s/^/0x/')
	for w in $words; do
		for ((i = 0; i < 32; i++)); do
			[ $((w >> i & 1)) = 0 ] || printf '%02x\n' $((n + i))
		done
		n=$((n + 32))
	done
}

# --- comparison ---------------------------------------------------------------------------------

# agree FACT HARDWARE MODEL
agree()
{
	local result=agree

	if [ -z "$2" ]; then
		result=unknown
	elif [ "$2" != "$3" ]; then
		result=differ
	fi
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' $result "$NAME" "$PROFILE_NAME" "$1" "${2:-not read}" "$3" \
		>>"$OUT/model"
}

hex()
{
	printf '%#x' "$1"
}

# field FACT PROPERTY HIGH LOW REGISTER [ATTRIBUTE]
field()
{
	hw_field "$3" "$4" "$5" "${6-}"
	agree "$1" "$R" "${PROPERTY[$2]}"
}

gencap_field()
{
	hw_gencap "$3" "$4"
	agree "$1" "$R" "${PROPERTY[$2]}"
}

compare_registers()
{
	local v=${ATTR[version]-}

	agree "VERSION" "${v:+$(hex "$v")}" "$(hex "${PROPERTY[version]}")"
	field "WQCAP total size" wq-size 15 0 0x20 max_work_queues_size
	field "WQCAP work queues" wqs 23 16 0x20 max_work_queues
	field "WQCAP shared queues" shared 48 48 0x20
	field "WQCAP dedicated queues" dedicated 49 49 0x20
	field "WQCAP ATS can be off" ats-disable 50 50 0x20
	field "WQCAP operations per queue" op-config 54 54 0x20
	field "GRPCAP groups" groups 7 0 0x30 max_groups
	field "ENGCAP engines" engines 7 0 0x38 max_engines
	gencap_field "GENCAP block on fault" bof 0 0
	gencap_field "GENCAP max transfer, log2" max-xfer-shift 20 16
	gencap_field "GENCAP IMS units of 256" ims 30 25
	gencap_field "GENCAP command capabilities" cmdcap 4 4
	if [ "$TYPE" = dsa ]; then
		field "GRPCAP read buffers" read-buffers 15 8 0x30 max_read_buffers
		gencap_field "GENCAP max batch, log2" max-batch-shift 24 21
	fi
	hw_gencap 14 13
	agree "GENCAP event log" "${R:+$((R > 0))}" "${PROPERTY[evl]}"
	[ "${PROPERTY[cmdcap]}" = 0 ] || field "CMDCAP interrupt handles" handles 13 13 0xb0
	agree "OPCAP operations" "$OPCODES" "$(model_opcodes "$TYPE" "${PROPERTY[version]}" | paste -sd' ')"
}

# The model has its capabilities at fixed places; the numbers of those it names.
compare_config()
{
	local at v model

	agree "PCI device id" "0x${CFG[3]}${CFG[2]}" "$(hex "${PROPERTY[device-id]}")"
	at=$(cap_find 17)
	[ -z "$at" ] || v=$(($(cfg16 $((at + 2))) & 0x7ff))
	agree "MSI-X entries" "${at:+$((v + 1))}" "$((PROPERTY[wqs] + 1))"
	at=$(cap_find 16)
	[ -z "$at" ] || v=$(cfg32 $((at + 4)))
	agree "function level reset" "${at:+$(bits "$v" 28 28)}" 1
	while read -r model v; do
		case $model in
		CAP_PCIE) at=$(cap_find 16) ;;
		CAP_MSIX) at=$(cap_find 17) ;;
		CAP_PM) at=$(cap_find 1) ;;
		CAP_AER) at=$(ecap_find 1) ;;
		CAP_ATS) at=$(ecap_find 15) ;;
		CAP_PASID) at=$(ecap_find 27) ;;
		CAP_PRI) at=$(ecap_find 19) ;;
		*) continue ;;
		esac
		agree "$model at" "$(hex "${at:-0}")" "$v"
		[ "$model $at" != "CAP_PASID $((v))" ] || agree "PASID width and modes" \
			"$(hex "$(cfg16 $((at + 4)))")" 0x1404
	done < <(sed -nE 's/^#define (CAP_[A-Z]+)[[:space:]]+(0x[0-9a-f]+).*/\1 \2/p' "$MODEL/pcicfg.c")
}

# The profiles with this PCI id, else all of this type.
profiles_for()
{
	local f all same=''

	all=$(model_profiles "$TYPE")
	for f in $all; do
		model_load "$f" "$TYPE"
		[ "${PROPERTY[device-id]}" != "$1" ] || same="$same $f"
	done
	PROFILES=${same:-$all}
}

# model_compare BDF: rows in the file model, one row of the report per profile.
model_compare()
{
	local f

	BDF=$1 NAME=$(name_of "$1")
	[ -e "$PCI/$BDF/$NAME/version" ] || {
		row skip read "$NAME" "comparison with the model" "idxd has not got the device"
		return
	}
	case $NAME in iax*) TYPE=iaa ;; *) TYPE=dsa ;; esac
	config_read "$BDF" || return
	hw_load "$NAME"
	OPCODES=$(hw_opcodes | paste -sd' ')
	profiles_for $((0x${CFG[3]}${CFG[2]}))
	for f in $PROFILES; do
		PROFILE_NAME=$(basename "$f" .hw)
		model_load "$f" "$TYPE"
		compare_registers
		compare_config
		row note read "$NAME" "against the model's profile $PROFILE_NAME" \
			"$(model_count agree) facts agree, $(model_count differ) differ, $(model_count unknown) not read"
	done
}

model_count()
{
	awk -F '\t' -v r="$1" -v s="$NAME" -v p="$PROFILE_NAME" \
		'$1 == r && $2 == s && $3 == p { n++ } END { print n + 0 }' "$OUT/model"
}
