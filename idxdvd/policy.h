/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_POLICY_H
#define IDXDVD_POLICY_H

/*
 * What the administrator of a host decides once for all requests. One JSON object; each key may be
 * left out:
 *
 *   { "version": 1,
 *     "exclusive-engines": [ "0000:6a:01.0" ] }
 *
 * On a device that "exclusive-engines" names, the engines of a group work for one queue only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/device.h"

struct policy {
	char (*exclusive)[NAME_LEN];	/* PCI addresses */
	size_t n_exclusive;
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

#endif
