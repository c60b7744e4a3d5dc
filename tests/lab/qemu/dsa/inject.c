/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events no guest can cause but a test may need: properties to be written while the machine runs,
 * for instance with the monitor's `qom-set /machine/peripheral/ID revoke-handles true`.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "model.h"

/* More than any table has entries, so that handles of two generations never look alike. */
#define GENERATION	(MAX_IMS + 0x10)

static bool inject_ready(IdxdLab *d, Error **errp)
{
	if (DEVICE(d)->realized)
		return true;
	error_setg(errp, "idxd-lab: events can only be injected into a device that exists");
	return false;
}

/* All handles become invalid; the next ones asked for have other values. */
void inject_revoke(IdxdLab *d)
{
	memset(d->msix_handle, 0, sizeof(d->msix_handle));
	memset(d->ims_handle, 0, sizeof(d->ims_handle));
	d->handle_base = (d->handle_base + GENERATION) % 0x8000;
	irq_misc(d, CAUSE_REVOKED);
}

static void set_revoke(Object *obj, bool value, Error **errp)
{
	IdxdLab *d = IDXD_LAB(obj);

	if (!value || !inject_ready(d, errp))
		return;
	if (!d->handles) {
		error_setg(errp, "idxd-lab: handles=off, there is nothing to revoke");
		return;
	}
	inject_revoke(d);
}

/* Halts the device; the value is what it then asks for: 0 Reset Device, 1 FLR, 2 warm, 3 cold. */
static void set_halt(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
	IdxdLab *d = IDXD_LAB(obj);
	uint32_t kind;

	if (!visit_type_uint32(v, name, &kind, errp) || !inject_ready(d, errp))
		return;
	if (kind > 3) {
		error_setg(errp, "idxd-lab: a halted device asks for reset 0..3, not %u", kind);
		return;
	}
	device_halt(d, kind);
}

static bool get_false(Object *obj, Error **errp)
{
	return false;
}

void inject_init(Object *obj)
{
	object_property_add_bool(obj, "revoke-handles", get_false, set_revoke);
	object_property_add(obj, "halt", "uint32", NULL, set_halt, NULL, NULL);
}
