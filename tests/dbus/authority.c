/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for polkit on a private bus: authority RULES LOG
 *
 * RULES has lines "UID ACTION ANSWER", read anew for each question; the first that fits counts, "*"
 * fits all, and without one the answer is no. Answers: yes, no; challenge (yes if it may ask a
 * human, else that it would have to); error; wait (until org.idxdvd1.Test.Answer); stubborn (the same,
 * and not even a cancellation ends it).
 * LOG gets a line per question, "check UID ACTION FLAGS ID KEY=VALUE...", and "cancel ID".
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#define MAX_WAITING 128

static const char *rules_file;
static FILE *log_file;

static struct waiting {
	sd_bus_message *msg;
	char id[64];
	bool stubborn;
} waiting[MAX_WAITING];

static void find_rule(unsigned int uid, const char *action, char ret[16])
{
	char line[256], who[32], what[128], answer[16], number[16];
	FILE *f = fopen(rules_file, "re");

	strcpy(ret, "no");
	snprintf(number, sizeof(number), "%u", uid);
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%31s %127s %15s", who, what, answer) != 3)
			continue;
		if ((!strcmp(who, "*") || !strcmp(who, number)) &&
		    (!strcmp(what, "*") || !strcmp(what, action))) {
			strcpy(ret, answer);
			break;
		}
	}
	if (f)
		fclose(f);
}

static int answer(sd_bus_message *msg, bool yes, bool challenge)
{
	return sd_bus_reply_method_return(msg, "(bba{ss})", (int)yes, (int)challenge, 0);
}

static int keep(sd_bus_message *msg, const char *id, bool stubborn)
{
	for (size_t i = 0; i < MAX_WAITING; i++) {
		if (waiting[i].msg)
			continue;
		waiting[i].msg = sd_bus_message_ref(msg);
		waiting[i].stubborn = stubborn;
		snprintf(waiting[i].id, sizeof(waiting[i].id), "%s", id);
		return 1;
	}
	return -ENOBUFS;
}

static int decide(sd_bus_message *msg, const char *rule, uint32_t flags, const char *id)
{
	if (!strcmp(rule, "yes"))
		return answer(msg, true, false);
	if (!strcmp(rule, "challenge"))
		return answer(msg, flags & 1, !(flags & 1));
	if (!strcmp(rule, "wait") || !strcmp(rule, "stubborn"))
		return keep(msg, id, !strcmp(rule, "stubborn"));
	if (!strcmp(rule, "error"))
		return sd_bus_reply_method_errorf(msg, "org.freedesktop.PolicyKit1.Error.Failed",
						  "made to fail");
	return answer(msg, false, false);
}

static int check(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	const char *kind, *key, *name, *action, *value, *id;
	sd_bus_creds *creds = NULL;
	char rule[16], details[1024] = "";
	uint32_t flags;
	uid_t uid = 0;
	size_t n = 0;
	int r;

	r = sd_bus_message_read(msg, "(sa{sv})s", &kind, 1, &key, "s", &name, &action);
	if (r >= 0 && (strcmp(kind, "system-bus-name") || strcmp(key, "name")))
		r = -EINVAL;
	if (r >= 0)
		r = sd_bus_message_enter_container(msg, 'a', "{ss}");
	while (r >= 0 && (r = sd_bus_message_read(msg, "{ss}", &key, &value)) > 0)
		n += snprintf(details + n, sizeof(details) - n, " %s=%s", key, value);
	if (r >= 0)
		r = sd_bus_message_exit_container(msg);
	if (r >= 0)
		r = sd_bus_message_read(msg, "us", &flags, &id);
	if (r >= 0)
		r = sd_bus_get_name_creds(sd_bus_message_get_bus(msg), name, SD_BUS_CREDS_EUID,
					  &creds);
	if (r >= 0)
		r = sd_bus_creds_get_euid(creds, &uid);
	sd_bus_creds_unref(creds);
	if (r < 0)
		return r;

	find_rule(uid, action, rule);
	fprintf(log_file, "check %u %s %u %s%s\n", (unsigned int)uid, action, flags, id, details);
	return decide(msg, rule, flags, id);
}

static int cancel(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	const char *id;
	int r;

	r = sd_bus_message_read(msg, "s", &id);
	if (r < 0)
		return r;
	fprintf(log_file, "cancel %s\n", id);
	for (size_t i = 0; i < MAX_WAITING; i++) {
		struct waiting *w = &waiting[i];

		if (!w->msg || w->stubborn || strcmp(w->id, id))
			continue;
		sd_bus_reply_method_errorf(w->msg, "org.freedesktop.PolicyKit1.Error.Cancelled",
					   "taken back");
		w->msg = sd_bus_message_unref(w->msg);
	}
	return sd_bus_message_get_expect_reply(msg) ? sd_bus_reply_method_return(msg, "") : 1;
}

/* To all that wait; returns how many they were. */
static int answer_all(sd_bus_message *msg, void *userdata, sd_bus_error *err)
{
	uint32_t n = 0;
	int r, yes;

	r = sd_bus_message_read(msg, "b", &yes);
	if (r < 0)
		return r;
	for (size_t i = 0; i < MAX_WAITING; i++) {
		if (!waiting[i].msg)
			continue;
		answer(waiting[i].msg, yes, false);
		waiting[i].msg = sd_bus_message_unref(waiting[i].msg);
		n++;
	}
	return sd_bus_reply_method_return(msg, "u", n);
}

static const sd_bus_vtable authority[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", check,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("CancelCheckAuthorization", "s", "", cancel, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static const sd_bus_vtable control[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Answer", "b", "u", answer_all, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;
	int r;

	if (argc != 3)
		return 2;
	rules_file = argv[1];
	log_file = fopen(argv[2], "ae");
	if (!log_file)
		return 1;
	setvbuf(log_file, NULL, _IOLBF, 0);

	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
					     "org.freedesktop.PolicyKit1.Authority", authority, NULL);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
					     "org.idxdvd1.Test", control, NULL);
	if (r >= 0)
		r = sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0);
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	fprintf(stderr, "authority: %s\n", strerror(-r));
	return 1;
}
