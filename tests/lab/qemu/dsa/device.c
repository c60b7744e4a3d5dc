/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QEMU device: properties and their limits, BARs, reset and halt.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "hw/misc/idxd-lab.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "bug.h"

#define PCI_CLASS_SYSTEM_ACCEL	0x0880

static bool any_work(IdxdLab *d, const struct work *w)
{
	return true;
}

/* Stops everything at once; the registers are the caller's business. */
static void device_quiesce(IdxdLab *d)
{
	cmd_cancel(d);
	engine_abort(d, any_work);
	page_forget(d);
}

/* Bus reset and FLR. */
static void device_reset(DeviceState *dev)
{
	IdxdLab *d = IDXD_LAB(dev);

	device_quiesce(d);
	pcicfg_reset(d);
	labpage_reset(d);
	regs_reset(d, true);
}

/* @reset is what GENSTS asks for. Nothing moves until then. */
void device_halt(IdxdLab *d, unsigned int reset)
{
	if (dev_state(d) == DEV_HALT)
		return;
	device_quiesce(d);
	d->regs[R_GENSTS / 4] = DEV_HALT | reset << GENSTS_RESET_SHIFT;
	if (reg32(d, R_GENCTRL) & GENCTRL_HALT)
		irq_misc(d, CAUSE_HALT);
}

static const struct limit {
	const char *name;
	size_t off;
	uint32_t min, max;
} limits[] = {
	{ "wqs",		offsetof(IdxdLab, nwqs),	1, MAX_WQS },
	{ "groups",		offsetof(IdxdLab, ngroups),	1, MAX_GROUPS },
	{ "engines",		offsetof(IdxdLab, nengines),	1, MAX_ENGINES },
	{ "wq-size",		offsetof(IdxdLab, total_size),	1, 0xffff },
	{ "read-buffers",	offsetof(IdxdLab, read_buffers),	4, 0xff },
	{ "max-xfer-shift",	offsetof(IdxdLab, xfer_shift),	6, 31 },
	{ "max-batch-shift",	offsetof(IdxdLab, batch_shift),	1, 15 },
	{ "ims",		offsetof(IdxdLab, ims_units),	0, MAX_IMS / 256 },
	{ "handle-base",	offsetof(IdxdLab, handle_base),	0, 0x8000 },
	{ "handle-limit",	offsetof(IdxdLab, handle_limit),	0, 0xffff },
	{ "perfmon",		offsetof(IdxdLab, counters),	0, MAX_COUNTERS },
	{ "perfmon-width",	offsetof(IdxdLab, counter_width),	1, 63 },
	{ "max-sgl-shift",	offsetof(IdxdLab, sgl_shift),	0, 15 },
	{ "bug-every",		offsetof(IdxdLab, bug_every),	1, UINT32_MAX },
};

static bool device_check_properties(IdxdLab *d, Error **errp)
{
	unsigned int i;

	if (!strcmp(d->kind, "iaa")) {
		d->iaa = true;
	} else if (strcmp(d->kind, "dsa")) {
		error_setg(errp, "idxd-lab: kind '%s' is not known, use dsa or iaa", d->kind);
		return false;
	}

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		uint32_t v = *(uint32_t *)((char *)d + limits[i].off);

		if (v < limits[i].min || v > limits[i].max) {
			error_setg(errp, "idxd-lab: %s=%u is outside %u..%u", limits[i].name, v,
				   limits[i].min, limits[i].max);
			return false;
		}
	}

	if (!d->cmdcap)
		d->handles = false;
	if (!d->device_id)
		d->device_id = d->iaa ? 0x1216 : 0x11fb;
	return bug_parse(d, errp);
}

static void device_realize(PCIDevice *dev, Error **errp)
{
	IdxdLab *d = IDXD_LAB(dev);
	MemReentrancyGuard *guard = &DEVICE(dev)->mem_reentrancy_guard;
	const uint8_t type = PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
			     PCI_BASE_ADDRESS_MEM_PREFETCH;

	if (!device_check_properties(d, errp))
		return;

	memory_region_init_io(&d->bar0, OBJECT(d), &bar0_ops, d, "idxd-lab-regs", BAR0_SIZE);
	memory_region_init_io(&d->bar2, OBJECT(d), &portal_ops, d, "idxd-lab-portals",
			      pow2ceil(d->nwqs * PORTAL_STRIDE));
	pci_register_bar(dev, 0, type, &d->bar0);
	pci_register_bar(dev, 2, type, &d->bar2);

	if (!pcicfg_init(d, errp))
		return;

	engine_init(d);
	d->engine_bh = qemu_bh_new_guarded(engine_bh, d, guard);
	d->cmd_bh = qemu_bh_new_guarded(cmd_bh, d, guard);
	d->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, engine_timer, d);
	d->cmd_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, cmd_bh, d);

	lab_dmwr_register(&d->bar0, bar0_dmwr, d);
	lab_dmwr_register(&d->bar2, portal_dmwr, d);
	lab_page_response_register(dev, page_response, d);
}

static void device_exit(PCIDevice *dev)
{
	IdxdLab *d = IDXD_LAB(dev);

	device_quiesce(d);
	lab_page_response_register(dev, NULL, NULL);
	lab_dmwr_unregister(&d->bar2);
	lab_dmwr_unregister(&d->bar0);
	timer_free(d->cmd_timer);
	timer_free(d->timer);
	qemu_bh_delete(d->cmd_bh);
	qemu_bh_delete(d->engine_bh);
	pcicfg_exit(d);
}

static const Property properties[] = {
	DEFINE_PROP_UINT16("device-id", IdxdLab, device_id, 0),
	DEFINE_PROP_UINT16("version", IdxdLab, version, 0x200),
	DEFINE_PROP_UINT32("wqs", IdxdLab, nwqs, 8),
	DEFINE_PROP_UINT32("groups", IdxdLab, ngroups, 4),
	DEFINE_PROP_UINT32("engines", IdxdLab, nengines, 4),
	DEFINE_PROP_UINT32("wq-size", IdxdLab, total_size, 128),
	DEFINE_PROP_UINT32("read-buffers", IdxdLab, read_buffers, 96),
	DEFINE_PROP_UINT32("max-xfer-shift", IdxdLab, xfer_shift, 31),
	DEFINE_PROP_UINT32("max-batch-shift", IdxdLab, batch_shift, 10),
	DEFINE_PROP_UINT32("ims", IdxdLab, ims_units, 1),
	DEFINE_PROP_UINT32("handle-base", IdxdLab, handle_base, 0),
	DEFINE_PROP_UINT64("delay-ns", IdxdLab, delay_ns, 0),
	DEFINE_PROP_UINT64("ns-per-kib", IdxdLab, ns_per_kib, 0),
	DEFINE_PROP_BOOL("handles", IdxdLab, handles, true),
	DEFINE_PROP_UINT32("handle-limit", IdxdLab, handle_limit, 0),
	DEFINE_PROP_UINT32("max-sgl-shift", IdxdLab, sgl_shift, 0),
	DEFINE_PROP_UINT32("perfmon", IdxdLab, counters, 0),
	DEFINE_PROP_UINT32("perfmon-width", IdxdLab, counter_width, 48),
	DEFINE_PROP_BOOL("lab-page", IdxdLab, lab_page, false),
	DEFINE_PROP_BOOL("cmdcap", IdxdLab, cmdcap, true),
	DEFINE_PROP_BOOL("evl", IdxdLab, evl, true),
	DEFINE_PROP_BOOL("bof", IdxdLab, bof, true),
	DEFINE_PROP_BOOL("batch1", IdxdLab, batch1, false),
	DEFINE_PROP_BOOL("shared", IdxdLab, shared, true),
	DEFINE_PROP_BOOL("dedicated", IdxdLab, dedicated, true),
	DEFINE_PROP_BOOL("ats-disable", IdxdLab, ats_disable, true),
	DEFINE_PROP_BOOL("op-config", IdxdLab, op_config, true),
	DEFINE_PROP_STRING("bug", IdxdLab, bug_name),
	DEFINE_PROP_UINT32("bug-every", IdxdLab, bug_every, 13),
};

static char *device_get_kind(Object *obj, Error **errp)
{
	return g_strdup(IDXD_LAB(obj)->kind);
}

static void device_set_kind(Object *obj, const char *value, Error **errp)
{
	IdxdLab *d = IDXD_LAB(obj);

	g_free(d->kind);
	d->kind = g_strdup(value);
}

static void device_instance_init(Object *obj)
{
	IDXD_LAB(obj)->kind = g_strdup("dsa");
	inject_init(obj);
	object_property_add_str(obj, "kind", device_get_kind, device_set_kind);
}

static void device_instance_finalize(Object *obj)
{
	g_free(IDXD_LAB(obj)->kind);
}

static const VMStateDescription vmstate = {
	.name = TYPE_IDXD_LAB,
	.unmigratable = 1,
};

static void device_class_init(ObjectClass *klass, void *data)
{
	DeviceClass *dc = DEVICE_CLASS(klass);
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

	pc->realize = device_realize;
	pc->exit = device_exit;
	pc->config_write = pcicfg_write;
	pc->vendor_id = PCI_VENDOR_ID_INTEL;
	pc->class_id = PCI_CLASS_SYSTEM_ACCEL;
	dc->desc = "DSA/IAA function of the lab";
	dc->vmsd = &vmstate;
	device_class_set_legacy_reset(dc, device_reset);
	device_class_set_props(dc, properties);
	set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo device_info = {
	.name = TYPE_IDXD_LAB,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(IdxdLab),
	.instance_init = device_instance_init,
	.instance_finalize = device_instance_finalize,
	.class_init = device_class_init,
	.interfaces = (InterfaceInfo[]) { { INTERFACE_PCIE_DEVICE }, { } },
};

static void device_register(void)
{
	type_register_static(&device_info);
}

type_init(device_register)
