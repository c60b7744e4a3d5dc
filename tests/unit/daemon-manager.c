/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manager as its users meet it: operations, refusals, events, restarts, the thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "idxdvd/fs.h"
#include "idxdvd/sysfs.h"
#include "tests/unit/daemon-test.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "22222222-2222-4222-8222-222222222222"
#define UUID_C "33333333-3333-4333-8333-333333333333"
#define TYPE "idxd-dsa-1dwq-v1"
#define BDF "0000:6a:01.0"

/* --- one manager for a test ------------------------------------------------------------------ */

struct seen {
	unsigned int n[OBJECT_KIND_COUNT][3];	/* [kind][change] */
	char last[UUID_LEN];
};

static char state_dir[4096], hw_file[4096];
static struct manager *m;
static struct backend *b;
static struct seen seen;

static void on_object(void *userdata, enum object_kind kind, enum object_change change,
		      const char *id)
{
	struct seen *s = userdata;
	bool there = kind == OBJECT_ACCEL ? !!manager_find_accel(m, id) :
		     kind == OBJECT_WQ ? !!manager_find_wq(m, id, NULL) :
		     kind == OBJECT_MDEV ? !!manager_find_mdev(m, id) :
		     !!manager_find_definition(m, id);

	s->n[kind][change]++;
	snprintf(s->last, sizeof(s->last), "%s", id);
	CHECK(there == (change != OBJECT_REMOVED), "%s: told %d, but it is %sthere", id, change,
	      there ? "" : "not ");
}

static void boot(const char *topology, sd_event *event)
{
	struct manager_config config = {
		.event = event, .state_dir = state_dir, .observer = { on_object, &seen },
	};
	char path[4096];

	if (topology) {
		snprintf(path, sizeof(path), "%s/topology", test_dir());
		test_write_file(path, topology);
	}
	memset(&seen, 0, sizeof(seen));
	if (backend_fake_new(&config.backend, topology ? path : NULL, hw_file) < 0 ||
	    manager_new(&m, &config) < 0)
		exit(99);
	b = config.backend;
}

static void begin(const char *topology)
{
	struct answer ans = { 0 };

	test_remove_tree(state_dir);
	unlink(hw_file);
	boot(topology, NULL);
	manager_start(m, answer_done, &ans);
	CHECK(ans.calls == 1 && ans.r == 0, "start: %s", ans.refusal.reason);
}

static void restart(void)
{
	struct answer ans = { 0 };

	m = manager_free(m);
	boot(NULL, NULL);
	manager_start(m, answer_done, &ans);
	CHECK(ans.calls == 1 && ans.r == 0, "restart: %s", ans.refusal.reason);
}

static void end(void)
{
	m = manager_free(m);
}

static struct answer adopt(const char *device)
{
	struct answer ans = { 0 };

	manager_adopt(m, device, NULL, answer_done, &ans);
	return ans;
}

static struct answer create(const char *uuid)
{
	struct create_request req = { .type = TYPE, .uuid = uuid };
	struct answer ans = { 0 };

	manager_create_mdev(m, &req, answer_done, &ans);
	return ans;
}

static struct answer destroy(const char *uuid)
{
	struct answer ans = { 0 };

	manager_destroy_mdev(m, uuid, false, answer_done, &ans);
	return ans;
}

static struct answer release(const char *device)
{
	struct answer ans = { 0 };

	manager_release(m, device, false, answer_done, &ans);
	return ans;
}

static unsigned int count_class(enum wq_class cls)
{
	const struct accel *a = manager_accel(m, 0);
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n_wqs; i++)
		n += a->wqs[i].cls == cls;
	return n;
}

static void check_ok(struct answer ans, int line)
{
	test_check(ans.calls == 1 && ans.r == 0, __FILE__, line, "%d: %s", ans.r,
		   ans.refusal.reason);
}

static void check_refused(struct answer ans, enum refusal_kind want, int line)
{
	test_check(ans.calls == 1 && ans.r < 0 && ans.refusal.kind == want, __FILE__, line,
		   "%d %s: %s", ans.r, refusal_kind_name(ans.refusal.kind), ans.refusal.reason);
	test_check(ans.refusal.object[0] && ans.refusal.reason[0] && ans.refusal.remedy[0], __FILE__,
		   line, "object \"%s\", reason \"%s\", remedy \"%s\"", ans.refusal.object,
		   ans.refusal.reason, ans.refusal.remedy);
}

#define OK(ans) check_ok((ans), __LINE__)
#define REFUSED(ans, want) check_refused((ans), (want), __LINE__)

/* --- operations ------------------------------------------------------------------------------ */

static void test_life(void)
{
	const struct mdev_type *type = mdev_type_find(TYPE);
	const struct mdev *d;
	struct answer ans;
	const struct wq *w;

	begin(NULL);
	CHECK(seen.n[OBJECT_ACCEL][OBJECT_ADDED] == 1 && seen.n[OBJECT_WQ][OBJECT_ADDED] == 8,
	      "the start announces what there is");
	CHECK(manager_type_available(m, type, NULL) == 0, "nothing before adoption");
	ans = adopt(BDF);
	OK(ans);
	CHECK(manager_type_available(m, type, NULL) == 7, "one is kept for the host");
	CHECK(count_class(WQ_POOL) == 1 && count_class(WQ_FREE) == 7, "pool of one");

	memset(&seen, 0, sizeof(seen));
	ans = create(NULL);
	OK(ans);
	CHECK(seen.n[OBJECT_MDEV][OBJECT_ADDED] == 1, "the mdev is announced once");
	d = manager_find_mdev(m, ans.uuid);
	if (CHECK(d, "the mdev can be found")) {
		CHECK(d->ours && !strcmp(d->accel, "dsa0") && !strcmp(d->type, TYPE), "its facts");
		w = manager_find_wq(m, d->wq, NULL);
		CHECK(w && !strcmp(w->mdev, d->uuid) && w->cls == WQ_MDEV_IDLE, "its wq");
	}
	CHECK(count_class(WQ_POOL) == 1, "the pool is filled again");
	CHECK(manager_type_available(m, type, NULL) == 6, "one less");

	OK(destroy(ans.uuid));
	CHECK(seen.n[OBJECT_MDEV][OBJECT_REMOVED] == 1, "its end is announced once");
	CHECK(manager_n_mdevs(m) == 0 && count_class(WQ_POOL) == 1, "the pool is as before");
	OK(release("dsa0"));
	CHECK(manager_accel(m, 0)->state == STATE_DISABLED, "the device is off again");
	CHECK(!manager_accel(m, 0)->adopted, "and not ours");
	end();
}

static void test_refusals(void)
{
	struct adopt_options many = { .set = ADOPT_POOL_MIN, .pool_min = 9 };
	struct answer ans = { 0 };

	begin(NULL);
	REFUSED(create(NULL), REFUSE_NOT_ADOPTED);
	REFUSED(adopt("dsa5"), REFUSE_NO_SUCH_DEVICE);
	REFUSED(release("dsa0"), REFUSE_NOT_ADOPTED);
	manager_adopt(m, "dsa0", &many, answer_done, &ans);
	REFUSED(ans, REFUSE_INVALID_ARGS);
	OK(adopt("dsa0"));
	REFUSED(adopt("dsa0"), REFUSE_EXISTS);
	REFUSED(create("../../etc/passwd"), REFUSE_INVALID_UUID);
	OK(create(UUID_A));
	REFUSED(create(UUID_A), REFUSE_EXISTS);
	REFUSED(destroy(UUID_B), REFUSE_NO_SUCH_MDEV);
	REFUSED(destroy("nonsense"), REFUSE_NO_SUCH_MDEV);
	REFUSED(release("dsa0"), REFUSE_IN_USE);
	CHECK(backend_fake_open_mdev(b, UUID_A, 77, "qemu") == 0, "a VMM opens it");
	ans = destroy(UUID_A);
	REFUSED(ans, REFUSE_MDEV_IN_USE);
	CHECK_STR(ans.refusal.holder, "pid 77 (qemu)", "the holder");
	CHECK(count_class(WQ_MDEV_IN_USE) == 1, "and the wq's class says it too");
	CHECK(backend_fake_open_mdev(b, UUID_A, 0, "") == 0, "it closes it");
	OK(destroy(UUID_A));
	for (int i = 0; i < 7; i++)
		OK(create(NULL));
	REFUSED(create(NULL), REFUSE_NO_CAPACITY);
	end();

	begin("{ \"accelerators\": [ { \"device\": \"0b25\" } ] }");
	OK(adopt("dsa0"));
	REFUSED(create(NULL), REFUSE_UNSAFE_DEVICE);
	end();
	begin("{ \"module\": false, \"accelerators\": [ {} ] }");
	REFUSED(adopt("dsa0"), REFUSE_NO_MODULE);
	end();
	begin("{ \"accelerators\": [ { \"pasid\": false } ] }");
	REFUSED(adopt("dsa0"), REFUSE_NO_IOMMU);
	end();
	begin("{ \"accelerators\": [] }");
	REFUSED(create(NULL), REFUSE_NO_SUCH_DEVICE);
	end();
}

static void test_dry_run(void)
{
	struct adopt_options o = { .set = ADOPT_DRY_RUN };
	struct create_request req = { .type = TYPE, .flags = CREATE_DRY_RUN };
	struct answer ans = { 0 };
	char before[8192], after[8192];

	begin(NULL);
	test_describe(m, before, sizeof(before));
	manager_adopt(m, "dsa0", &o, answer_done, &ans);
	OK(ans);
	CHECK(strstr(ans.plan, "bind dsa0 to driver idxd"), "a plan: %s", ans.plan);
	test_describe(m, after, sizeof(after));
	CHECK_STR(after, before, "a dry run changes nothing");

	OK(adopt("dsa0"));
	test_describe(m, before, sizeof(before));
	memset(&ans, 0, sizeof(ans));
	manager_create_mdev(m, &req, answer_done, &ans);
	OK(ans);
	CHECK(strstr(ans.plan, "pin mdev") && ans.uuid[0], "a plan: %s", ans.plan);
	test_describe(m, after, sizeof(after));
	CHECK_STR(after, before, "a dry run changes nothing");
	end();
}

/* --- the others on the machine --------------------------------------------------------------- */

static void test_behind_our_back(void)
{
	const struct mdev *d;

	begin(NULL);
	OK(adopt("dsa0"));
	CHECK(b->ops->mdev_create(b, BDF, TYPE, UUID_A) == 0, "mdevctl creates one");
	manager_rescan(m, "mdev", UUID_A);
	d = manager_find_mdev(m, UUID_A);
	if (CHECK(d, "it is seen"))
		CHECK(!d->ours, "and is not ours");
	CHECK(count_class(WQ_POOL) == 1, "the pool is filled on the event");
	REFUSED(destroy(UUID_A), REFUSE_FOREIGN);
	REFUSED(release("dsa0"), REFUSE_IN_USE);
	restart();
	d = manager_find_mdev(m, UUID_A);
	CHECK(d && !d->ours, "also after a restart");

	CHECK(b->ops->mdev_remove(b, UUID_A) == 0, "mdevctl removes it");
	manager_rescan(m, "mdev", UUID_A);
	CHECK(!manager_find_mdev(m, UUID_A), "that is seen too");
	CHECK(count_class(WQ_POOL) == 1, "the pool shrinks");

	OK(create(UUID_B));
	CHECK(b->ops->mdev_remove(b, UUID_B) == 0, "ours is removed behind our back");
	manager_rescan(m, "mdev", UUID_B);
	CHECK(manager_n_mdevs(m) == 0, "it is gone");
	CHECK(b->ops->mdev_create(b, BDF, TYPE, UUID_B) == 0, "and comes again from another");
	manager_rescan(m, NULL, NULL);
	d = manager_find_mdev(m, UUID_B);
	CHECK(d && !d->ours, "it is theirs now");
	CHECK(b->ops->mdev_remove(b, UUID_B) == 0, "remove");
	manager_rescan(m, NULL, NULL);
	OK(release("dsa0"));
	end();
}

/* The picture is a moment old: mdevctl takes the queue that the pool would give back. */
static void test_race_for_the_pool(void)
{
	struct answer ans;
	struct mdev d;

	begin(NULL);
	OK(adopt("dsa0"));
	CHECK(b->ops->mdev_create(b, BDF, TYPE, UUID_A) == 0, "taken before the event");
	ans = create(UUID_B);
	OK(ans);
	CHECK(b->ops->read_mdev(b, UUID_A, &d) == 0, "theirs is still there");
	CHECK(manager_n_mdevs(m) == 2, "both are known after the events: %zu", manager_n_mdevs(m));
	end();
}

static void test_host_takes_one(void)
{
	const struct wq *w;

	begin(NULL);
	OK(adopt("dsa0"));
	CHECK(b->ops->set(b, "wq0.7", "mode", "dedicated") == 0 &&
	      b->ops->set(b, "wq0.7", "priority", "5") == 0 &&
	      b->ops->set(b, "wq0.7", "type", "kernel") == 0 &&
	      b->ops->set(b, "wq0.7", "driver_name", "dmaengine") == 0 &&
	      b->ops->set(b, "wq0.7", "name", "dma") == 0 &&
	      b->ops->bind(b, "wq0.7", "dmaengine") == 0, "the host takes its wq");
	manager_rescan(m, "dsa", "wq0.7");
	w = manager_find_wq(m, "wq0.7", NULL);
	CHECK(w->cls == WQ_HOST_KERNEL && !w->ours, "it is the host's");
	OK(release("dsa0"));
	w = manager_find_wq(m, "wq0.7", NULL);
	CHECK(w->cls == WQ_HOST_KERNEL, "release leaves it running");
	CHECK(manager_accel(m, 0)->state == STATE_ENABLED, "on a device that stays on");
	end();
}

static int break_scan_mdevs(void *userdata, const char *call, bool after)
{
	return !strcmp(call, "scan_mdevs") && !after ? -EMFILE : 0;
}

/* What cannot be read is not lost, and stays ours. */
static void test_scan_fails(void)
{
	struct answer ans = { 0 };
	const struct mdev *d;

	begin(NULL);
	OK(adopt("dsa0"));
	OK(create(UUID_A));
	backend_fake_set_hook(b, break_scan_mdevs, NULL);
	manager_rescan(m, NULL, NULL);
	d = manager_find_mdev(m, UUID_A);
	CHECK(d && d->ours, "it is still known, and ours");
	manager_refresh(m, answer_done, &ans);
	REFUSED(ans, REFUSE_FAILED);
	backend_fake_set_hook(b, NULL, NULL);
	/* What failed is tried again, with the next operation at the latest. */
	backend_fake_open_mdev(b, UUID_A, 4711, "qemu");
	REFUSED(release("dsa0"), REFUSE_IN_USE);
	CHECK(manager_find_mdev(m, UUID_A)->in_use, "the picture is fresh again");
	backend_fake_open_mdev(b, UUID_A, 0, NULL);
	d = manager_find_mdev(m, UUID_A);
	CHECK(d && d->ours, "it is ours once they can be read again");
	OK(destroy(UUID_A));
	end();
}

static unsigned int n_scans;

static int break_two_scans(void *userdata, const char *call, bool after)
{
	return !strcmp(call, "scan") && !after && n_scans++ < 2 ? -EMFILE : 0;
}

/* With a loop nobody has to ask. */
static void test_scan_again(void)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	struct answer ans = { 0 };

	test_remove_tree(state_dir);
	unlink(hw_file);
	if (sd_event_new(&event) < 0)
		exit(99);
	boot(NULL, event);
	manager_start(m, answer_done, &ans);
	while (!ans.calls)
		sd_event_run(event, 1000);
	OK(ans);
	n_scans = 0;
	backend_fake_set_hook(b, break_two_scans, NULL);
	manager_rescan(m, NULL, NULL);
	for (int i = 0; i < 100 && (n_scans < 3 || !manager_is_idle(m)); i++)
		sd_event_run(event, 100 * 1000);
	CHECK(n_scans == 3, "two that failed and one more: %u", n_scans);
	end();
}

/* A VMM opens the mdev while its removal begins: refused, bounded, and over when it lets go. */
static void test_race_open(void)
{
	struct answer ans;

	begin(NULL);
	OK(adopt("dsa0"));
	OK(create(UUID_A));
	OK(create(UUID_B));
	CHECK(backend_fake_race_open(b, UUID_A, 4711, "qemu") == 0, "race");
	ans = destroy(UUID_A);
	REFUSED(ans, REFUSE_IN_USE);
	CHECK(strstr(ans.refusal.reason, "as soon as it is closed"), "%s", ans.refusal.reason);
	CHECK(test_count_files(state_dir, "") == 1, "nothing is left in the journal");
	OK(destroy(UUID_B));
	CHECK(b->ops->mdev_create(b, BDF, TYPE, UUID_A) == -EEXIST, "the kernel still has it");
	backend_fake_open_mdev(b, UUID_A, 0, NULL);
	manager_rescan(m, NULL, NULL);
	CHECK(manager_n_mdevs(m) == 0, "it went when it was closed");
	OK(create(UUID_A));
	restart();
	CHECK(manager_find_mdev(m, UUID_A)->ours, "and may come again");
	end();
}

/* A write that sleeps does not hold us up, and is not lost. */
static void test_bounded_write(void)
{
	char path[4200], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/fifo", test_dir());
	CHECK(mkfifo(path, 0600) == 0, "fifo");
	CHECK(sysfs_write_bounded(path, "1", 50) == -ETIMEDOUT, "nobody reads it");
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof(text)) == 2 && !strcmp(text, "1\n"),
	      "it is written when somebody does: \"%s\"", text);
	close(fd);
	unlink(path);
	CHECK(sysfs_write_bounded(path, "1", 5000) == -ENOENT, "errors come through");
	test_write_file(path, "");
	CHECK(sysfs_write_bounded(path, "1", 5000) == 0, "and success");
}

/* The real backend: a directory that cannot be opened is not an empty one. */
static void test_host_scan_fails(void)
{
	struct rlimit old, none;
	struct mdev *mdevs = NULL;
	struct backend *host;
	size_t n = 0;
	int r;

	CHECK(backend_host_new(&host) == 0, "backend");
	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0, "limit");
	none = old;
	none.rlim_cur = 0;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0, "limit");
	r = host->ops->scan_mdevs(host, &mdevs, &n);
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0, "limit");
	CHECK(r == -EMFILE, "without a descriptor: %d", r);
	if (r >= 0)
		free(mdevs);
	backend_free(host);
}

static void test_event_names(void)
{
	static const char *const names[][2] = {
		{ "dsa", "wq0.1" }, { "dsa", "dsa0" }, { "dsa", "engine0.0" }, { "dsa", "group0.3" },
		{ "dsa", "wq99.1" }, { "dsa", "dsa99" }, { "pci", BDF }, { "pci", "0000:00:00.0" },
		{ "mdev", "nonsense" }, { "mdev", UUID_C }, { "dsa", "" }, { "usb", "x" },
	};

	begin(NULL);
	OK(adopt("dsa0"));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		manager_rescan(m, names[i][0], names[i][1]);
		CHECK(manager_is_idle(m), "%s %s ends", names[i][0], names[i][1]);
	}
	end();
}

/* --- when even the undo fails ---------------------------------------------------------------- */

static bool is_broken, is_blind;

static int break_calls(void *userdata, const char *call, bool after)
{
	bool breaks = !strcmp(call, "mdev_create") || !strcmp(call, "unbind") ||
		      !strcmp(call, "mdev_remove");

	if (is_blind && !strcmp(call, "scan") && !after)
		return -EIO;
	return is_broken && breaks && !after ? -EIO : 0;
}

static int break_undo(void *userdata, const char *call, bool after)
{
	return is_broken && !after && !strcmp(call, "mdev_remove") ? -EIO : 0;
}

static void test_stuck_undo(void)
{
	struct adopt_options no_pool = { .set = ADOPT_POOL_MIN };
	struct create_request on_first = { .type = TYPE, .parent = "dsa0" };
	char before[16384], after[16384];
	struct answer ans = { 0 };

	begin("{ \"accelerators\": [ {}, {} ] }");
	manager_adopt(m, "dsa0", &no_pool, answer_done, &ans);
	OK(ans);
	OK(adopt("dsa1"));
	test_describe(m, before, sizeof(before));
	backend_fake_set_hook(b, break_calls, NULL);
	is_broken = true;
	memset(&ans, 0, sizeof(ans));
	manager_create_mdev(m, &on_first, answer_done, &ans);
	REFUSED(ans, REFUSE_FAILED);
	CHECK(strstr(ans.refusal.reason, "could not be taken back yet"), "%s", ans.refusal.reason);
	CHECK(test_count_files(state_dir, "") == 3, "the journal keeps it");
	memset(&ans, 0, sizeof(ans));
	manager_create_mdev(m, &on_first, answer_done, &ans);
	REFUSED(ans, REFUSE_FAILED);
	CHECK_STR(ans.refusal.object, "dsa0", "that device is out of order");
	/* Nor does a retry that cannot even look make it good. */
	is_broken = false;
	is_blind = true;
	for (int i = 0; i < 2; i++) {
		memset(&ans, 0, sizeof(ans));
		manager_create_mdev(m, &on_first, answer_done, &ans);
		REFUSED(ans, REFUSE_FAILED);
		CHECK(ans.r == -EUCLEAN, "no plan runs on it: %d %s", ans.r, ans.refusal.reason);
	}
	CHECK(test_count_files(state_dir, "") == 3, "the journal still keeps it");
	is_blind = false;
	on_first.parent = "dsa1";
	on_first.uuid = UUID_A;
	memset(&ans, 0, sizeof(ans));
	manager_create_mdev(m, &on_first, answer_done, &ans);
	OK(ans);
	OK(destroy(UUID_A));
	test_describe(m, after, sizeof(after));
	CHECK_STR(after, before, "once it works again, all is as before");
	CHECK(test_count_files(state_dir, "") == 2, "the journal is empty");
	end();
}

static int rename_error;

static int break_second_rename(void *userdata, const char *call, bool after)
{
	unsigned int *renames = userdata;

	return !strcmp(call, "rename") && !after && ++*renames == 2 ? rename_error : 0;
}

/* The hardware did as it was told, but the record cannot be written. */
static void test_record_not_written(int error, bool stuck)
{
	struct adopt_options no_pool = { .set = ADOPT_POOL_MIN };
	struct answer ans = { 0 };
	unsigned int renames = 0;

	begin(NULL);
	manager_adopt(m, "dsa0", &no_pool, answer_done, &ans);
	OK(ans);
	backend_fake_set_hook(b, break_undo, NULL);
	is_broken = stuck;
	rename_error = error;
	fs_set_hook(break_second_rename, &renames);
	ans = create(UUID_A);
	fs_set_hook(NULL, NULL);
	REFUSED(ans, REFUSE_FAILED);
	CHECK(!strstr(ans.refusal.reason, "all was taken back") == stuck &&
	      !strstr(ans.refusal.reason, "could not be taken back yet") == !stuck, "stuck %d: %s",
	      stuck, ans.refusal.reason);
	CHECK(test_count_files(state_dir, "") == (stuck ? 2 : 1), "stuck %d: the journal", stuck);
	is_broken = false;
	OK(create(UUID_B));
	CHECK(manager_n_mdevs(m) == 1, "what was refused is gone");
	end();
}

/* The queue can be unbound, the device cannot, and then nothing can be bound any more. */
static int break_release(void *userdata, const char *call, bool after)
{
	unsigned int *unbinds = userdata;

	if (after)
		return 0;
	if (!strcmp(call, "unbind") && ++*unbinds == 2)
		return -EIO;
	return !strcmp(call, "bind") && *unbinds ? -EIO : 0;
}

/* The daemon stops before it is better: a release that was refused is not carried out later. */
static void test_stuck_release(void)
{
	unsigned int unbinds = 0;

	begin(NULL);
	OK(adopt("dsa0"));
	backend_fake_set_hook(b, break_release, &unbinds);
	REFUSED(release("dsa0"), REFUSE_FAILED);
	CHECK(test_count_files(state_dir, "") == 2, "the journal keeps it");
	restart();
	CHECK(test_count_files(state_dir, "") == 1, "the journal is empty");
	CHECK(manager_accel(m, 0)->adopted && count_class(WQ_POOL) == 1, "still adopted");
	end();
}

static void test_second_daemon(void)
{
	struct manager_config config = { .state_dir = state_dir };
	struct manager *second;

	begin(NULL);
	CHECK(backend_fake_new(&config.backend, NULL, hw_file) == 0, "backend");
	CHECK(manager_new(&second, &config) == -EWOULDBLOCK, "one daemon at a time");
	backend_free(config.backend);
	end();
}

/* --- many ------------------------------------------------------------------------------------ */

static unsigned int n_calls;

static int count_calls(void *userdata, const char *call, bool after)
{
	n_calls += !after;
	return 0;
}

/* What an operation asks of the kernel does not grow with the number of mdevs. */
static void test_many(void)
{
	enum { MANY = 100 };
	unsigned int creates[MANY], destroys[MANY];
	char uuids[MANY][UUID_LEN];

	begin("{ \"accelerators\": [ { \"wqs\": 64, \"size\": 1024 }, { \"wqs\": 64, \"size\": 1024 } ] }");
	OK(adopt("dsa0"));
	OK(adopt("dsa1"));
	backend_fake_set_hook(b, count_calls, NULL);
	for (int i = 0; i < MANY; i++) {
		struct answer ans;

		n_calls = 0;
		ans = create(NULL);
		OK(ans);
		creates[i] = n_calls;
		memcpy(uuids[i], ans.uuid, UUID_LEN);
	}
	CHECK(manager_n_mdevs(m) == MANY, "%zu mdevs", manager_n_mdevs(m));
	CHECK(creates[MANY - 1] <= creates[1], "create: %u calls, then %u", creates[1],
	      creates[MANY - 1]);
	for (int i = 0; i < MANY; i++) {
		n_calls = 0;
		OK(destroy(uuids[i]));
		destroys[i] = n_calls;
	}
	CHECK(destroys[1] <= destroys[MANY - 2], "destroy: %u calls of many, then %u", destroys[1],
	      destroys[MANY - 2]);
	printf("calls of the kernel: create %u to %u, destroy %u to %u\n", creates[1],
	       creates[MANY - 1], destroys[1], destroys[MANY - 2]);
	end();
}

/* --- restarts -------------------------------------------------------------------------------- */

static unsigned int n_writes;

static int count_writes(void *userdata, const char *call, bool after)
{
	static const char *const writes[] = {
		"set", "bind", "unbind", "mdev_create", "mdev_remove", "mdev_set_wq",
	};

	for (size_t i = 0; i < ARRAY_LEN(writes) && !after; i++)
		n_writes += !strcmp(writes[i], call);
	return 0;
}

static void test_restart_changes_nothing(void)
{
	char before[8192], after[8192];
	struct answer ans = { 0 };

	begin(NULL);
	OK(adopt("dsa0"));
	OK(create(UUID_A));
	OK(create(UUID_B));
	test_describe(m, before, sizeof(before));
	m = manager_free(m);
	boot(NULL, NULL);
	n_writes = 0;
	backend_fake_set_hook(b, count_writes, NULL);
	manager_start(m, answer_done, &ans);
	OK(ans);
	CHECK(n_writes == 0, "%u writes in a restart", n_writes);
	test_describe(m, after, sizeof(after));
	CHECK_STR(after, before, "the same after a restart");
	n_writes = 0;
	end();
	CHECK(n_writes == 0, "%u writes at the stop", n_writes);
}

static void test_reboot(void)
{
	begin("{ \"accelerators\": [ {}, { \"kind\": \"iax\" } ] }");
	OK(adopt("dsa0"));
	OK(adopt("iax1"));
	OK(create(UUID_A));
	backend_fake_reboot(b);
	restart();
	CHECK(manager_n_mdevs(m) == 0, "mdevs do not outlive the kernel");
	CHECK(manager_accel(m, 0)->adopted && manager_accel(m, 0)->state == STATE_ENABLED &&
	      count_class(WQ_POOL) == 1, "the adopted device is laid out again");
	CHECK(manager_accel(m, 1)->adopted && manager_accel(m, 1)->n_pool == 1, "the other too");
	OK(create(UUID_A));
	OK(destroy(UUID_A));
	OK(release("dsa0"));
	CHECK(manager_accel(m, 0)->state == STATE_DISABLED, "and can be released");
	end();
}

static void test_broken_record(void)
{
	struct answer ans;
	char path[5000], text[8192];

	begin("{ \"accelerators\": [ {}, {} ] }");
	OK(adopt("dsa0"));
	OK(adopt("dsa1"));
	m = manager_free(m);
	snprintf(path, sizeof(path), "%s/devices/" BDF ".json", state_dir);
	test_write_file(path, "{ broken");
	boot(NULL, NULL);
	memset(&ans, 0, sizeof(ans));
	manager_start(m, answer_done, &ans);
	OK(ans);
	CHECK(!manager_accel(m, 0)->adopted && manager_accel(m, 1)->adopted,
	      "a broken record hides its own device only");
	test_describe(m, text, sizeof(text));
	CHECK(strstr(text, "wq0.0 pool"), "and nothing of it is changed");
	REFUSED(adopt("dsa0"), REFUSE_FAILED);
	OK(create(UUID_A));
	CHECK_STR(manager_find_mdev(m, UUID_A)->accel, "dsa1", "the other serves");
	end();
}

/* --- the thread ------------------------------------------------------------------------------ */

static unsigned int n_done;

static void count_done(void *userdata, int r, const struct manager_result *res)
{
	int *want = userdata;

	n_done++;
	if (want)
		CHECK(r == *want, "%d, wanted %d: %s", r, *want, res->refusal.reason);
}

static void run_until(sd_event *event, unsigned int n)
{
	while (n_done < n || !manager_is_idle(m))
		if (!CHECK(sd_event_run(event, 10 * 1000 * 1000) > 0, "the loop waits too long"))
			exit(99);
}

static void test_async(void)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	struct create_request req = { .type = TYPE };
	int ok = 0, full = -ENOSPC;

	test_remove_tree(state_dir);
	unlink(hw_file);
	if (sd_event_new(&event) < 0)
		exit(99);
	boot(NULL, event);
	n_done = 0;
	manager_start(m, count_done, &ok);
	CHECK(n_done == 0, "start does not block");
	manager_adopt(m, "dsa0", NULL, count_done, &ok);
	for (int i = 0; i < 7; i++)
		manager_create_mdev(m, &req, count_done, &ok);
	manager_create_mdev(m, &req, count_done, &full);
	CHECK(!manager_is_idle(m), "they wait");
	run_until(event, 10);
	CHECK(n_done == 10, "each is answered once: %u", n_done);
	CHECK(manager_n_mdevs(m) == 7, "%zu mdevs", manager_n_mdevs(m));
	end();
}

/* A stop in the middle: what runs is finished and answered, what waits is refused. */
static void test_stop(void)
{
	struct create_request req = { .type = TYPE, .uuid = UUID_A };
	int ok = 0;

	for (int rounds = 0; rounds < 40; rounds++) {
		_cleanup_(sd_event_unrefp) sd_event *event = NULL;
		char text[8192];

		test_remove_tree(state_dir);
		unlink(hw_file);
		if (sd_event_new(&event) < 0)
			exit(99);
		boot(NULL, event);
		n_done = 0;
		manager_start(m, count_done, NULL);
		manager_adopt(m, "dsa0", NULL, count_done, NULL);
		manager_create_mdev(m, &req, count_done, NULL);
		manager_destroy_mdev(m, UUID_A, false, count_done, NULL);
		for (int i = 0; i < rounds; i++)
			sd_event_run(event, 1000);
		end();
		CHECK(n_done == 4, "round %d: %u answers", rounds, n_done);

		boot(NULL, NULL);
		n_done = 0;
		manager_start(m, count_done, &ok);
		test_describe(m, text, sizeof(text));
		CHECK(test_count_files(state_dir, ".tmp") == 0, "round %d: temp files", rounds);
		end();
	}
}

int main(void)
{
	log_set_max_level(LOG_CRIT);
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir());
	snprintf(hw_file, sizeof(hw_file), "%s/hw", test_dir());

	test_life();
	test_refusals();
	test_dry_run();
	test_behind_our_back();
	test_race_for_the_pool();
	test_host_takes_one();
	test_scan_fails();
	test_scan_again();
	test_race_open();
	test_bounded_write();
	test_host_scan_fails();
	test_event_names();
	test_stuck_undo();
	test_record_not_written(-EIO, false);
	test_record_not_written(-EIO, true);
	test_record_not_written(-ENOSPC, true);
	test_stuck_release();
	test_second_daemon();
	test_many();
	test_restart_changes_nothing();
	test_reboot();
	test_broken_record();
	test_async();
	test_stop();
	return test_report("daemon-manager");
}
