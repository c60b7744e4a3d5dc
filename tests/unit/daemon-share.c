/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thousand mdevs on eight shared queues: created, listed, destroyed. What an operation asks of the
 * kernel is the same for the last as for the first; time and memory are printed, not judged.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "tests/unit/daemon-test.h"

#define MDEVS 1000
#define QUEUES 8
#define ROW 200
#define TYPE "idxd-dsa-1swq-v1"

static char uuids[MDEVS][UUID_LEN];

static void create(struct manager *m, size_t i)
{
	struct create_request req = { .type = TYPE, .flags = CREATE_PLACE, .numa_node = -1,
				      .placement = i % 2 ? "spread" : "pack" };
	struct answer a = { 0 };

	manager_create_mdev(m, &req, answer_done, &a);
	CHECK(a.r == 0, "mdev %zu: %s", i, a.refusal.reason);
	memcpy(uuids[i], a.uuid, UUID_LEN);
}

static void destroy(struct manager *m, size_t i)
{
	struct answer a = { 0 };

	manager_destroy_mdev(m, uuids[i], false, answer_done, &a);
	CHECK(a.r == 0, "mdev %zu: %s", i, a.refusal.reason);
}

/* Without those that configure a queue or give it back, each costs as many calls as any other. */
static unsigned long rows(struct manager *m, const char *what, void (*act)(struct manager *m, size_t i))
{
	unsigned long calls[MDEVS], usual = 0, unusual = 0;

	for (size_t i = 0; i < MDEVS; i += ROW) {
		size_t heap = mallinfo2().uordblks;
		double begin = test_cpu_us();

		for (size_t k = i; k < i + ROW; k++) {
			unsigned long before = test_n_calls;

			act(m, k);
			calls[k] = test_n_calls - before;
		}
		printf("%s %4zu to %4zu: %6.0f us and %6ld bytes for each, %lu calls of the kernel for the last\n",
		       what, i, i + ROW - 1, (test_cpu_us() - begin) / ROW,
		       ((long)mallinfo2().uordblks - (long)heap) / ROW, calls[i + ROW - 1]);
	}
	usual = calls[MDEVS / 2];
	for (size_t i = 0; i < MDEVS; i++)
		unusual += calls[i] != usual;
	return unusual;
}

static void check_full(const struct manager *m)
{
	const struct accel *a = manager_accel(m, 0);
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n_wqs; i++) {
		CHECK(a->wqs[i].n_mdevs <= a->sharers && !a->wqs[i].dedicated, "%s: %u",
		      a->wqs[i].name, a->wqs[i].n_mdevs);
		n += a->wqs[i].n_mdevs;
	}
	CHECK(n == MDEVS && manager_n_mdevs(m) == MDEVS && a->room[1] == QUEUES * a->sharers - MDEVS,
	      "%u mdevs, room for %u", n, a->room[1]);
}

static void list(struct manager *m)
{
	double begin = test_cpu_us();
	struct answer a = { 0 };
	char *text;

	if (manager_export(m, &text) < 0)
		exit(99);
	printf("list %d: %.0f us and %zu bytes for each\n", MDEVS, (test_cpu_us() - begin) / MDEVS,
	       strlen(text) / MDEVS);
	free(text);
	begin = test_cpu_us();
	manager_refresh(m, answer_done, &a);
	printf("read all again: %.0f us for each\n", (test_cpu_us() - begin) / MDEVS);
}

int main(void)
{
	struct adopt_options o = { .set = ADOPT_HOST_WQS | ADOPT_POOL_MIN };
	const struct accel *a;
	struct answer ans = { 0 };
	struct backend *b;
	struct manager *m;
	char state[4096];
	unsigned long unusual;

	log_set_max_level(LOG_WARNING);
	snprintf(state, sizeof(state), "%s/state", test_dir());
	if (backend_fake_new(&b, NULL, NULL) < 0 ||
	    manager_new(&m, &(struct manager_config) { .backend = b, .state_dir = state }) < 0)
		return 99;
	backend_fake_set_hook(b, test_count_call, NULL);
	manager_start(m, answer_done, &ans);
	manager_adopt(m, "dsa0", &o, answer_done, &ans);
	a = manager_accel(m, 0);
	CHECK(a->n_wqs == QUEUES && a->room[1] == QUEUES * 128u, "room for %u", a->room[1]);

	unusual = rows(m, "create ", create);
	CHECK(unusual <= QUEUES, "%lu creates configure a queue", unusual);
	check_full(m);
	list(m);
	check_full(m);
	unusual = rows(m, "destroy", destroy);
	CHECK(unusual <= 2 * QUEUES, "%lu destroys are not like the others", unusual);
	a = manager_accel(m, 0);
	for (unsigned int i = 0; i < a->n_wqs; i++)
		CHECK(a->wqs[i].cls == WQ_FREE, "%s is given back", a->wqs[i].name);
	manager_free(m);
	return test_report("daemon-share");
}
