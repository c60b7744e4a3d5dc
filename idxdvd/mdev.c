/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/mdev.h"

static const struct mdev_type types[] = {
	{ "idxd-dsa-1dwq-v1", "Intel DSA 1DWQ", "one dedicated work queue of a DSA", ACCEL_DSA, false },
	{ "idxd-dsa-1swq-v1", "Intel DSA 1SWQ", "a part of a shared work queue of a DSA", ACCEL_DSA, true },
	{ "idxd-iax-1dwq-v1", "Intel IAX 1DWQ", "one dedicated work queue of an IAA", ACCEL_IAX, false },
	{ "idxd-iax-1swq-v1", "Intel IAX 1SWQ", "a part of a shared work queue of an IAA", ACCEL_IAX, true },
};

const struct mdev_type *mdev_types(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(types);
	return types;
}

const struct mdev_type *mdev_type_find(const char *id)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i].id, id))
			return &types[i];
	return NULL;
}

const struct mdev_type *mdev_type_shared(enum accel_kind kind)
{
	size_t i = 0;

	while (!types[i].shared || types[i].kind != kind)
		i++;
	return &types[i];
}
