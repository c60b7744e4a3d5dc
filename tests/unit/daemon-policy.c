/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy file: what it may say, and that what it says is kept. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/backend.h"
#include "idxdvd/capacity.h"
#include "idxdvd/common/log.h"
#include "idxdvd/place.h"
#include "idxdvd/policy.h"
#include "tests/unit/daemon-test.h"

#define TYPE "idxd-dsa-1dwq-v1"

/* --- the text -------------------------------------------------------------------------------- */

#define FULL \
	"{ \"version\": 1, \"exclusive-engines\": [ \"0000:6a:01.0\", \"0000:e7:01.0\" ]," \
	"  \"quota\": 4, \"quotas\": { \"1000\": 16, \"0\": 1000000, \"4294967295\": 0 } }"

static const char *const good[] = {
	"{}",
	"{ \"version\": 1 }",
	"{ \"exclusive-engines\": [] }",
	"{ \"quota\": 0, \"quotas\": {} }",
	FULL,
};

static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "one JSON object" },
	{ "[]", "one JSON object" },
	{ "{} {}", "one JSON object" },
	{ "{ \"version\": 2 }", "version" },
	{ "{ \"version\": \"1\" }", "version" },
	{ "{ \"version\": null }", "version" },
	{ "{ \"exclusive\": [] }", "no key \"exclusive\"" },
	{ "{ \"quota\": -1 }", "quota must" },
	{ "{ \"max-sharers\": \"all\" }", "max-sharers must" },
	{ "{ \"quota\": \"4\" }", "quota must" },
	{ "{ \"quota\": 1.5 }", "quota must" },
	{ "{ \"quota\": 1000001 }", "quota must" },
	{ "{ \"quotas\": [ 4 ] }", "object of numbers" },
	{ "{ \"quotas\": { \"alice\": 4 } }", "number of a user" },
	{ "{ \"quotas\": { \"007\": 4 } }", "number of a user" },
	{ "{ \"quotas\": { \"-1\": 4 } }", "number of a user" },
	{ "{ \"quotas\": { \"4294967296\": 4 } }", "number of a user" },
	{ "{ \"quotas\": { \"7\": null } }", "number of a user" },
	{ "{ \"exclusive-engines\": true }", "PCI addresses" },
	{ "{ \"exclusive-engines\": [ 1 ] }", "PCI addresses" },
	{ "{ \"exclusive-engines\": [ \"dsa0\" ] }", "PCI addresses" },
	{ "{ \"exclusive-engines\": [ \"0000:6a:01.0\", null ] }", "PCI addresses" },
};

static void test_text(void)
{
	char why[POLICY_WHY_LEN];
	struct policy *p = NULL;
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (CHECK(policy_parse(&p, good[i], why) == 0, "%s", good[i]))
			p = policy_free(p);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		CHECK(policy_parse(&p, refused[i].text, why) == -EBADMSG &&
		      strstr(why, refused[i].why), "%s: %s", refused[i].text, why);
	if (CHECK(policy_parse(&p, FULL, why) == 0, "two")) {
		CHECK(policy_is_exclusive(p, "0000:e7:01.0") && policy_is_exclusive(p, "0000:6a:01.0") &&
		      !policy_is_exclusive(p, "0000:6a:02.0"), "which");
		CHECK(policy_quota(p, 1000, &n) && n == 16, "his own: %u", n);
		CHECK(policy_quota(p, 1001, &n) && n == 4, "that of all: %u", n);
		CHECK(policy_quota(p, 0, &n) && n == 1000000, "root's: %u", n);
		CHECK(policy_quota(p, UINT32_MAX, &n) && n == 0, "the last one's: %u", n);
		p = policy_free(p);
	}
	CHECK(!policy_is_exclusive(NULL, "0000:6a:01.0") && !policy_quota(NULL, 1000, &n), "none");
	if (CHECK(policy_parse(&p, "{ \"quota\": 3 }", why) == 0, "of all")) {
		CHECK(policy_quota(p, 1, &n) && !policy_quota(p, 0, &n), "not of root");
		p = policy_free(p);
	}
}

/* Cut anywhere, and with each byte replaced: used as a whole or refused, never anything else. */
static void test_broken(void)
{
	static const char bytes[] = "\"[]{},:0\\\x80";
	char text[512], why[POLICY_WHY_LEN];
	struct policy *p = NULL;
	size_t n = strlen(FULL);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(bytes); k++) {
			int r;

			strcpy(text, FULL);
			text[i] = bytes[k];
			why[0] = '\0';
			r = policy_parse(&p, text, why);
			CHECK(r == 0 || (r == -EBADMSG && why[0]), "%s: %d", text, r);
			if (r == 0)
				p = policy_free(p);
		}
}

static void test_file(void)
{
	char path[4200], why[POLICY_WHY_LEN] = "";
	struct policy *p = NULL;

	snprintf(path, sizeof(path), "%s/policy.json", test_dir());
	if (CHECK(policy_read(&p, path, why) == 0 && !p->n_exclusive, "no file"))
		p = policy_free(p);
	test_write_file(path, FULL);
	if (CHECK(policy_read(&p, path, why) == 0 && p->n_exclusive == 2, "a file"))
		p = policy_free(p);
	test_write_file(path, "{");
	CHECK(policy_read(&p, path, why) == -EBADMSG && why[0], "a broken one");
	CHECK(policy_read(&p, test_dir(), why) == -EISDIR && why[0], "a directory");
}

/* --- exclusive engines ----------------------------------------------------------------------- */

static struct manager *m;

static char state_dir[4200], hardware[4200];

/* A daemon on what there is; the hardware outlives it. */
static void begin_again(const char *topology, const char *text, struct policy **policy)
{
	struct manager_config config = { .state_dir = state_dir };
	char path[4200], why[POLICY_WHY_LEN];
	struct answer ans = { 0 };

	if (policy_parse(policy, text, why) < 0)
		exit(99);
	snprintf(path, sizeof(path), "%s/topology", test_dir());
	test_write_file(path, topology);
	config.policy = *policy;
	if (backend_fake_new(&config.backend, path, hardware) < 0 || manager_new(&m, &config) < 0)
		exit(99);
	manager_start(m, answer_done, &ans);
	CHECK(ans.calls == 1 && ans.r == 0, "start");
}

static void begin(const char *topology, struct policy **policy)
{
	test_remove_tree(state_dir);
	remove(hardware);
	begin_again(topology, "{ \"exclusive-engines\": [ \"0000:6a:01.0\" ] }", policy);
}

static void end(struct policy **policy)
{
	m = manager_free(m);
	*policy = policy_free(*policy);
}

static void check_counts(const char *when, unsigned int free_now, unsigned int creatable,
			 unsigned int exclusive)
{
	const struct accel *a = manager_accel(m, 0);
	const struct mdev_type *type = mdev_type_find(TYPE);
	struct capacity c;

	capacity_count(a, type, &c);
	CHECK(c.free_now == free_now && c.creatable == creatable && c.exclusive == exclusive,
	      "%s: free %u, creatable %u, exclusive %u", when, c.free_now, c.creatable, c.exclusive);
	CHECK(c.free_now + c.creatable + c.exclusive + c.reserved + c.host + c.mdevs + c.foreign +
	      c.unusable == c.total, "%s: each queue is in one place", when);
	CHECK(c.free_now + c.creatable == manager_type_available(m, type, a),
	      "%s: what can be created agrees", when);
	for (unsigned int i = 0; i < a->n_wqs; i++)
		CHECK(a->wqs[i].cls != WQ_POOL || !place_group_user(a, a->wqs[i].group, NULL),
		      "%s: %s is in the pool", when, a->wqs[i].name);
}

/* 8 queues in 4 groups with an engine each: wq0.0 and wq0.4 share one, and so on. */
static void test_exclusive(void)
{
	static const char topology[] = "{ \"accelerators\": [ { \"kind\": \"dsa\", \"wqs\": 8 } ] }";
	struct adopt_options opts = { .set = ADOPT_HOST_WQS | ADOPT_POOL_MIN, .pool_min = 8 };
	struct create_request req = { .type = TYPE };
	struct answer ans = { 0 }, first = { 0 };
	struct policy *policy = NULL;
	struct refusal why;

	begin(topology, &policy);
	manager_adopt(m, "dsa0", &opts, answer_done, &ans);
	CHECK(ans.r == 0, "adopt: %s", ans.refusal.reason);
	check_counts("adopted", 4, 0, 4);

	manager_create_mdev(m, &req, answer_done, &first);
	CHECK(first.r == 0, "create: %s", first.refusal.reason);
	check_counts("one mdev", 3, 0, 4);
	capacity_explain(manager_accel(m, 0), manager_find_wq(m, "wq0.4", NULL), &why);
	CHECK(why.kind == REFUSE_ENGINES_TAKEN && strstr(why.reason, "group 0 work for wq0.0"),
	      "why: %s", why.reason);
	capacity_explain(manager_accel(m, 0), manager_find_wq(m, "wq0.5", NULL), &why);
	CHECK(why.kind == REFUSE_NONE, "a free group: %s", why.reason);

	/* By name: not where the engines are another's, but the other one of a free group. */
	req.wq = "wq0.4";
	manager_create_mdev(m, &req, answer_done, &ans);
	CHECK(ans.refusal.kind == REFUSE_ENGINES_TAKEN && strstr(ans.refusal.holder, "wq0.0"),
	      "by name: %s, %s", refusal_kind_name(ans.refusal.kind), ans.refusal.holder);
	req.wq = "wq0.5";
	manager_create_mdev(m, &req, answer_done, &ans);
	CHECK(ans.r == 0, "the other one: %s", ans.refusal.reason);
	check_counts("two mdevs", 2, 0, 4);

	req.wq = NULL;
	for (int i = 0; i < 2; i++) {
		manager_create_mdev(m, &req, answer_done, &ans);
		CHECK(ans.r == 0, "create: %s", ans.refusal.reason);
	}
	check_counts("four mdevs", 0, 0, 4);
	manager_create_mdev(m, &req, answer_done, &ans);
	CHECK(ans.refusal.kind == REFUSE_ENGINES_TAKEN && strstr(ans.refusal.holder, "wq0.4"),
	      "full: %s, %s", refusal_kind_name(ans.refusal.kind), ans.refusal.holder);
	req.flags = CREATE_PLACE;
	req.numa_node = -1;
	manager_create_mdev(m, &req, answer_done, &ans);
	CHECK(ans.refusal.kind == REFUSE_ENGINES_TAKEN, "full, placed: %s",
	      refusal_kind_name(ans.refusal.kind));

	manager_destroy_mdev(m, first.uuid, false, answer_done, &ans);
	CHECK(ans.r == 0, "destroy: %s", ans.refusal.reason);
	check_counts("three mdevs", 1, 0, 4);
	end(&policy);
}

/* The host's queues use engines too. */
static void test_host(void)
{
	static const char topology[] =
		"{ \"accelerators\": [ { \"enabled\": true, \"wqs\": 4, \"size\": 64,"
		"  \"engine-groups\": [ 0, 1 ], \"queues\": ["
		"  { \"id\": 0, \"size\": 16, \"group\": 0, \"mode\": \"dedicated\","
		"    \"type\": \"kernel\", \"name\": \"dma\", \"driver-name\": \"dmaengine\","
		"    \"driver\": \"dmaengine\", \"priority\": 10, \"clients\": 2 },"
		"  { \"id\": 1, \"size\": 16, \"group\": 0 },"
		"  { \"id\": 2, \"size\": 16, \"group\": 1 },"
		"  { \"id\": 3, \"size\": 16, \"group\": 1 } ] } ] }";
	struct adopt_options opts = { .set = ADOPT_HOST_WQS | ADOPT_POOL_MIN };
	struct create_request req = { .type = TYPE };
	struct policy *policy = NULL;
	struct answer ans = { 0 };

	begin(topology, &policy);
	manager_adopt(m, "dsa0", &opts, answer_done, &ans);
	CHECK(ans.r == 0, "adopt: %s", ans.refusal.reason);
	check_counts("beside the host", 0, 1, 2);
	manager_create_mdev(m, &req, answer_done, &ans);
	CHECK(ans.r == 0 && strstr(ans.plan, "exclusive-engines"), "create: %s", ans.plan);
	check_counts("full", 0, 0, 2);
	manager_create_mdev(m, &req, answer_done, &ans);
	CHECK(ans.refusal.kind == REFUSE_ENGINES_TAKEN && strstr(ans.refusal.holder, "wq0.1"),
	      "full: %s, %s", refusal_kind_name(ans.refusal.kind), ans.refusal.holder);
	end(&policy);
}

/* --- quotas ---------------------------------------------------------------------------------- */

#define QUOTAS "{ \"quota\": 2, \"quotas\": { \"7\": 1, \"8\": 0 } }"

static const char eight[] = "{ \"accelerators\": [ { \"kind\": \"dsa\", \"wqs\": 8 } ] }";

/* What @uid gets when he asks for one more; the UUID is in @ans. */
static enum refusal_kind create_as(unsigned int uid, struct answer *ans)
{
	struct create_request req = { .type = TYPE };

	*ans = (struct answer) { 0 };
	manager_act_for(m, uid);
	manager_create_mdev(m, &req, answer_done, ans);
	manager_act_for(m, 0);
	CHECK(!ans->r == (ans->refusal.kind == REFUSE_NONE), "%d", ans->r);
	return ans->refusal.kind;
}

static void begin_quota(struct policy **policy)
{
	struct adopt_options opts = { .set = ADOPT_HOST_WQS };
	struct answer ans = { 0 };

	test_remove_tree(state_dir);
	remove(hardware);
	begin_again(eight, QUOTAS, policy);
	manager_adopt(m, "dsa0", &opts, answer_done, &ans);
	CHECK(ans.r == 0, "adopt: %s", ans.refusal.reason);
}

static void test_quota(void)
{
	struct answer ans = { 0 }, first, done = { 0 };
	struct create_request bad = { .type = "no-such-type" };
	struct policy *policy = NULL;

	begin_quota(&policy);
	CHECK(manager_quota_left(m, 5) == 2 && manager_quota_left(m, 7) == 1 &&
	      manager_quota_left(m, 8) == 0 && manager_quota_left(m, 0) == -1, "at first");
	CHECK(create_as(8, &ans) == REFUSE_QUOTA_EXCEEDED, "none for 8");
	CHECK(create_as(5, &first) == REFUSE_NONE && create_as(5, &ans) == REFUSE_NONE, "two for 5");
	CHECK(create_as(5, &ans) == REFUSE_QUOTA_EXCEEDED && strstr(ans.refusal.object, "user 5") &&
	      strstr(ans.refusal.holder, first.uuid) && strstr(ans.refusal.reason, "2 mdevs"),
	      "the third: %s: %s", ans.refusal.reason, ans.refusal.holder);
	CHECK(ans.refusal.remedy[0] && manager_quota_left(m, 5) == 0, "what would help");
	CHECK(create_as(7, &ans) == REFUSE_NONE && create_as(7, &ans) == REFUSE_QUOTA_EXCEEDED,
	      "one for 7");
	CHECK(create_as(0, &ans) == REFUSE_NONE && create_as(0, &ans) == REFUSE_NONE, "root");
	CHECK(manager_find_mdev(m, first.uuid)->owner == 5 &&
	      manager_find_mdev(m, ans.uuid)->owner == 0, "owners");

	/* What is wrong with the request itself comes first. */
	manager_act_for(m, 8);
	manager_create_mdev(m, &bad, answer_done, &ans);
	CHECK(ans.refusal.kind == REFUSE_NO_SUCH_TYPE, "the type");

	/* It does not matter who removes it. */
	manager_act_for(m, 0);
	manager_destroy_mdev(m, first.uuid, false, answer_done, &done);
	CHECK(manager_quota_left(m, 5) == 1 && create_as(5, &ans) == REFUSE_NONE, "again");
	end(&policy);

	/* Another daemon knows; less takes nothing away. */
	begin_again(eight, "{ \"quota\": 1 }", &policy);
	CHECK(manager_n_mdevs(m) == 5 && manager_quota_left(m, 5) == 0 &&
	      manager_quota_left(m, 9) == 1, "%zu mdevs", manager_n_mdevs(m));
	CHECK(create_as(5, &ans) == REFUSE_QUOTA_EXCEEDED && strstr(ans.refusal.reason, "2 are there"),
	      "%s", ans.refusal.reason);
	end(&policy);
}

/* Of a definition: the mdev is whose start it was, and his again when it starts by itself. */
static void test_quota_start(void)
{
	struct define_request def = { .set = DEFINE_AUTOSTART, .type = TYPE, .autostart = true };
	struct answer made[2] = { { 0 } }, ans = { 0 };
	struct policy *policy = NULL;

	begin_quota(&policy);
	for (int i = 0; i < 2; i++)
		manager_define(m, &def, answer_done, &made[i]);
	manager_act_for(m, 7);
	manager_start_mdev(m, made[0].uuid, false, answer_done, &ans);
	CHECK(ans.r == 0, "start: %s", ans.refusal.reason);
	manager_start_mdev(m, made[1].uuid, false, answer_done, &ans);
	CHECK(ans.refusal.kind == REFUSE_QUOTA_EXCEEDED, "the second start");
	end(&policy);

	remove(hardware);		/* as a boot does: mdevs and bindings of queues are gone */
	begin_again(eight, QUOTAS, &policy);
	CHECK(manager_n_mdevs(m) == 2, "%zu started", manager_n_mdevs(m));
	CHECK(manager_find_mdev(m, made[0].uuid) && manager_find_mdev(m, made[0].uuid)->owner == 7 &&
	      manager_quota_left(m, 7) == 0, "his again");
	CHECK(manager_find_mdev(m, made[1].uuid) && !manager_find_mdev(m, made[1].uuid)->owner,
	      "nobody's before");
	end(&policy);
}

/* The document knows whose it is; one that cannot be reached leaves all as it was, owners too. */
static void test_quota_apply(void)
{
	struct answer ans = { 0 }, mine;
	char *before = NULL, *after = NULL, empty[256];
	struct policy *policy = NULL;

	begin_quota(&policy);
	CHECK(create_as(7, &mine) == REFUSE_NONE, "create");
	CHECK(manager_export(m, &before) == 0 && strstr(before, "\"owner\""), "export: %s", before);
	snprintf(empty, sizeof(empty), "{ \"version\": 1, \"accelerators\": [ { \"device\": \"%s\","
		 " \"host-wqs\": 0, \"pool-min\": 1 } ], \"mdevs\": [] }", "0000:6a:01.0");
	manager_apply(m, empty, false, answer_done, &ans);
	CHECK(ans.r == 0 && manager_quota_left(m, 7) == 1, "nothing: %s", ans.refusal.reason);
	manager_act_for(m, 7);
	manager_apply(m, before, false, answer_done, &ans);
	manager_act_for(m, 0);
	CHECK(ans.r == 0 && manager_export(m, &after) == 0, "back: %s", ans.refusal.reason);
	CHECK_STR(after, before, "the same again");
	CHECK(manager_quota_left(m, 7) == 0 && create_as(7, &ans) == REFUSE_QUOTA_EXCEEDED, "his");
	free(before);
	free(after);
	end(&policy);
}

int main(void)
{
	log_set_max_level(LOG_CRIT);
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir());
	snprintf(hardware, sizeof(hardware), "%s/hardware", test_dir());
	test_text();
	test_broken();
	test_file();
	test_exclusive();
	test_host();
	test_quota();
	test_quota_start();
	test_quota_apply();
	return test_report("daemon-policy");
}
