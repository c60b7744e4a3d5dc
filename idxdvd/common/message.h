/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_COMMON_MESSAGE_H
#define IDXDVD_COMMON_MESSAGE_H

/*
 * What a program may look for in the journal: each kind of message has an identifier that never
 * changes, an entry in policy/idxdvd.catalog, and fields. A test compares the three with this.
 */

#include "idxdvd/common/log.h"

/* kind, MESSAGE_ID */
#define MESSAGES(X) \
	X(READY, "bda3f8a0ab3346829dcc414834f5f3f2") \
	X(DONE, "5468d1062ac3410a819d78cd3ac7ec95") \
	X(FORCED, "7208910b702c4b66a6868a0b6ecf0c77") \
	X(INTERRUPTED, "390b8c7df1f24482b3b9626e62629573") \
	X(UNSETTLED, "cce1159991984582b7a6d0495202b7bf") \
	X(MDEV_LOST, "457587f188234273892040e3a3134b2b") \
	X(LEASE_ENDED, "d82548d0beee4e1ba9add793d4bdb149")

enum message_kind {
#define MESSAGE_ENUM(kind, id) MESSAGE_ ## kind,
	MESSAGES(MESSAGE_ENUM)
#undef MESSAGE_ENUM
};

/* What it is about, as fields of the journal; NULL and "" are left out. */
struct message {
	enum message_kind kind;
	int level;
	const char *operation;		/* IDXDVD_OPERATION */
	const char *accelerator;	/* IDXDVD_ACCELERATOR, like dsa0 */
	const char *mdev;		/* IDXDVD_MDEV, a UUID */
	const char *user;		/* IDXDVD_USER, a number */
};

/* Like log_print(); where the journal is listening, it gets the fields as well. */
void message_log(const struct message *m, const char *fmt, ...) _printf_(2, 3);

#endif
