/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <systemd/sd-event.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/worker.h"

struct worker {
	sd_event_source *source;
	int eventfd;			/* counts finished jobs: 0 or 1 */
	bool threaded;
	pthread_t thread;
	struct job *job;		/* of the loop's thread: the job under way */

	/* Below: protected by lock. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *todo;
	bool stop;
};

static void *worker_main(void *userdata)
{
	struct worker *w = userdata;
	uint64_t one = 1;

	for (;;) {
		struct job *job;

		pthread_mutex_lock(&w->lock);
		while (!w->todo && !w->stop)
			pthread_cond_wait(&w->wake, &w->lock);
		job = TAKE(w->todo);
		pthread_mutex_unlock(&w->lock);
		if (!job)
			return NULL;

		job->run(job);
		while (write(w->eventfd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
	}
}

static void finish(struct worker *w)
{
	struct job *job = TAKE(w->job);

	if (job)
		job->done(job);
}

static int on_finished(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == sizeof(n))
		finish(userdata);
	return 0;
}

static int start_thread(struct worker *w)
{
	sigset_t all, old;
	int r;

	/* Signals belong to the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	r = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	w->threaded = r == 0;
	return -r;
}

int worker_new(struct worker **ret, sd_event *event)
{
	struct worker *w = calloc(1, sizeof(*w));
	int r = 0;

	if (!w)
		return -ENOMEM;
	w->eventfd = -1;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);

	if (event) {
		w->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		r = w->eventfd < 0 ? -errno : 0;
		if (r == 0)
			r = sd_event_add_io(event, &w->source, w->eventfd, EPOLLIN, on_finished, w);
		if (r >= 0)
			r = start_thread(w);
	}
	if (r < 0) {
		worker_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	if (w->threaded) {
		pthread_mutex_lock(&w->lock);
		w->stop = true;
		pthread_cond_signal(&w->wake);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
		w->threaded = false;
		finish(w);
	}
	sd_event_source_disable_unref(w->source);
	closep(&w->eventfd);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

void worker_submit(struct worker *w, struct job *job)
{
	assert(!w->job);
	w->job = job;
	if (!w->threaded) {
		job->run(job);
		finish(w);
		return;
	}
	pthread_mutex_lock(&w->lock);
	w->todo = job;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}
