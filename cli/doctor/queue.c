/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work queues: whose they are, which are adopted, and what is left for a new mdev. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>

#include "cli/doctor/doctor.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"

#define PCI "/sys/bus/pci/devices"
#define RECORDS LOCALSTATEDIR "/lib/idxdvd/devices"

/* The queues of one accelerator, by whose they are. */
struct queues {
	size_t n, pool, usable, unsized, foreign;
	char held[HOST_TEXT_LEN];	/* wq0.0 by dmaengine, ... */
	char strange[HOST_NAME_LEN];	/* the first foreign one */
	bool enabled;
};

static void add_held(struct queues *q, const char *wq, const char *by)
{
	size_t n = strlen(q->held);

	snprintf(q->held + n, sizeof(q->held) - n, "%s%s by %s", n ? ", " : "", wq, by);
}

/* What idxd itself gives the first queue of an IAA at probe, for iaa_crypto. */
static bool is_iaa_default(const struct doctor_accel *a, const char *label, const char *driver_name)
{
	return !strncmp(a->name, "iax", 3) && !strcmp(label, "iaa_crypto") &&
	       !strcmp(driver_name, "crypto");
}

static void count_queue(struct doctor *d, const struct doctor_accel *a, const char *wq,
			struct queues *q)
{
	char size[16], type[16], label[HOST_NAME_LEN], driver_name[HOST_NAME_LEN];
	char driver[HOST_NAME_LEN], state[16];

#define GET(attr) host_get(&d->host, attr, sizeof(attr), PCI "/%s/%s/%s/" #attr, a->bdf, a->name, wq)
	GET(size);
	GET(type);
	GET(state);
	GET(driver_name);
#undef GET
	host_get(&d->host, label, sizeof(label), PCI "/%s/%s/%s/name", a->bdf, a->name, wq);
	host_link(&d->host, driver, sizeof(driver), PCI "/%s/%s/%s/driver", a->bdf, a->name, wq);
	q->n++;

	if (!strcmp(driver, "mdev"))
		q->pool++;
	else if (*driver || !strcmp(state, "enabled"))
		add_held(q, wq, *driver ? driver : "the kernel");
	else if (!q->enabled && is_iaa_default(a, label, driver_name))
		q->unsized++;
	else if (strcmp(type, "none") || *label || (!q->enabled && strcmp(size, "0"))) {
		if (!q->foreign++)
			snprintf(q->strange, sizeof(q->strange), "%s", wq);
	} else if (!strcmp(size, "0"))
		q->unsized++;
	else
		q->usable++;
}

static struct queues count_queues(struct doctor *d, const struct doctor_accel *a)
{
	_cleanup_(host_names_done) struct host_names names =
		host_list(&d->host, PCI "/%s/%s", a->bdf, a->name);
	struct queues q = { 0 };
	char state[16];

	host_get(&d->host, state, sizeof(state), PCI "/%s/%s/state", a->bdf, a->name);
	q.enabled = !strcmp(state, "enabled");
	for (size_t i = 0; i < names.n; i++)
		if (!strncmp(names.name[i], "wq", 2) && strchr(names.name[i], '.'))
			count_queue(d, a, names.name[i], &q);
	return q;
}

void doctor_queues(struct doctor *d)
{
	for (size_t i = 0; i < d->n_accels; i++) {
		struct doctor_accel *a = &d->accels[i];
		struct queues q;

		if (a->lost)
			continue;
		q = count_queues(d, a);
		if (!q.enabled && q.foreign) {
			doctor_say(d, DOCTOR_FAIL, a, "%s: disabled, but %s was configured by somebody and "
				   "the settings are still there", a->name, q.strange);
			doctor_fix(d, "if nobody needs them, have idxd start afresh: echo %s > "
				   "/sys/bus/pci/drivers/idxd/unbind; echo %s > "
				   "/sys/bus/pci/drivers/idxd/bind", a->bdf, a->bdf);
		} else if (q.enabled && !q.pool && !q.usable) {
			if (*q.held)
				doctor_say(d, DOCTOR_FAIL, a, "%s: no queue is left: %s", a->name, q.held);
			else
				doctor_say(d, DOCTOR_FAIL, a, "%s: enabled by the host without a queue that has "
					   "a size and no user", a->name);
			doctor_fix(d, "accel-config disable-wq %s/wqN.N for one that can be done without, and "
				   "have its type none; or disable-device %s, and let idxdctl adopt it whole",
				   a->name, a->name);
		} else {
			doctor_say(d, DOCTOR_OK, a, "%s: %zu queues, %zu of them idxd_mdev's%s%s", a->name,
				   q.n, q.pool, *q.held ? "; " : "", q.held);
		}
	}
}

/* --- what the daemon has written down --------------------------------------------------------- */

static void adopted(struct doctor *d, struct doctor_accel *a)
{
	_cleanup_(freep) char *text = host_read(&d->host, RECORDS "/%s.json", a->bdf);
	_cleanup_(json_putp) struct json_object *o = NULL;
	int r = text ? 0 : -errno;

	if (r == 0)
		r = json_parse(text, &o);
	if (r == 0)
		r = json_get_uint(o, "host-wqs", &a->host_wqs);
	if (r == 0) {
		doctor_say(d, DOCTOR_OK, a, "%s is adopted", a->name);
	} else if (r == -ENOENT && !text) {
		doctor_say(d, DOCTOR_FAIL, a, "%s is not adopted: it is left to the host", a->name);
		doctor_fix(d, "idxdctl adopt %s", a->name);
	} else if (r == -EACCES || r == -EPERM) {
		doctor_say(d, DOCTOR_UNKNOWN, a, "%s: only root may read " RECORDS, a->name);
		doctor_fix(d, "run idxdctl doctor as root");
	} else {
		doctor_say(d, DOCTOR_FAIL, a, "%s: " RECORDS "/%s.json cannot be used: %s", a->name, a->bdf,
			   strerror(-r));
		doctor_fix(d, "'journalctl -u idxdvd' says what is wrong with it; without the file the "
			   "device counts as not adopted");
	}
}

void doctor_adoption(struct doctor *d)
{
	for (size_t i = 0; i < d->n_accels; i++)
		if (!d->accels[i].lost)
			adopted(d, &d->accels[i]);
}

static unsigned int available(struct doctor *d, const struct doctor_accel *a)
{
	_cleanup_(host_names_done) struct host_names names =
		host_list(&d->host, PCI "/%s/mdev_supported_types", a->bdf);
	unsigned int n = 0;
	char text[16];

	for (size_t i = 0; i < names.n; i++)
		if (host_get(&d->host, text, sizeof(text),
			     PCI "/%s/mdev_supported_types/%s/available_instances", a->bdf,
			     names.name[i]))
			n += strtoul(text, NULL, 10);
	return n;
}

void doctor_reservation(struct doctor *d)
{
	for (size_t i = 0; i < d->n_accels; i++) {
		struct doctor_accel *a = &d->accels[i];
		unsigned int ready;
		struct queues q;

		if (a->lost)
			continue;
		ready = available(d, a);
		q = count_queues(d, a);
		if (ready || q.usable > a->host_wqs) {
			doctor_say(d, DOCTOR_OK, a, "%s: %u queues are ready for mdevs, %zu more are free",
				   a->name, ready, q.usable);
		} else if (q.usable) {
			doctor_say(d, DOCTOR_FAIL, a, "%s: the %zu free queues are kept for the host "
				   "(host-wqs %u)", a->name, q.usable, a->host_wqs);
			doctor_fix(d, "idxdctl export > F, lower host-wqs in F, idxdctl apply F");
		} else {
			doctor_say(d, DOCTOR_FAIL, a, "%s: no queue is free: %zu of %zu have mdevs%s%s",
				   a->name, q.pool, q.n, *q.held ? ", " : "", q.held);
			doctor_fix(d, "destroy an mdev, or disable a queue of the host: idxdctl holders");
		}
	}
}
