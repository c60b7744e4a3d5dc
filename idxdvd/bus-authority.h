/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_AUTHORITY_H
#define IDXDVD_BUS_AUTHORITY_H

/*
 * The one place where access is decided. A sender may do what it could do without us: root may, and
 * so may the user that the daemon itself runs as, which in production is root too. For all others
 * polkit is asked, and the loop goes on meanwhile.
 */

#include <stdbool.h>
#include <sys/types.h>

#include <systemd/sd-bus.h>

struct bus;
struct bus_question;

/* What polkit's rules get to decide by, beside the action; what does not apply is "". */
struct bus_details {
	char method[32];
	char device[64];	/* dsa0 */
	char type[64];
	char uuid[64];
	char wq[64];
};

/* The user behind a message, as the bus knows it; does not block for longer than the bus does. */
int bus_sender_uid(sd_bus_message *msg, uid_t *ret);
bool bus_is_trusted(uid_t uid);

/*
 * The answer, once, never before bus_ask() returns: 0 may; -EPIPE the sender is gone, there is
 * nobody to answer; another negative errno with @err filled. The question is over then.
 */
typedef void (*bus_answer)(void *userdata, int r, sd_bus_error *err);

int bus_ask(struct bus *b, sd_bus_message *msg, uid_t uid, const char *action,
	    const struct bus_details *details, bus_answer answer, void *userdata,
	    struct bus_question **ret);
/* Takes the question back, at polkit too; no answer comes. */
struct bus_question *bus_question_free(struct bus_question *q);

/* Writes down who does something that must not go unnoticed, root included. */
void bus_audit(sd_bus_message *msg, const char *action, const struct bus_details *d);
/* "method=CreateMdev device=dsa0", for the log. */
void bus_details_format(const struct bus_details *d, char *buf, size_t size);

#endif
