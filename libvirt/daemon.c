/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-bus.h>

#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "libvirt/daemon.h"
#include "libvirt/domain.h"

/* libvirt waits for a hook, and does nothing else for the domain meanwhile. */
#define LIMIT_USEC (5 * UINT64_C(1000000))

static sd_bus *bus;
static uint64_t deadline;

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000) + t.tv_nsec / 1000;
}

static int call(sd_bus_message *m, sd_bus_error *err)
{
	uint64_t now = now_usec();

	if (now >= deadline)
		return sd_bus_error_set_errno(err, -ETIMEDOUT);
	return sd_bus_call(bus, m, deadline - now, err, NULL);
}

static int new_call(sd_bus_message **ret, const char *method, const char *word, sd_bus_error *err)
{
	int r = 0;

	if (!deadline)
		deadline = now_usec() + LIMIT_USEC;
	if (!bus)
		r = sd_bus_open_system(&bus);
	if (r < 0)
		return sd_bus_error_set_errno(err, r);
	r = sd_bus_message_new_method_call(bus, ret, API_BUS_NAME, API_ROOT, API_IFACE_MANAGER, method);
	if (r >= 0)
		r = sd_bus_message_append(*ret, "s", word);
	if (r >= 0)
		r = sd_bus_message_open_container(*ret, 'a', "{sv}");
	return r < 0 ? sd_bus_error_set_errno(err, r) : 0;
}

static bool is_error(const sd_bus_error *err, const char *name)
{
	return err->name && !strcmp(err->name, name);
}

static int complain(const char *uuid, const sd_bus_error *err, int r)
{
	fprintf(stderr, "idxdvd: mdev %s: %s\n", uuid, err->message ? err->message : strerror(-r));
	return r;
}

static int append_text(sd_bus_message *m, const char *key, const char *value)
{
	return *value ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

static int create(const struct domain_mdev *d, sd_bus_error *err)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = new_call(&m, "CreateMdev", d->type, err);
	if (r < 0)
		return r;
	r = append_text(m, "uuid", d->uuid);
	if (r >= 0)
		r = append_text(m, "parent", d->parent);
	if (r >= 0)
		r = append_text(m, "placement", d->placement);
	if (r >= 0 && d->min_size >= 0)
		r = sd_bus_message_append(m, "{sv}", "min-size", "u", (uint32_t)d->min_size);
	if (r >= 0 && d->numa_node >= 0)
		r = sd_bus_message_append(m, "{sv}", "numa-node", "i", (int32_t)d->numa_node);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : call(m, err);
}

/* A call that takes only the UUID. */
static int act(const char *method, const char *uuid, sd_bus_error *err)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = new_call(&m, method, uuid, err);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : call(m, err);
}

/*
 * Without a description an mdev may be anybody's, and libvirt says what it lacks. The daemon refuses
 * only what it knows, but for these.
 */
static bool is_about_ours(const sd_bus_error *err)
{
	return err->name && !strncmp(err->name, API_ERROR_PREFIX, strlen(API_ERROR_PREFIX)) &&
	       !is_error(err, API_ERROR_PREFIX "NotDefined") &&
	       !is_error(err, API_ERROR_PREFIX "ShuttingDown");
}

/* The daemon's definition has the first word, the domain's metadata the second. */
int daemon_start(const struct domain_mdev *d)
{
	_cleanup_(sd_bus_error_free) sd_bus_error err = SD_BUS_ERROR_NULL;
	int r;

	r = act("Start", d->uuid, &err);
	if (r < 0 && is_error(&err, API_ERROR_PREFIX "NotDefined") && d->described) {
		sd_bus_error_free(&err);
		r = create(d, &err);
	}
	if (r >= 0)
		return 1;
	if (is_error(&err, API_ERROR_PREFIX "Exists"))
		return 0;
	if (is_error(&err, SD_BUS_ERROR_TIMEOUT) || is_error(&err, SD_BUS_ERROR_NO_REPLY)) {
		if (!d->described)
			return 1;
		r = -ETIMEDOUT;
	}
	return d->described || is_about_ours(&err) ? complain(d->uuid, &err, r) : 0;
}

int daemon_stop(const char *uuid)
{
	_cleanup_(sd_bus_error_free) sd_bus_error err = SD_BUS_ERROR_NULL;
	int r;

	r = act("Stop", uuid, &err);
	if (r >= 0 || is_error(&err, API_ERROR_PREFIX "NoSuchMdev"))
		return 0;
	return complain(uuid, &err, r);
}

void daemon_close(void)
{
	bus = sd_bus_flush_close_unref(bus);
}
