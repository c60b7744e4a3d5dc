/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/fs.h"
#include "idxdvd/store.h"

#define SUFFIX ".json"

/* A record is read before an operation and written after it: as long as the text is the same, it is
 * taken apart once. */
struct store {
	int dirfd;
	char *text;			/* of the record that was read last; NULL: of none */
	struct json_object *object;	/* what it means */
	char file[NAME_LEN + 8];
};

int store_new(struct store **ret, int state_dirfd)
{
	struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = fs_open_subdir(state_dirfd, "devices", &s->dirfd);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

static void forget_text(struct store *s)
{
	free(TAKE(s->text));
	json_object_put(TAKE(s->object));
}

struct store *store_free(struct store *s)
{
	if (!s)
		return NULL;
	close(s->dirfd);
	forget_text(s);
	free(s);
	return NULL;
}

void store_freep(struct store **s)
{
	store_free(*s);
}

/* Leaves what it read in @s; -EALREADY: it is what was read last. */
static int read_text(struct store *s, const char *file)
{
	_cleanup_(freep) char *text = NULL;
	int r;

	r = fs_read(s->dirfd, file, JSON_MAX_SIZE, &text);
	if (r >= 0 && s->text && !strcmp(s->file, file) && !strcmp(s->text, text))
		return -EALREADY;
	forget_text(s);
	if (r < 0)
		return r;
	r = json_parse(text, &s->object);
	if (r >= 0) {
		s->text = TAKE(text);
		snprintf(s->file, sizeof(s->file), "%.*s", (int)sizeof(s->file) - 1, file);
	}
	return r;
}

static int read_record(struct store *s, const char *file, struct record **ret)
{
	_cleanup_(record_freep) struct record *rec = NULL;
	int r;

	r = read_text(s, file);
	if (r < 0 && r != -EALREADY)
		return r;
	r = record_from_json(s->object, &rec);
	if (r >= 0 && (strncmp(file, rec->bdf, strlen(rec->bdf)) ||
		       strcmp(file + strlen(rec->bdf), SUFFIX)))
		r = -EBADMSG;
	if (r < 0) {
		forget_text(s);
		return r;
	}
	*ret = TAKE(rec);
	return 0;
}

static void remove_temp(struct store *s)
{
	char **names;
	size_t n;

	if (fs_list(s->dirfd, FS_TEMP_SUFFIX, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		fs_remove(s->dirfd, names[i]);
	fs_list_free(names, n);
}

static void note_bad(struct store_bad *bad, const char *file, int error)
{
	memset(bad, 0, sizeof(*bad));
	snprintf(bad->file, sizeof(bad->file), "%.*s", (int)sizeof(bad->file) - 1, file);
	snprintf(bad->bdf, sizeof(bad->bdf), "%.12s", file);
	if (!string_is_pci_address(bad->bdf))
		bad->bdf[0] = '\0';
	bad->error = error;
}

int store_load(struct store *s, struct record ***ret, size_t *ret_n, struct store_bad **ret_bad,
	       size_t *ret_n_bad)
{
	struct record **recs;
	struct store_bad *bad;
	char **names;
	size_t n;
	int r;

	remove_temp(s);
	r = fs_list(s->dirfd, SUFFIX, &names, &n);
	if (r < 0)
		return r;

	recs = calloc(n + 1, sizeof(*recs));
	bad = calloc(n + 1, sizeof(*bad));
	if (!recs || !bad) {
		free(recs);
		free(bad);
		fs_list_free(names, n);
		return -ENOMEM;
	}

	*ret_n = *ret_n_bad = 0;
	for (size_t i = 0; i < n; i++) {
		r = read_record(s, names[i], &recs[*ret_n]);
		if (r < 0)
			note_bad(&bad[(*ret_n_bad)++], names[i], r);
		else
			(*ret_n)++;
	}
	fs_list_free(names, n);
	*ret = recs;
	*ret_bad = bad;
	return 0;
}

static void file_name(const char *bdf, char *buf, size_t size)
{
	snprintf(buf, size, "%s" SUFFIX, bdf);
}

int store_get(struct store *s, const char *bdf, struct record **ret)
{
	char file[NAME_LEN + 8];

	file_name(bdf, file, sizeof(file));
	return read_record(s, file, ret);
}

int store_put(struct store *s, const struct record *rec)
{
	_cleanup_(record_freep) struct record *old = NULL;
	_cleanup_(json_putp) struct json_object *o = NULL;
	char file[NAME_LEN + 8];
	int r;

	file_name(rec->bdf, file, sizeof(file));
	r = read_text(s, file);
	/* What was read before is a record of this file. */
	if (r >= 0)
		r = read_record(s, file, &old);
	if (r == -ENOENT) {
		s->object = json_object_new_object();
		r = s->object ? 0 : -ENOMEM;
	}
	if (r < 0 && r != -EALREADY)
		return r;

	o = TAKE(s->object);
	forget_text(s);
	r = record_to_json(rec, o);
	if (r < 0)
		return r;
	return fs_write(s->dirfd, file, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
}

int store_delete(struct store *s, const char *bdf)
{
	char file[NAME_LEN + 8];

	file_name(bdf, file, sizeof(file));
	return fs_remove(s->dirfd, file);
}
