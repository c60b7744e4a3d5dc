/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_HOSTDOC_H
#define IDXDVD_HOSTDOC_H

/*
 * What is ours on a host as one document, and the way from what is to what is wanted. Pure: it reads
 * the ledger and changes nothing. What is not ours is neither in the document nor on the way.
 *
 *   { "version": 1,
 *     "accelerators": [ { "device": "0000:6a:01.0", "host-wqs": 1, "pool-min": 1 } ],
 *     "mdevs": [ { "uuid": "...", "parent": "0000:6a:01.0", "type": "idxd-dsa-1dwq-v1",
 *                  "defined": true, "autostart": false, "wq": "wq0.3", "labels": [ "vm=a" ],
 *                  "running": true, "on": "wq0.3", "owner": 1000 } ] }
 *
 * Accelerators are those that are adopted. "wq" is what the definition asks for, "on" where the mdev
 * runs, "owner" the user it counts for if it has to be made; each may be left out, as may everything
 * that is false or empty.
 */

#include "idxdvd/definition.h"
#include "idxdvd/ledger.h"
#include "idxdvd/refusal.h"

struct hostdoc_accel {
	char bdf[NAME_LEN];
	unsigned int host_wqs, pool_min;
};

struct hostdoc_mdev {
	struct definition *d;		/* also where there is none: type, parent, labels */
	bool defined, running;
	unsigned int owner;
	char on[NAME_LEN];
};

struct hostdoc {
	struct hostdoc_accel *accels;
	size_t n_accels;
	struct hostdoc_mdev *mdevs;
	size_t n_mdevs;
};

int hostdoc_parse(struct hostdoc **ret, const char *text, struct refusal *ret_refusal);
int hostdoc_export(const struct ledger *l, char **ret);
struct hostdoc *hostdoc_free(struct hostdoc *doc);
void hostdoc_freep(struct hostdoc **doc);
/* The kernel forgot what ran: only what is written down counts. */
void hostdoc_forget_running(struct hostdoc *doc, const struct ledger *l);

enum hostdoc_kind {
	HOSTDOC_STOP,
	HOSTDOC_UNDEFINE,
	HOSTDOC_RELEASE,
	HOSTDOC_ADOPT,
	HOSTDOC_DEFINE,
	HOSTDOC_MODIFY,
	HOSTDOC_START,
	HOSTDOC_KIND_COUNT,
};

struct hostdoc_step {
	enum hostdoc_kind kind;
	const struct hostdoc_accel *accel;	/* adopt */
	const struct hostdoc_mdev *mdev;	/* define, modify, start */
	char object[UUID_LEN];			/* UUID or PCI address */
};

/* In the order in which they can be done; the caller frees the array. */
int hostdoc_diff(const struct ledger *l, const struct hostdoc *want, struct hostdoc_step **ret,
		 size_t *ret_n);
void hostdoc_step_format(const struct hostdoc_step *s, char *buf, size_t size);

#endif
