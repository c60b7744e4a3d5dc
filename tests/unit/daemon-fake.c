/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated machine keeps the rules of idxd's sysfs, in the order of the kernel's own tests. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/backend.h"
#include "tests/unit/daemon-test.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "22222222-2222-4222-8222-222222222222"
#define TYPE "idxd-dsa-1dwq-v1"
#define BDF "0000:6a:01.0"

enum { SET, BIND, UNBIND, CREATE, REMOVE, PIN, READS };

/* One machine, line by line: what is done, and what the kernel says to it. */
static const struct {
	const char *name;
	int act;
	const char *object, *attr, *value;
	int want;
} lines[] = {
	{ "size while off", SET, "wq0.0", "size", "16", 0 },
	{ "no number", SET, "wq0.0", "size", "many", -EINVAL },
	{ "more than there is", SET, "wq0.1", "size", "113", -EINVAL },
	{ "the rest", SET, "wq0.1", "size", "112", 0 },
	{ "no such group", SET, "wq0.0", "group_id", "4", -EINVAL },
	{ "below none", SET, "wq0.0", "group_id", "-2", -EINVAL },
	{ "nothing grouped yet", BIND, "dsa0", "idxd", NULL, -ENXIO },
	{ "group", SET, "wq0.0", "group_id", "0", 0 },
	{ "no engine yet", BIND, "dsa0", "idxd", NULL, -ENXIO },
	{ "engine", SET, "engine0.0", "group_id", "0", 0 },
	{ "a shared wq on a CPU without ENQCMD", BIND, "dsa0", "idxd", NULL, -ENXIO },
	{ "so it is a dedicated one", SET, "wq0.0", "mode", "dedicated", 0 },
	{ "a grouped wq without size", SET, "wq0.2", "group_id", "0", 0 },
	{ "dedicated too", SET, "wq0.2", "mode", "dedicated", 0 },
	{ "the hardware refuses it", BIND, "dsa0", "idxd", NULL, -ENXIO },
	{ "ungroup it", SET, "wq0.2", "group_id", "-1", 0 },
	{ "a wq before its device", BIND, "wq0.0", "user", NULL, -ENODEV },
	{ "enable", BIND, "dsa0", "idxd", NULL, 0 },
	{ "enable twice", BIND, "dsa0", "idxd", NULL, -ENXIO },
	{ "size while on", SET, "wq0.0", "size", "8", -EPERM },
	{ "size stays", READS, "wq0.0", "size", "16", 0 },
	{ "bad mode", SET, "wq0.0", "mode", "both", -EINVAL },
	{ "mode", SET, "wq0.0", "mode", "dedicated", 0 },
	{ "bad priority", SET, "wq0.0", "priority", "16", -EINVAL },
	{ "priority", SET, "wq0.0", "priority", "10", 0 },
	{ "name first", SET, "wq0.0", "name", "x", 0 },
	{ "a new type clears it", SET, "wq0.0", "type", "user", 0 },
	{ "it is cleared", READS, "wq0.0", "name", "", 0 },
	{ "driver_name does not match", BIND, "wq0.0", "mdev", NULL, -ENODEV },
	{ "driver_name", SET, "wq0.0", "driver_name", "mdev", 0 },
	{ "no name", BIND, "wq0.0", "mdev", NULL, -ENXIO },
	{ "name", SET, "wq0.0", "name", "idxdvd", 0 },
	{ "type not offered yet", CREATE, BDF, TYPE, UUID_A, -ENOENT },
	{ "no such wq", BIND, "wq0.9", "mdev", NULL, -ENODEV },
	{ "no such driver", BIND, "dsa0", "mdev", NULL, -ENODEV },
	{ "bind", BIND, "wq0.0", "mdev", NULL, 0 },
	{ "bind twice", BIND, "wq0.0", "mdev", NULL, -EBUSY },
	{ "mode while on", SET, "wq0.0", "mode", "shared", -EPERM },
	{ "type while on", SET, "wq0.0", "type", "none", -EPERM },
	{ "group while on", SET, "wq0.0", "group_id", "1", -EPERM },
	{ "name while on", SET, "wq0.0", "name", "y", -EPERM },
	{ "another parent", CREATE, "0000:6b:01.0", TYPE, UUID_A, -ENODEV },
	{ "another kind", CREATE, BDF, "idxd-iax-1dwq-v1", UUID_A, -ENOENT },
	{ "no UUID", CREATE, BDF, TYPE, "mine", -EINVAL },
	{ "create", CREATE, BDF, TYPE, UUID_A, 0 },
	{ "create twice", CREATE, BDF, TYPE, UUID_A, -EEXIST },
	{ "nothing left", CREATE, BDF, TYPE, UUID_B, -ENOSPC },
	{ "pin to a wq that is not bound", PIN, UUID_A, NULL, "wq0.1", -EBUSY },
	{ "pin what is not there", PIN, UUID_B, NULL, "wq0.0", -ENOENT },
	{ "remove", REMOVE, UUID_A, NULL, NULL, 0 },
	{ "remove twice", REMOVE, UUID_A, NULL, NULL, -ENOENT },
	{ "unbind from the wrong driver", UNBIND, "wq0.0", "user", NULL, -ENODEV },
	{ "unbind", UNBIND, "wq0.0", "mdev", NULL, 0 },
	{ "wiped", READS, "wq0.0", "name", "", 0 },
	{ "wiped", READS, "wq0.0", "type", "none", 0 },
	{ "wiped", READS, "wq0.0", "mode", "shared", 0 },
	{ "wiped", READS, "wq0.0", "priority", "0", 0 },
	{ "kept", READS, "wq0.0", "size", "16", 0 },
	{ "kept", READS, "wq0.0", "group_id", "0", 0 },
	{ "kept", READS, "wq0.0", "driver_name", "mdev", 0 },
	{ "disable", UNBIND, "dsa0", "idxd", NULL, 0 },
	{ "all wiped", READS, "wq0.0", "size", "0", 0 },
	{ "all wiped", READS, "wq0.0", "group_id", "-1", 0 },
	{ "all wiped", READS, "engine0.0", "group_id", "-1", 0 },
	{ "no such attribute", READS, "wq0.0", "colour", "", -ENOENT },
};

static int act(struct backend *b, size_t i)
{
	const struct backend_ops *ops = b->ops;
	char buf[LABEL_LEN] = "";
	int r = -EINVAL;

	switch (lines[i].act) {
	case SET:
		r = ops->set(b, lines[i].object, lines[i].attr, lines[i].value);
		break;
	case BIND:
		r = ops->bind(b, lines[i].object, lines[i].attr);
		break;
	case UNBIND:
		r = ops->unbind(b, lines[i].object, lines[i].attr);
		break;
	case CREATE:
		r = ops->mdev_create(b, lines[i].object, lines[i].attr, lines[i].value);
		break;
	case REMOVE:
		r = ops->mdev_remove(b, lines[i].object);
		break;
	case PIN:
		r = ops->mdev_set_wq(b, lines[i].object, lines[i].value);
		break;
	case READS:
		r = ops->get(b, lines[i].object, lines[i].attr, buf, sizeof(buf));
		CHECK_STR(buf, lines[i].value, lines[i].name);
		break;
	}
	return r;
}

static struct backend *with_topology(const char *text)
{
	struct backend *b;
	char path[4096];

	snprintf(path, sizeof(path), "%s/topology", test_dir());
	test_write_file(path, text);
	return backend_fake_new(&b, path, NULL) == 0 ? b : NULL;
}

static void test_rules(void)
{
	struct backend *b = with_topology("{ \"enqcmd\": false, \"accelerators\": [ {} ] }");

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		int r = act(b, i);

		CHECK(r == lines[i].want, "%s: %d, wanted %d", lines[i].name, r, lines[i].want);
	}
	backend_free(b);
}

/* A queue that several mdevs share, and all that it takes. */
static void test_shared(void)
{
	static const struct {
		const char *attr, *value;
		int want;
	} writes[] = {
		{ "threshold", "17", -EINVAL }, { "threshold", "0", -EINVAL },
		{ "threshold", "16", 0 }, { "mode", "dedicated", 0 }, { "threshold", "4", -EINVAL },
		{ "mode", "shared", 0 }, { "threshold", "4", 0 },
	};
	struct backend *b = with_topology(
		"{ \"max-sharers\": 2, \"accelerators\": [ { \"device\": \"0b25\", \"enabled\": true,"
		" \"engine-groups\": [ 0 ], \"queues\": [ { \"id\": 1, \"size\": 16, \"group\": 0,"
		" \"type\": \"user\", \"name\": \"x\", \"driver-name\": \"mdev\", \"priority\": 10 } ] } ] }");
	const struct backend_ops *ops = b->ops;
	const char *bdf = "0000:6a:01.0", *type = "idxd-dsa-1swq-v1";
	char buf[LABEL_LEN];
	struct mdev m;

	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		int r = ops->set(b, "wq0.1", writes[i].attr, writes[i].value);

		CHECK(r == writes[i].want, "%s %s: %d", writes[i].attr, writes[i].value, r);
	}
	CHECK(ops->bind(b, "wq0.1", "mdev") == 0, "bind");
	CHECK(ops->mdev_create(b, bdf, "idxd-dsa-1dwq-v1", UUID_A) == -EPERM, "whole, with the erratum");
	CHECK(ops->mdev_create(b, bdf, type, UUID_A) == 0 && ops->mdev_create(b, bdf, type, UUID_B) == 0 &&
	      ops->mdev_create(b, bdf, type, "33333333-3333-4333-8333-333333333333") == -ENOSPC,
	      "two and no more");
	CHECK(ops->mdev_remove(b, UUID_A) == 0 && ops->read_mdev(b, UUID_B, &m) == 0 &&
	      !strcmp(m.wq, "wq0.1") && ops->mdev_create(b, bdf, type, UUID_A) == 0, "one comes and goes");
	CHECK(ops->unbind(b, "wq0.1", "mdev") == 0 && ops->read_mdev(b, UUID_A, &m) == -ENOENT &&
	      ops->read_mdev(b, UUID_B, &m) == -ENOENT, "both go with the queue");
	CHECK(ops->get(b, "wq0.1", "threshold", buf, sizeof(buf)) == 0, "threshold");
	CHECK_STR(buf, "0", "threshold");
	backend_free(b);
}

static void test_topology(void)
{
	struct backend *b = with_topology(
		"{ \"accelerators\": [ { \"kind\": \"iax\", \"address\": \"0000:e7:02.0\","
		"  \"device\": \"0cfe\", \"numa\": 1, \"wqs\": 2 },"
		"  { \"enabled\": true, \"engine-groups\": [ 0 ], \"queues\": [ { \"id\": 1,"
		"    \"size\": 4, \"group\": 0, \"type\": \"user\", \"driver\": \"mdev\","
		"    \"mode\": \"dedicated\" } ] } ],"
		"  \"mdevs\": [ { \"uuid\": \"" UUID_A "\", \"type\": \"" TYPE "\","
		"    \"wq\": \"wq1.1\", \"pid\": 9, \"comm\": \"vmm\" } ] }");
	struct accel **accels;
	struct mdev *mdevs, m;
	char uuid[UUID_LEN];
	size_t n;

	if (!CHECK(b, "topology is read"))
		return;
	CHECK(b->ops->scan(b, &accels, &n) == 0 && n == 2, "two accelerators");
	CHECK_STR(accels[0]->name, "iax0", "name");
	CHECK_STR(accels[0]->bdf, "0000:e7:02.0", "address");
	CHECK(accels[0]->unsafe && accels[0]->numa_node == 1 && accels[0]->n_wqs == 2, "facts");
	CHECK(wq_is_iaa_default(accels[0], &accels[0]->wqs[0]), "idxd's IAA defaults");
	CHECK_STR(accels[1]->name, "dsa1", "one counter for both kinds");
	CHECK(accels[1]->state == STATE_ENABLED && accels[1]->wqs[1].size == 4, "configured");
	for (size_t i = 0; i < n; i++)
		accel_free(accels[i]);
	free(accels);

	CHECK(b->ops->scan_mdevs(b, &mdevs, &n) == 0 && n == 1, "one mdev");
	free(mdevs);
	CHECK(b->ops->read_mdev(b, UUID_A, &m) == 0 && m.in_use && m.holder.pid == 9, "its opener");
	CHECK_STR(m.wq, "wq1.1", "its wq");
	CHECK(b->ops->wq_mdev(b, m.parent, "wq1.1", uuid) == 0, "who has the wq");
	CHECK_STR(uuid, UUID_A, "who has the wq");
	CHECK(b->ops->mdev_remove(b, UUID_A) == -EBUSY, "open");
	CHECK(backend_fake_open_mdev(b, UUID_A, 0, "") == 0, "close");
	CHECK(b->ops->unbind(b, "wq1.1", "mdev") == 0, "an unbind takes the mdev along");
	CHECK(b->ops->read_mdev(b, UUID_A, &m) == -ENOENT, "it is gone");
	backend_free(b);
}

static void test_bad_topologies(void)
{
	static const char *const texts[] = {
		"", "[]", "{ \"accelerators\": 5 }", "{ \"accelerators\": [ 5 ] }",
		"{ \"accelerators\": [ { \"kind\": \"gpu\" } ] }",
		"{ \"accelerators\": [ { \"wqs\": 1000 } ] }",
		"{ \"accelerators\": [ { \"address\": \"here\" } ] }",
		"{ \"accelerators\": [ { \"queues\": [ { \"id\": 8 } ] } ] }",
		"{ \"accelerators\": [ {} ], \"mdevs\": [ { \"uuid\": \"" UUID_A
		"\", \"type\": \"x\", \"wq\": \"wq0.0\" } ] }",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		CHECK(!with_topology(texts[i]), "taken: %s", texts[i]);
}

int main(void)
{
	test_rules();
	test_shared();
	test_topology();
	test_bad_topologies();
	return test_report("daemon-fake");
}
