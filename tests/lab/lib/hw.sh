# SPDX-License-Identifier: GPL-2.0-or-later
# A hardware description (see README.md) becomes QEMU arguments.

# A mistake that all accelerators make: see bugs.sh.
HW_BUG=

# hw_read FILE: sets HW_CPUS, HW_MEMORY, HW_IOMMU, HW_IOMMU_OPTS, HW_CPU and HW_DEVICES.
hw_read()
{
	local line key value

	HW_CPUS=2 HW_MEMORY=3G HW_IOMMU=on HW_IOMMU_OPTS="" HW_CPU=max,la57=off
	HW_DEVICES=() HW_MORE=() HW_NAMES=0 HW_APPEND="" HW_NODES=1
	hw_section_reset
	if [ -z "$1" ]; then
		hw_section_start
		hw_section_end
		return
	fi
	# spr.hw and the like: the profiles that come with the lab
	case $1 in
	*/*) ;;
	*) [ -e "$1" ] || [ ! -e "$LAB_DIR/hw/$1" ] || set -- "$LAB_DIR/hw/$1" ;;
	esac
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
	SECTION=no DEV_COUNT=1 DEV_PORT=no DEV_NODE="" DEV_PROPS=${HW_BUG:+,bug=$HW_BUG}
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
	nodes) HW_NODES=$2 ;;
	iommu) HW_IOMMU=$2 ;;
	iommu-options) HW_IOMMU_OPTS=$2 ;;
	append) HW_APPEND=$2 ;;
	device) HW_MORE+=(-device "$2") ;;
	*) die "$3: unknown key '$1' (cpus, memory, cpu, nodes, iommu, iommu-options, append, device)" ;;
	esac
}

# Keys of an accelerator other than these are properties of the device model.
hw_device_key()
{
	case $1 in
	count) DEV_COUNT=$2 ;;
	root-port) DEV_PORT=$2 ;;
	numa) DEV_NODE=$2 ;;
	type) DEV_PROPS+=,kind=$2 ;;
	*) DEV_PROPS+=,$1=$2 ;;
	esac
}

hw_section_end()
{
	local i n bus=pcie.0

	[ "$SECTION" = yes ] || return 0
	if [ -n "$DEV_NODE" ]; then
		# A host bridge of its own says to which node what is behind it belongs; it takes
		# root ports only.
		bus=node$HW_NAMES DEV_PORT=yes
		HW_DEVICES+=(-device "pxb-pcie,id=$bus,bus=pcie.0,bus_nr=$((64 + 16 * HW_NAMES)),numa_node=$DEV_NODE")
	fi
	for ((i = 0; i < DEV_COUNT; i++)); do
		n=$HW_NAMES
		HW_NAMES=$((HW_NAMES + 1))
		if [ "$DEV_PORT" = yes ]; then
			HW_DEVICES+=(-device "pcie-root-port,id=port$n,bus=$bus,chassis=$((n + 1)),slot=$((n + 1))")
			HW_DEVICES+=(-device "idxd-lab,id=acc$n,bus=port$n$DEV_PROPS")
		else
			HW_DEVICES+=(-device "idxd-lab,id=acc$n,bus=$bus$DEV_PROPS")
		fi
	done
	hw_section_reset
}

# Memory and processors are divided evenly among the NUMA nodes, a socket each.
hw_nodes()
{
	local i each

	[ "$HW_NODES" -gt 1 ] || return 0
	[ $((HW_CPUS % HW_NODES)) = 0 ] || die "$HW_CPUS cpus cannot be divided among $HW_NODES nodes"
	each=$(($(numfmt --from=iec "$HW_MEMORY") / HW_NODES / 2097152 * 2))
	HW_ARGS+=(-smp "$HW_CPUS,sockets=$HW_NODES" -m "$((each * HW_NODES))M")
	for ((i = 0; i < HW_NODES; i++)); do
		HW_ARGS+=(-object "memory-backend-ram,id=mem$i,size=${each}M"
			-numa "node,nodeid=$i,memdev=mem$i" -numa "cpu,node-id=$i,socket-id=$i")
	done
}

# hw_args: QEMU arguments of the machine that hw_read described.
hw_args()
{
	local iommu=intremap=on,x-scalable-mode=on,x-flts=on

	HW_ARGS=(-machine q35,kernel-irqchip=split,sata=off,smbus=off,i8042=off,vmport=off -accel tcg,thread=multi -cpu "$HW_CPU"
		-smp "$HW_CPUS" -m "$HW_MEMORY")
	hw_nodes
	if [ "$HW_IOMMU" = on ]; then
		if [ -e "$CACHE/qemu/has-model" ]; then
			iommu+=,device-iotlb=on,x-pasid-mode=on
		fi
		HW_ARGS+=(-device "intel-iommu,${HW_IOMMU_OPTS:-$iommu}")
	fi
	HW_ARGS+=("${HW_MORE[@]}")
	if [ -e "$CACHE/qemu/has-model" ]; then
		HW_ARGS+=("${HW_DEVICES[@]}")
	else
		say "this QEMU has no idxd-lab device: booting without an accelerator"
	fi
}
