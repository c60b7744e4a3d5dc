/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dies at every point of every operation: before and after each call into the backend and into the
 * file system, and in the middle of each write. Then starts again on what is left and asks for the state before or the
 * state after, and for nothing left over. The hardware is memory shared with the process that dies.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/op.h"
#include "tests/unit/daemon-test.h"
#include "tests/unit/fs-points.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "22222222-2222-4222-8222-222222222222"
#define UUID_C "33333333-3333-4333-8333-333333333333"
#define DSA_TYPE "idxd-dsa-1dwq-v1"
#define IAX_TYPE "idxd-iax-1dwq-v1"
#define STATE_MAX 16384
#define RECOVERY_STRIDE 17	/* every n-th point of the recovery dies as well */

enum { DIED = 42, NO_POINT_LEFT = 0, REFUSED = 1 };

static const char busy_dsa[] =
	"{ \"accelerators\": [ { \"kind\": \"dsa\", \"enabled\": true, \"wqs\": 6,"
	"  \"engine-groups\": [ 0, 0, 1, -1 ], \"queues\": ["
	"  { \"id\": 0, \"size\": 16, \"group\": 0, \"mode\": \"dedicated\", \"type\": \"kernel\","
	"    \"name\": \"dma\", \"driver-name\": \"dmaengine\", \"driver\": \"dmaengine\","
	"    \"priority\": 10, \"clients\": 2 },"
	"  { \"id\": 1, \"size\": 16, \"group\": 1 }, { \"id\": 2, \"size\": 16, \"group\": 0 },"
	"  { \"id\": 3, \"size\": 16, \"group\": 1, \"type\": \"user\", \"name\": \"mine\" },"
	"  { \"id\": 4, \"size\": 16, \"group\": 0 } ] } ] }";
static const char off_iax[] =
	"{ \"accelerators\": [ { \"kind\": \"iax\", \"wqs\": 4, \"enabled\": false, \"queues\": ["
	"  { \"id\": 0, \"size\": 128, \"group\": 0, \"mode\": \"dedicated\", \"priority\": 10,"
	"    \"type\": \"kernel\", \"name\": \"iaa_crypto\", \"driver-name\": \"crypto\" } ] } ] }";
static const char one_iax[] = "{ \"accelerators\": [ { \"kind\": \"iax\", \"wqs\": 4 } ] }";
static const char two_small[] =
	"{ \"accelerators\": [ { \"wqs\": 2, \"engines\": 1 }, { \"wqs\": 2, \"engines\": 1 } ] }";
static const char unsafe_dsa[] =
	"{ \"allow-unsafe\": true, \"accelerators\": [ { \"device\": \"0b25\", \"wqs\": 4 } ] }";
static const char two_free[] = "{ \"accelerators\": [ {}, {} ] }";

typedef void (*action)(struct manager *m, struct answer *ans);

static void adopt(struct manager *m, struct answer *ans)
{
	manager_adopt(m, manager_accel(m, 0)->name, NULL, answer_done, ans);
}

static void adopt_no_pool(struct manager *m, struct answer *ans)
{
	struct adopt_options o = { .set = ADOPT_POOL_MIN | ADOPT_HOST_WQS, .host_wqs = 1 };

	manager_adopt(m, "dsa0", &o, answer_done, ans);
}

static void adopt_both(struct manager *m, struct answer *ans)
{
	manager_adopt(m, "dsa0", NULL, answer_done, ans);
	manager_adopt(m, "dsa1", NULL, answer_done, ans);
}

static void create(struct manager *m, struct answer *ans, const char *uuid, const char *wq)
{
	const char *type = manager_accel(m, 0)->kind == ACCEL_DSA ? DSA_TYPE : IAX_TYPE;
	struct create_request req = { .type = type, .uuid = uuid, .wq = wq };

	manager_create_mdev(m, &req, answer_done, ans);
}

static void create_a(struct manager *m, struct answer *ans)
{
	create(m, ans, UUID_A, NULL);
}

static void create_b_pinned(struct manager *m, struct answer *ans)
{
	create(m, ans, UUID_B, "wq0.4");
}

static void create_ab(struct manager *m, struct answer *ans)
{
	create(m, ans, UUID_A, NULL);
	create(m, ans, UUID_B, NULL);
}

static void create_c(struct manager *m, struct answer *ans)
{
	create(m, ans, UUID_C, NULL);
}

static void share(struct manager *m, struct answer *ans, const char *uuid)
{
	const char *type = mdev_type_shared(manager_accel(m, 0)->kind)->id;
	struct create_request req = { .type = type, .uuid = uuid };

	manager_create_mdev(m, &req, answer_done, ans);
}

static void share_a(struct manager *m, struct answer *ans)
{
	share(m, ans, UUID_A);
}

static void share_b(struct manager *m, struct answer *ans)
{
	share(m, ans, UUID_B);
}

/* The queue of the pool has to be another one for that. */
static void create_limited(struct manager *m, struct answer *ans)
{
	struct create_request req = {
		.type = DSA_TYPE, .uuid = UUID_A, .flags = CREATE_PLACE, .numa_node = -1,
		.wq = "wq0.0", .priority = 3, .max_transfer = 1 << 16, .max_batch = 8,
	};

	manager_create_mdev(m, &req, answer_done, ans);
}

static void lease_a(struct manager *m, struct answer *ans)
{
	struct create_request req = { .type = DSA_TYPE, .uuid = UUID_A, .lease = "bus/:1.7" };

	manager_create_mdev(m, &req, answer_done, ans);
}

static void destroy_a(struct manager *m, struct answer *ans)
{
	manager_destroy_mdev(m, UUID_A, false, answer_done, ans);
}

static void destroy_a_by_force(struct manager *m, struct answer *ans)
{
	manager_destroy_by_force(m, UUID_A, false, answer_done, ans);
}

/* A VMM has it. */
static void open_a(struct manager *m, struct answer *ans)
{
	if (backend_fake_open_mdev(m->executor.backend, UUID_A, 4711, "qemu") < 0)
		exit(99);
	manager_refresh(m, answer_done, ans);
}

static void trust(struct manager *m, struct answer *ans)
{
	manager_trust(m, manager_accel(m, 0)->name, true, false, answer_done, ans);
}

static void release(struct manager *m, struct answer *ans)
{
	manager_release(m, manager_accel(m, 0)->name, false, answer_done, ans);
}

static void define_a(struct manager *m, struct answer *ans)
{
	char *labels[] = { "vm=one", NULL };
	struct define_request req = {
		.set = DEFINE_LABELS, .type = DSA_TYPE, .uuid = UUID_A, .parent = "dsa0",
		.labels = labels,
	};

	manager_define(m, &req, answer_done, ans);
}

static void define_auto_b(struct manager *m, struct answer *ans)
{
	struct define_request req = {
		.set = DEFINE_AUTOSTART | DEFINE_WQ, .type = DSA_TYPE, .uuid = UUID_B,
		.parent = "dsa0", .wq = "wq0.4", .autostart = true,
	};

	manager_define(m, &req, answer_done, ans);
}

/* Two of them, which are started by one operation. */
static void define_auto_bc(struct manager *m, struct answer *ans)
{
	struct define_request req = {
		.set = DEFINE_AUTOSTART, .type = DSA_TYPE, .uuid = UUID_C, .parent = "dsa0",
		.autostart = true,
	};

	define_auto_b(m, ans);
	manager_define(m, &req, answer_done, ans);
}

static void modify_a(struct manager *m, struct answer *ans)
{
	char *labels[] = { "vm=two", NULL };
	struct define_request req = {
		.set = DEFINE_LABELS | DEFINE_WQ | DEFINE_AUTOSTART, .uuid = UUID_A,
		.wq = "wq0.3", .labels = labels, .autostart = true,
	};

	manager_modify(m, &req, answer_done, ans);
}

static void undefine_a(struct manager *m, struct answer *ans)
{
	manager_undefine(m, UUID_A, false, answer_done, ans);
}

static void start_a(struct manager *m, struct answer *ans)
{
	manager_start_mdev(m, UUID_A, false, answer_done, ans);
}

/* From one mdev on dsa0 to one on each of two. */
static void apply_document(struct manager *m, struct answer *ans)
{
	static const char document[] =
		"{ \"version\": 1, \"accelerators\": ["
		"  { \"device\": \"0000:6a:01.0\", \"host-wqs\": 0, \"pool-min\": 0 },"
		"  { \"device\": \"0000:6b:01.0\", \"host-wqs\": 0, \"pool-min\": 1 } ], \"mdevs\": ["
		"  { \"uuid\": \"" UUID_B "\", \"parent\": \"0000:6b:01.0\", \"type\": \"" DSA_TYPE "\","
		"    \"defined\": true, \"running\": true, \"on\": \"wq1.1\" },"
		"  { \"uuid\": \"" UUID_C "\", \"parent\": \"0000:6a:01.0\", \"type\": \"" DSA_TYPE "\","
		"    \"running\": true, \"on\": \"wq0.0\" } ] }";

	manager_apply(m, document, false, answer_done, ans);
}

static const struct scenario {
	const char *name, *topology;
	action setup[3];
	action op;
} scenarios[] = {
	{ "adopt lays a DSA out", NULL, { 0 }, adopt },
	{ "adopt a DSA that the host uses", busy_dsa, { 0 }, adopt },
	{ "adopt an IAA with idxd's defaults", one_iax, { 0 }, adopt },
	{ "adopt an IAA with them, but off", off_iax, { 0 }, adopt },
	{ "adopt one of two", two_free, { 0 }, adopt },
	{ "create from the pool", NULL, { adopt }, create_a },
	{ "create without a pool", NULL, { adopt_no_pool }, create_a },
	{ "create the second, pinned", NULL, { adopt, create_a }, create_b_pinned },
	{ "create on the roomier of two", two_free, { adopt_both, create_ab }, create_c },
	{ "create with limits, from the pool", NULL, { adopt }, create_limited },
	{ "destroy what has limits", NULL, { adopt, create_limited }, destroy_a },
	{ "create with a lease", NULL, { adopt_no_pool }, lease_a },
	{ "destroy what is leased", NULL, { adopt_no_pool, lease_a }, destroy_a },
	{ "create beside the host", busy_dsa, { adopt }, create_a },
	{ "create on an IAA", one_iax, { adopt }, create_a },
	{ "share a queue of the pool", NULL, { adopt }, share_a },
	{ "share a fresh queue", NULL, { adopt_no_pool }, share_a },
	{ "share a queue beside the host", busy_dsa, { adopt }, share_a },
	{ "share a queue under the erratum", unsafe_dsa, { adopt }, share_a },
	{ "share a queue of an IAA", one_iax, { adopt }, share_a },
	{ "one more on a shared queue", NULL, { adopt, share_a }, share_b },
	{ "destroy one of two that share", NULL, { adopt, share_b, share_a }, destroy_a },
	{ "destroy the last that shared", NULL, { adopt_no_pool, share_a }, destroy_a },
	{ "destroy the last, beside the host", busy_dsa, { adopt, share_a }, destroy_a },
	{ "destroy, the pool shrinks", NULL, { adopt, create_a }, destroy_a },
	{ "destroy, there is no pool", NULL, { adopt_no_pool, create_a }, destroy_a },
	{ "destroy one of two", NULL, { adopt, create_ab }, destroy_a },
	{ "destroy by force what is open", NULL, { adopt, create_a, open_a }, destroy_a_by_force },
	{ "release a DSA that we laid out", NULL, { adopt }, release },
	{ "release a DSA that the host uses", busy_dsa, { adopt }, release },
	{ "release an IAA", one_iax, { adopt }, release },
	{ "release an IAA that was off", off_iax, { adopt }, release },
	{ "trust a DSA under the erratum", unsafe_dsa, { adopt }, trust },
	{ "define", NULL, { adopt }, define_a },
	{ "modify both files", NULL, { adopt, define_a }, modify_a },
	{ "undefine", NULL, { adopt, define_a }, undefine_a },
	{ "start", NULL, { adopt, define_a }, start_a },
	{ "stop", NULL, { adopt, define_a, start_a }, destroy_a },
	{ "apply a document", two_small, { adopt_no_pool, define_a, start_a }, apply_document },
	{ "adopt, and start what is to run", NULL, { define_auto_b }, adopt },
	{ "adopt, and start all that is to run", NULL, { define_auto_bc }, adopt },
};

/* --- points ---------------------------------------------------------------------------------- */

/* Of this process: how many points were passed, and what happens at which. */
static long passed, die_at, fail_at;

static int point(bool may_fail)
{
	passed++;
	if (passed == die_at)
		_exit(DIED);
	return passed == fail_at && may_fail ? -EIO : 0;
}

static int backend_point(void *userdata, const char *call, bool after)
{
	return point(!after);
}

static int fs_point(void *userdata, const char *call, enum fs_moment moment)
{
	/* Who is to die in the middle of a write has to be let do half of it first. */
	if (moment == FS_HALF && passed + 1 == die_at)
		return -EIO;
	return point(moment < FS_HALF_DONE);
}

static void arm(struct backend *b, long die, long fail)
{
	passed = 0;
	die_at = die;
	fail_at = fail;
	fs_points_set(die || fail ? fs_point : NULL, NULL);
	backend_fake_set_hook(b, die || fail ? backend_point : NULL, NULL);
}

/* --- one machine, several lives of the daemon ------------------------------------------------ */

static char state_dir[4096], hw_file[4096], topology_file[4096];

static void new_machine(const struct scenario *s)
{
	test_remove_tree(state_dir);
	unlink(hw_file);
	if (s->topology)
		test_write_file(topology_file, s->topology);
}

static struct manager *boot(const struct scenario *s, struct backend **ret_backend)
{
	struct manager_config config = { .state_dir = state_dir };
	struct manager *m;

	if (backend_fake_new(&config.backend, s->topology ? topology_file : NULL, hw_file) < 0 ||
	    manager_new(&m, &config) < 0) {
		fprintf(stderr, "no manager\n");
		exit(99);
	}
	*ret_backend = config.backend;
	return m;
}

static void start(struct manager *m)
{
	struct answer ans = { 0 };

	manager_start(m, answer_done, &ans);
	CHECK(ans.calls == 1 && ans.r == 0, "start: %d %s", ans.r, ans.refusal.reason);
}

/* Starts, and says what there is. Nothing may be left in the journal, and no half-written file. */
static void look(const struct scenario *s, const char *when, char state[STATE_MAX])
{
	struct backend *b;
	struct manager *m = boot(s, &b);

	start(m);
	test_describe(m, state, STATE_MAX);
	CHECK(manager_is_idle(m), "%s, %s: not idle", s->name, when);
	manager_free(m);
	CHECK(test_count_files(state_dir, ".tmp") == 0, "%s, %s: temp files", s->name, when);
	strcat(state_dir, "/journal");
	CHECK(test_count_files(state_dir, "") == 0, "%s, %s: journal", s->name, when);
	*strrchr(state_dir, '/') = '\0';
}

static int set_up(const struct scenario *s, struct manager **ret, struct backend **ret_backend)
{
	struct answer ans = { 0 };
	struct manager *m;

	new_machine(s);
	m = boot(s, ret_backend);
	start(m);
	for (int i = 0; i < 3 && s->setup[i]; i++) {
		s->setup[i](m, &ans);
		if (ans.r < 0) {
			fprintf(stderr, "%s: setup: %s\n", s->name, ans.refusal.reason);
			exit(99);
		}
	}
	*ret = m;
	return 0;
}

/* Runs the operation in a process that may die in it; the points it has go to *ret_points. */
static int live(const struct scenario *s, long die, long fail)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct answer ans = { 0 };
		struct manager *m;
		struct backend *b;

		set_up(s, &m, &b);
		arm(b, die, fail);
		s->op(m, &ans);
		if (fail && passed < fail)
			_exit(NO_POINT_LEFT + 100);
		if (die && passed < die)
			_exit(NO_POINT_LEFT + 100);
		_exit(ans.calls != 1 ? 98 : ans.r < 0 ? REFUSED : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* A start that dies at its n-th point; yields DIED, or 0 if it has fewer. */
static int die_in_start(const struct scenario *s, long die)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct answer ans = { 0 };
		struct backend *b;
		struct manager *m = boot(s, &b);

		arm(b, die, 0);
		manager_start(m, answer_done, &ans);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* --- the sweeps ------------------------------------------------------------------------------ */

static bool one_of(const struct scenario *s, const char *how, long n, const char *got,
		   const char *before, const char *after)
{
	if (CHECK(!strcmp(got, before) || !strcmp(got, after), "%s: a third state, %s %ld",
		  s->name, how, n))
		return true;
	printf("--- before\n%s--- after\n%s--- got\n%s", before, after, got);
	return false;
}

static void references(const struct scenario *s, char *before, char *after)
{
	struct answer ans = { 0 };
	struct manager *m;
	struct backend *b;

	set_up(s, &m, &b);
	manager_free(m);
	look(s, "before", before);

	set_up(s, &m, &b);
	s->op(m, &ans);
	CHECK(ans.calls == 1 && ans.r == 0, "%s: %d %s", s->name, ans.r, ans.refusal.reason);
	manager_free(m);
	look(s, "after", after);
	CHECK(strcmp(before, after), "%s: the operation changes something", s->name);
}

struct totals {
	long deaths, double_deaths, errors, to_before, to_after;
};

static void sweep_deaths(const struct scenario *s, const char *before, const char *after,
			 struct totals *t)
{
	char got[STATE_MAX];
	long n;
	int r;

	for (n = 1; (r = live(s, n, 0)) == DIED; n++) {
		look(s, "dead", got);
		if (!one_of(s, "died at", n, got, before, after))
			return;
		t->to_before += !strcmp(got, before);
		t->to_after += !strcmp(got, after);
		t->deaths++;
	}
	CHECK(r == 100, "%s: sweep ended with %d at %ld", s->name, r, n);
	CHECK(n > 10, "%s: only %ld points", s->name, n - 1);
}

static void sweep_double_deaths(const struct scenario *s, const char *before, const char *after,
				struct totals *t)
{
	char got[STATE_MAX];

	for (long n = 1 + t->deaths % RECOVERY_STRIDE; ; n += RECOVERY_STRIDE) {
		long k = 1 + n % RECOVERY_STRIDE;

		if (live(s, n, 0) != DIED)
			return;
		/* Every one of these starts dies a little later than the one before. */
		while (die_in_start(s, k) == DIED) {
			k += 2 * RECOVERY_STRIDE;
			t->double_deaths++;
		}
		look(s, "dead twice", got);
		if (!one_of(s, "died again after", n, got, before, after))
			return;
	}
}

static void sweep_errors(const struct scenario *s, const char *before, const char *after,
			 struct totals *t)
{
	char got[STATE_MAX];

	for (long n = 1; ; n++) {
		int r = live(s, 0, n);

		if (r == 100)
			return;
		look(s, "failed", got);
		CHECK(r == 0 || r == REFUSED, "%s: error at %ld gives %d", s->name, n, r);
		if (!one_of(s, "error at", n, got, before, after))
			return;
		CHECK(r != REFUSED || !strcmp(got, before), "%s: refused but done, error at %ld",
		      s->name, n);
		CHECK(r != 0 || !strcmp(got, after), "%s: done but not there, error at %ld",
		      s->name, n);
		t->errors++;
	}
}

int main(void)
{
	char before[STATE_MAX], after[STATE_MAX];
	struct totals sum = { 0 };

	log_set_max_level(LOG_CRIT);
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir());
	snprintf(hw_file, sizeof(hw_file), "%s/hw", test_dir());
	snprintf(topology_file, sizeof(topology_file), "%s/topology", test_dir());

	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		const struct scenario *s = &scenarios[i];
		struct totals t = { 0 };

		references(s, before, after);
		sweep_deaths(s, before, after, &t);
		sweep_double_deaths(s, before, after, &t);
		sweep_errors(s, before, after, &t);
		printf("%s: %ld deaths (%ld ended before, %ld after), %ld deaths in recovery, %ld errors\n",
		       s->name, t.deaths, t.to_before, t.to_after, t.double_deaths, t.errors);
		CHECK(t.to_before && t.to_after, "%s: both ends are reached", s->name);
		sum.deaths += t.deaths;
		sum.double_deaths += t.double_deaths;
		sum.errors += t.errors;
	}
	printf("%ld points to die at, %ld deaths in recovery, %ld injected errors, 0 orphans unless a check failed\n",
	       sum.deaths, sum.double_deaths, sum.errors);
	return test_report("daemon-crash");
}
