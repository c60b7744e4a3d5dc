# SPDX-License-Identifier: GPL-2.0-or-later
# A hardware description (see README.md) becomes QEMU arguments.

# hw_read FILE: sets HW_CPUS, HW_MEMORY, HW_IOMMU, HW_IOMMU_OPTS, HW_CPU and HW_DEVICES.
hw_read()
{
	local line key value

	HW_CPUS=2 HW_MEMORY=3G HW_IOMMU=on HW_IOMMU_OPTS="" HW_CPU=max,la57=off
	HW_DEVICES=() HW_NAMES=0 HW_APPEND=""
	hw_section_reset
	if [ -z "$1" ]; then
		hw_section_start
		hw_section_end
		return
	fi
	[ -r "$1" ] || die "cannot read the hardware description $1"
	while IFS= read -r line || [ -n "$line" ]; do
		line=$(trim "${line%%#*}")
		case $line in
		'') ;;
		'[accelerator]')
			hw_section_end
			hw_section_start
			;;
		*=*)
			key=$(trim "${line%%=*}") value=$(trim "${line#*=}")
			if [ "$SECTION" = yes ]; then
				hw_device_key "$key" "$value"
			else
				hw_host_key "$key" "$value" "$1"
			fi
			;;
		*) die "$1: cannot understand '$line'" ;;
		esac
	done <"$1"
	hw_section_end
}

trim()
{
	printf '%s' "$1" | sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//'
}

hw_section_reset()
{
	SECTION=no DEV_COUNT=1 DEV_PORT=no DEV_PROPS=""
}

hw_section_start()
{
	hw_section_reset
	SECTION=yes
}

hw_host_key()
{
	case $1 in
	cpus) HW_CPUS=$2 ;;
	memory) HW_MEMORY=$2 ;;
	cpu) HW_CPU=$2 ;;
	iommu) HW_IOMMU=$2 ;;
	iommu-options) HW_IOMMU_OPTS=$2 ;;
	append) HW_APPEND=$2 ;;
	*) die "$3: unknown key '$1' (cpus, memory, cpu, iommu, iommu-options, append)" ;;
	esac
}

# Keys of an accelerator other than these three are properties of the device model.
hw_device_key()
{
	case $1 in
	count) DEV_COUNT=$2 ;;
	root-port) DEV_PORT=$2 ;;
	type) DEV_PROPS+=,kind=$2 ;;
	*) DEV_PROPS+=,$1=$2 ;;
	esac
}

hw_section_end()
{
	local i n

	[ "$SECTION" = yes ] || return 0
	for ((i = 0; i < DEV_COUNT; i++)); do
		n=$HW_NAMES
		HW_NAMES=$((HW_NAMES + 1))
		if [ "$DEV_PORT" = yes ]; then
			HW_DEVICES+=(-device "pcie-root-port,id=port$n,chassis=$((n + 1)),slot=$((n + 1))")
			HW_DEVICES+=(-device "idxd-lab,id=acc$n,bus=port$n$DEV_PROPS")
		else
			HW_DEVICES+=(-device "idxd-lab,id=acc$n$DEV_PROPS")
		fi
	done
	hw_section_reset
}

# hw_args: QEMU arguments of the machine that hw_read described.
hw_args()
{
	local iommu=intremap=on,x-scalable-mode=on,x-flts=on

	HW_ARGS=(-machine q35,kernel-irqchip=split,sata=off,smbus=off,i8042=off,vmport=off -accel tcg,thread=multi -cpu "$HW_CPU"
		-smp "$HW_CPUS" -m "$HW_MEMORY")
	if [ "$HW_IOMMU" = on ]; then
		if [ -e "$CACHE/qemu/has-model" ]; then
			iommu+=,device-iotlb=on,x-pasid-mode=on
		fi
		HW_ARGS+=(-device "intel-iommu,${HW_IOMMU_OPTS:-$iommu}")
	fi
	if [ -e "$CACHE/qemu/has-model" ]; then
		HW_ARGS+=("${HW_DEVICES[@]}")
	else
		say "this QEMU has no idxd-lab device: booting without an accelerator"
	fi
}
