/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changes, a line each, until it is interrupted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"

static void print_time(char *buf, size_t size)
{
	time_t t = time(NULL);
	struct tm tm;

	if (!strftime(buf, size, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&t, &tm)))
		buf[0] = '\0';
}

static int show_text(const struct client_event *e, void *userdata)
{
	const struct cli_args *args = userdata;
	char now[40];

	print_time(now, sizeof(now));
	printf("%s  %s %s%s%s", now, e->event, e->kind, *e->object ? " " : "", e->object);
	/* What is added is there to be read; what changes is the news. */
	json_object_object_foreach(e->properties, key, value) {
		if (strcmp(e->event, "changed") && !(args->given & CLI_WIDE))
			break;
		printf("  %s=%s", key, json_object_get_string(value));
	}
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : -errno;
}

static int show_json(const struct client_event *e, void *userdata)
{
	_cleanup_(json_putp) struct json_object *o = json_object_new_object();
	const char *text;
	char now[40];

	print_time(now, sizeof(now));
	if (!o || json_object_object_add(o, "time", json_object_new_string(now)) < 0 ||
	    json_object_object_add(o, "event", json_object_new_string(e->event)) < 0 ||
	    json_object_object_add(o, "kind", json_object_new_string(e->kind)) < 0 ||
	    json_object_object_add(o, "object", json_object_new_string(e->object)) < 0 ||
	    json_object_object_add(o, "properties", json_object_get(e->properties)) < 0)
		return -ENOMEM;
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	return text && puts(text) >= 0 && fflush(stdout) == 0 ? 0 : -EIO;
}

int verb_monitor(struct client *c, const struct cli_args *args)
{
	int r = client_monitor(c, args->given & CLI_JSON ? show_json : show_text, (void *)args);

	return client_complain(c, "monitor", r);
}
