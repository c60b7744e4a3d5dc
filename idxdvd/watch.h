/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_WATCH_H
#define IDXDVD_WATCH_H

/* Notices when somebody edits mdevctl's directory, and has the manager read it again. */

typedef struct sd_event sd_event;
struct manager;
struct watch;

int watch_new(struct watch **ret, sd_event *event, struct manager *m, const char *dir);
struct watch *watch_free(struct watch *w);

#endif
