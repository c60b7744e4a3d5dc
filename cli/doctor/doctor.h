/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_DOCTOR_H
#define IDXDCTL_DOCTOR_H

/* What stands between a host and a working mdev. Reads files only: no bus, no daemon, no device. */

#include <stdbool.h>
#include <stddef.h>

#include "cli/doctor/host.h"
#include "idxdvd/common/cleanup.h"

enum doctor_result {
	DOCTOR_OK,
	DOCTOR_WARN,			/* not in the way of an mdev */
	DOCTOR_FAIL,
	DOCTOR_UNKNOWN,			/* this user may not look */
	DOCTOR_SKIPPED,			/* means something only when an earlier check is ok */
};

struct doctor_finding {
	const char *check;
	enum doctor_result result;
	char *evidence, *fix;		/* fix "": none is needed */
	int accel;			/* that it is about, or -1 */
};

struct doctor_accel {
	char bdf[HOST_NAME_LEN];
	char name[HOST_NAME_LEN];	/* dsa0; the address if idxd has not got it */
	char device[16], driver[HOST_NAME_LEN];
	bool lost;			/* a check has said that no mdev can be made on it */
	unsigned int host_wqs;		/* of the record, when it is adopted */
};

struct doctor {
	struct host host;
	char *cmdline;
	char release[HOST_NAME_LEN];
	struct doctor_accel *accels;
	size_t n_accels;
	struct doctor_finding *findings;
	size_t n;
	const char *check;		/* that is at work */
	bool no_memory;
};

/* 0 or a negative errno; @root NULL is this host. */
int doctor_run(struct doctor *d, const char *root);
void doctor_done(struct doctor *d);
/* An mdev could be made: nothing failed that all accelerators need, and one of them is whole. */
bool doctor_is_ready(const struct doctor *d);
const char *doctor_result_name(enum doctor_result result);

/* For the checks. @accel is NULL or one of d->accels, which a failure loses. */
void doctor_say(struct doctor *d, enum doctor_result result, struct doctor_accel *accel,
		const char *fmt, ...) _printf_(4, 5);
/* Of what was said last. */
void doctor_fix(struct doctor *d, const char *fmt, ...) _printf_(2, 3);

void doctor_cpu(struct doctor *d);
void doctor_vtd(struct doctor *d);
void doctor_scalable(struct doctor *d);
void doctor_pasid(struct doctor *d);
void doctor_remapping(struct doctor *d);
void doctor_kernel(struct doctor *d);
void doctor_module(struct doctor *d);
void doctor_accelerator(struct doctor *d);
void doctor_erratum(struct doctor *d);
void doctor_queues(struct doctor *d);
void doctor_adoption(struct doctor *d);
void doctor_reservation(struct doctor *d);
void doctor_daemon(struct doctor *d);
void doctor_accel_config(struct doctor *d);
void doctor_libvirt(struct doctor *d);
void doctor_memlock(struct doctor *d);

#endif
