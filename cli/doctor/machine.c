/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU, firmware and VT-d. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"

#define SET_OPTIONS "add it to GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub, reboot"

/* VT-d's extended capabilities. */
enum {
	ECAP_REMAPPING = 3,
	ECAP_PASID = 40,
	ECAP_SCALABLE = 43,
};

/* VT-d's capability: first-stage tables of five levels. */
#define CAP_FIRST_STAGE_5 60

void doctor_cpu(struct doctor *d)
{
	_cleanup_(freep) char *info = host_read(&d->host, "/proc/cpuinfo");
	const char *model = info ? strstr(info, "model name") : NULL;

	model = model ? strchr(model, ':') : NULL;
	model = model ? model + 2 : "a CPU without a name";
	if (info && host_has_word(info, "movdir64b", "")) {
		doctor_say(d, DOCTOR_OK, NULL, "%.*s, with MOVDIR64B", (int)strcspn(model, "\n"),
			   model);
		return;
	}
	doctor_say(d, DOCTOR_FAIL, NULL, "%.*s has no MOVDIR64B, without which idxd does not load",
		   (int)strcspn(model, "\n"), model);
	doctor_fix(d, info && host_has_word(info, "hypervisor", "") ?
		   "this is a virtual machine: make mdevs on its host and give it one" :
		   "use a Xeon of the 4th generation or later");
}

static bool config_has(struct doctor *d, const char *option)
{
	_cleanup_(freep) char *config = host_read(&d->host, "/boot/config-%s", d->release);

	return config && host_has_word(config, option, "");
}

/* The last of the values that intel_iommu= was given, "" if none: on,sm_on. */
static void iommu_option(const struct doctor *d, char buf[HOST_TEXT_LEN])
{
	const char *at = d->cmdline, *found = NULL;

	while ((at = strstr(at, "intel_iommu=")))
		found = at++;
	found = found ? found + strlen("intel_iommu=") : "";
	snprintf(buf, HOST_TEXT_LEN, "%.*s", (int)strcspn(found, " \n"), found);
}

void doctor_vtd(struct doctor *d)
{
	_cleanup_(host_names_done) struct host_names units = host_list(&d->host, "/sys/class/iommu");
	_cleanup_(freep) char *info = host_read(&d->host, "/proc/cpuinfo");
	char option[HOST_TEXT_LEN];
	size_t n = 0;

	iommu_option(d, option);
	for (size_t i = 0; i < units.n; i++)
		n += host_exists(&d->host, "/sys/class/iommu/%s/intel-iommu/ecap", units.name[i]);
	if (n) {
		doctor_say(d, DOCTOR_OK, NULL, "%zu of VT-d's units at work", n);
		return;
	}

	if (!host_exists(&d->host, "/sys/firmware/acpi/tables/DMAR")) {
		bool guest = info && host_has_word(info, "hypervisor", "");

		doctor_say(d, DOCTOR_FAIL, NULL, "the firmware has no ACPI table DMAR%s",
			   guest ? ", and this is a virtual machine" : "");
		doctor_fix(d, guest ?
			   "make mdevs on the host of this machine; inside it only with an emulated VT-d" :
			   "switch VT-d (Intel Virtualization Technology for Directed I/O) on in the firmware");
	} else if (host_has_word(option, "off", ",") || host_has_word(d->cmdline, "iommu=off", "")) {
		doctor_say(d, DOCTOR_FAIL, NULL, "the kernel was booted with %s",
			   host_has_word(option, "off", ",") ? "intel_iommu=off" : "iommu=off");
		doctor_fix(d, "boot with intel_iommu=on,sm_on instead: change it in GRUB_CMDLINE_LINUX in "
			   "/etc/default/grub, run update-grub, reboot");
	} else if (!host_has_word(option, "on", ",") &&
		   !config_has(d, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y")) {
		doctor_say(d, DOCTOR_FAIL, NULL,
			   "the firmware has VT-d, and the kernel was booted without intel_iommu=on");
		doctor_fix(d, "boot with intel_iommu=on,sm_on: " SET_OPTIONS);
	} else {
		doctor_say(d, DOCTOR_FAIL, NULL,
			   "the firmware has VT-d, the kernel was to use it, and no unit is at work");
		doctor_fix(d, "'dmesg | grep DMAR' says why; update the firmware");
	}
}

/* How many units lack @bit of register @reg; @ret_all of how many. */
static size_t units_without(struct doctor *d, const char *reg, int bit, size_t *ret_all)
{
	_cleanup_(host_names_done) struct host_names units = host_list(&d->host, "/sys/class/iommu");
	size_t lack = 0;
	char text[32];
	uint64_t v;

	*ret_all = 0;
	for (size_t i = 0; i < units.n; i++) {
		if (!host_get(&d->host, text, sizeof(text), "/sys/class/iommu/%s/intel-iommu/%s",
			      units.name[i], reg) || parse_u64(text, 16, &v) < 0)
			continue;
		(*ret_all)++;
		lack += !(v >> bit & 1);
	}
	return lack;
}

void doctor_scalable(struct doctor *d)
{
	char option[HOST_TEXT_LEN];
	size_t all, lack = units_without(d, "ecap", ECAP_SCALABLE, &all);
	bool is_default = config_has(d, "CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON=y");

	iommu_option(d, option);
	if (lack == all) {
		doctor_say(d, DOCTOR_FAIL, NULL,
			   "no unit of VT-d has scalable mode (ECAP bit %d)", ECAP_SCALABLE);
		doctor_fix(d, "none on this hardware, unless the firmware hides it; on Xeon: 4th generation "
			   "or later");
	} else if (host_has_word(option, "sm_off", ",")) {
		doctor_say(d, DOCTOR_FAIL, NULL, "the kernel was booted with intel_iommu=%s", option);
		doctor_fix(d, "boot with intel_iommu=on,sm_on instead: change it in GRUB_CMDLINE_LINUX in "
			   "/etc/default/grub, run update-grub, reboot");
	} else if (host_has_word(option, "sm_on", ",") || is_default) {
		doctor_say(d, DOCTOR_OK, NULL, "%s", is_default ? "on, as the kernel is configured" :
			   "on, by intel_iommu=sm_on");
	} else if (host_has_word(d->cmdline, "sm_on", "")) {
		doctor_say(d, DOCTOR_FAIL, NULL,
			   "'sm_on' stands alone on the kernel's command line, where it means nothing");
		doctor_fix(d, "write intel_iommu=on,sm_on with a comma: " SET_OPTIONS);
	} else {
		doctor_say(d, DOCTOR_FAIL, NULL, "VT-d can, but the kernel was booted with %s%s",
			   *option ? "intel_iommu=" : "no intel_iommu=", option);
		doctor_fix(d, "boot with intel_iommu=on,sm_on: " SET_OPTIONS);
	}
}

/* Why idxd got no PASIDs for user space although VT-d has them. */
static void user_pasid(struct doctor *d)
{
	_cleanup_(host_names_done) struct host_names names =
		host_list(&d->host, "/sys/bus/dsa/devices");
	_cleanup_(freep) char *info = host_read(&d->host, "/proc/cpuinfo");
	char text[16], line[HOST_TEXT_LEN], sva[8];
	size_t all;

	for (size_t i = 0; i < names.n; i++) {
		if (!host_get(&d->host, text, sizeof(text), "/sys/bus/dsa/devices/%s/pasid_enabled",
			      names.name[i]) || strcmp(text, "0"))
			continue;
		if (!host_log_line(&d->host, "Unable to turn on user SVA", line, sizeof(line)))
			snprintf(line, sizeof(line), "pasid_enabled is 0");
		doctor_say(d, DOCTOR_WARN, NULL, "%s: %s; mdevs work, the host's own user queues "
			   "(shared ones, SVA) do not", names.name[i], line);
		host_get(&d->host, sva, sizeof(sva), "/sys/module/idxd/parameters/sva");
		if (!strcmp(sva, "N"))
			doctor_fix(d, "idxd was loaded with sva=0: take that out of /etc/modprobe.d");
		else if (info && host_has_word(info, "la57", "") &&
			 units_without(d, "cap", CAP_FIRST_STAGE_5, &all))
			doctor_fix(d, "the CPU runs 5-level page tables and VT-d cannot walk them: boot with "
				   "no5lvl");
		else
			doctor_fix(d, "'dmesg | grep -E \"DMAR|idxd\"' says more; PASID and ATS of the device "
				   "may be off in the firmware");
		return;
	}
}

void doctor_pasid(struct doctor *d)
{
	size_t all, lack = units_without(d, "ecap", ECAP_PASID, &all);

	if (lack == all) {
		doctor_say(d, DOCTOR_FAIL, NULL, "no unit of VT-d has PASIDs (ECAP bit %d)", ECAP_PASID);
		doctor_fix(d, "none on this hardware, unless the firmware hides it: look there for PASID");
		return;
	}
	doctor_say(d, DOCTOR_OK, NULL, "VT-d has PASIDs");
	user_pasid(d);
}

void doctor_remapping(struct doctor *d)
{
	_cleanup_(freep) char *interrupts = host_read(&d->host, "/proc/interrupts");
	size_t all, lack = units_without(d, "ecap", ECAP_REMAPPING, &all);
	const char *const off[] = { "intremap=off", "nointremap" };

	if (interrupts && strstr(interrupts, "IR-")) {
		doctor_say(d, DOCTOR_OK, NULL, "interrupts are remapped");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(off); i++) {
		if (!host_has_word(d->cmdline, off[i], ""))
			continue;
		doctor_say(d, DOCTOR_FAIL, NULL, "the kernel was booted with %s", off[i]);
		doctor_fix(d, "take it out of GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub, "
			   "reboot");
		return;
	}
	doctor_say(d, DOCTOR_FAIL, NULL, lack == all ?
		   "no unit of VT-d remaps interrupts (ECAP bit 3)" :
		   "VT-d can remap interrupts, but none in /proc/interrupts is (IR-)");
	doctor_fix(d, "switch interrupt remapping, and x2APIC, on in the firmware; "
		   "'dmesg | grep -i remap' says more");
}
