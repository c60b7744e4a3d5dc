/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accel-config's file, as its load-config would write it: that stops at the first attribute that the
 * kernel refuses, and says no more than "Invalid argument".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>

#include "cli/doctor/doctor.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"

#define FILE_NAME "/etc/accel-config/accel-config.conf"

static const char *string(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : "";
}

static bool has(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v);
}

/* Says what is wrong with @wq of @dev; false if nothing is. */
static bool judge_wq(struct doctor *d, const char *dev, struct json_object *wq)
{
	static const char *const optional[] = {
		"ats_disable", "prs_disable", "max_batch_size", "driver_name", "op_config",
	};
	const char *name = string(wq, "dev"), *type = string(wq, "type");

	if (!strcmp(type, "mdev")) {
		doctor_say(d, DOCTOR_WARN, NULL, FILE_NAME ": %s has the type mdev, which no released kernel "
			   "takes (EINVAL)", name);
		doctor_fix(d, "leave the queue out of the file: idxdctl adopt and idxdctl create make mdevs");
		return true;
	}
	if ((!strcmp(type, "user") || !strcmp(type, "kernel")) && !*string(wq, "driver_name")) {
		doctor_say(d, DOCTOR_WARN, NULL, FILE_NAME ": %s has the type %s and no driver_name", name,
			   type);
		doctor_fix(d, "add \"driver_name\": \"%s\"", strcmp(type, "user") ? "dmaengine" : "user");
		return true;
	}
	if (!strcmp(string(wq, "mode"), "dedicated") && has(wq, "threshold") &&
	    strcmp(string(wq, "threshold"), "0")) {
		doctor_say(d, DOCTOR_WARN, NULL, FILE_NAME ": %s is dedicated and has a threshold, which only "
			   "shared queues have", name);
		doctor_fix(d, "take \"threshold\" out");
		return true;
	}
	if (!strncmp(dev, "iax", 3) && has(wq, "max_batch_size")) {
		doctor_say(d, DOCTOR_WARN, NULL, FILE_NAME ": %s has a max_batch_size, and IAA has no batches",
			   name);
		doctor_fix(d, "take \"max_batch_size\" out of the queues of %s", dev);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(optional); i++) {
		if (!has(wq, optional[i]) || !host_exists(&d->host, "/sys/bus/dsa/devices/%s", name) ||
		    host_exists(&d->host, "/sys/bus/dsa/devices/%s/%s", name, optional[i]))
			continue;
		doctor_say(d, DOCTOR_WARN, NULL, FILE_NAME ": %s has %s, which kernel %s does not have", name,
			   optional[i], d->release);
		doctor_fix(d, "take \"%s\" out", optional[i]);
		return true;
	}
	return false;
}

static bool judge_list(struct doctor *d, const char *dev, struct json_object *o, const char *key)
{
	struct json_object *list;

	if (!json_object_object_get_ex(o, key, &list) || !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (judge_wq(d, dev, json_object_array_get_idx(list, i)))
			return true;
	return false;
}

static bool judge_device(struct doctor *d, struct json_object *o)
{
	static const char *const old[] = { "token_limit", "tokens_reserved", "tokens_allowed" };
	const char *dev = string(o, "dev");
	struct json_object *groups;

	if (has(o, old[0])) {
		doctor_say(d, DOCTOR_WARN, NULL, FILE_NAME ": %s has %s, the old name of read_buffer_limit",
			   dev, old[0]);
		doctor_fix(d, "write it anew on this kernel: accel-config save-config");
		return true;
	}
	if (json_object_object_get_ex(o, "groups", &groups) &&
	    json_object_is_type(groups, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(groups); i++) {
			struct json_object *g = json_object_array_get_idx(groups, i);

			if (has(g, old[1]) || has(g, old[2])) {
				doctor_say(d, DOCTOR_WARN, NULL, FILE_NAME ": %s has %s, the old name of "
					   "read_buffers_%s", string(g, "dev"),
					   has(g, old[1]) ? old[1] : old[2],
					   has(g, old[1]) ? "reserved" : "allowed");
				doctor_fix(d, "write it anew on this kernel: accel-config save-config");
				return true;
			}
			if (judge_list(d, dev, g, "grouped_workqueues"))
				return true;
		}
	}
	return judge_list(d, dev, o, "ungrouped_workqueues");
}

void doctor_accel_config(struct doctor *d)
{
	_cleanup_(freep) char *text = host_read(&d->host, FILE_NAME);
	_cleanup_(json_putp) struct json_object *o = NULL;

	if (!text) {
		doctor_say(d, DOCTOR_OK, NULL, "there is no " FILE_NAME);
		return;
	}
	o = strlen(text) <= JSON_MAX_SIZE ? json_tokener_parse(text) : NULL;
	if (!json_object_is_type(o, json_type_array)) {
		doctor_say(d, DOCTOR_WARN, NULL, FILE_NAME " is no JSON array");
		doctor_fix(d, "write it anew: accel-config save-config");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(o); i++)
		if (judge_device(d, json_object_array_get_idx(o, i)))
			return;
	doctor_say(d, DOCTOR_OK, NULL, FILE_NAME " has nothing that this kernel is known to refuse");
}
