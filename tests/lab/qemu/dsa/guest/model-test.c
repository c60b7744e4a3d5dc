/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model-test BDF GROUPNODE [NAME [SEED]]: drives the whole physical function through vfio-pci and
 * compares what it does with the specification sheet. Prints one line per test; exit status 0 means
 * all passed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pf.h"

static unsigned int failed_checks, checks;

void check_at(const char *file, int line, const char *what, uint64_t got, uint64_t want)
{
	checks++;
	if (got == want)
		return;
	failed_checks++;
	printf("  %s:%d: %s is 0x%llx, expected 0x%llx\n", file, line, what,
	       (unsigned long long)got, (unsigned long long)want);
}

static unsigned int run_all(struct pf *pf, const struct test *t, const char *only)
{
	unsigned int failed = 0;

	for (; t->name; t++) {
		unsigned int before = failed_checks, count = checks;

		if (only && !strstr(t->name, only))
			continue;
		pf_mem_reset(pf);
		t->run(pf);
		if (failed_checks != before || checks == count)
			failed++;
		printf("%s: %s (%u checks)\n", failed_checks != before || checks == count ?
		       "FAIL" : "ok", t->name, checks - count);
	}
	return failed;
}

int main(int argc, char **argv)
{
	const char *only = argc > 3 ? argv[3] : NULL;
	unsigned int failed;
	struct pf pf;
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: model-test BDF /dev/vfio/GROUP [PART OF A TEST'S NAME [SEED]]\n");
		return 2;
	}
	if (argc > 4)
		test_seed = strtoull(argv[4], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = pf_open(&pf, argv[1], argv[2]);
	if (r < 0) {
		fprintf(stderr, "model-test: cannot open %s: %s\n", argv[1], strerror(-r));
		return 1;
	}

	printf("%s version 0x%x, %u queues, GENCAP 0x%llx\n", pf.iaa ? "IAA" : "DSA", pf.version,
	       pf.nwqs, (unsigned long long)pf.gencap);
	failed = run_all(&pf, reg_tests, only);
	failed += run_all(&pf, cmd_tests, only);
	failed += run_all(&pf, desc_tests, only);
	failed += run_all(&pf, event_tests, only);
	if (!pf.iaa) {
		failed += run_all(&pf, op_tests, only);
		failed += run_all(&pf, dif_tests, only);
		failed += run_all(&pf, flow_tests, only);
	} else {
		failed += run_all(&pf, iaa_tests, only);
		failed += run_all(&pf, iaa_filter_tests, only);
	}
	failed += run_all(&pf, fuzz_tests, only);
	printf("model-test: %u checks, %u wrong, %u tests failed\n", checks, failed_checks, failed);
	return failed || !checks;
}
