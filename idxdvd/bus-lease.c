/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks after mdevs that are leased: who has them, and that they go when that client goes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "idxdvd/bus-lease.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/message.h"
#include "idxdvd/manager.h"

/* An mdev that is open cannot be removed; its closing is an event, other obstacles have none. */
#define RETRY_USEC (30 * UINT64_C(1000000))

struct lease {
	struct lease *next;
	struct leases *all;
	char uuid[UUID_LEN];
	char name[LEASE_LEN];
	sd_bus_track *track;		/* of the client */
	bool gone;			/* the client is */
	bool trying;			/* to remove the mdev */
	bool stale;			/* the mdev is gone, and this goes when the try is over */
};

struct leases {
	struct bus *b;			/* NULL: over, but tries are not yet */
	struct lease *list;
	sd_event_source *reaper, *retry;
	unsigned int n_trying;
};

static struct lease *lease_free(struct lease *l)
{
	sd_bus_track_unref(l->track);
	free(l);
	return NULL;
}

static int write_name(struct bus *b, const char *client, char ret[LEASE_LEN])
{
	char text[SD_ID128_STRING_MAX];
	sd_id128_t id;
	int n, r;

	r = sd_bus_get_bus_id(b->bus, &id);
	if (r < 0)
		return r;
	n = snprintf(ret, LEASE_LEN, "%s/%s", sd_id128_to_string(id, text), client);
	return n < LEASE_LEN ? 0 : -ENAMETOOLONG;
}

int bus_lease_name(struct bus *b, sd_bus_message *msg, char ret[LEASE_LEN])
{
	return write_name(b, sd_bus_message_get_sender(msg), ret);
}

/* --- the end of a lease ---------------------------------------------------------------------- */

static void leases_put(struct leases *all)
{
	if (!all->b && !all->n_trying)
		free(all);
}

static void removed(void *userdata, int r, const struct manager_result *res)
{
	struct lease *l = userdata;
	struct leases *all = l->all;
	char text[2048];

	all->n_trying--;
	l->trying = false;
	if (r < 0 && all->b && !l->stale) {
		refusal_format(&res->refusal, text, sizeof(text));
		log_warning("%s: its client has gone, but it cannot be removed yet: %s", l->uuid,
			    text);
		sd_event_source_set_time_relative(all->retry, RETRY_USEC);
		sd_event_source_set_enabled(all->retry, SD_EVENT_ONESHOT);
	}
	if (l->stale || !all->b)
		lease_free(l);
	leases_put(all);
}

static int on_reap(sd_event_source *source, void *userdata)
{
	struct leases *all = userdata;

	for (struct lease *l = all->list; l; l = l->next) {
		if (!l->gone || l->trying)
			continue;
		message_log(&(struct message){
				.kind = MESSAGE_LEASE_ENDED, .level = LOG_INFO, .mdev = l->uuid,
			    }, "%s: the client that leased it has gone, so it goes too", l->uuid);
		l->trying = true;
		all->n_trying++;
		manager_destroy_mdev(all->b->manager, l->uuid, false, removed, l);
	}
	return 0;
}

static void reap(struct leases *all)
{
	sd_event_source_set_enabled(all->reaper, SD_EVENT_ONESHOT);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	reap(userdata);
	return 0;
}

static int on_client_gone(sd_bus_track *track, void *userdata)
{
	struct lease *l = userdata;

	/* An empty track that stays is reported again and again. */
	l->track = sd_bus_track_unref(l->track);
	l->gone = true;
	reap(l->all);
	return 0;
}

/* --- what is leased -------------------------------------------------------------------------- */

/* -ENXIO: the client has gone. */
static int follow(struct lease *l)
{
	struct bus *b = l->all->b;
	const char *client = strchr(l->name, ':');
	char now[LEASE_LEN];
	int r;

	if (!client)
		return -EBADMSG;
	r = write_name(b, client, now);
	if (r < 0)
		return r;
	if (strcmp(now, l->name))		/* of a bus that is no more */
		return -ENXIO;
	r = sd_bus_track_new(b->bus, &l->track, on_client_gone, l);
	return r < 0 ? r : sd_bus_track_add_name(l->track, client);
}

static int add(struct leases *all, const struct mdev *m)
{
	struct lease *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->all = all;
	memcpy(l->uuid, m->uuid, sizeof(l->uuid));
	memcpy(l->name, m->lease, sizeof(l->name));
	r = follow(l);
	if (r < 0 && r != -ENXIO) {
		lease_free(l);
		return r;
	}
	l->gone = r == -ENXIO;
	l->next = all->list;
	all->list = l;
	if (l->gone)
		reap(all);
	return 0;
}

static void drop(struct lease **p)
{
	struct lease *l = *p;

	*p = l->next;
	l->stale = true;
	if (!l->trying)
		lease_free(l);
}

static int start(struct bus *b)
{
	sd_event *event = sd_bus_get_event(b->bus);
	struct leases *all = calloc(1, sizeof(*all));
	int r;

	if (!all)
		return -ENOMEM;
	all->b = b;
	/* Not from within the manager's report: the next turn of the loop calls it. */
	r = sd_event_add_defer(event, &all->reaper, on_reap, all);
	if (r >= 0)
		r = sd_event_source_set_enabled(all->reaper, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &all->retry, CLOCK_MONOTONIC, RETRY_USEC, 0,
					       on_retry, all);
	if (r >= 0)
		r = sd_event_source_set_enabled(all->retry, SD_EVENT_OFF);
	b->leases = all;
	return r;
}

void bus_lease_look(struct bus *b, const char *uuid)
{
	const struct mdev *m = manager_find_mdev(b->manager, uuid);
	struct lease **p;
	int r = 0;

	if (!b->leases)
		return;
	for (p = &b->leases->list; *p && strcmp((*p)->uuid, uuid); p = &(*p)->next)
		;
	if (*p && (!m || strcmp(m->lease, (*p)->name)))
		drop(p);
	if (*p && !strcmp((*p)->uuid, uuid)) {
			if ((*p)->gone)
			reap(b->leases);
		return;
	}
	if (m && m->lease[0])
		r = add(b->leases, m);
	if (r < 0)
		log_error("%s: its lease cannot be followed, so it stays: %s", uuid, strerror(-r));
	else if (b->leases->list && b->leases->list->gone)
		reap(b->leases);
}

void bus_lease_look_all(struct bus *b)
{
	int r = start(b);

	if (r < 0)
		log_error("leases cannot be followed: %s", strerror(-r));
	for (const struct mdev *m = manager_next_mdev(b->manager, NULL); m && r >= 0;
	     m = manager_next_mdev(b->manager, m))
		bus_lease_look(b, m->uuid);
}

void bus_lease_done(struct bus *b)
{
	struct leases *all = TAKE(b->leases);

	if (!all)
		return;
	while (all->list)
		drop(&all->list);
	sd_event_source_disable_unref(all->reaper);
	sd_event_source_disable_unref(all->retry);
	all->b = NULL;
	leases_put(all);
}
