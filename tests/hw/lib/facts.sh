# SPDX-License-Identifier: GPL-2.0-or-later
# The phase that only reads: machine, kernel, IOMMU, accelerators.

facts()
{
	collect facts/machine facts_machine
	collect facts/kernel facts_kernel
	collect facts/iommu facts_iommu
	collect facts/kernel-log facts_log
	facts_requirements
}

facts_machine()
{
	local f

	grep -m 1 'model name' /proc/cpuinfo
	grep -m 1 'stepping' /proc/cpuinfo
	grep -m 1 'microcode' /proc/cpuinfo
	echo "cpus: $(grep -c '^processor' /proc/cpuinfo)"
	for f in movdiri movdir64b enqcmd la57 vmx svm hypervisor; do
		echo "flag $f: $(cpu_flag $f && echo yes || echo no)"
	done
	for f in sys_vendor product_name bios_vendor bios_version bios_date; do
		[ ! -e /sys/class/dmi/id/$f ] || echo "$f: $(cat /sys/class/dmi/id/$f)"
	done
	echo "NUMA nodes: $(cat /sys/devices/system/node/online 2>/dev/null)"
	grep -E '^(MemTotal|HugePages_Total)' /proc/meminfo
	sed -n 's/^PRETTY_NAME=//p' /etc/os-release
}

cpu_flag()
{
	grep -m 1 '^flags' /proc/cpuinfo | grep -qw "$1"
}

# Of the kernel's command line only what bears on accelerators: the rest may be personal.
cmdline_ours()
{
	tr ' ' '\n' </proc/cmdline |
		grep -E '^(intel_iommu|iommu|idxd|vfio|pci|mdev|lockdown|mitigations|x2apic|nox2apic|intremap|no-intremap|pcie_|memmap|efi)' |
		paste -sd' '
}

# kernel_config NAME: y, m, "not set" or unknown.
kernel_config()
{
	local line

	[ -n "$KCONFIG" ] || { echo unknown; return; }
	line=$(grep -E "^(CONFIG_$1=|# CONFIG_$1 is)" "$KCONFIG" | head -n 1)
	case $line in
	'' | '#'*) echo "not set" ;;
	*) echo "${line#*=}" ;;
	esac
}

kernel_config_find()
{
	local f k

	k=$(uname -r)
	KCONFIG=
	for f in "/boot/config-$k" "/lib/modules/$k/config" "/usr/lib/modules/$k/config"; do
		[ -z "$KCONFIG" ] && [ -r "$f" ] && KCONFIG=$f
	done
	if [ -z "$KCONFIG" ] && [ -r /proc/config.gz ] && command -v gzip >/dev/null; then
		KCONFIG=$WORK/config
		gzip -dc /proc/config.gz >"$KCONFIG"
	fi
}

facts_kernel()
{
	local c

	uname -srvm
	echo "options: $(cmdline_ours)"
	echo "lockdown: $(cat /sys/kernel/security/lockdown 2>/dev/null || echo unknown)"
	echo "configuration: ${KCONFIG:-not found}"
	for c in INTEL_IDXD_BUS INTEL_IDXD INTEL_IDXD_COMPAT INTEL_IDXD_SVM INTEL_IDXD_PERFMON \
			CRYPTO_DEV_IAA_CRYPTO INTEL_IOMMU INTEL_IOMMU_SVM INTEL_IOMMU_DEFAULT_ON \
			INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON IRQ_REMAP VFIO VFIO_GROUP VFIO_CONTAINER \
			VFIO_IOMMU_TYPE1 VFIO_PCI VFIO_MDEV VFIO_DEVICE_CDEV IOMMUFD DMATEST DEBUG_INFO_BTF \
			MODULE_SIG_FORCE STRICT_DEVMEM IO_STRICT_DEVMEM; do
		echo "CONFIG_$c: $(kernel_config $c)"
	done
	echo "modules:" $(modules | grep -E '^(idxd|iaa|dmatest|vfio|mdev|iommufd|kvm)' | paste -sd' ')
	command -v accel-config >/dev/null && echo "accel-config: $(accel-config --version 2>&1)"
	ls -d "/lib/modules/$(uname -r)/build" 2>&1 | sed 's/^/headers: /'
}

# bits VALUE HIGH LOW
bits()
{
	echo $((($1 >> $3) & ((1 << ($2 - $3 + 1)) - 1)))
}

facts_iommu()
{
	local d cap ecap

	for d in /sys/class/iommu/*; do
		[ -e "$d/intel-iommu/cap" ] || { echo "${d##*/}: not VT-d"; continue; }
		cap=0x$(cat "$d/intel-iommu/cap") ecap=0x$(cat "$d/intel-iommu/ecap")
		echo "${d##*/}: version $(cat "$d/intel-iommu/version") cap $cap ecap $ecap"
		echo "  interrupt remapping $(bits "$ecap" 3 3), device TLB $(bits "$ecap" 2 2)," \
			"scalable mode $(bits "$ecap" 43 43), PASID $(bits "$ecap" 40 40)" \
			"of $(($(bits "$ecap" 39 35) + 1)) bits, page requests $(bits "$ecap" 29 29)"
		echo "  first stage $(bits "$ecap" 47 47), second stage $(bits "$ecap" 46 46)," \
			"nesting $(bits "$ecap" 26 26), snoop control $(bits "$ecap" 7 7)," \
			"PASID granular drain $(bits "$cap" 55 55)"
	done
	echo "interrupts remapped: $(grep -q 'IR-' /proc/interrupts && echo yes || echo no)"
	echo "groups: $(ls /sys/kernel/iommu_groups 2>/dev/null | wc -l)"
}

facts_log()
{
	dmesg | klog_ours | head -n 400
}

# need NAME REMEDY COMMAND...: a requirement of idxdvd on this machine.
need()
{
	local what=$1 remedy=$2
	shift 2
	if "$@"; then
		row pass read machine "$what"
	else
		row fail read machine "$what: no" "$remedy"
	fi
}

# all_units BIT: ECAP has it in each unit of VT-d, and there is one.
all_units()
{
	local d n=0

	for d in /sys/class/iommu/*; do
		[ -e "$d/intel-iommu/ecap" ] || continue
		n=$((n + 1))
		[ "$(bits "0x$(cat "$d/intel-iommu/ecap")" "$1" "$1")" = 1 ] || return 1
	done
	[ $n -gt 0 ]
}

any_unit()
{
	ls /sys/class/iommu/*/intel-iommu/ecap >/dev/null 2>&1
}

scalable_on()
{
	all_units 43 || return 1
	case " $(cat /proc/cmdline) " in
	*sm_off*) return 1 ;;
	*intel_iommu=*sm_on*) return 0 ;;
	esac
	[ "$(kernel_config INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON)" = y ]
}

facts_requirements()
{
	need "the CPU has MOVDIR64B" "the in-tree idxd needs it" cpu_flag movdir64b
	need "VT-d is on" "switch it on in the firmware, boot with intel_iommu=on,sm_on" any_unit
	need "scalable mode is on" "boot with intel_iommu=on,sm_on" scalable_on
	need "VT-d has PASIDs" "no remedy: older hardware, or switched off in the firmware" all_units 40
	need "interrupts are remapped" "switch interrupt remapping on in the firmware" \
		grep -q 'IR-' /proc/interrupts
	need "the idxd driver is there" "modprobe idxd" test -d /sys/bus/pci/drivers/idxd
}

# --- one accelerator ----------------------------------------------------------------------------

facts_device()
{
	local bdf=$1 name

	name=$(name_of "$bdf")
	collect "pci/$bdf.config" config_dump "$bdf"
	! command -v lspci >/dev/null || collect "pci/$bdf.lspci" lspci -s "$bdf" -vv
	[ ! -e "$PCI/$bdf/$name/version" ] || collect "sysfs/$name" attributes "$PCI/$bdf/$name"
	facts_registers "$bdf" "$name"
}

# Hexadecimal, 16 bytes a line; a Device Serial Number capability is blanked.
config_dump()
{
	local at i

	config_read "$1" || { echo "not readable"; return; }
	at=$(ecap_find 3)
	for ((i = 0; at && i < 8; i++)); do
		CFG[at + 4 + i]=00
	done
	for ((i = 0; i < ${#CFG[@]}; i += 16)); do
		printf '%03x: %s\n' $i "${CFG[*]:i:16}"
	done
}

# config_read BDF: sets CFG, one byte per element.
config_read()
{
	# shellcheck disable=SC2207
	CFG=($(od -An -v -tx1 "$PCI/$1/config" 2>/dev/null))
	[ ${#CFG[@]} -ge 64 ]
}

cfg16()
{
	echo $((0x${CFG[$1 + 1]}${CFG[$1]}))
}

cfg32()
{
	echo $((0x${CFG[$1 + 3]}${CFG[$1 + 2]}${CFG[$1 + 1]}${CFG[$1]}))
}

# cap_find ID: offset of a capability, or nothing.
cap_find()
{
	local at=$((0x${CFG[52]} & 0xfc)) n=0

	while [ $at -ge 64 ] && [ $n -lt 48 ]; do
		[ $((0x${CFG[at]})) != "$1" ] || { echo $at; return; }
		at=$((0x${CFG[at + 1]} & 0xfc)) n=$((n + 1))
	done
}

ecap_find()
{
	local at=256 n=0 head

	while [ $at -ge 256 ] && [ $n -lt 64 ] && [ $at -lt ${#CFG[@]} ]; do
		head=$(cfg32 $at)
		[ $((head & 0xffff)) != "$1" ] || { echo $at; return; }
		at=$((head >> 20 & 0xffc)) n=$((n + 1))
	done
}

# Reading has no effect on these registers. Only while idxd has the device is it sure to be awake.
facts_registers()
{
	local bdf=$1 name=$2 peek words

	if [ "$(driver_of "$PCI/$bdf")" != idxd ]; then
		row skip read "$name" "registers of BAR0" "idxd is not bound to it"
		return
	fi
	if ! peek=$(program peek); then
		row skip read "$name" "registers of BAR0" "$peek"
		return
	fi
	mkdir -p "$OUT/registers"
	if ! words=$("$peek" "$bdf" 0 0 128 2>&1); then
		row skip read "$name" "registers of BAR0" "the kernel does not permit it: $words"
		return
	fi
	echo "$words" | awk '{ printf "%03x: %s\n", (NR - 1) * 4, $1 }' >"$OUT/registers/$name"
	row pass read "$name" "registers of BAR0 read" "128 words"
}
