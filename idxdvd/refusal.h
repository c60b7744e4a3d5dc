/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_REFUSAL_H
#define IDXDVD_REFUSAL_H

#include <stddef.h>

#include "idxdvd/common/cleanup.h"

/* Why something was not done. refusal_kind_name() yields the last part of the D-Bus error name. */
enum refusal_kind {
	REFUSE_NONE,
	REFUSE_INVALID_ARGS,
	REFUSE_NO_SUCH_DEVICE,
	REFUSE_NO_SUCH_WQ,
	REFUSE_NO_SUCH_MDEV,
	REFUSE_NO_SUCH_TYPE,
	REFUSE_NOT_DEFINED,
	REFUSE_NO_MODULE,
	REFUSE_NO_IOMMU,
	REFUSE_NOT_ADOPTED,
	REFUSE_NO_CAPACITY,
	REFUSE_ENGINES_TAKEN,
	REFUSE_QUOTA_EXCEEDED,
	REFUSE_UNSAFE_DEVICE,
	REFUSE_IN_USE,
	REFUSE_HOST_KERNEL,
	REFUSE_HOST_USER,
	REFUSE_MDEV_IDLE,
	REFUSE_MDEV_IN_USE,
	REFUSE_DEVICE_TAKEN,
	REFUSE_EXISTS,
	REFUSE_INVALID_UUID,
	REFUSE_FOREIGN,
	REFUSE_NOT_SUPPORTED,
	REFUSE_CANCELLED,
	REFUSE_NOT_RUNNING,
	REFUSE_SHUTTING_DOWN,
	REFUSE_FAILED,
	REFUSE_KIND_COUNT,
};

/* A refusal names the object, the reason, the holder if there is one, and what would fix it. */
struct refusal {
	enum refusal_kind kind;
	char object[64];
	char reason[512];
	char holder[512];
	char remedy[256];
};

const char *refusal_kind_name(enum refusal_kind kind);	/* "NoCapacity" */
/* Fills everything but the holder; always returns @errno_value negated. */
int refuse(struct refusal *ret, enum refusal_kind kind, int errno_value, const char *object,
	   const char *remedy, const char *reason_fmt, ...) _printf_(6, 7);
void refusal_set_holder(struct refusal *r, const char *fmt, ...) _printf_(2, 3);
/* "dsa0: reason; held by holder; remedy" in one line. */
void refusal_format(const struct refusal *r, char *buf, size_t size);

#endif
