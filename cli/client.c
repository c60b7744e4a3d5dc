/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to the daemon, calls on it, and words for what went wrong. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-bus.h>

#include "cli/client-call.h"
#include "cli/client.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

#define USEC_PER_SEC 1000000u

struct client {
	sd_bus *bus;
	sd_bus_error err;
	uint64_t timeout_usec;
	bool connected;
	bool may_ask;			/* polkit may ask for a password */
	bool no_start;
	uint64_t wait_until;		/* 0: nobody waits */
};

struct client *client_free(struct client *c)
{
	if (!c)
		return NULL;

	sd_bus_error_free(&c->err);
	sd_bus_flush_close_unref(c->bus);
	free(c);
	return NULL;
}

void client_freep(struct client **c)
{
	client_free(*c);
}

/*
 * Without a bus the client is still made: the first call fails and client_complain() has the words
 * for it.
 */
int client_new(uint64_t timeout_usec, bool may_ask, struct client **ret)
{
	struct client *c;
	int r;

	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;

	c->timeout_usec = timeout_usec;
	c->may_ask = may_ask;
	r = sd_bus_open_system(&c->bus);
	c->connected = r >= 0;
	if (r < 0)
		sd_bus_error_set_errno(&c->err, r);

	*ret = c;
	return 0;
}

void client_start_nothing(struct client *c)
{
	c->no_start = true;
}

/* Refusals */

/* The exit status for an error that the daemon, or the bus on its behalf, has given; -1: unknown. */
static int exit_by_name(const char *name)
{
	static const struct {
		const char *name;
		enum api_exit status;
	} map[] = {
#define ROW(kind, error, err, status) { error, status },
		API_ERRORS(ROW)
#undef ROW
		{ SD_BUS_ERROR_ACCESS_DENIED, API_EXIT_PERMISSION },
		{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, API_EXIT_PERMISSION },
		{ SD_BUS_ERROR_LIMITS_EXCEEDED, API_EXIT_FAILURE },
		{ SD_BUS_ERROR_UNKNOWN_OBJECT, API_EXIT_NOT_FOUND },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(map); i++)
		if (!strcmp(map[i].name, name))
			return map[i].status;

	return -1;
}

/* A failed start has many error names, so the bus is asked what matters. */
static bool is_running(const struct client *c)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r, owned = 0;

	r = sd_bus_call_method(c->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
			       "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s",
			       API_BUS_NAME);
	if (r < 0)
		return false;

	r = sd_bus_message_read(reply, "b", &owned);
	return r >= 0 && owned;
}

int client_complain(const struct client *c, const char *what, int r)
{
	const char *name = c->err.name ? c->err.name : "";
	const char *text = c->err.message ? c->err.message : strerror(-r);
	int status = exit_by_name(name);

	if (!c->connected) {
		fprintf(stderr, "idxdctl: %s: cannot reach the system bus (%s); idxdvd is spoken to "
			"over D-Bus: start dbus.service, then 'systemctl start idxdvd'\n", what, text);
		return API_EXIT_FAILURE;
	}

	if (!strcmp(name, SD_BUS_ERROR_TIMEOUT) && c->wait_until) {
		fprintf(stderr, "idxdctl: %s: still in use after %" PRIu64 " s; 'idxdctl holders' says by "
			"whom\n", what, c->timeout_usec / USEC_PER_SEC);
		return API_EXIT_TIMEOUT;
	}

	if (!strcmp(name, SD_BUS_ERROR_TIMEOUT)) {
		fprintf(stderr, "idxdctl: %s: no answer from idxdvd within %" PRIu64 " s; the request "
			"may still be carried out: see 'idxdctl list', or wait longer with "
			"--timeout\n", what, c->timeout_usec / USEC_PER_SEC);
		return API_EXIT_TIMEOUT;
	}

	if (!strcmp(name, SD_BUS_ERROR_NO_REPLY)) {
		fprintf(stderr, "idxdctl: %s: idxdvd went away before it answered (%s); its next start "
			"finishes or undoes the request: see 'idxdctl list' and 'journalctl -u "
			"idxdvd'\n", what, text);
		return API_EXIT_FAILURE;
	}

	if (status < 0 && !is_running(c)) {
		fprintf(stderr, "idxdctl: %s: idxdvd is not running and the bus could not start it "
			"(%s); try 'systemctl start idxdvd', then 'systemctl status idxdvd'\n",
			what, text);
		return API_EXIT_FAILURE;
	}

	/* The bus itself refuses strangers, in words that do not say what would help. */
	if (status == API_EXIT_PERMISSION && !strstr(text, "become root"))
		text = "this user may not do that; become root, e.g. with sudo";

	fprintf(stderr, "idxdctl: %s: %s\n", what, text);
	return status < 0 ? API_EXIT_FAILURE : status;
}

/* Calls */

int client_call_new(struct client *c, const char *iface, const char *method, sd_bus_message **ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	if (!c->connected)
		return -ENOTCONN;

	r = sd_bus_message_new_method_call(c->bus, &m, API_BUS_NAME, API_ROOT, iface, method);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(m, c->may_ask);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, !c->no_start);
	if (r < 0)
		return r;
	*ret = TAKE(m);
	return 0;
}

int client_call(struct client *c, sd_bus_message *m, sd_bus_message **ret)
{
	sd_bus_error_free(&c->err);
	return sd_bus_call(c->bus, m, c->timeout_usec, &c->err, ret);
}

bool client_is_in_use(const struct client *c)
{
	return c->err.name && !strcmp(c->err.name, API_ERROR_PREFIX "InUse");
}

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * (uint64_t)USEC_PER_SEC + t.tv_nsec / 1000;
}

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *err)
{
	return 0;
}

/* Who opens and closes an mdev is not signalled by every kernel: hence not longer than a second. */
int client_wait(struct client *c)
{
	uint64_t now = now_usec();
	int r = 0;

	if (!c->wait_until) {
		c->wait_until = now + c->timeout_usec;
		r = sd_bus_add_match(c->bus, NULL, "type='signal',sender='" API_BUS_NAME "'", on_signal,
				     NULL);
	}
	if (now >= c->wait_until) {
		sd_bus_error_free(&c->err);
		sd_bus_error_set(&c->err, SD_BUS_ERROR_TIMEOUT, "it is still in use");
		return -ETIMEDOUT;
	}
	if (r >= 0)
		r = sd_bus_wait(c->bus, USEC_PER_SEC);
	while (r > 0)
		r = sd_bus_process(c->bus, NULL);
	return r < 0 ? r : 0;
}

sd_bus *client_bus(const struct client *c)
{
	return c->connected ? c->bus : NULL;
}
