/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions: mdevctl's files and ours, what becomes of them, and what is started from them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/definition.h"
#include "idxdvd/defstore.h"
#include "tests/unit/daemon-test.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "22222222-2222-4222-8222-222222222222"
#define UUID_C "33333333-3333-4333-8333-333333333333"
#define TYPE "idxd-dsa-1dwq-v1"
#define BDF "0000:6a:01.0"
#define OTHER_BDF "0000:6b:01.0"

/* --- texts ----------------------------------------------------------------------------------- */

static const struct {
	const char *name, *text, *extra;
	int want;
	const char *wq;
	bool autostart;
	size_t n_labels;
} texts[] = {
	{ "least", "{\"mdev_type\":\"" TYPE "\"}", NULL, 0, "", false, 0 },
	{ "as mdevctl writes it",
	  "{\n  \"mdev_type\": \"" TYPE "\",\n  \"start\": \"auto\",\n  \"attrs\": []\n}", NULL, 0,
	  "", true, 0 },
	{ "a pinned queue", "{\"mdev_type\":\"" TYPE "\",\"start\":\"manual\",\"attrs\":[{\"wq\":\"wq0.3\"}]}",
	  NULL, 0, "wq0.3", false, 0 },
	{ "the last of two counts, as in sysfs",
	  "{\"mdev_type\":\"" TYPE "\",\"attrs\":[{\"wq\":\"wq0.3\"},{\"wq\":\"wq0.4\"}]}", NULL, 0,
	  "wq0.4", false, 0 },
	{ "labels", "{\"mdev_type\":\"" TYPE "\"}", "{\"version\":1,\"labels\":{\"b\":\"2\",\"a\":\"1\"}}", 0,
	  "", false, 2 },
	{ "of somebody else", "{\"mdev_type\":\"i915-GVTg_V5_4\",\"start\":\"auto\"}", NULL, -ENOTSUP, "",
	  false, 0 },
	{ "empty", "", NULL, -EBADMSG, "", false, 0 },
	{ "torn", "{\"mdev_type\":\"idxd-", NULL, -EBADMSG, "", false, 0 },
	{ "no type", "{}", NULL, -EBADMSG, "", false, 0 },
	{ "another start", "{\"mdev_type\":\"" TYPE "\",\"start\":\"soon\"}", NULL, -EBADMSG, "", false, 0 },
	{ "start is no word", "{\"mdev_type\":\"" TYPE "\",\"start\":1}", NULL, -EBADMSG, "", false, 0 },
	{ "attrs is no list", "{\"mdev_type\":\"" TYPE "\",\"attrs\":{}}", NULL, -EBADMSG, "", false, 0 },
	{ "an attr is no object", "{\"mdev_type\":\"" TYPE "\",\"attrs\":[1]}", NULL, -EBADMSG, "", false, 0 },
	{ "a value is no text", "{\"mdev_type\":\"" TYPE "\",\"attrs\":[{\"wq\":1}]}", NULL, -EBADMSG, "",
	  false, 0 },
	{ "a later version of ours", "{\"mdev_type\":\"" TYPE "\"}", "{\"version\":2}", -EBADMSG, "", false, 0 },
	{ "labels are a list", "{\"mdev_type\":\"" TYPE "\"}", "{\"version\":1,\"labels\":[]}", -EBADMSG, "",
	  false, 0 },
	{ "a label is no text", "{\"mdev_type\":\"" TYPE "\"}", "{\"version\":1,\"labels\":{\"a\":1}}", -EBADMSG,
	  "", false, 0 },
};

static void test_texts(void)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(definition_freep) struct definition *d = NULL, *copy = NULL;
		int r = definition_parse(&d, UUID_A, BDF, texts[i].text, texts[i].extra);

		CHECK(r == texts[i].want, "%s: %d", texts[i].name, r);
		if (r < 0 || texts[i].want)
			continue;
		CHECK_STR(d->wq, texts[i].wq, texts[i].name);
		CHECK(d->autostart == texts[i].autostart && d->n_labels == texts[i].n_labels,
		      "%s: start and labels", texts[i].name);
		CHECK(definition_copy(d, &copy) == 0 && definition_same(copy, d), "%s: copy",
		      texts[i].name);
	}
}

/* What we do not know stays, in its order. */
static void test_unknown_is_kept(void)
{
	static const char text[] = "{ \"later\": { \"deep\": [ 1.50, null ] }, \"mdev_type\": \"" TYPE
		"\", \"attrs\": [ { \"x\": \"1\" }, { \"wq\": \"wq0.1\" }, { \"y\": \"2\" } ] }";
	_cleanup_(definition_freep) struct definition *d = NULL, *again = NULL;

	CHECK(definition_parse(&d, UUID_A, BDF, text, NULL) == 0, "parse");
	CHECK_STR(d->attr, "y", "an attribute that is not ours");
	strcpy(d->wq, "wq0.2");
	d->autostart = true;
	CHECK(definition_set_label(d, "k=v") == 0 && definition_render(d) == 0, "render");
	CHECK(strstr(d->text, "\"later\"") && strstr(d->text, "1.50"), "kept: %s", d->text);
	CHECK(strstr(d->text, "\"x\"") < strstr(d->text, "\"y\"") &&
	      strstr(d->text, "\"y\"") < strstr(d->text, "wq0.2"), "order: %s", d->text);
	CHECK(!strstr(d->text, "wq0.1"), "the old queue went");
	CHECK(definition_parse(&again, UUID_A, BDF, d->text, d->extra) == 0 && again->autostart &&
	      !strcmp(again->wq, "wq0.2") && again->n_labels == 1, "it reads back");
}

static void test_labels(void)
{
	_cleanup_(definition_freep) struct definition *d = NULL;
	char label[LABEL_LEN + 8];

	CHECK(definition_new(&d, UUID_A, BDF) == 0, "new");
	CHECK(definition_set_label(d, "none") == -EINVAL, "no value");
	CHECK(definition_set_label(d, "=x") == -EINVAL, "no key");
	CHECK(definition_set_label(d, "a=\n") == -EINVAL, "not printable");
	memset(label, 'x', sizeof(label));
	label[1] = '=';
	label[sizeof(label) - 1] = '\0';
	CHECK(definition_set_label(d, label) == -EINVAL, "too long");
	for (int i = 0; i < DEFINITION_MAX_LABELS; i++) {
		snprintf(label, sizeof(label), "k%d=v", i);
		CHECK(definition_set_label(d, label) == 0, "%s", label);
	}
	CHECK(definition_set_label(d, "one-more=x") == -E2BIG, "too many");
	CHECK(definition_set_label(d, "k3=w") == 0 && d->n_labels == DEFINITION_MAX_LABELS,
	      "replaced");
	CHECK(definition_set_label(d, "k3=") == 0 && definition_set_label(d, "k3=") == 0 &&
	      d->n_labels == DEFINITION_MAX_LABELS - 1, "removed, twice");
	for (size_t i = 1; i < d->n_labels; i++)
		CHECK(strcmp(d->labels[i - 1], d->labels[i]) < 0, "sorted at %zu", i);
}

/* --- one manager ----------------------------------------------------------------------------- */

static char state_dir[4096], hw_file[4096];
static struct manager *m;
static struct backend *b;

static void boot(void)
{
	struct manager_config config = { .state_dir = state_dir };
	struct answer ans = { 0 };

	if (backend_fake_new(&config.backend, NULL, hw_file) < 0 || manager_new(&m, &config) < 0)
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

static void restart(void)
{
	m = manager_free(m);
	boot();
}

#define OK(a) \
	do { \
		struct answer ok_ = (a); \
		CHECK(ok_.calls == 1 && ok_.r == 0, "%s", ok_.refusal.reason); \
	} while (0)
#define REFUSED(a, k) \
	do { \
		struct answer no_ = (a); \
		CHECK(no_.r < 0 && no_.refusal.kind == (k), "%s, wanted %s: %s", \
		      refusal_kind_name(no_.refusal.kind), refusal_kind_name(k), \
		      no_.refusal.reason); \
	} while (0)

static struct answer adopt(void)
{
	struct answer ans = { 0 };

	manager_adopt(m, "dsa0", NULL, answer_done, &ans);
	return ans;
}

static struct answer define(struct define_request req)
{
	struct answer ans = { 0 };

	manager_define(m, &req, answer_done, &ans);
	return ans;
}

static struct answer modify(struct define_request req)
{
	struct answer ans = { 0 };

	manager_modify(m, &req, answer_done, &ans);
	return ans;
}

static struct answer start(const char *uuid)
{
	struct answer ans = { 0 };

	manager_start_mdev(m, uuid, false, answer_done, &ans);
	return ans;
}

static struct answer undefine(const char *uuid)
{
	struct answer ans = { 0 };

	manager_undefine(m, uuid, false, answer_done, &ans);
	return ans;
}

static struct answer stop(const char *uuid)
{
	struct answer ans = { 0 };

	manager_destroy_mdev(m, uuid, false, answer_done, &ans);
	return ans;
}

static const char *wq_of(const char *uuid)
{
	const struct mdev *d = manager_find_mdev(m, uuid);

	return d ? d->wq : "";
}

static void path_of(const char *bdf, const char *uuid, char path[5000])
{
	snprintf(path, 5000, "%s/mdevctl.d/%s", state_dir, bdf);
	mkdir(path, 0700);
	snprintf(path, 5000, "%s/mdevctl.d/%s/%s", state_dir, bdf, uuid);
}

static void test_life(void)
{
	struct answer ans;

	begin();
	OK(adopt());
	ans = define((struct define_request) { .type = TYPE, .set = DEFINE_DRY_RUN });
	OK(ans);
	CHECK(strstr(ans.plan, "write the definition"), "%s", ans.plan);
	CHECK(manager_n_definitions(m) == 0, "a dry run writes nothing");
	ans = define((struct define_request) { .type = TYPE });
	OK(ans);
	CHECK(manager_find_definition(m, ans.uuid), "a UUID of our choice");
	OK(undefine(ans.uuid));
	OK(define((struct define_request) { .type = TYPE, .uuid = UUID_A, .wq = "wq0.4",
					    .set = DEFINE_WQ }));
	OK(start(UUID_A));
	CHECK_STR(wq_of(UUID_A), "wq0.4", "on its queue");
	CHECK(manager_find_mdev(m, UUID_A)->persisted, "it is persisted");
	REFUSED(start(UUID_A), REFUSE_EXISTS);
	OK(modify((struct define_request) { .uuid = UUID_A, .wq = "any", .set = DEFINE_WQ }));
	OK(stop(UUID_A));
	restart();
	CHECK(manager_n_definitions(m) == 1, "it outlives the daemon");
	OK(start(UUID_A));
	CHECK_STR(wq_of(UUID_A), "wq0.4", "where it was last");
	OK(undefine(UUID_A));
	CHECK(!manager_find_mdev(m, UUID_A)->persisted, "transient now");
	REFUSED(undefine(UUID_A), REFUSE_NOT_DEFINED);
	/* A definition of what runs. */
	OK(define((struct define_request) { .type = TYPE, .uuid = UUID_A }));
	CHECK_STR(manager_find_definition(m, UUID_A)->parent, BDF, "its parent");
	m = manager_free(m);
}

static const struct {
	const char *name;
	struct define_request req;
	enum refusal_kind want;
} refusals[] = {
	{ "no UUID", { .type = TYPE, .uuid = "x" }, REFUSE_INVALID_UUID },
	{ "no type", { .type = "idxd-x" }, REFUSE_NO_SUCH_TYPE },
	{ "defined already", { .type = TYPE, .uuid = UUID_A }, REFUSE_EXISTS },
	{ "no parent", { .type = TYPE, .parent = "dsa7" }, REFUSE_NO_SUCH_DEVICE },
	{ "no adopted one of that kind", { .type = "idxd-iax-1dwq-v1" }, REFUSE_NOT_ADOPTED },
	{ "another kind", { .type = "idxd-iax-1dwq-v1", .parent = "dsa0" }, REFUSE_NO_SUCH_TYPE },
	{ "it runs elsewhere", { .type = TYPE, .parent = OTHER_BDF, .uuid = UUID_B }, REFUSE_EXISTS },
	{ "no queue", { .type = TYPE, .set = DEFINE_WQ, .wq = "wq0.9" }, REFUSE_NO_SUCH_WQ },
	{ "no queue there", { .type = TYPE, .parent = OTHER_BDF, .set = DEFINE_WQ,
			      .wq = "a-name-that-is-longer-than-any-queue-has" }, REFUSE_NO_SUCH_WQ },
	{ "no label", { .type = TYPE, .set = DEFINE_LABELS,
			.labels = (char *const []) { (char *)"x", NULL } }, REFUSE_INVALID_ARGS },
};

static void test_refusals(void)
{
	struct create_request create = { .type = TYPE, .uuid = UUID_B };
	struct answer ans = { 0 };

	begin();
	OK(adopt());
	OK(define((struct define_request) { .type = TYPE, .uuid = UUID_A }));
	manager_create_mdev(m, &create, answer_done, &ans);
	OK(ans);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		ans = define(refusals[i].req);
		CHECK(ans.r < 0 && ans.refusal.kind == refusals[i].want && ans.refusal.remedy[0],
		      "%s: %s %s", refusals[i].name, refusal_kind_name(ans.refusal.kind),
		      ans.refusal.reason);
	}
	CHECK(manager_n_definitions(m) == 1, "nothing was written");
	REFUSED(modify((struct define_request) { .uuid = UUID_C }), REFUSE_NOT_DEFINED);
	REFUSED(modify((struct define_request) { .uuid = UUID_A, .set = DEFINE_TYPE,
						 .type = "idxd-iax-1dwq-v1" }), REFUSE_NO_SUCH_TYPE);
	REFUSED(modify((struct define_request) { .uuid = UUID_A, .set = DEFINE_TYPE,
						 .type = "x" }), REFUSE_NO_SUCH_TYPE);
	REFUSED(start(UUID_C), REFUSE_NOT_DEFINED);
	/* For a parent that is not there yet. */
	OK(define((struct define_request) { .type = TYPE, .uuid = UUID_C, .parent = OTHER_BDF }));
	REFUSED(start(UUID_C), REFUSE_NO_SUCH_DEVICE);
	m = manager_free(m);
}

/* Files that others wrote, one of them badly. */
static void test_foreign_files(void)
{
	const struct definition_bad *bad;
	char path[5000], text[256];
	size_t n;
	FILE *f;

	begin();
	OK(adopt());
	path_of(BDF, UUID_A, path);
	test_write_file(path, "{\"mdev_type\":\"" TYPE "\",\"start\":\"manual\",\"attrs\":[]}");
	path_of(BDF, UUID_B, path);
	test_write_file(path, "{\"mdev_type\":\"idxd-dsa");
	path_of(BDF, UUID_C, path);
	test_write_file(path, "{\"mdev_type\":\"vendor-x\",\"start\":\"auto\"}");
	path_of(OTHER_BDF, UUID_A, path);
	test_write_file(path, "{\"mdev_type\":\"" TYPE "\"}");
	path_of(OTHER_BDF, "README", path);
	test_write_file(path, "nothing");
	snprintf(path, sizeof(path), "%s/mdev.d/" UUID_A ".json", state_dir);
	test_write_file(path, "[]");
	manager_rescan_definitions(m);
	CHECK(manager_n_definitions(m) == 1 && manager_find_definition(m, UUID_A),
	      "one is good: %zu", manager_n_definitions(m));
	bad = manager_bad_definitions(m, &n);
	CHECK(n == 3, "%zu are bad", n);
	for (size_t i = 0; i < n; i++)
		CHECK(strstr(bad[i].file, UUID_A) || strstr(bad[i].file, UUID_B), "%s: %s",
		      bad[i].file, bad[i].reason);
	/* Edited behind our back: not overwritten, but taken into account. */
	path_of(BDF, UUID_A, path);
	test_write_file(path, "{\"mdev_type\":\"" TYPE "\",\"start\":\"auto\",\"mine\":1}");
	snprintf(path, sizeof(path), "%s/mdev.d/" UUID_A ".json", state_dir);
	unlink(path);
	path_of(BDF, UUID_A, path);
	OK(modify((struct define_request) { .uuid = UUID_A, .set = DEFINE_WQ, .wq = "wq0.1" }));
	f = fopen(path, "r");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
	CHECK(strstr(text, "\"mine\"") && strstr(text, "wq0.1") && strstr(text, "\"auto\""), "%s",
	      text);
	/* An attribute that our mdevs do not have. */
	test_write_file(path, "{\"mdev_type\":\"" TYPE "\",\"attrs\":[{\"speed\":\"9\"}]}");
	manager_refresh(m, NULL, NULL);
	REFUSED(start(UUID_A), REFUSE_NOT_SUPPORTED);
	/* Once it is gone, the other parent's is the only one; then there is none. */
	unlink(path);
	OK(modify((struct define_request) { .uuid = UUID_A, .set = DEFINE_AUTOSTART }));
	CHECK_STR(manager_find_definition(m, UUID_A)->parent, OTHER_BDF, "of the other parent");
	path_of(OTHER_BDF, UUID_A, path);
	unlink(path);
	REFUSED(modify((struct define_request) { .uuid = UUID_A, .set = DEFINE_AUTOSTART,
						 .autostart = true }), REFUSE_NOT_DEFINED);
	m = manager_free(m);
}

static unsigned int n_creates;

static int count_creates(void *userdata, const char *call, bool after)
{
	n_creates += !after && !strcmp(call, "mdev_create");
	return 0;
}

/* Once after each boot; those that want a certain queue get it. */
static void test_autostart(void)
{
	struct define_request any = { .type = TYPE, .uuid = UUID_A, .parent = BDF, .autostart = true,
				      .set = DEFINE_AUTOSTART };
	struct define_request pinned = { .type = TYPE, .uuid = UUID_B, .parent = BDF, .wq = "wq0.0",
					 .autostart = true, .set = DEFINE_AUTOSTART | DEFINE_WQ };
	struct define_request manual = { .type = TYPE, .uuid = UUID_C, .parent = BDF };
	char a[NAME_LEN];

	begin();
	OK(define(any));
	OK(define(pinned));
	OK(define(manual));
	CHECK(manager_n_mdevs(m) == 0, "not before the parent is adopted");
	OK(adopt());
	CHECK(manager_n_mdevs(m) == 2, "both run: %zu", manager_n_mdevs(m));
	CHECK_STR(wq_of(UUID_B), "wq0.0", "the pinned one");
	snprintf(a, sizeof(a), "%s", wq_of(UUID_A));

	OK(stop(UUID_A));
	backend_fake_set_hook(b, count_creates, NULL);
	restart();
	CHECK(manager_n_mdevs(m) == 1, "a daemon that restarts starts nothing");
	for (int i = 0; i < 3; i++) {
		backend_fake_reboot(b);
		restart();
		CHECK(manager_n_mdevs(m) == 2, "boot %d: %zu run", i, manager_n_mdevs(m));
		CHECK_STR(wq_of(UUID_A), a, "where it was");
		CHECK_STR(wq_of(UUID_B), "wq0.0", "where it wants to be");
	}
	/* What does not work is left out, and holds nobody up. */
	OK(modify((struct define_request) { .uuid = UUID_B, .wq = "wq0.7", .set = DEFINE_WQ }));
	backend_fake_reboot(b);
	restart();
	CHECK(manager_n_mdevs(m) == 1 && manager_find_mdev(m, UUID_A), "wq0.7 is the host's");
	backend_fake_set_hook(b, count_creates, NULL);
	n_creates = 0;
	manager_refresh(m, NULL, NULL);
	CHECK(n_creates == 0, "nor tried again and again");
	m = manager_free(m);
}

int main(void)
{
	log_set_max_level(LOG_CRIT);
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir());
	snprintf(hw_file, sizeof(hw_file), "%s/hw", test_dir());

	test_texts();
	test_unknown_is_kept();
	test_labels();
	test_life();
	test_refusals();
	test_foreign_files();
	test_autostart();
	return test_report("daemon-define");
}
