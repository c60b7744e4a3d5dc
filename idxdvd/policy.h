/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_POLICY_H
#define IDXDVD_POLICY_H

/*
 * What the administrator of a host decides once for all requests. One JSON object; each key may be
 * left out:
 *
 *   { "version": 1,
 *     "exclusive-engines": [ "0000:6a:01.0" ],
 *     "max-sharers": 16,
 *     "quota": 4,
 *     "quotas": { "1000": 16, "0": 100 } }
 *
 * On a device that "exclusive-engines" names, the engines of a group work for one queue only. No
 * more than "max-sharers" mdevs share a queue. A user
 * may have made as many mdevs at one time as "quotas" says for his number, otherwise "quota"; that
 * one does not bind root.
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/device.h"

struct policy_quota {
	unsigned int uid, mdevs;
};

struct policy {
	char (*exclusive)[NAME_LEN];	/* PCI addresses */
	size_t n_exclusive;
	bool has_max_sharers;
	unsigned int max_sharers;
	bool has_quota;
	unsigned int quota;		/* of those without one of their own; not of root */
	struct policy_quota *quotas;
	size_t n_quotas;
};

#define POLICY_WHY_LEN 128

/* -EBADMSG: @ret_why says what cannot be used. */
int policy_parse(struct policy **ret, const char *text, char ret_why[POLICY_WHY_LEN]);
/* A file that is not there is a policy that says nothing. */
int policy_read(struct policy **ret, const char *path, char ret_why[POLICY_WHY_LEN]);
struct policy *policy_free(struct policy *p);
void policy_freep(struct policy **p);

/* @p may be NULL: it says nothing. */
bool policy_is_exclusive(const struct policy *p, const char *bdf);
/* How many mdevs may share a queue where the module allows @max. */
unsigned int policy_sharers(const struct policy *p, unsigned int max);
bool policy_has_quotas(const struct policy *p);
/* False: the user may have as many as he likes. */
bool policy_quota(const struct policy *p, unsigned int uid, unsigned int *ret);

#endif
