/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_DAEMON_TEST_H
#define TESTS_UNIT_DAEMON_TEST_H

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/manager.h"

/* Counts; prints what failed. test_report() prints the sum and yields the exit status. */
bool test_check(bool ok, const char *file, int line, const char *fmt, ...) _printf_(4, 5);
int test_report(const char *what);

#define CHECK(cond, ...) test_check((cond), __FILE__, __LINE__, __VA_ARGS__)
#define CHECK_STR(got, want, name) \
	CHECK(!strcmp((got), (want)), "%s: \"%s\", wanted \"%s\"", (name), (got), (want))

/* A new directory below $TMPDIR or in memory, removed at exit with all that is in it. */
const char *test_dir(void);
void test_remove_tree(const char *path);
/* Number of files below @path whose name holds @part. */
int test_count_files(const char *path, const char *part);
void test_write_file(const char *path, const char *text);

/* Keeps what a synchronous operation answered. */
struct answer {
	int calls, r;
	char uuid[UUID_LEN];
	char plan[8192];
	struct refusal refusal;
};

void answer_done(void *userdata, int r, const struct manager_result *res);

/*
 * A manager, not started, with empty state in @state_dir, on a simulated machine made of @topology
 * that nothing outlives. @ret_backend may be NULL; the manager owns what it yields.
 */
struct manager *test_manager_new(const char *state_dir, const char *topology,
				 struct backend **ret_backend);

/* A hook of the simulated kernel that counts its calls. */
extern unsigned long test_n_calls;
int test_count_call(void *userdata, const char *call, bool after);
/* Time of this process, in microseconds. */
double test_cpu_us(void);

/* Everything that must be one of two states after a crash: hardware, ownership, mdevs. */
void test_describe(const struct manager *m, char *buf, size_t size);

#endif
