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

static const char *const good[] = {
	"{}",
	"{ \"version\": 1 }",
	"{ \"exclusive-engines\": [] }",
	"{ \"version\": 1, \"exclusive-engines\": [ \"0000:6a:01.0\", \"0000:e7:01.0\" ] }",
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
	{ "{ \"exclusive-engines\": true }", "PCI addresses" },
	{ "{ \"exclusive-engines\": [ 1 ] }", "PCI addresses" },
	{ "{ \"exclusive-engines\": [ \"dsa0\" ] }", "PCI addresses" },
	{ "{ \"exclusive-engines\": [ \"0000:6a:01.0\", null ] }", "PCI addresses" },
};

static void test_text(void)
{
	char why[POLICY_WHY_LEN];
	struct policy *p = NULL;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (CHECK(policy_parse(&p, good[i], why) == 0, "%s", good[i]))
			p = policy_free(p);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		CHECK(policy_parse(&p, refused[i].text, why) == -EBADMSG &&
		      strstr(why, refused[i].why), "%s: %s", refused[i].text, why);
	if (CHECK(policy_parse(&p, good[3], why) == 0, "two")) {
		CHECK(policy_is_exclusive(p, "0000:e7:01.0") && policy_is_exclusive(p, "0000:6a:01.0") &&
		      !policy_is_exclusive(p, "0000:6a:02.0"), "which");
		p = policy_free(p);
	}
	CHECK(!policy_is_exclusive(NULL, "0000:6a:01.0"), "none");
}

/* Cut anywhere, and with each byte replaced: used as a whole or refused, never anything else. */
static void test_broken(void)
{
	static const char bytes[] = "\"[]{},:0\\\x80";
	char text[256], why[POLICY_WHY_LEN];
	struct policy *p = NULL;
	size_t n = strlen(good[3]);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(bytes); k++) {
			int r;

			strcpy(text, good[3]);
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
	test_write_file(path, good[3]);
	if (CHECK(policy_read(&p, path, why) == 0 && p->n_exclusive == 2, "a file"))
		p = policy_free(p);
	test_write_file(path, "{");
	CHECK(policy_read(&p, path, why) == -EBADMSG && why[0], "a broken one");
	CHECK(policy_read(&p, test_dir(), why) == -EISDIR && why[0], "a directory");
}

/* --- exclusive engines ----------------------------------------------------------------------- */

static struct manager *m;

static void begin(const char *topology, struct policy **policy)
{
	struct manager_config config = { 0 };
	char path[4200], state_dir[4200], why[POLICY_WHY_LEN];
	struct answer ans = { 0 };

	if (policy_parse(policy, "{ \"exclusive-engines\": [ \"0000:6a:01.0\" ] }", why) < 0)
		exit(99);
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir());
	snprintf(path, sizeof(path), "%s/topology", test_dir());
	test_remove_tree(state_dir);
	test_write_file(path, topology);
	config.state_dir = state_dir;
	config.policy = *policy;
	if (backend_fake_new(&config.backend, path, NULL) < 0 || manager_new(&m, &config) < 0)
		exit(99);
	manager_start(m, answer_done, &ans);
	CHECK(ans.calls == 1 && ans.r == 0, "start");
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
		CHECK(a->wqs[i].cls != WQ_POOL || !place_group_user(a, a->wqs[i].group),
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
	m = manager_free(m);
	policy_free(policy);
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
	m = manager_free(m);
	policy_free(policy);
}

int main(void)
{
	log_set_max_level(LOG_CRIT);
	test_text();
	test_broken();
	test_file();
	test_exclusive();
	test_host();
	return test_report("daemon-policy");
}
