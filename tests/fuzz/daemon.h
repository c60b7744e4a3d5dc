/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_DAEMON_H
#define FUZZ_DAEMON_H

/* What the fuzzers of the daemon share: each is given bytes that somebody outside could send. */

#include <stddef.h>
#include <stdint.h>

#include "idxdvd/manager.h"

#define MUST(cond) do { if (!(cond)) fuzz_die(__FILE__, __LINE__, #cond); } while (0)
__attribute__((noreturn)) void fuzz_die(const char *file, int line, const char *what);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a string, up to the first NUL; *ret_rest is what comes behind that, NULL: nothing. */
char *fuzz_text(const uint8_t *data, size_t size, char **ret_rest);

/*
 * A simulated host that has just booted: dsa0 is adopted, with an mdev that is defined and one that
 * is not; dsa1 and iax2 are not. Everything answers before it returns.
 */
#define MACHINE_DEFINED	"11111111-1111-4111-8111-111111111111"
#define MACHINE_RUNNING	"22222222-2222-4222-8222-222222222222"

/* The observer may look at *ret. */
void machine_new(struct manager **ret, struct manager_observer observer);
struct manager *machine_free(struct manager *m);

/* What an operation answered. */
struct outcome {
	int calls, r;
	char plan[8192];
	struct refusal refusal;
};

void outcome_done(void *userdata, int r, const struct manager_result *res);
/* A refusal has to say what, why, and what helps. */
void must_be_whole(const struct refusal *r);

#endif
