/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of accel-config: what they become, what is refused, and what broken ones do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/accfgdoc.h"
#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/hostdoc.h"
#include "idxdvd/op.h"
#include "tests/unit/daemon-test.h"

#define TYPE "idxd-dsa-1dwq-v1"
#define BDF "0000:6a:01.0"

static const char topology[] =
	"{ \"accelerators\": [ { \"kind\": \"dsa\", \"address\": \"0000:6a:01.0\", \"wqs\": 4,"
	"  \"engines\": 2, \"groups\": 2, \"size\": 64 },"
	"  { \"kind\": \"dsa\", \"address\": \"0000:6f:01.0\", \"wqs\": 4 } ] }";

static char state_dir[4200];
static struct manager *m;

/* dsa0 is adopted: queues of 16, wq0.0 and wq0.2 in group 0, the others in group 1. dsa1 is not. */
static void begin(unsigned int n_mdevs)
{
	struct adopt_options opts = { .set = ADOPT_HOST_WQS | ADOPT_POOL_MIN, .host_wqs = 1,
				      .pool_min = 1 };
	struct create_request req = { .type = TYPE };
	struct answer ans = { 0 };

	m = test_manager_new(state_dir, topology, NULL);
	manager_start(m, answer_done, &ans);
	manager_adopt(m, "dsa0", &opts, answer_done, &ans);
	CHECK(ans.r == 0, "adopt: %s", ans.refusal.reason);
	while (n_mdevs--) {
		manager_create_mdev(m, &req, answer_done, &ans);
		CHECK(ans.r == 0, "create: %s", ans.refusal.reason);
	}
}

#define WQ(n, group, type, driver, more) \
	"{ \"dev\": \"wq0." #n "\", \"mode\": \"dedicated\", \"size\": 16, \"group_id\": " #group "," \
	" \"priority\": 10, \"block_on_fault\": 0, \"max_batch_size\": 32," \
	" \"max_transfer_size\": 2097152, \"type\": \"" type "\", \"driver_name\": \"" driver "\"," \
	" \"name\": \"a\", \"threshold\": 0 " more "}"
#define ENGINE(n, group) "{ \"dev\": \"engine0." #n "\", \"group_id\": " #group " }"
#define GROUP(n, wqs, engines) \
	"{ \"dev\": \"group0." #n "\", \"read_buffers_reserved\": 0, \"use_read_buffer_limit\": 0," \
	" \"traffic_class_a\": 0, \"grouped_workqueues\": [ " wqs " ]," \
	" \"grouped_engines\": [ " engines " ] }"
#define DEVICE(name, groups) \
	"{ \"dev\": \"" name "\", \"read_buffer_limit\": 0, \"groups\": [ " groups " ] }"
#define ONE(wqs) "[ " DEVICE("dsa0", GROUP(0, wqs, ENGINE(0, 0))) " ]"
#define TWO(wqs0, wqs1) \
	"[ " DEVICE("dsa0", GROUP(0, wqs0, ENGINE(0, 0)) ", " GROUP(1, wqs1, ENGINE(1, 1))) " ]"
#define M(n, group) WQ(n, group, "user", "mdev", "")
#define U(n, group) WQ(n, group, "user", "user", "")
#define K(n, group) WQ(n, group, "kernel", "dmaengine", "")

static const struct {
	const char *name;
	unsigned int n_mdevs;
	const char *text;
	unsigned int host_wqs, pool_min;
} good[] = {
	{ "as it is", 0, TWO(M(0, 0), U(3, 1)), 1, 1 },
	{ "as it is, with an mdev", 1, TWO(M(0, 0), M(1, 1) ", " K(3, 1)), 1, 1 },
	{ "nothing of devices", 0, "[]", 1, 1 },
	{ "all for mdevs", 0, TWO(M(0, 0) ", " M(2, 0), M(1, 1) ", " M(3, 1)), 0, 4 },
	{ "all for the host", 0, TWO(U(0, 0) ", " K(2, 0), K(1, 1) ", " U(3, 1)), 4, 0 },
	{ "the last queue has an mdev", 1, ONE(M(0, 0)), 0, 0 },
	{ "an old type", 0, ONE(WQ(0, 0, "mdev", "", "")), 0, 1 },
	{ "of no type", 0, ONE(WQ(0, 0, "none", "", "") ", " M(2, 0)), 0, 1 },
	{ "a comma too many", 0, ONE(M(0, 0) ","), 0, 1 },
	{ "not in a group", 0, "\n [ { \"dev\": \"dsa0\", \"ungrouped_workqueues\": [ { \"dev\": \"wq0.1\" } ],"
	  " \"ungrouped_engines\": [] } ]", 0, 0 },
	{ "another device", 0, "[ " DEVICE("dsa1", "{ \"grouped_workqueues\": 7 }") " ]", 1, 1 },
};

static const struct {
	const char *name;
	unsigned int n_mdevs;
	const char *text;
	enum refusal_kind kind;
	const char *object, *says;
} bad[] = {
	{ "no JSON", 0, "[", REFUSE_INVALID_ARGS, "file", "array" },
	{ "two", 0, "[] []", REFUSE_INVALID_ARGS, "file", "array" },
	{ "of numbers", 0, "[ 1 ]", REFUSE_INVALID_ARGS, "file", "no dev" },
	{ "without a name", 0, "[ {} ]", REFUSE_INVALID_ARGS, "file", "no dev" },
	{ "a device twice", 0, "[ { \"dev\": \"dsa0\" }, { \"dev\": \"dsa0\" } ]", REFUSE_INVALID_ARGS,
	  "file", "twice" },
	{ "a queue twice", 0, ONE(M(0, 0) ", " M(0, 0)), REFUSE_INVALID_ARGS, "wq0.0", "twice" },
	{ "no such device", 0, "[ " DEVICE("dsa9", "") " ]", REFUSE_NO_SUCH_DEVICE, "dsa9", "no such" },
	{ "no such queue", 0, ONE(M(7, 0)), REFUSE_NO_SUCH_WQ, "wq0.7", "dsa0" },
	{ "no such engine", 0, "[ " DEVICE("dsa0", GROUP(0, "", ENGINE(5, 0))) " ]",
	  REFUSE_INVALID_ARGS, "engine0.5", "no such engine" },
	{ "no list", 0, "[ { \"dev\": \"dsa0\", \"groups\": {} } ]", REFUSE_INVALID_ARGS, "groups",
	  "no array" },
	{ "an unknown type", 0, ONE(WQ(0, 0, "guest", "x", "")), REFUSE_INVALID_ARGS, "wq0.0",
	  "neither" },
	{ "a type that is none", 0, ONE("{ \"dev\": \"wq0.0\", \"type\": 7 }"), REFUSE_INVALID_ARGS,
	  "wq0.0", "no short text" },
	{ "a size that is none", 0, ONE(WQ(0, 0, "user", "mdev", ", \"size\": \"16\"")),
	  REFUSE_INVALID_ARGS, "wq0.0", "no number" },
	{ "another size", 0, ONE(WQ(0, 0, "user", "mdev", ", \"size\": 32")), REFUSE_NOT_SUPPORTED,
	  "wq0.0", "size 32, and it is 16" },
	{ "another group", 0, ONE(U(1, 0)), REFUSE_NOT_SUPPORTED, "wq0.1", "group_id 0, and it is 1" },
	{ "another group of an engine", 0, "[ " DEVICE("dsa0", GROUP(0, "", ENGINE(1, 0))) " ]",
	  REFUSE_NOT_SUPPORTED, "engine0.1", "group_id 0, and it is 1" },
	{ "a shared one for mdevs", 0, ONE(WQ(0, 0, "user", "mdev", ", \"mode\": \"shared\"")),
	  REFUSE_NOT_SUPPORTED, "wq0.0", "shared" },
	{ "an mdev's for the host", 1, TWO(U(0, 0), M(1, 1)), REFUSE_IN_USE, "wq0.0", "for the host" },
	{ "too few", 2, ONE(M(0, 0)), REFUSE_IN_USE, "dsa0", "1 queues for 2 mdevs" },
	{ "not adopted", 0, "[ " DEVICE("dsa1", GROUP(0, "{ \"driver_name\": \"mdev\" }", "")) " ]",
	  REFUSE_NOT_ADOPTED, "dsa1", "not adopted" },
};

static void test_good(void)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(hostdoc_freep) struct hostdoc *doc = NULL;
		_cleanup_(freep) char *text = NULL;
		struct refusal why = { 0 };

		begin(good[i].n_mdevs);
		CHECK(accfgdoc_is(good[i].text), "%s: its shape", good[i].name);
		if (CHECK(accfgdoc_convert(&m->ledger, good[i].text, &text, &why) == 0, "%s: %s",
			  good[i].name, why.reason) &&
		    CHECK(hostdoc_parse(&doc, text, &why) == 0, "%s: %s", good[i].name, why.reason)) {
			CHECK(doc->n_accels == 1 && !strcmp(doc->accels[0].bdf, BDF) &&
			      doc->accels[0].host_wqs == good[i].host_wqs &&
			      doc->accels[0].pool_min == good[i].pool_min, "%s: %s", good[i].name, text);
			CHECK(doc->n_mdevs == good[i].n_mdevs, "%s: mdevs stay", good[i].name);
		}
		m = manager_free(m);
	}
	CHECK(!accfgdoc_is("") && !accfgdoc_is(" {}") && !accfgdoc_is("x["), "another shape");
}

/* By the same way as a client's: refused as a whole, and nothing is changed. */
static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(freep) char *before = NULL, *after = NULL;
		struct answer ans = { 0 };

		begin(bad[i].n_mdevs);
		CHECK(manager_export(m, &before) == 0, "export");
		manager_apply(m, bad[i].text, false, answer_done, &ans);
		CHECK(ans.r < 0 && ans.refusal.kind == bad[i].kind &&
		      !strcmp(ans.refusal.object, bad[i].object) &&
		      strstr(ans.refusal.reason, bad[i].says) && ans.refusal.remedy[0],
		      "%s: %s: %s: %s", bad[i].name, refusal_kind_name(ans.refusal.kind),
		      ans.refusal.object, ans.refusal.reason);
		CHECK(manager_export(m, &after) == 0, "export");
		CHECK_STR(after, before, bad[i].name);
		m = manager_free(m);
	}
}

static void test_apply(void)
{
	struct answer ans = { 0 };
	const struct accel *a;

	begin(1);
	manager_apply(m, good[1].text, false, answer_done, &ans);
	CHECK(ans.r == 0 && !ans.plan[0], "it is so already: %s%s", ans.plan, ans.refusal.reason);
	manager_apply(m, TWO(M(0, 0) ", " M(2, 0), M(1, 1)), true, answer_done, &ans);
	CHECK(ans.r == 0 && strstr(ans.plan, "host-wqs 0 and pool-min 2"), "dry: %s", ans.plan);
	manager_apply(m, TWO(M(0, 0) ", " M(2, 0), M(1, 1)), false, answer_done, &ans);
	a = manager_accel(m, 0);
	CHECK(ans.r == 0 && a->host_wqs == 0 && a->pool_min == 2 && a->n_pool == 2 &&
	      a->n_mdevs == 1, "%u in the pool, %u mdevs: %s", a->n_pool, a->n_mdevs,
	      ans.refusal.reason);
	CHECK(!manager_accel(m, 1)->adopted, "the other one is left alone");
	m = manager_free(m);
}

/* Cut anywhere, and with each byte replaced: a document that can be used, or a refusal that says why. */
static void test_broken(void)
{
	static const char bytes[] = "\"[]{},:0x\\\x80";
	size_t n = strlen(good[1].text), used = 0;
	char *text = malloc(n + 1);
	struct refusal why;

	if (!text)
		exit(99);
	begin(1);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(bytes); k++) {
			_cleanup_(hostdoc_freep) struct hostdoc *doc = NULL;
			_cleanup_(freep) char *out = NULL;
			int r;

			strcpy(text, good[1].text);
			text[i] = bytes[k];
			memset(&why, 0, sizeof(why));
			r = accfgdoc_convert(&m->ledger, text, &out, &why);
			CHECK(r == 0 || (why.kind != REFUSE_NONE && why.reason[0] && why.remedy[0]),
			      "%s: %d", text, r);
			used += r == 0;
			CHECK(r < 0 || (hostdoc_parse(&doc, out, &why) == 0 && doc->n_mdevs == 1),
			      "%s: %s", text, why.reason);
		}
	printf("%zu broken files, %zu of them of use all the same\n", n * sizeof(bytes), used);
	m = manager_free(m);
	free(text);
}

int main(void)
{
	log_set_max_level(LOG_CRIT);
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir());

	test_good();
	test_bad();
	test_apply();
	test_broken();
	return test_report("daemon-accfgdoc");
}
