/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The function is reset, the driver or the device is taken away and comes back, perhaps under another
 * name, our module is loaded anew, the daemon starts anew: each time the same UUIDs are on their queues,
 * and nothing is left over. As many rounds as the first argument says.
 */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/definition.h"
#include "idxdvd/op.h"
#include "tests/unit/daemon-test.h"

#define ROUNDS 500
#define SETTLED 50		/* rounds after which nothing may grow any more */
#define CACHED (128 * 1024)	/* what malloc keeps for itself; AddressSanitizer sees less than that */
#define MDEVS 8
#define TYPE "idxd-dsa-1dwq-v1"

static const char *const bdfs[] = { "0000:6a:01.0", "0000:6f:01.0" };
static char uuids[MDEVS][UUID_LEN];
static char queues[MDEVS][NAME_LEN];	/* without the number of the device */
static unsigned int seed = 1;

static unsigned int dice(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

struct world {
	struct backend *backend;
	struct manager *manager;
};

static const char *file(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", test_dir(), name);
	return path;
}

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void start(struct world *w)
{
	struct answer a = { 0 };
	char state[4096];

	snprintf(state, sizeof(state), "%s", file("hardware"));
	if (backend_fake_new(&w->backend, file("topology.json"), state) < 0)
		exit(99);
	snprintf(state, sizeof(state), "%s", file("state"));
	if (manager_new(&w->manager, &(struct manager_config) {
		.backend = w->backend, .state_dir = state }) < 0)
		exit(99);
	manager_start(w->manager, answer_done, &a);
	CHECK(a.r == 0, "it does not start: %s", a.refusal.reason);
}

static const char *name_of(struct world *w, int i)
{
	const struct accel *a = manager_find_accel(w->manager, bdfs[i]);

	return a ? a->name : "gone";
}

static void look(struct world *w)
{
	for (int i = 0; i < MDEVS; i++) {
		const struct mdev *m = manager_find_mdev(w->manager, uuids[i]);

		if (!CHECK(m, "%s did not come back", uuids[i]))
			continue;
		CHECK_STR(m->wq + strcspn(m->wq, "."), queues[i], "queue");
		CHECK_STR(m->parent, bdfs[i % 2], "parent");
		CHECK(m->ours, "%s is not ours any more", uuids[i]);
	}
	CHECK(manager_n_mdevs(w->manager) == MDEVS, "%zu mdevs", manager_n_mdevs(w->manager));
	for (int i = 0; i < 2; i++) {
		const struct accel *a = manager_find_accel(w->manager, bdfs[i]);

		CHECK(a && a->n_pool == 1 && a->adopted, "no pool on %s", bdfs[i]);
	}
	CHECK(!test_count_files(file("state/journal"), "."), "the journal is not empty");
}

/* What happens in the kernel, and the events that tell of it. */
static void happen(struct world *w, const char *accel, enum fake_event event)
{
	CHECK(backend_fake_event(w->backend, accel, event) == 0, "%s: event %d", accel, event);
	if (event == FAKE_UNLOAD || event == FAKE_LOAD)
		manager_rescan(w->manager, "drivers", "mdev");
	else
		manager_rescan(w->manager, "dsa", accel);
}

static void unplug_both(struct world *w)
{
	char names[2][NAME_LEN];

	for (int i = 0; i < 2; i++) {
		snprintf(names[i], NAME_LEN, "%s", name_of(w, i));
		happen(w, names[i], FAKE_UNPLUG);
	}
	CHECK(manager_n_mdevs(w->manager) == 0, "mdevs without a device");
	if (dice(2))
		CHECK(backend_fake_swap(w->backend, names[0], names[1]) == 0, "no swap");
	happen(w, names[dice(2)], FAKE_PLUG);
	for (int i = 0; i < 2; i++)
		happen(w, names[i], FAKE_PLUG);
}

/* As fast as unbind and bind in a script: all that is ever seen of it is that it is as new. */
static void replug_unseen(struct world *w, const char *name)
{
	CHECK(backend_fake_event(w->backend, name, FAKE_UNPLUG) == 0 &&
	      backend_fake_event(w->backend, name, FAKE_PLUG) == 0, "%s: no replug", name);
	manager_rescan(w->manager, "dsa", name);
}

/* An event of its return comes while it is still known, and it is found gone by a read before that. */
static void return_early(struct world *w, const char *name)
{
	const struct accel *a = manager_find_accel(w->manager, name);
	char bdf[NAME_LEN];

	if (!CHECK(a, "%s is not there", name))
		return;
	memcpy(bdf, a->bdf, sizeof(bdf));
	happen(w, name, FAKE_UNPLUG);
	CHECK(backend_fake_event(w->backend, name, FAKE_PLUG) == 0, "%s: no plug", name);
	manager_remember(w->manager, bdf);
	manager_pump(w->manager);
}

/* Its own event came when it was not all there; now another part of it is. */
static void return_in_parts(struct world *w, const char *name)
{
	char engine[NAME_LEN];

	happen(w, name, FAKE_UNPLUG);
	CHECK(backend_fake_event(w->backend, name, FAKE_PLUG) == 0, "%s: no plug", name);
	snprintf(engine, sizeof(engine), "engine%.8s.3", name + strlen("dsa"));
	manager_rescan(w->manager, "dsa", engine);
}

static void restart(struct world *w)
{
	manager_free(w->manager);
	start(w);
}

static void round_of(struct world *w)
{
	char name[NAME_LEN];

	snprintf(name, sizeof(name), "%s", name_of(w, dice(2)));
	switch (dice(8)) {
	case 0:
		happen(w, name, FAKE_RESET);
		happen(w, name, FAKE_RESET_DONE);
		break;
	case 1:
		happen(w, name, FAKE_UNPLUG);
		if (!dice(4))
			restart(w);
		happen(w, name, FAKE_PLUG);
		break;
	case 2:
		unplug_both(w);
		break;
	case 3:
		happen(w, name, FAKE_UNLOAD);
		CHECK(manager_n_mdevs(w->manager) == 0, "mdevs without the module");
		happen(w, name, FAKE_LOAD);
		break;
	case 4:
		if (dice(2))
			backend_fake_reboot(w->backend);
		restart(w);
		break;
	case 5:
		replug_unseen(w, name);
		break;
	case 6:
		return_early(w, name);
		break;
	case 7:
		return_in_parts(w, name);
		break;
	}
	look(w);
}

static void prepare(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		struct answer a = { 0 };

		manager_adopt(w->manager, bdfs[i], NULL, answer_done, &a);
		CHECK(a.r == 0, "%s: %s", bdfs[i], a.refusal.reason);
	}
	for (int i = 0; i < MDEVS; i++) {
		struct answer a = { 0 };
		char wq[NAME_LEN];

		/* Some want a certain queue, the others are to have the one they had. */
		snprintf(wq, sizeof(wq), "wq%d.%d", i % 2, i / 2);
		manager_define(w->manager, &(struct define_request) {
			.set = DEFINE_AUTOSTART | (i < 4 ? DEFINE_WQ : 0), .type = TYPE,
			.parent = bdfs[i % 2], .wq = wq, .autostart = true,
		}, answer_done, &a);
		CHECK(a.r == 0, "define: %s", a.refusal.reason);
		memcpy(uuids[i], a.uuid, UUID_LEN);
		manager_start_mdev(w->manager, a.uuid, false, answer_done, &a);
		CHECK(a.r == 0, "start: %s", a.refusal.reason);
	}
	for (int i = 0; i < MDEVS; i++) {
		const struct mdev *m = manager_find_mdev(w->manager, uuids[i]);

		if (m)
			strcpy(queues[i], m->wq + strcspn(m->wq, "."));
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS, files = 0;
	struct world w;
	size_t heap = 0;

	log_set_max_level(LOG_WARNING);
	test_write_file(file("topology.json"), "{ \"accelerators\": [ { \"address\": \"0000:6a:01.0\" },"
			" { \"address\": \"0000:6f:01.0\" } ] }");
	start(&w);
	prepare(&w);
	look(&w);
	for (int i = 0; i < rounds; i++) {
		round_of(&w);
		if (i != SETTLED && i != rounds - 1)
			continue;
		/* A daemon that just started, so that both times the same has been asked of it. */
		restart(&w);
		malloc_trim(0);
		if (i == SETTLED) {
			heap = mallinfo2().uordblks;
			files = open_files();
		} else if (i > SETTLED) {
			printf("%d rounds: heap %zu after %d and %zu at the end\n", rounds, heap, SETTLED,
			       (size_t)mallinfo2().uordblks);
			CHECK(mallinfo2().uordblks <= heap + CACHED, "heap grew from %zu to %zu", heap,
			      (size_t)mallinfo2().uordblks);
			CHECK(open_files() == files, "%d files were open, now %d", files,
			      open_files());
		}
	}
	manager_free(w.manager);
	return test_report("daemon-revive");
}
