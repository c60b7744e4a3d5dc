/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_LIBVIRT_DOMAIN_H
#define IDXDVD_LIBVIRT_DOMAIN_H

/* A domain as libvirt describes it to a hook: its mdevs, and what our metadata says of them. */

#include <stdbool.h>
#include <stddef.h>

#define DOMAIN_UUID_LEN	37
#define DOMAIN_WORD_LEN	64
#define DOMAIN_WHY_LEN	160
#define DOMAIN_MAX_SIZE	(8 * 1024 * 1024)
#define DOMAIN_MAX_MDEVS 64

#define DOMAIN_NAMESPACE "urn:idxdvd:libvirt:1"

struct domain_mdev {
	char uuid[DOMAIN_UUID_LEN];
	bool described;			/* what follows is from the metadata; "" and -1: not said */
	char type[DOMAIN_WORD_LEN], parent[DOMAIN_WORD_LEN], placement[DOMAIN_WORD_LEN];
	int min_size, numa_node;
};

struct domain {
	char uuid[DOMAIN_UUID_LEN];
	struct domain_mdev mdevs[DOMAIN_MAX_MDEVS];
	size_t n_mdevs;
};

/* -EBADMSG: @why says what cannot be used. */
int domain_parse(struct domain *ret, const char *text, size_t len, char why[DOMAIN_WHY_LEN]);

#endif
