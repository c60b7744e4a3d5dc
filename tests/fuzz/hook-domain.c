/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The domain that libvirt gives to its hook. */
#include <string.h>

#include "idxdvd/common/parse.h"
#include "libvirt/domain.h"
#include "tests/fuzz/daemon.h"

#define IS_TEXT(a) (memchr((a), '\0', sizeof(a)))

static void check_mdev(const struct domain *d, size_t i)
{
	const struct domain_mdev *m = &d->mdevs[i];
	char uuid[37];

	MUST(IS_TEXT(m->uuid) && parse_uuid(m->uuid, uuid) == 0 && !strcmp(uuid, m->uuid));
	MUST(IS_TEXT(m->type) && IS_TEXT(m->parent) && IS_TEXT(m->placement));
	MUST(m->min_size >= -1 && m->min_size <= 65535);
	MUST(m->numa_node >= -1 && m->numa_node <= 1023);
	for (size_t k = 0; k < i; k++)
		MUST(strcmp(d->mdevs[k].uuid, m->uuid));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct domain d, untouched;
	char why[DOMAIN_WHY_LEN] = "";

	memset(&d, 0x55, sizeof(d));
	memset(&untouched, 0x55, sizeof(untouched));
	if (domain_parse(&d, (const char *)data, size, why) < 0) {
		MUST(IS_TEXT(why) && why[0]);
		MUST(!memcmp(&d, &untouched, sizeof(d)));
		return 0;
	}
	MUST(IS_TEXT(d.uuid) && strlen(d.uuid) == 36);
	MUST(d.n_mdevs <= DOMAIN_MAX_MDEVS);
	for (size_t i = 0; i < d.n_mdevs; i++)
		check_mdev(&d, i);
	return 0;
}
