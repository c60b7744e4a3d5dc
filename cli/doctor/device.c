/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which accelerators there are, who has them, and whether guests may. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "idxdvd/common/cleanup.h"

#define PCI "/sys/bus/pci/devices"

static const struct {
	const char *device;
	bool unsafe;			/* under the erratum of CVE-2024-21823 */
} known[] = {
	{ "0x0b25", true }, { "0x0cfe", true }, { "0x11fb", false }, { "0x1212", false },
	{ "0x1216", false }, { "0xb02d", false }, { "0xfd2d", false },
};

static int find_known(const char *device)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(known[i].device, device))
			return i;
	return -1;
}

static void find_name(struct doctor *d, struct doctor_accel *a)
{
	_cleanup_(host_names_done) struct host_names names = host_list(&d->host, PCI "/%s", a->bdf);

	snprintf(a->name, sizeof(a->name), "%s", a->bdf);
	for (size_t i = 0; i < names.n; i++)
		if ((!strncmp(names.name[i], "dsa", 3) || !strncmp(names.name[i], "iax", 3)) &&
		    host_exists(&d->host, PCI "/%s/%s/state", a->bdf, names.name[i]))
			snprintf(a->name, sizeof(a->name), "%s", names.name[i]);
}

static void find_accels(struct doctor *d)
{
	_cleanup_(host_names_done) struct host_names names = host_list(&d->host, PCI);
	struct doctor_accel *more, a;
	char vendor[16];

	for (size_t i = 0; i < names.n; i++) {
		a = (struct doctor_accel){ 0 };
		snprintf(a.bdf, sizeof(a.bdf), "%s", names.name[i]);
		host_get(&d->host, vendor, sizeof(vendor), PCI "/%s/vendor", a.bdf);
		host_get(&d->host, a.device, sizeof(a.device), PCI "/%s/device", a.bdf);
		host_link(&d->host, a.driver, sizeof(a.driver), PCI "/%s/driver", a.bdf);
		if (strcmp(vendor, "0x8086") || (find_known(a.device) < 0 && strcmp(a.driver, "idxd")))
			continue;
		more = realloc(d->accels, (d->n_accels + 1) * sizeof(*more));
		if (!more) {
			d->no_memory = true;
			return;
		}
		d->accels = more;
		find_name(d, &a);
		d->accels[d->n_accels++] = a;
	}
}

static void say_no_driver(struct doctor *d, struct doctor_accel *a)
{
	char line[HOST_TEXT_LEN], part[HOST_NAME_LEN + 8];

	if (!host_exists(&d->host, "/sys/bus/pci/drivers/idxd")) {
		doctor_say(d, DOCTOR_FAIL, a, "%s (8086:%s): no driver, and idxd is not loaded", a->bdf,
			   a->device + 2);
		doctor_fix(d, "modprobe idxd; if it is on a deny list in /etc/modprobe.d, take it off");
		return;
	}
	snprintf(part, sizeof(part), "idxd %s", a->bdf);
	if (host_log_line(&d->host, part, line, sizeof(line)))
		doctor_say(d, DOCTOR_FAIL, a, "%s: idxd has not got it: %s", a->bdf, line);
	else
		doctor_say(d, DOCTOR_FAIL, a, "%s (8086:%s): no driver has it", a->bdf, a->device + 2);
	doctor_fix(d, "echo %s > /sys/bus/pci/drivers/idxd/bind, then dmesg", a->bdf);
}

static void look_at(struct doctor *d, struct doctor_accel *a)
{
	char state[16], text[16];

	if (!*a->driver) {
		say_no_driver(d, a);
		return;
	}
	if (strcmp(a->driver, "idxd")) {
		doctor_say(d, DOCTOR_FAIL, a, "%s: the driver %s has the whole device", a->bdf,
			   a->driver);
		doctor_fix(d, "give it back, once its user (VM, DPDK, SPDK) is gone: in %s/%s, echo > "
			   "driver_override; echo %s > driver/unbind; echo %s > "
			   "/sys/bus/pci/drivers_probe", PCI, a->bdf, a->bdf, a->bdf);
		return;
	}
	if (!strcmp(a->name, a->bdf)) {
		doctor_say(d, DOCTOR_FAIL, a, "%s: idxd is bound to it and shows no device", a->bdf);
		doctor_fix(d, "'dmesg | grep %s' says why", a->bdf);
		return;
	}
	host_get(&d->host, state, sizeof(state), PCI "/%s/%s/state", a->bdf, a->name);
	if (!strcmp(state, "halted")) {
		doctor_say(d, DOCTOR_FAIL, a, "%s: the device has halted", a->name);
		doctor_fix(d, "echo 1 > %s/%s/reset; if it stays so, reboot", PCI, a->bdf);
		return;
	}
	host_get(&d->host, text, sizeof(text), PCI "/%s/%s/configurable", a->bdf, a->name);
	if (!strcmp(text, "0")) {
		doctor_say(d, DOCTOR_FAIL, a, "%s: its configuration is fixed", a->name);
		doctor_fix(d, "let the firmware, or the hypervisor that gave it away, make it configurable");
		return;
	}
	if (!host_exists(&d->host, PCI "/%s/iommu_group", a->bdf)) {
		doctor_say(d, DOCTOR_FAIL, a, "%s: no IOMMU translates its DMA", a->name);
		doctor_fix(d, "vtd and scalable-mode above have to be ok");
		return;
	}
	doctor_say(d, DOCTOR_OK, a, "%s, %s (8086:%s), %s", a->name, a->bdf, a->device + 2, state);
}

void doctor_accelerator(struct doctor *d)
{
	find_accels(d);
	if (!d->n_accels) {
		doctor_say(d, DOCTOR_FAIL, NULL, "there is no DSA or IAA among the PCI devices");
		doctor_fix(d, "switch them on in the firmware (IIO configuration); not every Xeon of the "
			   "4th generation or later has one");
	}
	for (size_t i = 0; i < d->n_accels; i++)
		look_at(d, &d->accels[i]);
}

/* What the 1swq types take, as far as files say. */
static bool host_shares(struct doctor *d, const struct doctor_accel *a)
{
	_cleanup_(freep) char *cpu = host_read(&d->host, "/proc/cpuinfo");
	char pasid[8], caps[32], backend[16];

	host_get(&d->host, pasid, sizeof(pasid), PCI "/%s/%s/pasid_enabled", a->bdf, a->name);
	host_get(&d->host, caps, sizeof(caps), PCI "/%s/%s/gen_cap", a->bdf, a->name);
	host_get(&d->host, backend, sizeof(backend), "/sys/module/idxd_mdev/parameters/irq_backend");
	return cpu && strstr(cpu, " enqcmd") && !strcmp(pasid, "1") &&
	       (!*caps || (strtoull(caps, NULL, 0) >> 25 & 0x3f)) && strcmp(backend, "msix");
}

void doctor_erratum(struct doctor *d)
{
	char denylist[8], allow[8], trusted[8];

	host_get(&d->host, allow, sizeof(allow), "/sys/module/idxd_mdev/parameters/allow_unsafe");
	for (size_t i = 0; i < d->n_accels; i++) {
		struct doctor_accel *a = &d->accels[i];
		int k = find_known(a->device);

		if (a->lost)
			continue;
		if (k < 0 || !known[k].unsafe) {
			doctor_say(d, DOCTOR_OK, a, "%s: 8086:%s is not under CVE-2024-21823", a->name,
				   a->device + 2);
			continue;
		}
		host_get(&d->host, trusted, sizeof(trusted), PCI "/%s/idxd_mdev_unsafe", a->bdf);
		if (!strcmp(trusted, "1") || !strcmp(trusted, "Y")) {
			doctor_say(d, DOCTOR_WARN, a, "%s: under CVE-2024-21823 and trusted all the same: a "
				   "guest on it can harm the host", a->name);
			doctor_fix(d, "idxdctl distrust %s, unless its guests are trusted as the host is",
				   a->name);
			continue;
		}
		if (host_shares(d, a)) {
			doctor_say(d, DOCTOR_WARN, a, "%s: 8086:%s is under CVE-2024-21823: no guest may have a "
				   "queue of its own (1dwq), only a part of a shared one (1swq)", a->name,
				   a->device + 2);
			doctor_fix(d, "idxdctl create --type idxd-%.3s-1swq-v1 --parent %s: the host checks "
				   "each descriptor. For trusted guests only: %sidxdctl trust %s", a->name,
				   a->name, *allow == 'Y' ? "" :
				   "modprobe idxd_mdev allow_unsafe=1, ", a->name);
			continue;
		}
		doctor_say(d, DOCTOR_FAIL, a, "%s: 8086:%s is under CVE-2024-21823: a queue of its own "
			   "(1dwq) in a guest's hands can harm the host", a->name, a->device + 2);
		doctor_fix(d, "use a device without the erratum. The type for such devices is 1swq, where "
			   "the host checks each descriptor; it needs a processor with ENQCMDS, "
			   "pasid_enabled and IMS, and one is missing here. For trusted guests only: %sidxdctl trust %s", *allow == 'Y' ? "" :
			   "modprobe idxd_mdev allow_unsafe=1, ", a->name);
	}

	host_get(&d->host, denylist, sizeof(denylist),
		 "/sys/module/vfio_pci/parameters/disable_denylist");
	if (*denylist == 'Y') {
		doctor_say(d, DOCTOR_WARN, NULL,
			   "vfio-pci was loaded with disable_denylist=1: whole devices under an erratum "
			   "can be given away");
		doctor_fix(d, "no mdev needs it: take it out of /etc/modprobe.d");
	}
}
