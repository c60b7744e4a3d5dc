/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/refusal.h"

static const char *const kind_names[REFUSE_KIND_COUNT] = {
	[REFUSE_NONE] = "None",
	[REFUSE_INVALID_ARGS] = "InvalidArgs",
	[REFUSE_NO_SUCH_DEVICE] = "NoSuchDevice",
	[REFUSE_NO_SUCH_WQ] = "NoSuchWorkQueue",
	[REFUSE_NO_SUCH_MDEV] = "NoSuchMdev",
	[REFUSE_NO_SUCH_TYPE] = "NoSuchType",
	[REFUSE_NOT_DEFINED] = "NotDefined",
	[REFUSE_NO_MODULE] = "NoModule",
	[REFUSE_NO_IOMMU] = "NoIommu",
	[REFUSE_NOT_ADOPTED] = "NotAdopted",
	[REFUSE_NO_CAPACITY] = "NoCapacity",
	[REFUSE_ENGINES_TAKEN] = "EnginesTaken",
	[REFUSE_QUOTA_EXCEEDED] = "QuotaExceeded",
	[REFUSE_UNSAFE_DEVICE] = "UnsafeDevice",
	[REFUSE_IN_USE] = "InUse",
	[REFUSE_HOST_KERNEL] = "HostKernel",
	[REFUSE_HOST_USER] = "HostUser",
	[REFUSE_MDEV_IDLE] = "MdevIdle",
	[REFUSE_MDEV_IN_USE] = "MdevInUse",
	[REFUSE_DEVICE_TAKEN] = "DeviceTaken",
	[REFUSE_EXISTS] = "Exists",
	[REFUSE_INVALID_UUID] = "InvalidUuid",
	[REFUSE_FOREIGN] = "Foreign",
	[REFUSE_NOT_SUPPORTED] = "NotSupported",
	[REFUSE_CANCELLED] = "Cancelled",
	[REFUSE_NOT_RUNNING] = "NotRunning",
	[REFUSE_SHUTTING_DOWN] = "ShuttingDown",
	[REFUSE_FAILED] = "Failed",
};

const char *refusal_kind_name(enum refusal_kind kind)
{
	return kind_names[kind];
}

int refuse(struct refusal *ret, enum refusal_kind kind, int errno_value, const char *object,
	   const char *remedy, const char *reason_fmt, ...)
{
	va_list ap;

	memset(ret, 0, sizeof(*ret));
	ret->kind = kind;
	snprintf(ret->object, sizeof(ret->object), "%s", object[0] ? object : "\"\"");
	snprintf(ret->remedy, sizeof(ret->remedy), "%s", remedy);
	va_start(ap, reason_fmt);
	vsnprintf(ret->reason, sizeof(ret->reason), reason_fmt, ap);
	va_end(ap);
	return -errno_value;
}

void refusal_set_holder(struct refusal *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->holder, sizeof(r->holder), fmt, ap);
	va_end(ap);
}

void refusal_format(const struct refusal *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s%s%s", r->object, r->object[0] ? ": " : "", r->reason,
		 r->holder[0] ? "; held by " : "", r->holder, r->remedy[0] ? "; " : "", r->remedy);
}
