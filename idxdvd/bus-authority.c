/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks polkit, without waiting, whether the sender of a message may do something. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "idxdvd/bus-authority.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/message.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_IFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_INTERACTIVE 1u

/* Somebody has to type a password, perhaps to find it first. */
#define PATIENCE_INTERACTIVE (5 * 60 * UINT64_C(1000000))
#define PATIENCE (25 * UINT64_C(1000000))

struct bus_question {
	struct bus *b;
	const char *action;
	struct bus_details details;
	uid_t uid;
	bool interactive;
	char id[48];			/* by which polkit knows it, to take it back */
	sd_bus_slot *slot;		/* the call that is under way; NULL: it is over */
	sd_bus_track *track;		/* of the sender */
	bus_answer answer;
	void *userdata;
};

int bus_sender_uid(sd_bus_message *msg, uid_t *ret)
{
	_cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
	int r;

	r = sd_bus_query_sender_creds(msg, SD_BUS_CREDS_EUID, &creds);
	if (r < 0)
		return r;
	return sd_bus_creds_get_euid(creds, ret);
}

void bus_audit(sd_bus_message *msg, const char *action, const struct bus_details *d)
{
	_cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
	uid_t uid = (uid_t)-1, login = (uid_t)-1;
	const char *exe = "?";
	char text[320] = "", user[16];
	pid_t pid = 0;

	/* What cannot be found out is still better than no record. */
	if (sd_bus_query_sender_creds(msg, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID | SD_BUS_CREDS_EXE |
				      SD_BUS_CREDS_AUDIT_LOGIN_UID | SD_BUS_CREDS_AUGMENT,
				      &creds) >= 0) {
		sd_bus_creds_get_euid(creds, &uid);
		sd_bus_creds_get_pid(creds, &pid);
		sd_bus_creds_get_exe(creds, &exe);
		sd_bus_creds_get_audit_login_uid(creds, &login);
	}
	bus_details_format(d, text, sizeof(text));
	snprintf(user, sizeof(user), "%d", (int)uid);
	message_log(&(struct message){
			.kind = MESSAGE_FORCED, .level = LOG_WARNING, .operation = action, .user = user,
		    }, "audit: %s by user %s (logged in as %d), pid %d (%s): %s", action, user,
		    (int)login, (int)pid, exe, text);
}

bool bus_is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static const struct detail_row {
	const char *name;
	size_t offset;
} detail_rows[] = {
	{ "method", offsetof(struct bus_details, method) },
	{ "device", offsetof(struct bus_details, device) },
	{ "type", offsetof(struct bus_details, type) },
	{ "uuid", offsetof(struct bus_details, uuid) },
	{ "wq", offsetof(struct bus_details, wq) },
};

static const char *detail(const struct bus_details *d, size_t i)
{
	return (const char *)d + detail_rows[i].offset;
}

void bus_details_format(const struct bus_details *d, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(detail_rows) && n < size; i++)
		if (*detail(d, i))
			n += snprintf(buf + n, size - n, "%s%s=%s", n ? " " : "",
				      detail_rows[i].name, detail(d, i));
}

static int append_details(sd_bus_message *m, const struct bus_details *d)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "{ss}");
	for (size_t i = 0; i < ARRAY_LEN(detail_rows) && r >= 0; i++) {
		if (!*detail(d, i))
			continue;
		r = sd_bus_message_open_container(m, 'e', "ss");
		if (r >= 0)
			r = sd_bus_message_append(m, "s", detail_rows[i].name);
		if (r >= 0)
			r = bus_append_text(m, detail(d, i));
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Nobody waits for whether it worked: a question that is over cannot be taken back any more. */
static void take_back(struct bus_question *q)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(q->b->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_IFACE,
					   "CancelCheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_set_expect_reply(m, 0);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", q->id);
	if (r >= 0)
		r = sd_bus_send(q->b->bus, m, NULL);
	if (r < 0)
		log_debug("%s cannot be taken back: %s", q->id, strerror(-r));
}

struct bus_question *bus_question_free(struct bus_question *q)
{
	if (!q)
		return NULL;
	if (q->slot)
		take_back(q);
	sd_bus_slot_unref(q->slot);
	sd_bus_track_unref(q->track);
	free(q);
	return NULL;
}

/* The question may be gone when this returns. */
static void give_answer(struct bus_question *q, int r, sd_bus_error *err)
{
	q->answer(q->userdata, r, err);
}

static int on_sender_gone(sd_bus_track *track, void *userdata)
{
	struct bus_question *q = userdata;

	log_info("%s: the caller went away while polkit was asked; nothing is done", q->action);
	give_answer(q, -EPIPE, NULL);
	return 1;
}

static int refuse_sender(const struct bus_question *q, sd_bus_error *err, const char *why)
{
	return sd_bus_error_setf(err, SD_BUS_ERROR_ACCESS_DENIED,
				 "%s: user %u may not do that%s; become root, e.g. with sudo",
				 q->action, (unsigned int)q->uid, why);
}

/* Whatever is not a clear yes is a no. */
static int judge(const struct bus_question *q, sd_bus_message *reply, sd_bus_error *err)
{
	const sd_bus_error *e = sd_bus_message_get_error(reply);
	int r, authorized, challenge;

	if (e) {
		log_warning("%s: polkit gave no answer: %s (%s)", q->action, e->message, e->name);
		return refuse_sender(q, err, ", as polkit gave no answer");
	}
	r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
	if (r >= 0)
		r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
	if (r < 0) {
		log_warning("%s: polkit's answer makes no sense: %s", q->action, strerror(-r));
		return refuse_sender(q, err, ", as polkit's answer made no sense");
	}
	if (authorized)
		return 0;
	if (challenge && !q->interactive)
		return sd_bus_error_setf(err, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
					 "%s: user %u has to authenticate first; allow idxdvd to ask, or become root",
					 q->action, (unsigned int)q->uid);
	return refuse_sender(q, err, "");
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *unused)
{
	_cleanup_(sd_bus_error_free) sd_bus_error err = SD_BUS_ERROR_NULL;
	struct bus_question *q = userdata;
	char text[320] = "";
	int r;

	q->slot = sd_bus_slot_unref(q->slot);
	r = judge(q, reply, &err);
	bus_details_format(&q->details, text, sizeof(text));
	log_print(r < 0 ? LOG_INFO : LOG_NOTICE, "%s: polkit %s it to user %u (%s)", q->action,
		  r < 0 ? "refuses" : "allows", (unsigned int)q->uid, text);
	give_answer(q, r, &err);
	return 1;
}

static int send_question(struct bus_question *q, const char *sender)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(q->b->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_IFACE,
					   "CheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s", sender,
					  q->action);
	if (r >= 0)
		r = append_details(m, &q->details);
	if (r >= 0)
		r = sd_bus_message_append(m, "us", q->interactive ? POLKIT_INTERACTIVE : 0, q->id);
	if (r < 0)
		return r;
	return sd_bus_call_async(q->b->bus, &q->slot, m, on_reply, q,
				 q->interactive ? PATIENCE_INTERACTIVE : PATIENCE);
}

int bus_ask(struct bus *b, sd_bus_message *msg, uid_t uid, const char *action,
	    const struct bus_details *details, bus_answer answer, void *userdata,
	    struct bus_question **ret)
{
	static uint64_t count;
	struct bus_question *q;
	int r;

	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->b = b;
	q->action = action;
	q->details = *details;
	q->uid = uid;
	q->interactive = sd_bus_message_get_allow_interactive_authorization(msg) > 0;
	q->answer = answer;
	q->userdata = userdata;
	snprintf(q->id, sizeof(q->id), "idxdvd-%" PRIu64, ++count);

	/* First the track: a sender that is gone already is an error here. */
	r = sd_bus_track_new(b->bus, &q->track, on_sender_gone, q);
	if (r >= 0)
		r = sd_bus_track_add_sender(q->track, msg);
	if (r >= 0)
		r = send_question(q, sd_bus_message_get_sender(msg));
	if (r < 0) {
		bus_question_free(q);
		return r;
	}
	*ret = q;
	return 0;
}
