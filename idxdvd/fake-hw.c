/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/fake-hw.h"
#include "idxdvd/fs.h"

#define FAKE_MAX_ERRNO 4095
#define FAKE_MAX_MS 600000
#define FAKE_MAX_SHARERS 128	/* the module's own default */
#define DEFAULT_TOPOLOGY "{ \"accelerators\": [ {} ] }"

static const struct {
	const char *name;
	uint16_t device;
} kinds[] = {
	[ACCEL_DSA] = { "dsa", 0x11fb },
	[ACCEL_IAX] = { "iax", 0x1216 },
};

#define WQ_MAX_TRANSFER (2u << 20)
#define WQ_MAX_BATCH 32u

void fake_wq_reset_limits(const struct fake_accel *a, struct fake_wq *w)
{
	w->max_transfer = a->max_transfer < WQ_MAX_TRANSFER ? a->max_transfer : WQ_MAX_TRANSFER;
	w->max_batch = a->max_batch < WQ_MAX_BATCH ? a->max_batch : WQ_MAX_BATCH;
}

static void reset_wq(const struct fake_accel *a, struct fake_wq *w)
{
	memset(w, 0, sizeof(*w));
	w->group = -1;
	fake_wq_reset_limits(a, w);
}

void fake_accel_reset(struct fake_accel *a)
{
	a->enabled = a->absent = false;
	a->unsafe_allowed = false;
	a->cmd_status = 0;
	for (unsigned int i = 0; i < FAKE_MAX_ENGINES; i++)
		a->engine_group[i] = -1;
	for (unsigned int i = 0; i < a->n_wqs; i++)
		reset_wq(a, &a->wqs[i]);

	if (a->kind == ACCEL_IAX && a->configurable) {
		struct fake_wq *w = &a->wqs[0];

		w->dedicated = true;
		w->size = a->max_size;
		w->priority = 10;
		w->group = 0;
		strcpy(w->label, "iaa_crypto");
		strcpy(w->driver_name, "crypto");
		a->engine_group[0] = 0;
		a->enabled = true;
	}
}

void fake_hw_reset(struct fake_hw *hw)
{
	for (unsigned int i = 0; i < hw->n_accels; i++)
		fake_accel_reset(&hw->accels[i]);
	for (unsigned int i = 0; i < hw->n_mdevs; i++)
		hw->mdevs[i].used = false;
	fake_index_mdevs(hw);
	uuid_random(hw->boot_id);
}

/* Missing keys keep what is there; any other error counts. */
static int opt(int r)
{
	return r == -ENOENT ? 0 : r;
}

static int load_enum(struct json_object *o, const char *key, const char *const *names, int n,
		     int *ret)
{
	char s[NAME_LEN];
	int r;

	r = json_get_string(o, key, s, sizeof(s));
	if (r < 0)
		return opt(r);
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], s)) {
			*ret = i;
			return 0;
		}
	return -EBADMSG;
}

static int load_holder(struct json_object *o, struct holder *h)
{
	int r;

	r = opt(json_get_int(o, "pid", &h->pid));
	if (r < 0)
		return r;
	return opt(json_get_string(o, "comm", h->comm, sizeof(h->comm)));
}

static int load_wq(struct json_object *o, struct fake_accel *a)
{
	static const char *const modes[] = { "shared", "dedicated" };
	static const char *const types[] = { "none", "kernel", "user" };
	int mode = 0, type = WQ_TYPE_NONE;
	struct fake_wq *w;
	unsigned int id;

	if (json_get_uint(o, "id", &id) < 0 || id >= a->n_wqs)
		return -EBADMSG;
	w = &a->wqs[id];
	reset_wq(a, w);
	if (opt(json_get_uint(o, "size", &w->size)) < 0 ||
	    opt(json_get_int(o, "group", &w->group)) < 0 ||
	    load_enum(o, "mode", modes, 2, &mode) < 0 ||
	    load_enum(o, "type", types, 3, &type) < 0 ||
	    opt(json_get_string(o, "name", w->label, sizeof(w->label))) < 0 ||
	    opt(json_get_string(o, "driver-name", w->driver_name, sizeof(w->driver_name))) < 0 ||
	    opt(json_get_string(o, "driver", w->driver, sizeof(w->driver))) < 0 ||
	    opt(json_get_uint(o, "priority", &w->priority)) < 0 ||
	    opt(json_get_uint(o, "threshold", &w->threshold)) < 0 ||
	    opt(json_get_uint(o, "clients", &w->clients)) < 0 || load_holder(o, &w->holder) < 0)
		return -EBADMSG;
	w->dedicated = mode;
	w->type = type;
	w->state = w->driver[0] ? STATE_ENABLED : STATE_DISABLED;
	return 0;
}

static int load_limits(struct json_object *o, struct fake_accel *a)
{
	char device[8] = "";
	uint64_t id;
	int r;

	r = opt(json_get_string(o, "device", device, sizeof(device)));
	if (r >= 0 && device[0]) {
		r = parse_u64(device, 16, &id);
		if (r >= 0 && id <= UINT16_MAX)
			a->pci_device = id;
	}
	if (r < 0 || opt(json_get_string(o, "address", a->bdf, sizeof(a->bdf))) < 0 ||
	    opt(json_get_int(o, "numa", &a->numa_node)) < 0 ||
	    opt(json_get_uint(o, "wqs", &a->n_wqs)) < 0 ||
	    opt(json_get_uint(o, "engines", &a->n_engines)) < 0 ||
	    opt(json_get_uint(o, "groups", &a->n_groups)) < 0 ||
	    opt(json_get_uint(o, "size", &a->max_size)) < 0 ||
	    opt(json_get_uint(o, "max-transfer-size", &a->max_transfer)) < 0 ||
	    opt(json_get_uint(o, "max-batch-size", &a->max_batch)) < 0 ||
	    opt(json_get_bool(o, "configurable", &a->configurable)) < 0 ||
	    opt(json_get_bool(o, "iommu", &a->iommu)) < 0 ||
	    opt(json_get_bool(o, "pasid", &a->pasid)) < 0 ||
	    opt(json_get_bool(o, "ims", &a->ims)) < 0)
		return -EBADMSG;
	if (a->n_wqs > FAKE_MAX_WQS || a->n_engines > FAKE_MAX_ENGINES ||
	    !string_is_pci_address(a->bdf))
		return -EBADMSG;
	return 0;
}

static int load_accel(struct json_object *o, unsigned int id, struct fake_accel *a)
{
	static const char *const names[] = { "dsa", "iax" };
	struct json_object *list;
	int kind = ACCEL_DSA, r;

	if (!json_object_is_type(o, json_type_object) || load_enum(o, "kind", names, 2, &kind) < 0)
		return -EBADMSG;

	*a = (struct fake_accel) {
		.kind = kind, .pci_device = kinds[kind].device, .n_wqs = 8, .n_engines = 4,
		.n_groups = 4, .max_size = 128, .max_transfer = 1u << 31,
		.max_batch = kind == ACCEL_DSA ? 1024 : 0, .configurable = true, .iommu = true, .pasid = true,
		.ims = true,
	};
	snprintf(a->name, sizeof(a->name), "%s%u", kinds[kind].name, id);
	snprintf(a->bdf, sizeof(a->bdf), "0000:%02x:%02x.0", (0x6a + id) & 0xff,
		 kind == ACCEL_DSA ? 1 : 2);
	r = load_limits(o, a);
	if (r < 0)
		return r;
	fake_accel_reset(a);
	if (opt(json_get_bool(o, "unsafe-allowed", &a->unsafe_allowed)) < 0)
		return -EBADMSG;

	if (opt(json_get_bool(o, "enabled", &a->enabled)) < 0)
		return -EBADMSG;
	r = json_get_array(o, "engine-groups", &list);
	for (size_t i = 0; r >= 0 && i < json_object_array_length(list) && i < a->n_engines; i++)
		a->engine_group[i] = json_object_get_int(json_object_array_get_idx(list, i));
	r = opt(r);
	if (r < 0)
		return r;

	r = json_get_array(o, "queues", &list);
	for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++)
		r = load_wq(json_object_array_get_idx(list, i), a);
	return opt(r);
}

static int load_mdev(struct json_object *o, struct fake_hw *hw)
{
	char wq[NAME_LEN], uuid[UUID_LEN], type[NAME_LEN];
	struct holder holder = { 0 };
	unsigned int accel, id;
	struct fake_mdev *m;
	struct fake_wq *w;

	if (json_get_string(o, "uuid", uuid, sizeof(uuid)) < 0 || parse_uuid(uuid, uuid) < 0 ||
	    json_get_string(o, "type", type, sizeof(type)) < 0 || fake_find_mdev(hw, uuid) ||
	    json_get_string(o, "wq", wq, sizeof(wq)) < 0 || load_holder(o, &holder) < 0 ||
	    sscanf(wq, "wq%u.%u", &accel, &id) != 2 || accel >= hw->n_accels ||
	    id >= hw->accels[accel].n_wqs)
		return -EBADMSG;

	w = &hw->accels[accel].wqs[id];
	if (!fake_wq_has_room(hw, w, !w->dedicated))
		return -EBADMSG;
	m = fake_add_mdev(hw, uuid);
	if (!m)
		return -E2BIG;
	fake_seat_mdev(hw, m, accel, id);
	memcpy(m->type, type, sizeof(m->type));
	m->holder = holder;
	return 0;
}

static int load_opener(struct json_object *o, struct fake_opener *opener)
{
	char uuid[UUID_LEN];

	if (json_get_string(o, "uuid", uuid, sizeof(uuid)) < 0 ||
	    parse_uuid(uuid, opener->uuid) < 0 || load_holder(o, &opener->holder) < 0 ||
	    opt(json_get_bool(o, "stubborn", &opener->stubborn)) < 0)
		return -EBADMSG;
	return 0;
}

static int load_taken(struct json_object *o, struct fake_taken *t)
{
	if (json_get_string(o, "address", t->bdf, sizeof(t->bdf)) < 0 ||
	    !string_is_pci_address(t->bdf) ||
	    opt(json_get_string(o, "driver", t->driver, sizeof(t->driver))) < 0 ||
	    load_holder(o, &t->holder) < 0)
		return -EBADMSG;
	return 0;
}

static int load_fault(struct json_object *o, struct fake_fault *fault)
{
	static const char *const deaths[] = { "no", "before", "after" };

	if (json_get_string(o, "call", fault->call, sizeof(fault->call)) < 0 ||
	    opt(json_get_uint(o, "ms", &fault->ms)) < 0 ||
	    load_enum(o, "die", deaths, 3, &fault->die) < 0 ||
	    opt(json_get_uint(o, "after", &fault->after)) < 0 ||
	    opt(json_get_uint(o, "times", &fault->times)) < 0 ||
	    opt(json_get_int(o, "errno", &fault->error)) < 0 || fault->error < 0 ||
	    fault->error > FAKE_MAX_ERRNO || fault->ms > FAKE_MAX_MS)
		return -EBADMSG;
	return 0;
}

static int load(struct fake_hw *hw, struct json_object *o)
{
	struct json_object *list;
	int r;

	r = opt(json_get_bool(o, "module", &hw->module));
	if (r >= 0)
		r = opt(json_get_bool(o, "allow-unsafe", &hw->allow_unsafe));
	if (r >= 0)
		r = opt(json_get_bool(o, "enqcmd", &hw->enqcmd));
	if (r >= 0)
		r = opt(json_get_uint(o, "max-sharers", &hw->max_sharers));
	if (r < 0)
		return r;
	r = json_get_array(o, "accelerators", &list);
	for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++) {
		if (i == FAKE_MAX_ACCELS)
			return -E2BIG;
		r = load_accel(json_object_array_get_idx(list, i), i, &hw->accels[i]);
		hw->n_accels = i + 1;
	}
	r = opt(r);
	if (r < 0)
		return r;

	r = json_get_array(o, "mdevs", &list);
	for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++)
		r = load_mdev(json_object_array_get_idx(list, i), hw);
	r = opt(r);
	if (r < 0)
		return r;

	r = json_get_array(o, "openers", &list);
	for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++) {
		if (i == FAKE_MAX_OPENERS)
			return -E2BIG;
		r = load_opener(json_object_array_get_idx(list, i), &hw->openers[i]);
		hw->n_openers = i + 1;
	}
	r = opt(r);
	if (r < 0)
		return r;

	r = json_get_array(o, "taken", &list);
	for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++) {
		if (i == FAKE_MAX_TAKEN)
			return -E2BIG;
		r = load_taken(json_object_array_get_idx(list, i), &hw->taken[i]);
		hw->n_taken = i + 1;
	}
	r = opt(r);
	if (r < 0)
		return r;

	r = json_get_array(o, "faults", &list);
	for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++) {
		if (i == FAKE_MAX_FAULTS)
			return -E2BIG;
		r = load_fault(json_object_array_get_idx(list, i), &hw->faults[i]);
		hw->n_faults = i + 1;
	}
	return opt(r);
}

int fake_hw_init(struct fake_hw *hw, const char *topology)
{
	_cleanup_(json_putp) struct json_object *o = NULL;
	_cleanup_(freep) char *text = NULL;
	int r;

	if (topology) {
		r = fs_read(AT_FDCWD, topology, JSON_MAX_SIZE, &text);
		if (r < 0)
			return r;
	}
	r = json_parse(text ? text : DEFAULT_TOPOLOGY, &o);
	if (r < 0)
		return r;

	hw->module = hw->enqcmd = true;
	hw->max_sharers = FAKE_MAX_SHARERS;
	uuid_random(hw->boot_id);
	return load(hw, o);
}
