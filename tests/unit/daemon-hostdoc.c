/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host as one document: what is read, the way to it, and the way back from any point of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/fs.h"
#include "idxdvd/hostdoc.h"
#include "tests/unit/daemon-test.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "22222222-2222-4222-8222-222222222222"
#define UUID_C "33333333-3333-4333-8333-333333333333"
#define TYPE "idxd-dsa-1dwq-v1"
#define BDF "0000:6a:01.0"
#define BDF2 "0000:6b:01.0"

#define DOC(accels, mdevs) \
	"{ \"version\": 1, \"accelerators\": [ " accels " ], \"mdevs\": [ " mdevs " ] }"
#define ACCEL(bdf) "{ \"device\": \"" bdf "\" }"
#define MDEV(uuid, bdf, more) \
	"{ \"uuid\": \"" uuid "\", \"parent\": \"" bdf "\", \"type\": \"" TYPE "\", " more " }"

static const struct {
	const char *name, *text, *says;
} bad[] = {
	{ "no JSON", "{", "JSON" },
	{ "empty", "", "JSON" },
	{ "no version", "{ \"accelerators\": [], \"mdevs\": [] }", "version" },
	{ "a later version", "{ \"version\": 2, \"accelerators\": [], \"mdevs\": [] }", "version" },
	{ "no list", "{ \"version\": 1, \"accelerators\": {}, \"mdevs\": [] }", "accelerators" },
	{ "unknown key", "{ \"version\": 1, \"accelerators\": [], \"mdevs\": [], \"x\": 1 }", "x" },
	{ "an accelerator is no object", DOC("1", ""), "accelerator" },
	{ "misspelt", DOC("{ \"device\": \"" BDF "\", \"host_wqs\": 1 }", ""), "host_wqs" },
	{ "no address", DOC("{ \"device\": \"dsa0\" }", ""), "PCI address" },
	{ "a number is text", DOC("{ \"device\": \"" BDF "\", \"host-wqs\": \"1\" }", ""), "host-wqs" },
	{ "twice", DOC(ACCEL(BDF) ", " ACCEL(BDF), ""), "twice" },
	{ "an mdev is no object", DOC("", "[]"), "mdev" },
	{ "misspelt too", DOC("", MDEV(UUID_A, BDF, "\"auto\": true")), "auto" },
	{ "no UUID", DOC("", MDEV("x", BDF, "\"defined\": true")), "uuid" },
	{ "no parent", DOC("", MDEV(UUID_A, "dsa0", "\"defined\": true")), "parent" },
	{ "no type", DOC("", "{ \"uuid\": \"" UUID_A "\", \"parent\": \"" BDF
	  "\", \"type\": \"x\" }"), "type" },
	{ "no truth", DOC("", MDEV(UUID_A, BDF, "\"defined\": 1")), "defined" },
	{ "no name", DOC("", MDEV(UUID_A, BDF, "\"defined\": true, \"wq\": 1")), "wq" },
	{ "no labels", DOC("", MDEV(UUID_A, BDF, "\"defined\": true, \"labels\": 1")), "labels" },
	{ "a bad label", DOC("", MDEV(UUID_A, BDF, "\"defined\": true, \"labels\": [ \"x\" ]")), "labels" },
	{ "no number of a user", DOC("", MDEV(UUID_A, BDF, "\"running\": true, \"owner\": \"me\"")),
	  "owner" },
	{ "neither", DOC("", MDEV(UUID_A, BDF, "\"running\": false")), "neither" },
	{ "runs nowhere", DOC("", MDEV(UUID_A, BDF, "\"running\": true")), "parent" },
	{ "one UUID twice", DOC("", MDEV(UUID_A, BDF, "\"defined\": true") ", "
	  MDEV(UUID_A, BDF2, "\"defined\": true")), "twice" },
};

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(hostdoc_freep) struct hostdoc *doc = NULL;
		struct refusal why;
		int r = hostdoc_parse(&doc, bad[i].text, &why);

		CHECK(r < 0 && why.kind == REFUSE_INVALID_ARGS && strstr(why.reason, bad[i].says),
		      "%s: %d %s", bad[i].name, r, r < 0 ? why.reason : "");
	}
}

/* --- one manager ----------------------------------------------------------------------------- */

static char state_dir[4096], hw_file[4096];
static struct manager *m;
static struct backend *b;

static void boot(void)
{
	struct manager_config config = { .state_dir = state_dir };
	struct answer ans = { 0 };
	char path[4200];

	snprintf(path, sizeof(path), "%s/topology", test_dir());
	test_write_file(path, "{ \"accelerators\": [ { \"wqs\": 4, \"size\": 16 },"
			      " { \"wqs\": 4, \"size\": 16 } ] }");
	if (backend_fake_new(&config.backend, path, hw_file) < 0 || manager_new(&m, &config) < 0)
		exit(99);
	b = config.backend;
	manager_start(m, answer_done, &ans);
	CHECK(ans.calls == 1 && ans.r == 0, "start: %s", ans.refusal.reason);
}

static void begin(void)
{
	test_remove_tree(state_dir);
	unlink(hw_file);
	boot();
}

static struct answer apply(const char *doc, bool dry_run)
{
	struct answer ans = { 0 };

	manager_apply(m, doc, dry_run, answer_done, &ans);
	CHECK(ans.calls == 1, "answered once: %d", ans.calls);
	return ans;
}

static char *export(void)
{
	char *text = NULL;

	CHECK(manager_export(m, &text) == 0, "export");
	return text;
}

static const char first[] = DOC(ACCEL(BDF),
	MDEV(UUID_A, BDF, "\"defined\": true, \"labels\": [ \"vm=a\" ], \"running\": true, \"on\": \"wq0.2\"")
	", " MDEV(UUID_B, BDF, "\"running\": true"));
static const char second[] = DOC("{ \"device\": \"" BDF "\", \"host-wqs\": 0, \"pool-min\": 2 }, " ACCEL(BDF2),
	MDEV(UUID_A, BDF2, "\"defined\": true, \"autostart\": true, \"wq\": \"wq1.1\", \"running\": true")
	", " MDEV(UUID_C, BDF, "\"defined\": true, \"labels\": [ \"x=1\", \"y=2\" ]"));

static void test_there_and_back(void)
{
	_cleanup_(freep) char *one = NULL, *two = NULL, *again = NULL;
	struct answer ans;

	begin();
	ans = apply(first, true);
	CHECK(ans.r == 0 && strstr(ans.plan, "1. adopt " BDF) && strstr(ans.plan, "define " UUID_A) &&
	      strstr(ans.plan, "on wq0.2"), "plan: %s", ans.plan);
	CHECK(manager_n_mdevs(m) == 0 && !manager_accel(m, 0)->adopted, "a dry run does nothing");
	ans = apply(first, false);
	CHECK(ans.r == 0, "%s", ans.refusal.reason);
	CHECK_STR(manager_find_mdev(m, UUID_A)->wq, "wq0.2", "where it was wanted");
	CHECK(manager_n_mdevs(m) == 2 && manager_n_definitions(m) == 1, "all of it");
	ans = apply(first, true);
	CHECK(ans.r == 0 && !ans.plan[0], "it is so now: %s", ans.plan);
	one = export();
	ans = apply(one, true);
	CHECK(ans.r == 0 && !ans.plan[0], "what is exported is what is: %s", ans.plan);

	ans = apply(second, false);
	CHECK(ans.r == 0, "%s", ans.refusal.reason);
	CHECK(manager_n_mdevs(m) == 1 && manager_n_definitions(m) == 2 &&
	      manager_accel(m, 1)->adopted && manager_accel(m, 0)->pool_min == 2, "the other one");
	two = export();
	ans = apply(one, false);
	CHECK(ans.r == 0, "%s", ans.refusal.reason);
	again = export();
	CHECK_STR(again, one, "back, byte by byte");
	ans = apply(DOC("", ""), false);
	CHECK(ans.r == 0 && manager_n_mdevs(m) == 0 && manager_n_definitions(m) == 0 &&
	      !manager_accel(m, 0)->adopted, "nothing: %s", ans.refusal.reason);
	CHECK(test_count_files(state_dir, "apply") == 0, "nothing is kept");
	m = manager_free(m);
}

static void test_refused(void)
{
	_cleanup_(freep) char *before = NULL, *after = NULL;
	struct answer ans;

	begin();
	ans = apply("nonsense", false);
	CHECK(ans.refusal.kind == REFUSE_INVALID_ARGS, "%s", ans.refusal.reason);
	ans = apply(first, false);
	backend_fake_open_mdev(b, UUID_B, 4711, "qemu");
	before = export();
	ans = apply(second, false);
	CHECK(ans.refusal.kind == REFUSE_IN_USE && strstr(ans.refusal.holder, "4711") &&
	      !strcmp(ans.refusal.object, UUID_B), "held: %s", ans.refusal.reason);
	/* More than there is room for: found out on the way. */
	ans = apply(DOC(ACCEL(BDF), MDEV(UUID_B, BDF, "\"running\": true") ", "
			MDEV(UUID_A, BDF, "\"running\": true, \"on\": \"wq0.3\"")), false);
	CHECK(ans.r < 0 && strstr(ans.refusal.reason, "all was taken back"), "%s",
	      ans.refusal.reason);
	after = export();
	CHECK_STR(after, before, "as before");
	m = manager_free(m);
}

/* What others made is neither shown nor touched. */
static void test_foreign(void)
{
	_cleanup_(freep) char *text = NULL;
	struct mdev d;

	begin();
	CHECK(apply(DOC(ACCEL(BDF), ""), false).r == 0, "adopt");
	CHECK(b->ops->mdev_create(b, BDF, TYPE, UUID_C) == 0, "mdevctl makes one");
	manager_refresh(m, NULL, NULL);
	text = export();
	CHECK(!strstr(text, UUID_C), "not ours: %s", text);
	CHECK(apply(DOC(ACCEL(BDF), MDEV(UUID_A, BDF, "\"running\": true")), false).r == 0, "apply");
	CHECK(b->ops->read_mdev(b, UUID_C, &d) == 0, "it is still there");
	m = manager_free(m);
}

static long passed, fail_at;

static int fail_point(void *userdata, const char *call, bool after)
{
	return !after && ++passed == fail_at ? -EIO : 0;
}

/* Fails once, at each call into the kernel and the file system in turn. */
static void test_fail_everywhere(void)
{
	_cleanup_(freep) char *before = NULL, *done = NULL;
	long n, n_back = 0, n_done = 0;

	begin();
	CHECK(apply(first, false).r == 0, "first");
	before = export();
	CHECK(apply(second, false).r == 0, "second");
	done = export();
	CHECK(apply(before, false).r == 0, "back");
	for (n = 1; ; n++) {
		_cleanup_(freep) char *after = NULL;
		struct answer ans;

		passed = 0;
		fail_at = n;
		backend_fake_set_hook(b, fail_point, NULL);
		fs_set_hook(fail_point, NULL);
		ans = apply(second, false);
		backend_fake_set_hook(b, NULL, NULL);
		fs_set_hook(NULL, NULL);
		if (passed < n)
			break;
		manager_refresh(m, NULL, NULL);
		after = export();
		if (!CHECK(!strcmp(after, ans.r < 0 ? before : done), "error at %ld: %s\n%s", n,
			   ans.r < 0 ? ans.refusal.reason : "done", after))
			break;
		n_back += ans.r < 0;
		n_done += ans.r >= 0;
		if (ans.r >= 0)
			CHECK(apply(before, false).r == 0, "back again after %ld", n);
	}
	printf("an error at each of %ld calls: %ld taken back byte by byte, %ld done all the same\n",
	       n - 1, n_back, n_done);
	CHECK(n_back > 50, "few were taken back: %ld", n_back);
	m = manager_free(m);
}

int main(void)
{
	log_set_max_level(LOG_EMERG);
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir());
	snprintf(hw_file, sizeof(hw_file), "%s/hw", test_dir());

	test_bad();
	test_there_and_back();
	test_refused();
	test_foreign();
	test_fail_everywhere();
	return test_report("daemon-hostdoc");
}
