/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_LIBVIRT_DAEMON_H
#define IDXDVD_LIBVIRT_DAEMON_H

/* The few calls on idxdvd that the hook makes, all of them before one deadline. */

#include <stdbool.h>

struct domain_mdev;

/*
 * 1: it was made now, or may be; 0: it was there, or is not ours to make. Otherwise a negative errno,
 * -ETIMEDOUT if it may still be made, and what went wrong has been said.
 */
int daemon_start(const struct domain_mdev *m);
/* Gone, or was not there: 0. */
int daemon_stop(const char *uuid);
void daemon_close(void);

#endif
