/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where queues are counted, why one cannot be had, and who is said to hold it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "idxdvd/alloc.h"
#include "idxdvd/backend.h"
#include "idxdvd/capacity.h"
#include "idxdvd/common/log.h"
#include "idxdvd/holder.h"
#include "tests/unit/daemon-test.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TYPE "idxd-dsa-1dwq-v1"

/* --- texts of cgroups ------------------------------------------------------------------------ */

static const struct {
	const char *text, *unit, *container, *domain;
} cgroups[] = {
	{ "", "", "", "" },
	{ "0::/\n", "", "", "" },
	{ "0::/system.slice/dpdk.service\n", "dpdk.service", "", "" },
	{ "12:cpu:/x.service\n0::/system.slice/a.service/sub\n", "a.service", "", "" },
	{ "12:cpu:/x.service\n", "", "", "" },
	{ "10::/x.service\n", "", "", "" },
	{ "0::/system.slice/docker-0123abcd.scope\n", "docker-0123abcd.scope", "0123abcd", "" },
	{ "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-ff00.scope\n",
	  "cri-containerd-ff00.scope", "ff00", "" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-77.scope\n",
	  "user@1000.service", "77", "" },
	{ "0::/lxc.payload.web/system.slice/nginx.service\n", "nginx.service", "web", "" },
	{ "0::/machine.slice/machine-qemu\\x2d12\\x2ddb\\x2done.scope/libvirt/emulator\n",
	  "machine-qemu\\x2d12\\x2ddb\\x2done.scope", "", "db-one" },
	{ "0::/machine.slice/machine-debian.scope/payload\n", "machine-debian.scope", "debian", "" },
	{ "0::/machine.slice/systemd-nspawn@web\\x2d1.service/payload\n",
	  "systemd-nspawn@web\\x2d1.service", "web-1", "" },
	{ "0::/docker/" ID64 "\n", "", ID64, "" },
	{ "0::/kubepods/besteffort/pod8a1f/" ID64 "\n", "", ID64, "" },
	{ "0::/system.slice/containerd.service/kubepods-pod1:cri-containerd:ff\n",
	  "containerd.service", "", "" },
};

static void test_cgroups(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cgroups); i++) {
		struct holding h = { 0 };

		holding_parse_cgroup(&h, cgroups[i].text);
		CHECK_STR(h.unit, cgroups[i].unit, cgroups[i].text);
		CHECK_STR(h.container, cgroups[i].container, cgroups[i].text);
		CHECK_STR(h.domain, cgroups[i].domain, cgroups[i].text);
	}
}

/* Long names are cut, never overrun. */
static void test_long_cgroup(void)
{
	char text[4096] = "0::/docker-";
	struct holding h = { 0 };
	size_t n = strlen(text);

	memset(text + n, 'a', 1500);
	strcpy(text + n + 1500, ".scope/machine-qemu-1-x.scope\n");
	holding_parse_cgroup(&h, text);
	CHECK(strlen(h.unit) < sizeof(h.unit) && strlen(h.container) < sizeof(h.container), "cut");
	memset(text + n, 'a', 200);
	strcpy(text + n + 200, ".scope\n");
	holding_parse_cgroup(&h, text);
	CHECK(strlen(h.container) == sizeof(h.container) - 1, "cut at %zu", strlen(h.container));
}

#define ARGS(text) text, sizeof(text)

static const struct {
	const char *args;
	size_t size;
	const char *domain;
} cmdlines[] = {
	{ "", 0, "" },
	{ ARGS("/usr/bin/qemu-system-x86_64\0-name\0guest=web,debug-threads=on\0-S"), "web" },
	{ ARGS("qemu-system-x86_64\0-m\0512\0-name\0db"), "db" },
	{ ARGS("/usr/bin/kvm\0--name\0a,,b,process=x"), "a,b" },
	{ ARGS("qemu-system-x86_64\0-name"), "" },
	{ ARGS("qemu-system-x86_64\0-name\0"), "" },
	{ ARGS("/usr/bin/dpdk-test\0-name\0web"), "" },
	{ "qemu\0-name\0cut", 14, "" },
};

static void test_cmdlines(void)
{
	struct holding h = { .domain = "known" };

	for (size_t i = 0; i < ARRAY_LEN(cmdlines); i++) {
		h = (struct holding) { 0 };
		holding_parse_cmdline(&h, cmdlines[i].args, cmdlines[i].size);
		CHECK_STR(h.domain, cmdlines[i].domain, cmdlines[i].args);
	}
	snprintf(h.domain, sizeof(h.domain), "known");
	holding_parse_cmdline(&h, cmdlines[1].args, cmdlines[1].size);
	CHECK_STR(h.domain, "known", "the cgroup's name stays");
}

static const struct {
	const char *text;
	int r, pid;
	const char *comm;
} openers[] = {
	{ "4711 qemu-system-x86", 0, 4711, "qemu-system-x86" },
	{ "1 a b)", 0, 1, "a b)" },
	{ "77 ", 0, 77, "" },
	{ "", -EINVAL, 0, "" },
	{ "qemu", -EINVAL, 0, "" },
	{ "0 x", -EINVAL, 0, "" },
	{ "-3 x", -EINVAL, 0, "" },
};

static void test_openers(void)
{
	for (size_t i = 0; i < ARRAY_LEN(openers); i++) {
		struct holder h = { 0 };

		CHECK(holder_parse(&h, openers[i].text) == openers[i].r &&
		      h.pid == openers[i].pid, "'%s': pid %d", openers[i].text, h.pid);
		CHECK_STR(h.comm, openers[i].comm, openers[i].text);
	}
}

/* This process is one that can be looked at. */
static void test_describe_self(void)
{
	struct holding h = { .pid = getpid() };
	char exe[128] = "";

	holder_describe(&h);
	CHECK(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0, "exe");
	CHECK_STR(h.exe, exe, "executable");
	CHECK(h.comm[0] && h.since_usec > UINT64_C(1000000000) * 1000000, "%s since %llu", h.comm,
	      (unsigned long long)h.since_usec);
	h = (struct holding) { .pid = 999999999 };
	holder_describe(&h);
	CHECK(!h.exe[0] && !h.since_usec && !h.unit[0], "nobody");
}

/* --- counting and explaining ----------------------------------------------------------------- */

static const char topology[] =
	"{ \"accelerators\": [ { \"enabled\": true, \"wqs\": 8, \"size\": 256,"
	"  \"engine-groups\": [ 0 ], \"queues\": ["
	"  { \"id\": 0, \"size\": 16, \"group\": 0, \"mode\": \"dedicated\", \"type\": \"kernel\","
	"    \"name\": \"dma\", \"driver-name\": \"dmaengine\", \"driver\": \"dmaengine\","
	"    \"priority\": 10, \"clients\": 2 },"
	"  { \"id\": 1, \"size\": 16, \"group\": 0, \"mode\": \"dedicated\", \"type\": \"user\","
	"    \"name\": \"app\", \"driver-name\": \"user\", \"driver\": \"user\", \"priority\": 10,"
	"    \"clients\": 1, \"pid\": 77, \"comm\": \"dpdk\" },"
	"  { \"id\": 2, \"size\": 16, \"group\": 0, \"type\": \"user\", \"name\": \"mine\" },"
	"  { \"id\": 3, \"size\": 16, \"group\": 0 }, { \"id\": 4, \"size\": 16, \"group\": 0 },"
	"  { \"id\": 5, \"size\": 16, \"group\": 0 }, { \"id\": 6, \"size\": 16, \"group\": 1 } ] } ] }";

static char state_dir[4096];
static struct manager *m;
static struct backend *b;

static void begin(void)
{
	struct answer ans = { 0 };

	m = test_manager_new(state_dir, topology, &b);
	manager_start(m, answer_done, &ans);
	CHECK(ans.calls == 1 && ans.r == 0, "start");
}

static void check_capacity(const char *when, const struct capacity *want)
{
	const struct accel *a = manager_accel(m, 0);
	const struct mdev_type *type = mdev_type_find(TYPE);
	struct capacity c;

	capacity_count(a, type, &c);
	CHECK(c.room == (a->adopted ? c.free_now + c.creatable : 0) && c.max_sharers == 1,
	      "%s: room for %u", when, c.room);
	c.room = c.max_sharers = 0;
	CHECK(!memcmp(&c, want, sizeof(c)), "%s: free %u create %u reserved %u host %u mdevs %u/%u foreign %u other %u",
	      when, c.free_now, c.creatable, c.reserved, c.host, c.mdevs, c.mdevs_in_use, c.foreign,
	      c.unusable);
	CHECK(c.free_now + c.creatable + c.reserved + c.host + c.mdevs + c.foreign + c.unusable ==
	      c.total, "%s: each queue is in one place", when);
	CHECK(!a->adopted || c.free_now + c.creatable == manager_type_available(m, type, a),
	      "%s: what can be created agrees", when);
}

static const struct {
	const char *wq;
	enum refusal_kind want;
	const char *reason;
} reasons[] = {
	{ "wq0.0", REFUSE_HOST_KERNEL, "driver of the host's kernel" },
	{ "wq0.1", REFUSE_HOST_USER, "character device" },
	{ "wq0.2", REFUSE_FOREIGN, "somebody else" },
	{ "wq0.3", REFUSE_MDEV_IN_USE, "virtual machine has that open" },
	{ "wq0.4", REFUSE_NONE, "" },
	{ "wq0.5", REFUSE_NONE, "" },
	{ "wq0.6", REFUSE_NO_CAPACITY, "kept for the host" },
	{ "wq0.7", REFUSE_NO_CAPACITY, "no size" },
};

static void take(void *userdata, int r, const struct manager_result *res)
{
	struct holding *h = userdata;

	CHECK(r == 0 && res->n_holdings <= 8, "holdings: %d", r);
	memset(h, 0, 8 * sizeof(*h));
	if (res->n_holdings)
		memcpy(h, res->holdings, res->n_holdings * sizeof(*h));
}

static void test_places(void)
{
	struct create_request req = { .type = TYPE, .uuid = UUID_A, .wq = "wq0.3" };
	struct holding held[8];
	struct answer ans = { 0 };
	struct refusal why;

	begin();
	check_capacity("not adopted", &(struct capacity) { .total = 8, .host = 2, .foreign = 1,
							   .unusable = 5 });
	capacity_explain(manager_accel(m, 0), manager_find_wq(m, "wq0.4", NULL), &why);
	CHECK(why.kind == REFUSE_NOT_ADOPTED, "not adopted: %s", why.reason);
	manager_adopt(m, "dsa0", NULL, answer_done, &ans);
	check_capacity("adopted", &(struct capacity) { .total = 8, .host = 2, .foreign = 1,
		       .free_now = 1, .creatable = 2, .reserved = 1, .unusable = 1 });
	manager_create_mdev(m, &req, answer_done, &ans);
	CHECK(ans.r == 0, "create: %s", ans.refusal.reason);
	check_capacity("one mdev", &(struct capacity) { .total = 8, .host = 2, .foreign = 1,
		       .free_now = 1, .creatable = 1, .reserved = 1, .mdevs = 1, .unusable = 1 });
	backend_fake_open_mdev(b, UUID_A, 4711, "qemu");
	manager_refresh(m, answer_done, &ans);
	check_capacity("open", &(struct capacity) { .total = 8, .host = 2, .foreign = 1,
		       .free_now = 1, .creatable = 1, .reserved = 1, .mdevs = 1, .mdevs_in_use = 1,
		       .unusable = 1 });
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		capacity_explain(manager_accel(m, 0), manager_find_wq(m, reasons[i].wq, NULL), &why);
		CHECK(why.kind == reasons[i].want && strstr(why.reason, reasons[i].reason) &&
		      !why.kind == !why.remedy[0], "%s: %s: %s", reasons[i].wq,
		      refusal_kind_name(why.kind), why.reason);
	}

	manager_holdings(m, NULL, take, held);
	CHECK(held[0].kind == HOLDING_KERNEL && held[0].clients == 2 &&
	      !strcmp(held[0].name, "dmaengine"), "the kernel's");
	CHECK(held[1].kind == HOLDING_CDEV && held[1].pid == 77 && held[1].unit[0], "the cdev's");
	CHECK(held[2].kind == HOLDING_CONFIG && !held[2].pid && !strcmp(held[2].label, "mine"),
	      "what somebody configured");
	CHECK(held[3].kind == HOLDING_VFIO && held[3].pid == 4711 && !strcmp(held[3].mdev, UUID_A),
	      "the machine's");
	CHECK(!held[4].wq[0], "nobody else");
	manager_holdings(m, "wq0.3", take, held);
	CHECK(held[0].pid == 4711 && !held[1].wq[0], "of one queue");
	manager_holdings(m, "wq9.9", answer_done, &ans);
	CHECK(ans.refusal.kind == REFUSE_NO_SUCH_WQ, "no such queue");
	m = manager_free(m);
}

int main(void)
{
	log_set_max_level(LOG_CRIT);
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir());

	test_cgroups();
	test_long_cgroup();
	test_cmdlines();
	test_openers();
	test_describe_self();
	test_places();
	return test_report("daemon-capacity");
}
