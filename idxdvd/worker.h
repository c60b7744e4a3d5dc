/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_WORKER_H
#define IDXDVD_WORKER_H

/* One thread for what may sleep. One job at a time: run() in the thread, done() on the loop. */

#include <stdbool.h>

typedef struct sd_event sd_event;
struct worker;

struct job {
	void (*run)(struct job *job);
	void (*done)(struct job *job);
};

/* @event NULL: no thread, a job runs and is done within worker_submit(). */
int worker_new(struct worker **ret, sd_event *event);
/* Waits for the job that runs, whose done() is still called. */
struct worker *worker_free(struct worker *w);

/* No job may be under way; @job must live until done(). */
void worker_submit(struct worker *w, struct job *job);

#endif
