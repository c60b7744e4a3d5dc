/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ten thousand mdevs on one machine: what an operation asks of the kernel is the same for the last as
 * for the first. Processor time and memory are printed, not judged.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/definition.h"
#include "tests/unit/daemon-test.h"

#define ACCELS 160
#define WQS 64
#define MDEVS 10000
#define SAMPLE 200
#define TYPE "idxd-dsa-1dwq-v1"

static const char *topology(void)
{
	static char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/topology.json", test_dir());
	f = fopen(path, "w");
	if (!f)
		exit(99);
	fputs("{ \"accelerators\": [", f);
	for (int i = 0; i < ACCELS; i++)
		fprintf(f, "%s { \"address\": \"%04x:6a:01.0\", \"wqs\": %d, \"size\": 128, \"engines\": 8 }",
			i ? "," : "", i, WQS);
	fputs("] }", f);
	fclose(f);
	return path;
}

static struct manager *start(struct backend *b)
{
	char state[4096];
	struct answer a = { 0 };
	struct manager *m;

	snprintf(state, sizeof(state), "%s/state", test_dir());
	if (manager_new(&m, &(struct manager_config) { .backend = b, .state_dir = state }) < 0)
		exit(99);
	manager_start(m, answer_done, &a);
	CHECK(a.calls == 1 && a.r == 0, "it does not start: %s", a.refusal.reason);
	return m;
}

struct cost {
	unsigned long calls;
	double usec;
};

static char uuids[MDEVS][UUID_LEN];

static struct cost create(struct manager *m, size_t from, size_t n)
{
	struct cost c = { test_n_calls, test_cpu_us() };

	for (size_t i = from; i < from + n; i++) {
		struct answer a = { 0 };

		manager_create_mdev(m, &(struct create_request) { .type = TYPE }, answer_done, &a);
		CHECK(a.r == 0, "mdev %zu: %s", i, a.refusal.reason);
		memcpy(uuids[i], a.uuid, UUID_LEN);
	}
	return (struct cost) { (test_n_calls - c.calls) / n, (test_cpu_us() - c.usec) / n };
}

static struct cost destroy(struct manager *m, size_t from, size_t n)
{
	struct cost c = { test_n_calls, test_cpu_us() };

	for (size_t i = from; i < from + n; i++) {
		struct answer a = { 0 };

		manager_destroy_mdev(m, uuids[i], false, answer_done, &a);
		CHECK(a.r == 0, "mdev %zu: %s", i, a.refusal.reason);
	}
	return (struct cost) { (test_n_calls - c.calls) / n, (test_cpu_us() - c.usec) / n };
}

static struct cost define(struct manager *m, size_t n)
{
	struct cost c = { test_n_calls, test_cpu_us() };

	for (size_t i = 0; i < n; i++) {
		struct answer a = { 0 };

		manager_define(m, &(struct define_request) { .type = TYPE }, answer_done, &a);
		CHECK(a.r == 0, "definition %zu: %s", i, a.refusal.reason);
	}
	return (struct cost) { (test_n_calls - c.calls) / n, (test_cpu_us() - c.usec) / n };
}

static void adopt_all(struct manager *m)
{
	char name[NAME_LEN];

	for (int i = 0; i < ACCELS; i++) {
		struct answer a = { 0 };
		struct adopt_options o = { .set = ADOPT_HOST_WQS | ADOPT_POOL_MIN, .pool_min = 1 };

		snprintf(name, sizeof(name), "dsa%d", i);
		manager_adopt(m, name, &o, answer_done, &a);
		CHECK(a.r == 0, "%s: %s", name, a.refusal.reason);
	}
}

static void row(const char *what, struct cost few, struct cost many)
{
	printf("%-8s %3lu calls of the kernel with few, %3lu with many; %6.0f us and %6.0f us\n", what,
	       few.calls, many.calls, few.usec, many.usec);
	CHECK(few.calls == many.calls, "%s: %lu calls with few, %lu with many", what, few.calls,
	      many.calls);
}

int main(void)
{
	struct cost few, many, few_gone, many_gone;
	struct backend *b;
	struct manager *m;
	size_t heap, n;
	double begin;

	log_set_max_level(LOG_WARNING);
	if (backend_fake_new(&b, topology(), NULL) < 0)
		return 99;
	backend_fake_set_hook(b, test_count_call, NULL);
	m = start(b);
	adopt_all(m);
	heap = mallinfo2().uordblks;

	few = create(m, 0, SAMPLE);
	few_gone = destroy(m, 0, SAMPLE);
	create(m, 0, MDEVS - SAMPLE);
	many = create(m, MDEVS - SAMPLE, SAMPLE);
	CHECK(manager_n_mdevs(m) == MDEVS, "%zu mdevs", manager_n_mdevs(m));
	printf("%zu bytes of heap per mdev\n", (mallinfo2().uordblks - heap) / MDEVS);
	many_gone = destroy(m, MDEVS - SAMPLE, SAMPLE);
	row("create", few, many);
	row("destroy", few_gone, many_gone);
	few = define(m, SAMPLE);
	row("define", few, define(m, SAMPLE));

	/* All of it at once, as after lost events: the same picture, and nobody is told of a change. */
	n = manager_n_mdevs(m);
	begin = test_cpu_us();
	manager_rescan(m, NULL, NULL);
	printf("reading everything again: %.0f us\n", test_cpu_us() - begin);
	CHECK(manager_n_mdevs(m) == n, "%zu mdevs afterwards", manager_n_mdevs(m));
	manager_free(m);
	return test_report("daemon-scale");
}
