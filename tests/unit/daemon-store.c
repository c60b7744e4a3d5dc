/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Store, journal, records, file system, parsing: round trips, and files that are broken. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "idxdvd/common/json.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/fs.h"
#include "idxdvd/journal.h"
#include "idxdvd/store.h"
#include "tests/unit/daemon-test.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "22222222-2222-4222-8222-222222222222"
#define BDF_A "0000:6a:01.0"
#define BDF_B "0000:6b:01.0"

static char state_dir[4096];

static int open_state(void)
{
	int fd;

	if (fs_open_dir(state_dir, &fd) < 0)
		exit(99);
	return fd;
}

static void write_state(const char *name, const char *text)
{
	char path[5000];

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	test_write_file(path, text);
}

static struct record *sample(const char *bdf)
{
	struct record *rec;

	if (record_new(&rec, bdf) < 0)
		exit(99);
	strcpy(rec->boot_id, UUID_B);
	strcpy(rec->op, UUID_A);
	rec->host_wqs = 2;
	rec->pool_min = 3;
	rec->laid_out = true;
	rec->iaa_engines = 4;
	rec->iaa_enabled = true;
	rec->wqs[0] = rec->wqs[7] = rec->wqs[255] = true;
	record_add_mdev(rec, UUID_A, "idxd-dsa-1dwq-v1");
	record_add_mdev(rec, UUID_B, "idxd-dsa-1dwq-v1");
	return rec;
}

static void check_same(const struct record *a, const struct record *b, const char *name)
{
	CHECK_STR(a->bdf, b->bdf, name);
	CHECK_STR(a->boot_id, b->boot_id, name);
	CHECK_STR(a->op, b->op, name);
	CHECK(a->host_wqs == b->host_wqs && a->pool_min == b->pool_min &&
	      a->laid_out == b->laid_out && a->iaa_engines == b->iaa_engines &&
	      a->iaa_enabled == b->iaa_enabled, "%s: numbers", name);
	CHECK(!memcmp(a->wqs, b->wqs, sizeof(a->wqs)), "%s: wqs", name);
	CHECK(a->n_mdevs == b->n_mdevs, "%s: %zu mdevs", name, a->n_mdevs);
	for (size_t i = 0; i < a->n_mdevs && i < b->n_mdevs; i++) {
		CHECK_STR(a->mdevs[i].uuid, b->mdevs[i].uuid, name);
		CHECK_STR(a->mdevs[i].type, b->mdevs[i].type, name);
	}
}

static struct store *open_store(void)
{
	_cleanup_(closep) int fd = open_state();
	struct store *s;

	if (store_new(&s, fd) < 0)
		exit(99);
	return s;
}

static void test_store(void)
{
	_cleanup_(store_freep) struct store *s = open_store();
	_cleanup_(record_freep) struct record *a = sample(BDF_A), *b = sample(BDF_B), *c = NULL;
	struct record **all;
	struct store_bad *bad;
	size_t n, n_bad;

	CHECK(store_get(s, BDF_A, &c) == -ENOENT, "nothing at first");
	CHECK(store_put(s, a) == 0 && store_put(s, b) == 0, "put");
	CHECK(store_get(s, BDF_A, &c) == 0, "get");
	check_same(c, a, "round trip");

	CHECK(store_load(s, &all, &n, &bad, &n_bad) == 0 && n == 2 && n_bad == 0, "load both");
	check_same(all[0], a, "load");
	check_same(all[1], b, "load");
	for (size_t i = 0; i < n; i++)
		record_free(all[i]);
	free(all);
	free(bad);

	CHECK(store_delete(s, BDF_B) == 0 && store_delete(s, BDF_B) == 0, "delete, and again");
	CHECK(test_count_files(state_dir, ".json") == 1, "one is left");
}

/* What a later version wrote beside our keys survives our rewriting. */
static void test_unknown_keys(void)
{
	_cleanup_(store_freep) struct store *s = open_store();
	_cleanup_(record_freep) struct record *rec = NULL;
	_cleanup_(json_putp) struct json_object *o = NULL;
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int fd = open_state();
	unsigned int later;

	write_state("devices/" BDF_A ".json",
		    "{ \"version\": 1, \"device\": \"" BDF_A "\", \"boot-id\": \"\","
		    " \"operation\": \"\", \"host-wqs\": 1, \"pool-min\": 1, \"laid-out\": false,"
		    " \"iaa-engines\": 0, \"iaa-enabled\": false, \"wqs\": [], \"mdevs\": [], \"later\": 7 }");
	CHECK(store_get(s, BDF_A, &rec) == 0, "read");
	rec->pool_min = 5;
	CHECK(store_put(s, rec) == 0, "write");
	CHECK(fs_read(fd, "devices/" BDF_A ".json", 65536, &text) == 0 &&
	      json_parse(text, &o) == 0 && json_get_uint(o, "later", &later) == 0 && later == 7,
	      "the unknown key is still there");
	CHECK(strstr(text, "\"pool-min\":5"), "the new value too: %s", text);
}

static const struct {
	const char *name, *text;
} broken[] = {
	{ "empty", "" },
	{ "cut", "{ \"version\": 1, \"devi" },
	{ "no object", "[ 1 ]" },
	{ "more behind it", "{ \"version\": 1 } x" },
	{ "no version", "{ \"device\": \"" BDF_A "\" }" },
	{ "from the future", "{ \"version\": 2 }" },
	{ "another device", "{ \"version\": 1, \"device\": \"" BDF_B "\", \"boot-id\": \"\","
	  " \"operation\": \"\", \"host-wqs\": 1, \"pool-min\": 1, \"laid-out\": false,"
	  " \"iaa-engines\": 0, \"iaa-enabled\": false, \"wqs\": [], \"mdevs\": [] }" },
	{ "a wq out of range", "{ \"version\": 1, \"device\": \"" BDF_A "\", \"boot-id\": \"\","
	  " \"operation\": \"\", \"host-wqs\": 1, \"pool-min\": 1, \"laid-out\": false,"
	  " \"iaa-engines\": 0, \"iaa-enabled\": false, \"wqs\": [ 256 ], \"mdevs\": [] }" },
	{ "an mdev without UUID", "{ \"version\": 1, \"device\": \"" BDF_A "\", \"boot-id\": \"\","
	  " \"operation\": \"\", \"host-wqs\": 1, \"pool-min\": 1, \"laid-out\": false,"
	  " \"iaa-engines\": 0, \"iaa-enabled\": false, \"wqs\": [], \"mdevs\": [ { \"type\": \"x\" } ] }" },
	{ "a negative number", "{ \"version\": 1, \"device\": \"" BDF_A "\", \"boot-id\": \"\","
	  " \"operation\": \"\", \"host-wqs\": -1, \"pool-min\": 1, \"laid-out\": false,"
	  " \"iaa-engines\": 0, \"iaa-enabled\": false, \"wqs\": [], \"mdevs\": [] }" },
	{ "too deep", "{ \"a\":[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]] }" },
};

/* One bad file is named, kept as it is, and hides nothing else. */
static void test_broken_records(void)
{
	_cleanup_(store_freep) struct store *s = open_store();
	_cleanup_(record_freep) struct record *a = sample(BDF_A), *b = sample(BDF_B);

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		_cleanup_(freep) char *text = NULL;
		_cleanup_(closep) int fd = open_state();
		const char *name = broken[i].name;
		struct record **all;
		struct store_bad *bad;
		size_t n, n_bad;

		CHECK(store_put(s, b) == 0, "%s: the other", name);
		write_state("devices/" BDF_A ".json", broken[i].text);
		CHECK(store_load(s, &all, &n, &bad, &n_bad) == 0, "%s: load", name);
		CHECK(n == 1 && n_bad == 1, "%s: %zu good, %zu bad", name, n, n_bad);
		if (n == 1)
			check_same(all[0], b, name);
		if (n_bad == 1)
			CHECK_STR(bad[0].bdf, BDF_A, name);
		CHECK(store_put(s, a) < 0, "%s: is not overwritten", name);
		CHECK(fs_read(fd, "devices/" BDF_A ".json", 65536, &text) == 0, "%s: read", name);
		CHECK_STR(text, broken[i].text, name);
		for (size_t k = 0; k < n; k++)
			record_free(all[k]);
		free(all);
		free(bad);
		store_delete(s, BDF_A);
	}
}

static struct plan *sample_plan(void)
{
	struct accel a = { .name = "dsa0", .bdf = BDF_A };
	struct plan *p;

	if (plan_new(&p, PLAN_CREATE, &a) < 0)
		exit(99);
	strcpy(p->uuid, UUID_A);
	plan_add(p, STEP_SET, "wq0.1", "name", "", "idxdvd", "with \"quotes\" and \\");
	plan_add(p, STEP_BIND, "wq0.1", "mdev", "", "", "bind");
	plan_add(p, STEP_UNBIND, "wq0.2", "mdev", "", "", "unbind");
	plan_add(p, STEP_MDEV_CREATE, UUID_A, "idxd-dsa-1dwq-v1", "", BDF_A, "create");
	plan_add(p, STEP_MDEV_WQ, UUID_A, "wq", "", "wq0.1", "pin");
	plan_add(p, STEP_MDEV_REMOVE, UUID_B, "idxd-dsa-1dwq-v1", "wq0.2", BDF_A, "remove");
	return p;
}

static void test_journal(void)
{
	_cleanup_(closep) int fd = open_state();
	_cleanup_(plan_freep) struct plan *p = sample_plan();
	_cleanup_(record_freep) struct record *rec = sample(BDF_A);
	_cleanup_(journal_freep) struct journal *j = NULL;
	_cleanup_(freep) char *want = NULL, *got = NULL;
	struct journal_entry e = { .op = UUID_A, .boot_id = UUID_B, .plan = p, .after = rec };
	struct journal_entry none = { .op = UUID_B, .boot_id = UUID_B, .plan = p, .refused = true };
	struct journal_entry *all;
	size_t n, bad;

	CHECK(journal_new(&j, fd) == 0, "journal");
	CHECK(journal_begin(j, &e) == 0 && journal_begin(j, &none) == 0, "begin");
	write_state("journal/broken.json", "{ \"version\": 1, \"operation\": 5 }");
	write_state("journal/half.json.tmp", "{");
	CHECK(journal_load(j, &all, &n, &bad) == 0 && n == 2 && bad == 1, "load: %zu, %zu bad", n,
	      bad);
	CHECK(test_count_files(state_dir, ".tmp") == 0, "temp files go");
	if (n == 2) {
		CHECK_STR(all[0].op, UUID_A, "operation");
		CHECK_STR(all[0].boot_id, UUID_B, "boot");
		CHECK(all[0].plan->kind == PLAN_CREATE, "kind");
		CHECK(!all[0].refused && all[1].refused, "refused");
		CHECK_STR(all[0].plan->accel, "dsa0", "accelerator");
		CHECK_STR(all[0].plan->bdf, BDF_A, "device");
		CHECK_STR(all[0].plan->uuid, UUID_A, "uuid");
		plan_format(p, &want);
		plan_format(all[0].plan, &got);
		CHECK_STR(got, want, "steps");
		for (size_t i = 0; i < p->n; i++)
			CHECK_STR(all[0].plan->steps[i].old, p->steps[i].old, "old value");
		if (CHECK(all[0].after && !all[1].after, "records"))
			check_same(all[0].after, rec, "record in the journal");
	}
	journal_entries_free(all, n);
	CHECK(journal_end(j, UUID_A) == 0 && journal_end(j, UUID_A) == 0, "end, and again");
	CHECK(journal_load(j, &all, &n, &bad) == 0 && n == 1 && bad == 1, "one left");
	journal_entries_free(all, n);
}

static void test_record_apply(void)
{
	_cleanup_(record_freep) struct record *rec = sample(BDF_A);
	_cleanup_(plan_freep) struct plan *p = sample_plan();

	rec->wqs[2] = true;
	CHECK(record_apply(rec, p) == 0, "apply");
	CHECK(rec->wqs[1] && !rec->wqs[2] && rec->wqs[7], "wqs follow the plan");
	CHECK(record_has_mdev(rec, UUID_A) && !record_has_mdev(rec, UUID_B), "mdevs too");
	CHECK(rec->n_mdevs == 1, "the same mdev is not there twice");
}

/* Any damage to a record: it is refused or it is a whole one, and nothing breaks. */
static void test_damage(void)
{
	_cleanup_(record_freep) struct record *rec = sample(BDF_A);
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int fd = open_state();
	_cleanup_(store_freep) struct store *s = open_store();
	unsigned int seed = 1, good = 0, n = 5000;

	CHECK(store_delete(s, BDF_A) == 0 && store_put(s, rec) == 0, "put");
	CHECK(fs_read(fd, "devices/" BDF_A ".json", 65536, &text) == 0, "read");
	for (unsigned int i = 0; i < n; i++) {
		_cleanup_(json_putp) struct json_object *parsed = NULL;
		_cleanup_(record_freep) struct record *got = NULL;
		_cleanup_(freep) char *damaged = strdup(text);
		size_t len = strlen(damaged), at = rand_r(&seed) % len;

		switch (rand_r(&seed) % 3) {
		case 0:
			damaged[at] = '\0';
			break;
		case 1:
			damaged[at] ^= 1 << rand_r(&seed) % 7;
			break;
		default:
			memmove(damaged + at, damaged + at + 1, len - at);
			break;
		}
		if (json_parse(damaged, &parsed) == 0 && record_from_json(parsed, &got) == 0) {
			good++;
			CHECK(string_is_pci_address(got->bdf), "a bad device passed: %s", got->bdf);
		}
	}
	CHECK(good > 0 && good < n, "%u of %u damaged ones pass", good, n);
}

/* An error anywhere in writing leaves the old text and no temp file. */
static int fail_call, calls;

static int fail_hook(void *userdata, const char *call, bool after)
{
	if (after)
		return 0;
	return ++calls == fail_call ? -ENOSPC : 0;
}

static void test_fs_errors(void)
{
	_cleanup_(closep) int fd = open_state();
	int n = 0;

	CHECK(fs_write(fd, "file", "old") == 0, "write");
	fs_set_hook(fail_hook, NULL);
	for (fail_call = 1; ; fail_call++) {
		_cleanup_(freep) char *text = NULL;
		int r;

		calls = 0;
		r = fs_write(fd, "file", "new");
		if (calls < fail_call)
			break;
		n++;
		CHECK(r == -ENOSPC, "call %d: %d", fail_call, r);
		CHECK(fs_read(fd, "file", 16, &text) == 0, "read");
		CHECK(!strcmp(text, "old") || !strcmp(text, "new"), "call %d: \"%s\"", fail_call,
		      text);
		CHECK(test_count_files(state_dir, ".tmp") == 0, "call %d: temp file", fail_call);
	}
	fs_set_hook(NULL, NULL);
	CHECK(n == 5, "create, write, fsync, rename, fsync: %d", n);
}

static void test_fs_limits(void)
{
	_cleanup_(closep) int fd = open_state();
	_cleanup_(freep) char *text = NULL;

	CHECK(fs_write(fd, "file", "12345") == 0, "write");
	CHECK(fs_read(fd, "file", 4, &text) == -EFBIG, "too big");
	CHECK(fs_read(fd, "file", 5, &text) == 0 && !strcmp(text, "12345"), "just fits");
	CHECK(fs_read(fd, "nothing", 5, &text) == -ENOENT, "missing");
	CHECK(symlinkat("file", fd, "link") == 0, "link");
	CHECK(fs_read(fd, "link", 5, &text) == -ELOOP, "links are not followed");
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		int r;
		unsigned int value;
	} uints[] = {
		{ "0", 0, 0 }, { "4294967295", 0, 4294967295u }, { "4294967296", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "+1", -EINVAL, 0 }, { " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 }, { "0x1", -EINVAL, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
	};
	static const struct {
		const char *text;
		bool ok;
	} addresses[] = {
		{ "0000:6a:01.0", true }, { "0000:6A:1f.7", true }, { "0000:6a:01.8", false },
		{ "0000:6a:01", false }, { "0000:6a:01.00", false }, { "", false },
		{ "0000-6a:01.0", false },
	};
	char uuid[37], again[37];
	int v;

	for (size_t i = 0; i < ARRAY_LEN(uints); i++) {
		unsigned int got = 0;
		int r = parse_uint(uints[i].text, &got);

		CHECK(r == uints[i].r && got == uints[i].value, "\"%s\": %d, %u", uints[i].text, r,
		      got);
	}
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		CHECK(string_is_pci_address(addresses[i].text) == addresses[i].ok, "\"%s\"",
		      addresses[i].text);
	CHECK(parse_int("-1", &v) == 0 && v == -1, "-1");
	CHECK(parse_int("--1", &v) == -EINVAL, "--1");
	CHECK(uuid_random(uuid) == 0 && parse_uuid(uuid, again) == 0, "a random UUID is one");
	CHECK_STR(again, uuid, "and canonical");
	CHECK(uuid[14] == '4' && strchr("89ab", uuid[19]), "version 4: %s", uuid);
}

int main(void)
{
	snprintf(state_dir, sizeof(state_dir), "%s/a/b/state", test_dir());
	test_store();
	test_unknown_keys();
	test_broken_records();
	test_journal();
	test_record_apply();
	test_damage();
	test_fs_errors();
	test_fs_limits();
	test_parse();
	return test_report("daemon-store");
}
