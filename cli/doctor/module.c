/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running kernel and our module for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "idxdvd/common/cleanup.h"

#define MIN_MAJOR 6
#define MIN_MINOR 12

#define MODULE "idxd_mdev"
#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

void doctor_kernel(struct doctor *d)
{
	static const char *const wanted[] = {
		"INTEL_IDXD", "INTEL_IOMMU", "IRQ_REMAP", "VFIO", "VFIO_GROUP", "VFIO_MDEV",
	};
	_cleanup_(freep) char *config = host_read(&d->host, "/boot/config-%s", d->release);
	int major = 0, minor = 0;
	char option[64];

	if (sscanf(d->release, "%d.%d", &major, &minor) != 2 || major < MIN_MAJOR ||
	    (major == MIN_MAJOR && minor < MIN_MINOR)) {
		doctor_say(d, DOCTOR_FAIL, NULL, "the kernel is %s; idxd_mdev needs %d.%d or later",
			   *d->release ? d->release : "unknown", MIN_MAJOR, MIN_MINOR);
		doctor_fix(d, "on Debian 13: apt install linux-image-amd64; on Debian 12 the same from "
			   "bookworm-backports; reboot");
		return;
	}
	for (size_t i = 0; config && i < ARRAY_LEN(wanted); i++) {
		snprintf(option, sizeof(option), "CONFIG_%s=y", wanted[i]);
		if (host_has_word(config, option, ""))
			continue;
		option[strlen(option) - 1] = 'm';
		if (host_has_word(config, option, ""))
			continue;
		doctor_say(d, DOCTOR_FAIL, NULL, "kernel %s was configured without CONFIG_%s",
			   d->release, wanted[i]);
		doctor_fix(d, "use the distribution's kernel, or configure CONFIG_%s=m", wanted[i]);
		return;
	}
	doctor_say(d, DOCTOR_OK, NULL, "%s", d->release);
}

/* --- the module ------------------------------------------------------------------------------ */

static bool is_installed(struct doctor *d)
{
	_cleanup_(freep) char *dep = host_read(&d->host, "/lib/modules/%s/modules.dep", d->release);

	return dep && strstr(dep, "/" MODULE ".ko");
}

/* Another kernel for which DKMS, or somebody, has installed it. */
static bool other_kernel(struct doctor *d, char ret[HOST_NAME_LEN])
{
	_cleanup_(host_names_done) struct host_names names = host_list(&d->host, "/lib/modules");

	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *dep =
			host_read(&d->host, "/lib/modules/%s/modules.dep", names.name[i]);

		if (!dep || !strstr(dep, "/" MODULE ".ko"))
			continue;
		snprintf(ret, HOST_NAME_LEN, "%s", names.name[i]);
		return true;
	}
	return false;
}

/* What DKMS has built, or tried to: the version in /var/lib/dkms/idxd-mdev. */
static bool dkms_version(struct doctor *d, char ret[HOST_NAME_LEN])
{
	_cleanup_(host_names_done) struct host_names names =
		host_list(&d->host, "/var/lib/dkms/idxd-mdev");

	for (size_t i = 0; i < names.n; i++) {
		if (names.name[i][0] < '0' || names.name[i][0] > '9')
			continue;
		snprintf(ret, HOST_NAME_LEN, "%s", names.name[i]);
		return true;
	}
	return false;
}

static void say_not_installed(struct doctor *d)
{
	char version[HOST_NAME_LEN], other[HOST_NAME_LEN];

	if (!dkms_version(d, version)) {
		if (other_kernel(d, other)) {
			doctor_say(d, DOCTOR_FAIL, NULL,
				   MODULE " is installed for kernel %s, and %s runs", other, d->release);
			doctor_fix(d, "install it for this kernel too, or boot %s", other);
			return;
		}
		doctor_say(d, DOCTOR_FAIL, NULL, MODULE " is not installed, nor its source for DKMS");
		doctor_fix(d, "apt install idxd-mdev-dkms linux-headers-%s", d->release);
		return;
	}
	if (!host_exists(&d->host, "/lib/modules/%s/build", d->release)) {
		doctor_say(d, DOCTOR_FAIL, NULL,
			   "DKMS has the source, and the headers of kernel %s are not installed",
			   d->release);
		doctor_fix(d, "apt install linux-headers-%s; DKMS then builds " MODULE " by itself",
			   d->release);
		return;
	}
	if (host_exists(&d->host, "/var/lib/dkms/idxd-mdev/%s/build/make.log", version)) {
		doctor_say(d, DOCTOR_FAIL, NULL, "DKMS could not build " MODULE " %s for kernel %s",
			   version, d->release);
		doctor_fix(d, "/var/lib/dkms/idxd-mdev/%s/build/make.log says why; then dkms autoinstall",
			   version);
		return;
	}
	doctor_say(d, DOCTOR_FAIL, NULL, "DKMS has built " MODULE " %s for %s, not for %s", version,
		   other_kernel(d, other) ? other : "no kernel", d->release);
	doctor_fix(d, "dkms install idxd-mdev/%s -k %s", version, d->release);
}

/* The file of /etc/modprobe.d that keeps @module from being loaded. */
static bool find_block(struct doctor *d, const char *module, char ret[HOST_NAME_LEN])
{
	_cleanup_(host_names_done) struct host_names names =
		host_list(&d->host, "/etc/modprobe.d");
	char line[128];

	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *text =
			host_read(&d->host, "/etc/modprobe.d/%s", names.name[i]);
		const char *const ways[] = { "install %s /bin/false", "install %s /bin/true",
					     "blacklist %s" };

		for (size_t k = 0; text && k < ARRAY_LEN(ways); k++) {
			snprintf(line, sizeof(line), "%.*s%s%s",
				 (int)strcspn(ways[k], "%"), ways[k], module,
				 strchr(ways[k], '%') + 2);
			if (!strstr(text, line))
				continue;
			snprintf(ret, HOST_NAME_LEN, "%s", names.name[i]);
			return true;
		}
	}
	return false;
}

/* What makes this kernel refuse modules that are not signed with a key it knows. */
static const char *signature_needed(struct doctor *d)
{
	char text[64];

	host_get(&d->host, text, sizeof(text), "/sys/kernel/security/lockdown");
	if (strstr(text, "[integrity]") || strstr(text, "[confidentiality]"))
		return "the kernel is locked down (Secure Boot)";
	host_get(&d->host, text, sizeof(text), "/sys/module/module/parameters/sig_enforce");
	if (*text == 'Y')
		return "module.sig_enforce is on";
	return NULL;
}

void doctor_module(struct doctor *d)
{
	char line[HOST_TEXT_LEN], file[HOST_NAME_LEN];
	const char *signature = signature_needed(d);

	if (host_exists(&d->host, "/sys/module/" MODULE)) {
		doctor_say(d, DOCTOR_OK, NULL, MODULE " is loaded");
		return;
	}
	if (!is_installed(d)) {
		say_not_installed(d);
		return;
	}
	if (signature && (host_log_line(&d->host, "is rejected", line, sizeof(line)) ||
			  host_log_line(&d->host, "unsigned module loading is restricted", line,
					sizeof(line)))) {
		doctor_say(d, DOCTOR_FAIL, NULL, MODULE " is installed and was refused: %s; %s", line,
			   signature);
		doctor_fix(d, "enroll the key that DKMS signs with: mokutil --import "
			   "/var/lib/dkms/mok.pub, reboot, and confirm it in the firmware's screen");
		return;
	}
	if (find_block(d, MODULE, file)) {
		doctor_say(d, DOCTOR_FAIL, NULL, "/etc/modprobe.d/%s keeps " MODULE " from loading", file);
		doctor_fix(d, "take the line out of /etc/modprobe.d/%s, then modprobe " MODULE, file);
		return;
	}
	doctor_say(d, DOCTOR_FAIL, NULL, MODULE " is installed and not loaded%s%s",
		   signature ? "; " : "", signature ? signature : "");
	doctor_fix(d, "systemctl start idxdvd, which loads it; or modprobe " MODULE
		   ", and dmesg if that fails");
}
