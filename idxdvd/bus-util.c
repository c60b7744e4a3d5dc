/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all interfaces share: paths, errors, decoding. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/refusal.h"

int bus_path_new(const char *prefix, const char *id, char **ret)
{
	char *path;

	if (*id)
		return sd_bus_path_encode(prefix, id, ret);

	path = strdup("/");
	if (!path)
		return -ENOMEM;

	*ret = path;
	return 0;
}

int bus_path_id(const char *path, const char *prefix, char **ret)
{
	return sd_bus_path_decode(path, prefix, ret);
}

void bus_paths_free(char **paths)
{
	char **p;

	for (p = paths; p && *p; p++)
		free(*p);
	free(paths);
}

/* Refusals */

static const struct {
	const char *name;
	int err;
} errors[REFUSE_KIND_COUNT] = {
#define ROW(kind, error, errno_value, status) [REFUSE_##kind] = { error, errno_value },
	API_ERRORS(ROW)
#undef ROW
};

#define ONE(kind, error, errno_value, status) + 1
_Static_assert(1 API_ERRORS(ONE) == REFUSE_KIND_COUNT,
	       "each kind of refusal, and none other, has a row in API_ERRORS");
#undef ONE

const char *bus_error_name(unsigned int kind)
{
	return kind < REFUSE_KIND_COUNT && errors[kind].name ? errors[kind].name :
	       errors[REFUSE_FAILED].name;
}

int bus_refuse(sd_bus_error *err, const struct refusal *refusal)
{
	char text[2048], *p;

	refusal_format(refusal, text, sizeof(text));
	for (p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';

	sd_bus_error_set(err, bus_error_name(refusal->kind), text);
	return errors[refusal->kind].err ? -errors[refusal->kind].err : -EIO;
}

int bus_refuse_args(sd_bus_error *err, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);

	sd_bus_error_set(err, SD_BUS_ERROR_INVALID_ARGS, text);
	return -EINVAL;
}

/* Decoding */

int bus_read_name(sd_bus_message *msg, const char *what, size_t max, const char **ret,
		  sd_bus_error *err)
{
	const char *name;
	int r;

	r = sd_bus_message_read(msg, "s", &name);
	if (r < 0)
		return r;

	if (!*name)
		return bus_refuse_args(err, "%s: it is empty; give a name", what);
	if (strlen(name) > max)
		return bus_refuse_args(err, "%s: it has %zu bytes; no name has more than %zu", what,
				       strlen(name), max);

	*ret = name;
	return 0;
}

void bus_options_done(struct bus_options *o)
{
	bus_paths_free(TAKE(o->labels));
}

static const struct option_row {
	const char *name;
	unsigned int bit;
	char type;			/* as in a D-Bus signature; a: an array of strings */
	size_t offset;
	size_t max;			/* longest string, or most of them */
} option_rows[] = {
	{ "host-wqs", BUS_HOST_WQS, 'u', offsetof(struct bus_options, host_wqs), 0 },
	{ "pool-min", BUS_POOL_MIN, 'u', offsetof(struct bus_options, pool_min), 0 },
	{ "parent", BUS_PARENT, 's', offsetof(struct bus_options, parent), API_DEVICE_MAX },
	{ "uuid", BUS_UUID, 's', offsetof(struct bus_options, uuid), API_UUID_MAX },
	{ "wq", BUS_WQ, 's', offsetof(struct bus_options, wq), API_DEVICE_MAX },
	{ "type", BUS_TYPE, 's', offsetof(struct bus_options, type), API_TYPE_MAX },
	{ "autostart", BUS_AUTOSTART, 'b', offsetof(struct bus_options, autostart), 0 },
	{ "labels", BUS_LABELS, 'a', offsetof(struct bus_options, labels), API_LABELS_MAX },
	{ "placement", BUS_PLACEMENT, 's', offsetof(struct bus_options, placement), API_TYPE_MAX },
	{ "numa-node", BUS_NUMA_NODE, 'i', offsetof(struct bus_options, numa_node), 0 },
	{ "min-size", BUS_MIN_SIZE, 'u', offsetof(struct bus_options, min_size), 0 },
	{ "priority", BUS_PRIORITY, 'u', offsetof(struct bus_options, priority), 0 },
	{ "max-transfer-size", BUS_MAX_TRANSFER, 'u', offsetof(struct bus_options, max_transfer), 0 },
	{ "max-batch-size", BUS_MAX_BATCH, 'u', offsetof(struct bus_options, max_batch), 0 },
	{ "lease", BUS_LEASE, 'b', offsetof(struct bus_options, lease), 0 },
	{ "force", BUS_FORCE, 'b', offsetof(struct bus_options, force), 0 },
	{ "pid", BUS_PID, 'u', offsetof(struct bus_options, pid), 0 },
	{ "pasid", BUS_PASID, 'u', offsetof(struct bus_options, pasid), 0 },
	{ "dry-run", BUS_DRY_RUN, 'b', offsetof(struct bus_options, dry_run), 0 },
};

static const struct option_row *find_option(const char *name, unsigned int allowed)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(option_rows); i++)
		if ((option_rows[i].bit & allowed) && !strcmp(option_rows[i].name, name))
			return &option_rows[i];

	return NULL;
}

/* Names the option and those that would do. */
static int refuse_option(sd_bus_message *msg, const char *name, unsigned int allowed,
			 sd_bus_error *err)
{
	char known[256] = "";
	size_t i, n = 0;

	for (i = 0; i < ARRAY_LEN(option_rows); i++)
		if (option_rows[i].bit & allowed)
			n += snprintf(known + n, sizeof(known) - n, "%s%s", n ? ", " : "",
				      option_rows[i].name);

	return bus_refuse_args(err, "%s: there is no option '%.64s'; it takes %s",
			       sd_bus_message_get_member(msg), name, known);
}

static int read_strings(sd_bus_message *msg, const struct option_row *row, char ***ret,
			sd_bus_error *err)
{
	size_t n = 0;
	int r;

	r = sd_bus_message_enter_container(msg, 'v', "as");
	if (r >= 0)
		r = sd_bus_message_read_strv(msg, ret);
	if (r < 0)
		return r;
	while (*ret && (*ret)[n])
		n++;
	if (n > row->max)
		return bus_refuse_args(err, "%s: option '%s' has %zu strings; give %zu at most",
				       sd_bus_message_get_member(msg), row->name, n, row->max);
	return sd_bus_message_exit_container(msg);
}

/* Reads the variant that comes next. */
static int read_option(sd_bus_message *msg, const struct option_row *row, struct bus_options *o,
		       sd_bus_error *err)
{
	char sig[3] = { row->type, row->type == 'a' ? 's' : '\0', '\0' };
	void *place = (char *)o + row->offset;
	const char *contents;
	int r;

	r = sd_bus_message_peek_type(msg, NULL, &contents);
	if (r < 0)
		return r;
	if (strcmp(contents, sig))
		return bus_refuse_args(err, "%s: option '%s' has the D-Bus type '%.16s'; send '%s'",
				       sd_bus_message_get_member(msg), row->name, contents, sig);

	if (row->type == 'a')
		return read_strings(msg, row, place, err);
	r = sd_bus_message_read(msg, "v", sig, place);
	if (r < 0)
		return r;

	if (row->type != 's')
		return 0;
	if (!**(const char **)place || strlen(*(const char **)place) > row->max)
		return bus_refuse_args(err, "%s: option '%s' has %zu bytes; give 1 to %zu",
				       sd_bus_message_get_member(msg), row->name,
				       strlen(*(const char **)place), row->max);

	return 0;
}

int bus_read_options(sd_bus_message *msg, unsigned int allowed, struct bus_options *ret,
		     sd_bus_error *err)
{
	_cleanup_(bus_options_done) struct bus_options o = { 0 };
	const struct option_row *row;
	const char *name;
	int r;

	r = sd_bus_message_enter_container(msg, 'a', "{sv}");
	if (r < 0)
		return r;

	while ((r = sd_bus_message_enter_container(msg, 'e', "sv")) > 0) {
		r = sd_bus_message_read(msg, "s", &name);
		if (r < 0)
			return r;

		row = find_option(name, allowed);
		if (!row)
			return refuse_option(msg, name, allowed, err);
		if (o.set & row->bit)
			return bus_refuse_args(err, "%s: option '%s' is given twice; give it once",
					       sd_bus_message_get_member(msg), name);

		r = read_option(msg, row, &o, err);
		if (r < 0)
			return r;
		o.set |= row->bit;

		r = sd_bus_message_exit_container(msg);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;

	r = sd_bus_message_exit_container(msg);
	if (r < 0)
		return r;

	*ret = o;
	o.labels = NULL;
	return 0;
}

/* Encoding */

int bus_append_text(sd_bus_message *reply, const char *text)
{
	_cleanup_(freep) char *copy = NULL;
	char *p;

	copy = strdup(text);
	if (!copy)
		return -ENOMEM;

	for (p = copy; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';

	return sd_bus_message_append(reply, "s", copy);
}

int bus_append_text_entry(sd_bus_message *reply, const char *key, const char *text)
{
	int r;

	r = sd_bus_message_open_container(reply, 'e', "sv");
	if (r >= 0)
		r = sd_bus_message_append(reply, "s", key);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'v', "s");
	if (r >= 0)
		r = bus_append_text(reply, text);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_append_path(sd_bus_message *reply, const char *prefix, const char *id)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	r = bus_path_new(prefix, id, &path);
	if (r < 0)
		return r;

	return sd_bus_message_append(reply, "o", path);
}

int bus_get_text(sd_bus *bus, const char *path, const char *iface, const char *property,
		 sd_bus_message *reply, void *userdata, sd_bus_error *err)
{
	return bus_append_text(reply, userdata);
}

int bus_get_bool(sd_bus *bus, const char *path, const char *iface, const char *property,
		 sd_bus_message *reply, void *userdata, sd_bus_error *err)
{
	const bool *b = userdata;

	return sd_bus_message_append(reply, "b", (int)*b);
}
