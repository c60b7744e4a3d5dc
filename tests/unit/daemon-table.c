/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table beside an array that is searched: the same after each of many random changes. */
#include <stdio.h>
#include <string.h>

#include "idxdvd/common/table.h"
#include "tests/unit/daemon-test.h"

#define NAMES 300
#define STEPS 200000

static struct {
	char name[16];
	void *value;			/* NULL: it is not there */
	unsigned long came;
} plain[NAMES];

static unsigned int seed = 1;

static unsigned int dice(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

/* Of those that came later the first. */
static int after(int i)
{
	unsigned long came = i < 0 ? 0 : plain[i].came;
	int best = -1;

	for (int k = 0; k < NAMES; k++)
		if (plain[k].value && plain[k].came > came &&
		    (best < 0 || plain[k].came < plain[best].came))
			best = k;
	return best;
}

static void check_order(const struct table *t)
{
	int i = after(-1);
	size_t n = 0;

	CHECK(table_after(t, NULL) == (i < 0 ? NULL : plain[i].value), "the first differs");
	for (; i >= 0; n++) {
		int next = after(i);

		CHECK(table_after(t, plain[i].name) == (next < 0 ? NULL : plain[next].value),
		      "what follows %s differs", plain[i].name);
		i = next;
	}
	CHECK(n == t->n, "%zu are there, and it says %zu", n, t->n);
}

static void step(struct table *t, unsigned long number)
{
	unsigned int i = dice(NAMES);
	void *value = &plain[dice(NAMES)];

	if (dice(2)) {
		CHECK(table_put(t, plain[i].name, value) == 0, "no memory");
		if (!plain[i].value)
			plain[i].came = number;
		plain[i].value = value;
	} else {
		CHECK(table_drop(t, plain[i].name) == plain[i].value, "%s was another",
		      plain[i].name);
		plain[i].value = NULL;
	}
	i = dice(NAMES);
	CHECK(table_get(t, plain[i].name) == plain[i].value, "%s is another", plain[i].name);
}

int main(void)
{
	struct table t = { 0 };

	for (int i = 0; i < NAMES; i++)
		snprintf(plain[i].name, sizeof(plain[i].name), "wq%d.%d", i / 8, i % 8);
	CHECK(!table_get(&t, "x") && !table_drop(&t, "x") && !table_after(&t, NULL) &&
	      !table_after(&t, "x"), "there is something in an empty table");
	for (unsigned long i = 1; i <= STEPS; i++) {
		step(&t, i);
		if (i % (STEPS / 20) == 0)
			check_order(&t);
	}
	table_clear(&t);
	CHECK(!t.n && !table_after(&t, NULL), "it is not empty");
	return test_report("table");
}
