/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/manager.h"
#include "idxdvd/watch.h"

/* Whoever writes many files is read once. */
#define DELAY_USEC 200000u

#define EDITS (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)

struct watch {
	sd_event *event;
	sd_event_source *timer;
	struct manager *manager;
	char dir[PATH_MAX];
	bool armed;
	sd_event_source **sources;	/* one for each directory */
	size_t n_sources;
};

struct watch *watch_free(struct watch *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < w->n_sources; i++)
		sd_event_source_disable_unref(w->sources[i]);
	free(w->sources);
	sd_event_source_disable_unref(w->timer);
	sd_event_unref(w->event);
	free(w);
	return NULL;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch *w = userdata;

	w->armed = false;
	manager_rescan_definitions(w->manager);
	return 0;
}

static int on_edit(sd_event_source *source, const struct inotify_event *event, void *userdata);

static int add(struct watch *w, const char *name)
{
	char path[PATH_MAX + NAME_MAX + 2];
	sd_event_source **sources;
	int r;

	sources = reallocarray(w->sources, w->n_sources + 1, sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	w->sources = sources;
	snprintf(path, sizeof(path), "%s%s%s", w->dir, name[0] ? "/" : "", name);
	r = sd_event_add_inotify(w->event, &sources[w->n_sources], path, EDITS, on_edit, w);
	w->n_sources += r >= 0;
	return r == -ENOENT ? 0 : r;
}

static int on_edit(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct watch *w = userdata;
	int r;

	if ((event->mask & IN_ISDIR) && (event->mask & (IN_CREATE | IN_MOVED_TO)) && event->len &&
	    string_is_pci_address(event->name)) {
		r = add(w, event->name);
		if (r < 0)
			log_warning("%s/%s cannot be watched: %s", w->dir, event->name,
				    strerror(-r));
	}
	if (w->armed)
		return 0;
	r = sd_event_source_set_time_relative(w->timer, DELAY_USEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
	w->armed = r >= 0;
	return 0;
}

static int add_parents(struct watch *w)
{
	struct dirent *de;
	DIR *dir;
	int r = 0;

	dir = opendir(w->dir);
	if (!dir)
		return -errno;
	while (r >= 0 && (de = readdir(dir)))
		if (string_is_pci_address(de->d_name))
			r = add(w, de->d_name);
	closedir(dir);
	return r;
}

int watch_new(struct watch **ret, sd_event *event, struct manager *m, const char *dir)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->event = sd_event_ref(event);
	w->manager = m;
	snprintf(w->dir, sizeof(w->dir), "%s", dir);
	r = sd_event_add_time_relative(event, &w->timer, CLOCK_MONOTONIC, 0, 0, on_timer, w);
	if (r >= 0)
		r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	/* First the watch, then the look, so that nothing falls between. */
	if (r >= 0)
		r = add(w, "");
	if (r >= 0)
		r = add_parents(w);
	if (r < 0) {
		watch_free(w);
		return r;
	}
	*ret = w;
	return 0;
}
