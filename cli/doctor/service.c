/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs beside the kernel: our daemon, libvirt, the limits of who starts a VM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>

#include "cli/doctor/doctor.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"

#define POLICY SYSCONFDIR "/idxdvd/policy.json"
#define CAP_IPC_LOCK 14

/* Guests smaller than this are rare. */
#define MEMLOCK_MIN (UINT64_C(512) << 20)

/* True unless the file is there and is no JSON; what is in it the daemon judges. */
static bool policy_is_json(struct doctor *d)
{
	_cleanup_(freep) char *text = host_read(&d->host, POLICY);
	_cleanup_(json_putp) struct json_object *o = NULL;

	return !text || json_parse(text, &o) == 0;
}

void doctor_daemon(struct doctor *d)
{
	bool enabled;

	if (host_exists(&d->host, "/run/systemd/units/invocation:idxdvd.service")) {
		doctor_say(d, DOCTOR_OK, NULL, "idxdvd runs");
		return;
	}
	if (!policy_is_json(d)) {
		doctor_say(d, DOCTOR_FAIL, NULL, "idxdvd does not run, and " POLICY " is no JSON object, "
			   "which keeps it from starting");
		doctor_fix(d, "mend " POLICY ", see idxdvd(8); then systemctl start idxdvd");
		return;
	}
	enabled = host_exists(&d->host, "/etc/systemd/system/dbus-org.idxdvd1.service");
	doctor_say(d, DOCTOR_FAIL, NULL, "idxdvd does not run%s", enabled ? "" :
		   ", and is not enabled, so that no call starts it");
	doctor_fix(d, enabled ? "systemctl start idxdvd; 'journalctl -u idxdvd' says why if it fails" :
		   "systemctl enable --now idxdvd");
}

void doctor_libvirt(struct doctor *d)
{
	if (!host_exists(&d->host, "/etc/libvirt/qemu.conf")) {
		doctor_say(d, DOCTOR_OK, NULL, "libvirt is not installed; QEMU takes an mdev as "
			   "-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/UUID");
		return;
	}
	if (host_exists(&d->host, "/etc/libvirt/hooks/qemu.d/idxdvd")) {
		doctor_say(d, DOCTOR_OK, NULL, "the hook is there: a domain's mdev is made when it starts");
		return;
	}
	doctor_say(d, DOCTOR_WARN, NULL, "libvirt is here without our hook in /etc/libvirt/hooks/qemu.d: "
		   "mdevs have to be made before a domain starts");
	doctor_fix(d, "mkdir -p /etc/libvirt/hooks/qemu.d; ln -s /usr/sbin/idxdvd-libvirt-hook "
		   "/etc/libvirt/hooks/qemu.d/idxdvd; restart libvirtd once");
}

void doctor_memlock(struct doctor *d)
{
	_cleanup_(freep) char *limits = host_read(&d->host, "/proc/self/limits");
	_cleanup_(freep) char *status = host_read(&d->host, "/proc/self/status");
	const char *line = limits ? strstr(limits, "Max locked memory") : NULL;
	const char *caps = status ? strstr(status, "CapEff:") : NULL;
	unsigned long long soft;

	if (caps && strtoull(caps + strlen("CapEff:"), NULL, 16) >> CAP_IPC_LOCK & 1) {
		doctor_say(d, DOCTOR_OK, NULL, "this user may lock any amount of memory");
		return;
	}
	if (!line || sscanf(line, "Max locked memory %llu", &soft) != 1 || soft >= MEMLOCK_MIN) {
		doctor_say(d, DOCTOR_OK, NULL, "this user may lock the memory of a guest");
		return;
	}
	doctor_say(d, DOCTOR_WARN, NULL, "this user may lock %llu KiB, and VFIO locks all memory of a "
		   "guest; libvirt raises the limit itself, QEMU does not", soft >> 10);
	doctor_fix(d, "start QEMU by libvirt, or with LimitMEMLOCK= (systemd), or ulimit -l by "
		   "/etc/security/limits.d");
}
