/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the allocator decides, as tables: a machine as a string, a question, the answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/alloc.h"
#include "tests/unit/daemon-test.h"

#define UUID "6fca2b70-3a35-4a3e-9f0e-3f0d2a1b4c5d"
#define DSA "idxd-dsa-1dwq-v1"
#define IAX "idxd-iax-1dwq-v1"
#define SHARED "idxd-dsa-1swq-v1"

/*
 * A machine: accelerators parted by blanks, one letter for each wq:
 *   P in the pool and ours      p in the pool, bound by somebody else
 *   F free and usable           0 free without a size      e free, no engine in its group
 *   K host kernel               U host user, open          X configured, not enabled
 *   M mdev                      O mdev that is open
 *   S shared by two             Z shared by three, the most there may be
 *   R in the pool, ours, shared
 * In front of them: '!' not adopted, '-' disabled, 'i' an IAA, 'n' no module, 'b' no IOMMU,
 * 'q' no PASID, 'x' erratum, 'a' erratum but allowed, 'c' not configurable, 'h' halted,
 * 'E' no ENQCMDS, 'V' no shared mode, 'I' no IMS, 'T' a module without types that share.
 */
struct machine {
	struct accel *accels[8];
	size_t n;
};

static void set_wq(struct wq *w, char c)
{
	static const struct {
		char letter;
		const char *driver;
		enum wq_type type;
	} kinds[] = {
		{ 'P', "mdev", WQ_TYPE_USER }, { 'p', "mdev", WQ_TYPE_USER },
		{ 'M', "mdev", WQ_TYPE_USER }, { 'O', "mdev", WQ_TYPE_USER },
		{ 'S', "mdev", WQ_TYPE_USER }, { 'Z', "mdev", WQ_TYPE_USER },
		{ 'R', "mdev", WQ_TYPE_USER },
		{ 'K', "dmaengine", WQ_TYPE_KERNEL }, { 'U', "user", WQ_TYPE_USER },
		{ 'X', "", WQ_TYPE_USER },
	};

	w->size = c == '0' ? 0 : 16;
	w->group = c == '0' ? -1 : c == 'e' ? 3 : 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].letter == c) {
			strcpy(w->driver, kinds[i].driver);
			w->type = kinds[i].type;
			strcpy(w->label, "label");
			w->state = w->driver[0] ? STATE_ENABLED : STATE_DISABLED;
		}
	w->ours = strchr("PMOSZR", c);
	w->dedicated = strchr("PpMO", c);
	w->threshold = strchr("SZR", c) ? 16 : 0;
	w->priority = w->ours ? ALLOC_PRIORITY : 0;
	w->n_mdevs = c == 'S' ? 2 : c == 'Z' ? 3 : c == 'M' || c == 'O';
	w->clients = c == 'K' ? 3 : c == 'U';
	if (w->n_mdevs)
		snprintf(w->mdev, sizeof(w->mdev), "%08x-0000-4000-8000-000000000000", w->id + 1);
	if (c == 'U' || c == 'O') {
		w->holder.pid = 4711;
		strcpy(w->holder.comm, "qemu");
	}
	wq_classify(w, c == 'O');
}

static struct accel *add_accel(struct machine *mc, const char *flags, const char *wqs)
{
	struct accel *a;

	if (accel_new(&a, strlen(wqs), 2) < 0)
		exit(99);
	a->id = mc->n;
	a->kind = strchr(flags, 'i') ? ACCEL_IAX : ACCEL_DSA;
	a->max_groups = 4;
	a->max_size = 128;
	a->state = strchr(flags, '-') ? STATE_DISABLED :
		   strchr(flags, 'h') ? STATE_HALTED : STATE_ENABLED;
	a->adopted = !strchr(flags, '!');
	a->module = !strchr(flags, 'n');
	a->iommu = !strchr(flags, 'b');
	a->pasid = a->iommu && !strchr(flags, 'q');
	a->unsafe = strchr(flags, 'x') || strchr(flags, 'a');
	a->unsafe_allowed = strchr(flags, 'a');
	a->exclusive = strchr(flags, 'g');
	a->enqcmd = !strchr(flags, 'E');
	a->shared_mode = !strchr(flags, 'V');
	a->ims = !strchr(flags, 'I');
	a->max_sharers = a->sharers = strchr(flags, 'T') ? 0 : 3;
	a->configurable = !strchr(flags, 'c');
	a->pci_vendor = 0x8086;
	a->pci_device = a->unsafe ? 0x0b25 : 0x11fb;
	a->pool_min = 1;
	snprintf(a->name, sizeof(a->name), "%s%u", accel_kind_name(a->kind), a->id);
	snprintf(a->bdf, sizeof(a->bdf), "0000:6a:%02x.0", a->id + 1);
	for (unsigned int i = 0; i < a->n_engines; i++) {
		snprintf(a->engines[i].name, sizeof(a->engines[i].name), "engine%u.%u", a->id, i);
		a->engines[i].group = a->state == STATE_DISABLED ? -1 : 0;
	}
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		struct wq *w = &a->wqs[i];

		w->id = i;
		snprintf(w->name, sizeof(w->name), "wq%u.%u", a->id, i);
		set_wq(w, wqs[i]);
		a->n_mdevs += w->n_mdevs;
		a->n_pool += wqs[i] == 'P';
	}
	mc->accels[mc->n++] = a;
	return a;
}

static struct machine machine(const char *text)
{
	struct machine mc = { .n = 0 };
	char copy[128], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
		size_t n = strspn(s, "!-inbqxachgEVIT");
		char flags[16];

		snprintf(flags, sizeof(flags), "%.*s", (int)n, s);
		add_accel(&mc, flags, s + n);
	}
	return mc;
}

static void machine_done(struct machine *mc)
{
	for (size_t i = 0; i < mc->n; i++)
		accel_free(mc->accels[i]);
}

static unsigned int n_refusals;
static bool kinds_refused[REFUSE_KIND_COUNT];

/* A refusal says what it is about, why, and what would help. */
static void check_refusal(const char *name, const struct refusal *r, enum refusal_kind want,
			  const char *object, const char *holder)
{
	char text[2048];

	CHECK(r->kind == want, "%s: %s, wanted %s", name, refusal_kind_name(r->kind),
	      refusal_kind_name(want));
	CHECK_STR(r->object, object, name);
	CHECK(r->object[0], "%s: no object", name);
	CHECK(r->reason[0], "%s: no reason", name);
	CHECK(r->remedy[0], "%s: no remedy", name);
	n_refusals++;
	kinds_refused[r->kind] = true;
	CHECK(!holder || strstr(r->holder, holder), "%s: holder \"%s\", wanted \"%s\"", name,
	      r->holder, holder ? holder : "");
	refusal_format(r, text, sizeof(text));
	CHECK(strstr(text, r->reason) && strstr(text, r->remedy) && strstr(text, r->holder),
	      "%s: \"%s\" lacks a part", name, text);
}

/* --- create ---------------------------------------------------------------------------------- */

static const struct create_case {
	const char *name, *machine;
	const char *type, *parent, *wq, *uuid;
	enum refusal_kind refusal;
	const char *want;		/* the wq, or the refusal's object */
	const char *holder;		/* part of it */
	unsigned int claims;		/* wqs that are configured first */
} creates[] = {
	{ "the pool comes first", "FPF", DSA, NULL, NULL, UUID, 0, "wq0.1", NULL, 0 },
	{ "the first of the pool", "PPP", DSA, NULL, NULL, UUID, 0, "wq0.0", NULL, 0 },
	{ "a fresh one if the pool is empty", "MFF", DSA, NULL, NULL, UUID, 0, "wq0.1", NULL, 1 },
	{ "the accelerator with most room", "PF PFF", DSA, NULL, NULL, UUID, 0, "wq1.0", NULL, 0 },
	{ "the first of equals", "MP XP", DSA, NULL, NULL, UUID, 0, "wq0.1", NULL, 0 },
	{ "an adopted one only", "!PPPP P", DSA, NULL, NULL, UUID, 0, "wq1.0", NULL, 0 },
	{ "the kind that the type is of", "PPP iP", IAX, NULL, NULL, UUID, 0, "wq1.0", NULL, 0 },
	{ "a parent by name", "PPP P", DSA, "dsa1", NULL, UUID, 0, "wq1.0", NULL, 0 },
	{ "a parent by address", "PPP P", DSA, "0000:6a:02.0", NULL, UUID, 0, "wq1.0", NULL, 0 },
	{ "a wq by name, of the pool", "PFP", DSA, NULL, "wq0.2", UUID, 0, "wq0.2", NULL, 0 },
	{ "a wq by name, fresh", "PFF", DSA, NULL, "wq0.2", UUID, 0, "wq0.2", NULL, 1 },
	{ "a wq by name finds its parent", "P P", DSA, NULL, "wq1.0", UUID, 0, "wq1.0", NULL, 0 },
	{ "an open erratum device", "aP", DSA, NULL, NULL, UUID, 0, "wq0.0", NULL, 0 },
	{ "round the halted one", "hPP P", DSA, NULL, NULL, UUID, 0, "wq1.0", NULL, 0 },

	{ "a seat comes first", "PFS", SHARED, NULL, NULL, UUID, 0, "wq0.2", NULL, 0 },
	{ "a seat on any device", "PFF FS", SHARED, NULL, NULL, UUID, 0, "wq1.1", NULL, 0 },
	{ "a full one has none", "ZFR", SHARED, NULL, NULL, UUID, 0, "wq0.2", NULL, 0 },
	{ "a fresh one if all are full", "ZF", SHARED, NULL, NULL, UUID, 0, "wq0.1", NULL, 1 },
	{ "one of the pool becomes shared", "MP", SHARED, NULL, NULL, UUID, 0, "wq0.1", NULL, 1 },
	{ "and one that was is whole again", "MR", DSA, NULL, NULL, UUID, 0, "wq0.1", NULL, 1 },
	{ "but not while there is a fresh one", "RF", DSA, NULL, NULL, UUID, 0, "wq0.1", NULL, 1 },
	{ "a seat by name", "SRS", SHARED, NULL, "wq0.2", UUID, 0, "wq0.2", NULL, 0 },
	{ "a part under the erratum", "xF", SHARED, NULL, NULL, UUID, 0, "wq0.0", NULL, 1 },
	{ "a seat beside its own engines", "gSF", SHARED, NULL, NULL, UUID, 0, "wq0.0", NULL, 0 },

	{ "no ENQCMDS", "EF", SHARED, NULL, NULL, UUID, REFUSE_NOT_SUPPORTED, "dsa0", NULL, 0 },
	{ "no shared mode", "VF", SHARED, "dsa0", NULL, UUID, REFUSE_NOT_SUPPORTED, "dsa0", NULL, 0 },
	{ "no IMS", "IF", SHARED, NULL, NULL, UUID, REFUSE_NOT_SUPPORTED, "dsa0", NULL, 0 },
	{ "an old module", "TF", SHARED, NULL, NULL, UUID, REFUSE_NOT_SUPPORTED, "dsa0", NULL, 0 },
	{ "all are full", "ZMK", SHARED, NULL, NULL, UUID, REFUSE_NO_CAPACITY, SHARED,
	  "wq0.0: 3 mdevs, wq0.1: mdev 00000002-0000-4000-8000-000000000000, wq0.2: host kernel", 0 },
	{ "that one is full", "ZS", SHARED, NULL, "wq0.0", UUID, REFUSE_NO_CAPACITY, "wq0.0",
	  "3 mdevs", 0 },
	{ "that one is another's", "SM", SHARED, NULL, "wq0.1", UUID, REFUSE_MDEV_IDLE, "wq0.1",
	  "mdev 00000002", 0 },
	{ "a shared one is not to be had whole", "PS", DSA, NULL, "wq0.1", UUID, REFUSE_MDEV_IDLE,
	  "wq0.1", "2 mdevs", 0 },
	{ "the engines are another's", "gSFM", SHARED, NULL, "wq0.1", UUID, REFUSE_ENGINES_TAKEN,
	  "wq0.1", "engines are wq0.0's", 0 },
	{ "no UUID at all", "P", DSA, NULL, NULL, "", REFUSE_INVALID_UUID, "\"\"", NULL, 0 },
	{ "an empty type", "P", "", NULL, NULL, UUID, REFUSE_NO_SUCH_TYPE, "\"\"", NULL, 0 },
	{ "an empty parent", "P", DSA, "", NULL, UUID, REFUSE_NO_SUCH_DEVICE, "\"\"", NULL, 0 },
	{ "an empty wq", "P", DSA, NULL, "", UUID, REFUSE_NO_SUCH_WQ, "\"\"", NULL, 0 },
	{ "a short UUID", "P", DSA, NULL, NULL, "6fca2b70-3a35", REFUSE_INVALID_UUID,
	  "6fca2b70-3a35", NULL, 0 },
	{ "a path as UUID", "P", DSA, NULL, NULL, "../../../../../../../../etc/passwd-xx",
	  REFUSE_INVALID_UUID, "../../../../../../../../etc/passwd-xx", NULL, 0 },
	{ "the zero UUID", "P", DSA, NULL, NULL, "00000000-0000-0000-0000-000000000000",
	  REFUSE_INVALID_UUID, "00000000-0000-0000-0000-000000000000", NULL, 0 },
	{ "an unknown type", "P", "vfio-pci", NULL, NULL, UUID, REFUSE_NO_SUCH_TYPE, "vfio-pci",
	  NULL, 0 },
	{ "a type of the other kind", "P", IAX, "dsa0", NULL, UUID, REFUSE_NO_SUCH_TYPE, IAX,
	  NULL, 0 },
	{ "an unknown parent", "P", DSA, "dsa7", NULL, UUID, REFUSE_NO_SUCH_DEVICE, "dsa7", NULL, 0 },
	{ "an empty machine", "", DSA, NULL, NULL, UUID, REFUSE_NO_SUCH_DEVICE, DSA, NULL, 0 },
	{ "no such kind", "P", IAX, NULL, NULL, UUID, REFUSE_NO_SUCH_DEVICE, IAX, NULL, 0 },
	{ "an unknown wq", "P", DSA, NULL, "wq0.9", UUID, REFUSE_NO_SUCH_WQ, "wq0.9", NULL, 0 },
	{ "a wq of another parent", "P P", DSA, "dsa0", "wq1.0", UUID, REFUSE_NO_SUCH_WQ, "wq1.0",
	  NULL, 0 },
	{ "nothing is adopted", "!FF", DSA, NULL, NULL, UUID, REFUSE_NOT_ADOPTED, "dsa0", NULL, 0 },
	{ "that one is not adopted", "P !P", DSA, "dsa1", NULL, UUID, REFUSE_NOT_ADOPTED, "dsa1",
	  NULL, 0 },
	{ "no module", "nP", DSA, "dsa0", NULL, UUID, REFUSE_NO_MODULE, "dsa0", NULL, 0 },
	{ "no module, and so not enabled", "-nF", DSA, "dsa0", NULL, UUID, REFUSE_NO_MODULE, "dsa0",
	  NULL, 0 },
	{ "no module, any parent", "nP", DSA, NULL, NULL, UUID, REFUSE_NO_MODULE, "dsa0", NULL, 0 },
	{ "no IOMMU", "bP", DSA, NULL, NULL, UUID, REFUSE_NO_IOMMU, "dsa0", NULL, 0 },
	{ "no PASID", "qP", DSA, NULL, NULL, UUID, REFUSE_NO_IOMMU, "dsa0", NULL, 0 },
	{ "the erratum", "xP", DSA, NULL, NULL, UUID, REFUSE_UNSAFE_DEVICE, "dsa0", NULL, 0 },
	{ "the device is off", "-F", DSA, "dsa0", NULL, UUID, REFUSE_FAILED, "dsa0", NULL, 0 },
	{ "all in mdevs", "MO", DSA, NULL, NULL, UUID, REFUSE_NO_CAPACITY, DSA,
	  "wq0.1: mdev 00000002-0000-4000-8000-000000000000 (pid 4711 qemu)", 0 },
	{ "all with the host", "KU", DSA, "dsa0", NULL, UUID, REFUSE_NO_CAPACITY, "dsa0",
	  "wq0.0: host kernel, 3 clients, wq0.1: host user (pid 4711 qemu)", 0 },
	{ "configured by others", "Xp", DSA, "dsa0", NULL, UUID, REFUSE_NO_CAPACITY, "dsa0",
	  "wq0.0: configured by somebody else, wq0.1: bound to our module by somebody else", 0 },
	{ "without size or engine", "0e", DSA, "dsa0", NULL, UUID, REFUSE_NO_CAPACITY, "dsa0",
	  "wq0.0: no size, wq0.1: no engine in its group", 0 },
	{ "that wq has an mdev", "PM", DSA, NULL, "wq0.1", UUID, REFUSE_MDEV_IDLE, "wq0.1",
	  "mdev 00000002", 0 },
	{ "that wq's mdev is open", "PO", DSA, NULL, "wq0.1", UUID, REFUSE_MDEV_IN_USE, "wq0.1",
	  "mdev 00000002-0000-4000-8000-000000000000 (pid 4711 qemu)", 0 },
	{ "that wq is the host kernel's", "PK", DSA, NULL, "wq0.1", UUID, REFUSE_HOST_KERNEL,
	  "wq0.1", "host kernel", 0 },
	{ "that wq is a process's", "PU", DSA, NULL, "wq0.1", UUID, REFUSE_HOST_USER, "wq0.1",
	  "host user (pid 4711 qemu)", 0 },
	{ "that wq is configured by others", "PX", DSA, NULL, "wq0.1", UUID, REFUSE_FOREIGN,
	  "wq0.1", "configured by somebody else", 0 },
	{ "that wq has no size", "P0", DSA, NULL, "wq0.1", UUID, REFUSE_NO_CAPACITY, "wq0.1",
	  "no size", 0 },
	{ "engines for one only", "gMP", DSA, NULL, NULL, UUID, REFUSE_ENGINES_TAKEN, DSA,
	  "wq0.1: engines are wq0.0's", 0 },
	{ "that wq's engines are the host's", "gKF", DSA, NULL, "wq0.1", UUID, REFUSE_ENGINES_TAKEN,
	  "wq0.1", "engines are wq0.0's", 0 },
};

static unsigned int count_steps(const struct plan *p, enum step_kind kind, const char *attr)
{
	unsigned int n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->steps[i].kind == kind && !strcmp(p->steps[i].attr, attr);
	return n;
}

static const struct step *last_step(const struct plan *p)
{
	return &p->steps[p->n - 1];
}

static void test_create(void)
{
	for (size_t i = 0; i < ARRAY_LEN(creates); i++) {
		const struct create_case *c = &creates[i];
		_cleanup_(plan_freep) struct plan *p = NULL;
		struct machine mc = machine(c->machine);
		struct alloc_create req = {
			.type = c->type, .parent = c->parent, .wq = c->wq, .uuid = c->uuid,
		};
		struct refusal refusal = { 0 };
		int r;

		r = alloc_create(mc.accels, mc.n, &req, &p, &refusal);
		if (c->refusal != REFUSE_NONE) {
			CHECK(r < 0, "%s: not refused", c->name);
			check_refusal(c->name, &refusal, c->refusal, c->want, c->holder);
		} else if (CHECK(r == 0, "%s: %s", c->name, refusal.reason)) {
			CHECK_STR(last_step(p)->val, c->want, c->name);
			CHECK(count_steps(p, STEP_BIND, "mdev") == c->claims, "%s: claims", c->name);
			CHECK(count_steps(p, STEP_MDEV_CREATE, c->type) == 1, "%s: creates", c->name);
			CHECK_STR(p->uuid, UUID, c->name);
			CHECK(p->steps[0].kind != STEP_SET ||
			      !strcmp(p->steps[0].object, c->want), "%s: other wq set", c->name);
		}
		machine_done(&mc);
	}
}

static void test_create_exists(void)
{
	struct mdev m = { .uuid = UUID, .type = DSA, .parent = "0000:6a:01.0", .wq = "wq0.0" };
	struct machine mc = machine("MP");
	struct alloc_create req = { .type = DSA, .uuid = UUID, .existing = &m };
	struct refusal refusal;
	struct plan *p;

	CHECK(alloc_create(mc.accels, mc.n, &req, &p, &refusal) == -EEXIST, "duplicate UUID");
	check_refusal("duplicate UUID", &refusal, REFUSE_EXISTS, UUID, "wq0.0");
	machine_done(&mc);
}

/* An upper-case UUID is the same UUID. */
static void test_create_case(void)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct machine mc = machine("P");
	struct alloc_create req = { .type = DSA, .uuid = "6FCA2B70-3A35-4A3E-9F0E-3F0D2A1B4C5D" };
	struct refusal refusal;

	CHECK(alloc_create(mc.accels, mc.n, &req, &p, &refusal) == 0, "upper case");
	CHECK_STR(p->uuid, UUID, "upper case");
	machine_done(&mc);
}

/* --- destroy --------------------------------------------------------------------------------- */

static void test_destroy(void)
{
	struct mdev m = { .uuid = UUID, .type = DSA, .parent = "0000:6a:01.0", .wq = "wq0.0" };
	struct machine mc = machine("M");
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct refusal refusal;

	CHECK(alloc_destroy(UUID, NULL, NULL, &p, &refusal) < 0, "no such mdev");
	check_refusal("no such mdev", &refusal, REFUSE_NO_SUCH_MDEV, UUID, NULL);
	CHECK(alloc_destroy(UUID, &m, mc.accels[0], &p, &refusal) < 0, "not ours");
	check_refusal("not ours", &refusal, REFUSE_FOREIGN, UUID, NULL);

	m.ours = m.in_use = true;
	CHECK(alloc_destroy(UUID, &m, mc.accels[0], &p, &refusal) < 0, "in use, by whom");
	check_refusal("in use, by whom", &refusal, REFUSE_MDEV_IN_USE, UUID, "cannot be seen");
	m.holder.pid = 12;
	strcpy(m.holder.comm, "qemu");
	CHECK(alloc_destroy(UUID, &m, mc.accels[0], &p, &refusal) < 0, "in use");
	check_refusal("in use", &refusal, REFUSE_MDEV_IN_USE, UUID, "pid 12 (qemu)");

	m.in_use = false;
	CHECK(alloc_destroy(UUID, &m, mc.accels[0], &p, &refusal) == 0, "destroy");
	CHECK(p->n == 1 && p->steps[0].kind == STEP_MDEV_REMOVE, "destroy is one step");
	CHECK_STR(p->steps[0].old, "wq0.0", "undo knows the wq");
	machine_done(&mc);
}

/* --- adopt ----------------------------------------------------------------------------------- */

static const struct adopt_case {
	const char *name, *machine;
	unsigned int host, pool;
	enum refusal_kind refusal;
	unsigned int sized, claimed;	/* wqs that get a size; wqs put into the pool */
	const char *first;		/* the first of them */
} adopts[] = {
	{ "lay out", "!-00000000", 1, 1, 0, 8, 1, "wq0.0" },
	{ "lay out, all for guests", "!-0000", 0, 4, 0, 4, 4, "wq0.0" },
	{ "lay out, all for the host", "!-0000", 4, 0, 0, 4, 0, NULL },
	{ "lay out an IAA", "!-i00000000", 1, 2, 0, 8, 2, "wq0.0" },
	{ "an enabled one, its free wqs", "!KFFU", 1, 1, 0, 0, 1, "wq0.1" },
	{ "an enabled one, nothing left but the reservation", "!KKF", 1, 1, 0, 0, 0, NULL },
	{ "an enabled one, no wq has a size", "!K000", 1, 1, 0, 0, 0, NULL },
	{ "foreign pool wqs stay foreign", "!pFF", 1, 1, 0, 0, 1, "wq0.1" },
	{ "under the erratum: only laid out", "!-x0000", 1, 1, 0, 4, 1, "wq0.0" },
	{ "twice", "PF", 1, 1, REFUSE_EXISTS, 0, 0, NULL },
	{ "no module", "!-n00", 1, 1, REFUSE_NO_MODULE, 0, 0, NULL },
	{ "no IOMMU", "!-b00", 1, 1, REFUSE_NO_IOMMU, 0, 0, NULL },
	{ "no PASID", "!-q00", 1, 1, REFUSE_NO_IOMMU, 0, 0, NULL },
	{ "not configurable", "!-c00", 1, 1, REFUSE_NOT_SUPPORTED, 0, 0, NULL },
	{ "halted", "!hFF", 1, 1, REFUSE_FAILED, 0, 0, NULL },
	{ "more than there is", "!-0000", 2, 3, REFUSE_INVALID_ARGS, 0, 0, NULL },
	{ "more for the host than there is", "!-0000", 5, 0, REFUSE_INVALID_ARGS, 0, 0, NULL },
	{ "off, but configured by the host", "!-0F", 1, 1, REFUSE_FOREIGN, 0, 0, NULL },
	{ "off, but with a type", "!-0X", 1, 1, REFUSE_FOREIGN, 0, 0, NULL },
};

static void test_adopt(void)
{
	for (size_t i = 0; i < ARRAY_LEN(adopts); i++) {
		const struct adopt_case *c = &adopts[i];
		_cleanup_(plan_freep) struct plan *p = NULL;
		struct machine mc = machine(c->machine);
		struct refusal refusal = { 0 };
		int r;

		r = alloc_adopt(mc.accels[0], c->host, c->pool, &p, &refusal);
		if (c->refusal != REFUSE_NONE) {
			CHECK(r < 0, "%s: not refused", c->name);
			check_refusal(c->name, &refusal, c->refusal, mc.accels[0]->name, NULL);
		} else if (CHECK(r == 0, "%s: %s", c->name, refusal.reason)) {
			CHECK(count_steps(p, STEP_SET, "size") == c->sized, "%s: %u sized", c->name,
			      count_steps(p, STEP_SET, "size"));
			CHECK(count_steps(p, STEP_BIND, "mdev") == c->claimed, "%s: %u claimed",
			      c->name, count_steps(p, STEP_BIND, "mdev"));
			CHECK(count_steps(p, STEP_BIND, "idxd") == !!c->sized, "%s: enable", c->name);
			for (size_t k = 0; c->first && k < p->n; k++)
				if (p->steps[k].kind == STEP_BIND && !strcmp(p->steps[k].attr, "mdev")) {
					CHECK_STR(p->steps[k].object, c->first, c->name);
					break;
				}
		}
		machine_done(&mc);
	}
}

/* Rules of the hardware: sizes before the enable and within the sum, claims after it. */
static void test_layout_rules(void)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct machine mc = machine("!-0000000");
	unsigned int sum = 0, modes = 0, engines[4] = { 0 }, wqs[4] = { 0 };
	struct refusal refusal;
	bool enabled = false;

	CHECK(alloc_adopt(mc.accels[0], 1, 2, &p, &refusal) == 0, "layout");
	for (size_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];

		CHECK(s->reason[0], "step %zu has no reason", i);
		if (s->kind == STEP_BIND && !strcmp(s->attr, "idxd"))
			enabled = true;
		if (s->kind != STEP_SET)
			continue;
		if (!strcmp(s->attr, "size")) {
			CHECK(!enabled, "size after enable");
			sum += atoi(s->val);
		} else if (!strcmp(s->attr, "group_id")) {
			CHECK(!enabled, "group after enable");
			(s->object[0] == 'e' ? engines : wqs)[atoi(s->val)]++;
		} else if (!strcmp(s->attr, "mode")) {
			modes += !enabled;
			CHECK_STR(s->val, "dedicated", "mode");
		} else {
			CHECK(enabled, "%s before enable", s->attr);
		}
	}
	CHECK(enabled, "the device is enabled");
	CHECK(modes == 7, "%u wqs are dedicated before it", modes);
	CHECK(sum == 7 * (128 / 7), "sizes sum up to %u", sum);
	for (int g = 0; g < 4; g++)
		CHECK(!wqs[g] == !engines[g], "group %d: %u wqs, %u engines", g, wqs[g], engines[g]);
	machine_done(&mc);
}

static void set_iaa_default(struct accel *a)
{
	struct wq *w = &a->wqs[0];

	w->size = a->max_size;
	w->group = 0;
	w->dedicated = true;
	w->priority = 10;
	w->type = WQ_TYPE_KERNEL;
	strcpy(w->label, "iaa_crypto");
	strcpy(w->driver_name, "crypto");
	a->engines[0].group = 0;
	wq_classify(w, false);
}

static void test_iaa_default(void)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct machine mc = machine("!-i0000");
	struct accel *a = mc.accels[0];
	struct refusal refusal;

	set_iaa_default(a);
	CHECK(accel_is_unconfigured(a), "idxd's defaults are nobody's configuration");
	CHECK(alloc_adopt(a, 1, 1, &p, &refusal) == 0, "adopt with defaults");
	CHECK(p->steps[0].kind == STEP_SET, "it is off already");
	p = plan_free(p);
	a->state = STATE_ENABLED;
	a->wqs[0].type = WQ_TYPE_NONE;
	CHECK(accel_is_unconfigured(a), "idxd enables it with them, and loses the type");
	CHECK(alloc_adopt(a, 1, 1, &p, &refusal) == 0, "adopt the enabled one");
	CHECK(p->steps[0].kind == STEP_UNBIND, "it is turned off first");
	strcpy(a->wqs[0].driver, "crypto");
	CHECK(!accel_is_unconfigured(a), "with iaa_crypto on it, it is in use");
	a->wqs[0].driver[0] = '\0';
	a->wqs[0].priority = 9;
	CHECK(!accel_is_unconfigured(a), "one difference makes it the host's");
	a->wqs[0].priority = 10;
	a->kind = ACCEL_DSA;
	CHECK(!accel_is_unconfigured(a), "a DSA has no such defaults");
	machine_done(&mc);
}

/* --- release --------------------------------------------------------------------------------- */

static void test_release(void)
{
	static const struct {
		const char *name, *machine;
		bool laid_out;
		enum refusal_kind refusal;
		unsigned int unclaimed;
		bool disabled;
	} cases[] = {
		{ "undo the layout", "PPFF", true, 0, 2, true },
		{ "it was on before us", "PFKF", false, 0, 1, false },
		{ "the host uses one meanwhile", "PFKF", true, 0, 1, false },
		{ "the host configured one meanwhile", "PFXF", true, 0, 1, false },
		{ "somebody else's pool wq", "PpFF", true, 0, 1, false },
		{ "not adopted", "!FF", false, REFUSE_NOT_ADOPTED, 0, false },
		{ "mdevs", "MPO", true, REFUSE_IN_USE, 0, false },
	};
	struct alloc_history history = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(plan_freep) struct plan *p = NULL;
		struct machine mc = machine(cases[i].machine);
		const char *name = cases[i].name;
		struct refusal refusal = { 0 };
		int r;

		mc.accels[0]->laid_out = cases[i].laid_out;
		r = alloc_release(mc.accels[0], &history, &p, &refusal);
		if (cases[i].refusal != REFUSE_NONE) {
			CHECK(r < 0, "%s: not refused", name);
			check_refusal(name, &refusal, cases[i].refusal, "dsa0", NULL);
		} else if (CHECK(r == 0, "%s: %s", name, refusal.reason)) {
			CHECK(count_steps(p, STEP_UNBIND, "mdev") == cases[i].unclaimed, "%s", name);
			CHECK(count_steps(p, STEP_UNBIND, "idxd") == cases[i].disabled, "%s: off",
			      name);
		}
		machine_done(&mc);
	}
}

/* The last value that a plan gives an attribute; "" if it gives none. */
static const char *final_value(const struct plan *p, const char *object, const char *attr)
{
	const char *val = "";

	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].kind == STEP_SET && !strcmp(p->steps[i].object, object) &&
		    !strcmp(p->steps[i].attr, attr))
			val = p->steps[i].val;
	return val;
}

static void test_release_iaa(void)
{
	struct alloc_history history = { .iaa_engines = 1, .iaa_enabled = true };
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct machine mc = machine("iPFFF");
	struct refusal refusal;

	mc.accels[0]->laid_out = true;
	mc.accels[0]->wqs[0].priority = 10;
	CHECK(alloc_release(mc.accels[0], &history, &p, &refusal) == 0, "release an IAA");
	CHECK_STR(final_value(p, "wq0.0", "size"), "128", "idxd's default");
	CHECK_STR(final_value(p, "wq0.0", "group_id"), "0", "idxd's default");
	CHECK_STR(final_value(p, "wq0.0", "mode"), "dedicated", "idxd's default");
	CHECK_STR(final_value(p, "wq0.0", "priority"), "10", "idxd's default");
	CHECK_STR(final_value(p, "wq0.0", "type"), "kernel", "idxd's default");
	CHECK_STR(final_value(p, "wq0.0", "driver_name"), "crypto", "idxd's default");
	CHECK_STR(final_value(p, "wq0.0", "name"), "iaa_crypto", "idxd's default");
	CHECK_STR(final_value(p, "wq0.1", "size"), "0", "the others get none");
	CHECK_STR(final_value(p, "engine0.0", "group_id"), "0", "its engine");
	CHECK_STR(final_value(p, "engine0.1", "group_id"), "-1", "and no other");
	CHECK(last_step(p)->kind == STEP_BIND && !strcmp(last_step(p)->object, "iax0"),
	      "it is on again at the end");
	machine_done(&mc);
}

/* Less of everything than is usual. */
static void test_odd_devices(void)
{
	static const struct {
		const char *name;
		unsigned int engines, groups, size, wqs;
		enum refusal_kind refusal;
		const char *size_of_first;
		unsigned int sized;
	} cases[] = {
		{ "no engine", 0, 4, 128, 4, REFUSE_NOT_SUPPORTED, NULL, 0 },
		{ "no group", 2, 0, 128, 4, REFUSE_NOT_SUPPORTED, NULL, 0 },
		{ "no entry", 2, 4, 0, 4, REFUSE_NOT_SUPPORTED, NULL, 0 },
		{ "fewer entries than wqs", 2, 4, 3, 4, 0, "1", 3 },
		{ "one engine", 1, 4, 128, 4, 0, "32", 4 },
		{ "one wq", 2, 4, 128, 1, 0, "128", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(plan_freep) struct plan *p = NULL;
		struct machine mc = machine("!-0000");
		struct accel *a = mc.accels[0];
		const char *name = cases[i].name;
		struct refusal refusal = { 0 };
		int r;

		a->n_engines = cases[i].engines;
		a->max_groups = cases[i].groups;
		a->max_size = cases[i].size;
		a->n_wqs = cases[i].wqs;
		r = alloc_adopt(a, 0, 1, &p, &refusal);
		if (cases[i].refusal != REFUSE_NONE) {
			CHECK(r < 0, "%s: not refused", name);
			check_refusal(name, &refusal, cases[i].refusal, "dsa0", NULL);
		} else if (CHECK(r == 0, "%s: %s", name, refusal.reason)) {
			CHECK_STR(final_value(p, "wq0.0", "size"), cases[i].size_of_first, name);
			CHECK(count_steps(p, STEP_SET, "size") == cases[i].sized, "%s: sized", name);
		}
		machine_done(&mc);
	}
}

/* --- pool ------------------------------------------------------------------------------------ */

static void test_pool(void)
{
	static const struct {
		const char *name, *machine;
		unsigned int pool_min, host;
		unsigned int binds, unbinds;
		const char *first;
	} cases[] = {
		{ "right as it is", "PFF", 1, 0, 0, 0, NULL },
		{ "fill from the front", "MFFF", 1, 1, 1, 0, "wq0.1" },
		{ "fill by two", "MFFF", 2, 1, 2, 0, "wq0.1" },
		{ "never the reservation", "MMMF", 1, 1, 0, 0, NULL },
		{ "shrink from the back", "PFPP", 1, 0, 0, 2, "wq0.3" },
		{ "shrink to none", "PM", 0, 0, 0, 1, "wq0.0" },
		{ "somebody else's does not count", "pF", 1, 0, 1, 0, "wq0.1" },
		{ "somebody else's is not taken away", "pP", 0, 0, 0, 1, "wq0.1" },
		{ "not adopted", "!FF", 1, 0, 0, 0, NULL },
		{ "off", "-FF", 1, 0, 0, 0, NULL },
		{ "no module", "nFF", 1, 0, 0, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(plan_freep) struct plan *p = NULL;
		struct machine mc = machine(cases[i].machine);
		struct accel *a = mc.accels[0];
		const char *name = cases[i].name;

		a->pool_min = cases[i].pool_min;
		a->host_wqs = cases[i].host;
		alloc_reserve(a);
		CHECK(alloc_pool(a, &p) == 0, "%s", name);
		CHECK(count_steps(p, STEP_BIND, "mdev") == cases[i].binds, "%s: binds", name);
		CHECK(count_steps(p, STEP_UNBIND, "mdev") == cases[i].unbinds, "%s: unbinds", name);
		if (cases[i].first && CHECK(p->n, "%s: no steps", name))
			CHECK_STR(p->steps[0].object, cases[i].first, name);
		machine_done(&mc);
	}
}

static void test_available(void)
{
	static const struct {
		const char *machine;
		unsigned int want;
	} cases[] = {
		{ "PFF0eKUXpMO", 3 }, { "!PFF", 0 }, { "xPFF", 0 }, { "aPFF", 3 }, { "-FF", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct machine mc = machine(cases[i].machine);

		CHECK(alloc_available(mc.accels[0], false) == cases[i].want, "%s: %u", cases[i].machine,
		      alloc_available(mc.accels[0], false));
		machine_done(&mc);
	}
}

/* --- plans as text --------------------------------------------------------------------------- */

static void test_plan_text(void)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	_cleanup_(freep) char *text = NULL;
	struct machine mc = machine("MF");
	struct alloc_create req = { .type = DSA, .uuid = UUID };
	struct refusal refusal;

	CHECK(alloc_create(mc.accels, mc.n, &req, &p, &refusal) == 0, "plan");
	CHECK(plan_format(p, &text) == 0, "format");
	CHECK_STR(text,
		  "1. set wq0.1 mode: shared -> dedicated  (the type hands out a whole queue)\n"
		  "2. set wq0.1 priority: 0 -> 10  (hardware wants 1..15)\n"
		  "3. set wq0.1 type: none -> user  (so that our driver may bind it)\n"
		  "4. set wq0.1 driver_name: \"\" -> mdev  (so that our driver may bind it)\n"
		  "5. set wq0.1 name: \"\" -> idxdvd  (idxd demands a name)\n"
		  "6. bind wq0.1 to driver mdev  (the pool has none to spare)\n"
		  "7. create mdev " UUID " of type " DSA " on 0000:6a:01.0  (asked for)\n"
		  "8. pin mdev " UUID " to wq0.1  (so that it is this queue and no other)\n",
		  "plan as text");
	machine_done(&mc);
}

static void test_tables(void)
{
	size_t n;
	const struct mdev_type *types = mdev_types(&n);

	for (int i = 0; i < REFUSE_KIND_COUNT; i++)
		CHECK(refusal_kind_name(i), "refusal kind %d has no name", i);
	for (int i = 0; i < WQ_CLASS_COUNT; i++)
		CHECK(wq_class_name(i), "wq class %d has no name", i);
	for (int i = 0; i < STEP_KIND_COUNT; i++)
		CHECK(step_kind_name(i), "step kind %d has no name", i);
	for (int i = 0; i < PLAN_KIND_COUNT; i++)
		CHECK(plan_kind_name(i), "plan kind %d has no name", i);
	for (size_t i = 0; i < n; i++)
		CHECK(mdev_type_find(types[i].id) == &types[i], "type %s", types[i].id);
}

/* Kinds that are not the allocator's to give. */
static bool is_elsewhere(int kind)
{
	return kind == REFUSE_SHUTTING_DOWN || kind == REFUSE_QUOTA_EXCEEDED ||
	       kind == REFUSE_NOT_DEFINED || kind == REFUSE_DEVICE_TAKEN ||
	       kind == REFUSE_CANCELLED || kind == REFUSE_NOT_RUNNING;
}

/* The tests above went through each kind that the allocator has, and looked at each part of it. */
static void test_refusals_seen(void)
{
	for (int i = REFUSE_NONE + 1; i < REFUSE_KIND_COUNT; i++)
		CHECK(kinds_refused[i] || is_elsewhere(i), "no test refuses with %s",
		      refusal_kind_name(i));
	printf("%u refusals, each with object, reason and remedy\n", n_refusals);
}

int main(void)
{
	test_tables();
	test_create();
	test_create_exists();
	test_create_case();
	test_destroy();
	test_adopt();
	test_layout_rules();
	test_iaa_default();
	test_release();
	test_release_iaa();
	test_odd_devices();
	test_pool();
	test_available();
	test_plan_text();
	test_refusals_seen();
	return test_report("daemon-alloc");
}
