/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks in their order, and what comes of their findings. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "idxdvd/common/cleanup.h"

static const struct check {
	const char *name;
	const char *after;		/* means nothing until that one is ok; NULL */
	void (*run)(struct doctor *d);
} checks[] = {
	{ "cpu", NULL, doctor_cpu },
	{ "vtd", NULL, doctor_vtd },
	{ "scalable-mode", "vtd", doctor_scalable },
	{ "pasid", "scalable-mode", doctor_pasid },
	{ "interrupt-remapping", "vtd", doctor_remapping },
	{ "kernel", NULL, doctor_kernel },
	{ "module", "kernel", doctor_module },
	{ "accelerator", NULL, doctor_accelerator },
	{ "erratum", "accelerator", doctor_erratum },
	{ "queues", "accelerator", doctor_queues },
	{ "adoption", "accelerator", doctor_adoption },
	{ "reservation", "adoption", doctor_reservation },
	{ "daemon", NULL, doctor_daemon },
	{ "accel-config", NULL, doctor_accel_config },
	{ "libvirt", NULL, doctor_libvirt },
	{ "memlock", NULL, doctor_memlock },
};

const char *doctor_result_name(enum doctor_result result)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_FAIL] = "fail",
		[DOCTOR_UNKNOWN] = "unknown",
		[DOCTOR_SKIPPED] = "skipped",
	};

	return names[result];
}

void doctor_say(struct doctor *d, enum doctor_result result, struct doctor_accel *accel,
		const char *fmt, ...)
{
	struct doctor_finding *more, f = { .check = d->check, .result = result, .accel = -1 };
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&f.evidence, fmt, ap) < 0)
		f.evidence = NULL;
	va_end(ap);
	f.fix = strdup("");
	more = realloc(d->findings, (d->n + 1) * sizeof(*more));
	if (more)
		d->findings = more;
	if (!f.evidence || !f.fix || !more) {
		free(f.evidence);
		free(f.fix);
		d->no_memory = true;
		return;
	}

	if (accel) {
		f.accel = accel - d->accels;
		if (result == DOCTOR_FAIL || result == DOCTOR_UNKNOWN)
			accel->lost = true;
	}
	d->findings[d->n++] = f;
}

void doctor_fix(struct doctor *d, const char *fmt, ...)
{
	va_list ap;
	char *fix;

	va_start(ap, fmt);
	if (vasprintf(&fix, fmt, ap) < 0)
		fix = NULL;
	va_end(ap);
	if (!fix || !d->n || d->no_memory) {
		free(fix);
		d->no_memory = true;
		return;
	}
	free(d->findings[d->n - 1].fix);
	d->findings[d->n - 1].fix = fix;
}

static bool any_accel_left(const struct doctor *d)
{
	for (size_t i = 0; i < d->n_accels; i++)
		if (!d->accels[i].lost)
			return true;
	return false;
}

static bool is_in_the_way(enum doctor_result result)
{
	return result == DOCTOR_FAIL || result == DOCTOR_UNKNOWN || result == DOCTOR_SKIPPED;
}

static bool check_passed(const struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->findings[i].check, name) && is_in_the_way(d->findings[i].result))
			return false;
	return true;
}

/* What fails on one accelerator is not in the way while another one is whole. */
static void soften(struct doctor *d, size_t from)
{
	if (!any_accel_left(d))
		return;
	for (size_t i = from; i < d->n; i++)
		if (d->findings[i].accel >= 0 && is_in_the_way(d->findings[i].result))
			d->findings[i].result = DOCTOR_WARN;
}

int doctor_run(struct doctor *d, const char *root)
{
	int r;

	*d = (struct doctor){ 0 };
	r = host_open(&d->host, root);
	if (r < 0)
		return r;
	d->cmdline = host_read(&d->host, "/proc/cmdline");
	if (!d->cmdline)
		d->cmdline = strdup("");
	if (!d->cmdline)
		return -ENOMEM;
	host_get(&d->host, d->release, sizeof(d->release), "/proc/sys/kernel/osrelease");

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		size_t from = d->n;

		d->check = checks[i].name;
		if (checks[i].after && !check_passed(d, checks[i].after))
			doctor_say(d, DOCTOR_SKIPPED, NULL, "has to wait for %s", checks[i].after);
		else
			checks[i].run(d);
		soften(d, from);
	}
	return d->no_memory ? -ENOMEM : 0;
}

bool doctor_is_ready(const struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (is_in_the_way(d->findings[i].result))
			return false;
	return any_accel_left(d);
}

void doctor_done(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->findings[i].evidence);
		free(d->findings[i].fix);
	}
	free(d->findings);
	free(d->accels);
	free(d->cmdline);
	host_close(&d->host);
	*d = (struct doctor){ 0 };
}
