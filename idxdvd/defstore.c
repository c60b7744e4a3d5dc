/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/json.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/defstore.h"
#include "idxdvd/fs.h"

#define SUFFIX ".json"

struct defstore {
	int mdevctl_fd, extra_fd;
};

int defstore_new(struct defstore **ret, const char *mdevctl_dir, const char *extra_dir)
{
	struct defstore *s = malloc(sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->mdevctl_fd = s->extra_fd = -1;
	r = fs_open_dir(mdevctl_dir, &s->mdevctl_fd);
	if (r >= 0)
		r = fs_open_dir(extra_dir, &s->extra_fd);
	if (r < 0) {
		defstore_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct defstore *defstore_free(struct defstore *s)
{
	if (!s)
		return NULL;
	closep(&s->mdevctl_fd);
	closep(&s->extra_fd);
	free(s);
	return NULL;
}

static void extra_name(const char *uuid, char buf[UUID_LEN + 8])
{
	snprintf(buf, UUID_LEN + 8, "%s" SUFFIX, uuid);
}

/* --- loading --------------------------------------------------------------------------------- */

struct loading {
	struct defstore *s;
	struct definition **defs;
	struct definition_bad *bad;
	size_t n, n_bad;
	size_t n_others;		/* of parents before this one, sorted by UUID */
};

static int note_bad(struct loading *l, const char *parent, const char *file, const char *reason,
		    bool unread)
{
	struct definition_bad *bad = reallocarray(l->bad, l->n_bad + 1, sizeof(*bad));

	if (!bad)
		return -ENOMEM;
	l->bad = bad;
	bad += l->n_bad++;
	snprintf(bad->file, sizeof(bad->file), "%s%s%s", parent, parent[0] ? "/" : "", file);
	snprintf(bad->reason, sizeof(bad->reason), "%s", reason);
	bad->unread = unread;
	return 0;
}

/* The next look may see more. */
static bool is_passing(int error)
{
	return error == -EIO || error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

static const char *explain(int error)
{
	return error == -EBADMSG ? "it is not in the format of mdevctl" : strerror(-error);
}

static int compare_uuids(const void *a, const void *b)
{
	return strcmp((*(struct definition *const *)a)->uuid, (*(struct definition *const *)b)->uuid);
}

static bool is_of_another(const struct loading *l, const char *uuid)
{
	struct definition key = { 0 }, *p = &key;

	snprintf(key.uuid, sizeof(key.uuid), "%s", uuid);
	return l->n_others && bsearch(&p, l->defs, l->n_others, sizeof(*l->defs), compare_uuids);
}

/* What mdevctl does not know goes away alone, if it is that which cannot be used. */
static int parse(struct loading *l, const char *parent, const char *uuid, const char *text,
		 const char *extra, struct definition **ret)
{
	char file[UUID_LEN + 8];
	int r;

	r = definition_parse(ret, uuid, parent, text, extra);
	if (r != -EBADMSG || !extra || definition_parse(ret, uuid, parent, text, NULL) < 0)
		return r;
	extra_name(uuid, file);
	return note_bad(l, "", file, "it is not in our format; its definition is used without it",
			false);
}

static int load_one(struct loading *l, int dirfd, const char *parent, const char *file)
{
	_cleanup_(definition_freep) struct definition *d = NULL;
	_cleanup_(freep) char *text = NULL, *extra = NULL;
	char uuid[UUID_LEN], extra_file[UUID_LEN + 8];
	struct definition **defs;
	int r;

	if (parse_uuid(file, uuid) < 0 || strcmp(uuid, file))
		return 0;
	if (is_of_another(l, uuid))
		return note_bad(l, parent, file, "another parent has a definition of the same UUID",
				false);
	extra_name(uuid, extra_file);
	r = fs_read(dirfd, file, JSON_MAX_SIZE, &text);
	if (r >= 0) {
		r = fs_read(l->s->extra_fd, extra_file, JSON_MAX_SIZE, &extra);
		r = r == -ENOENT ? 0 : r;
	}
	if (r >= 0)
		r = parse(l, parent, uuid, text, extra, &d);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT || r == -ENOTSUP)	/* gone while we looked; of another module */
		return 0;
	if (r < 0)
		return note_bad(l, parent, file, explain(r), is_passing(r));
	defs = reallocarray(l->defs, l->n + 1, sizeof(*defs));
	if (!defs)
		return -ENOMEM;
	l->defs = defs;
	defs[l->n++] = TAKE(d);
	return 0;
}

static int load_parent(struct loading *l, const char *parent)
{
	_cleanup_(closep) int fd = -1;
	char **names;
	size_t n;
	int r;

	if (!string_is_pci_address(parent))
		return 0;
	r = fs_open_below(l->s->mdevctl_fd, parent, &fd);
	if (r >= 0)
		r = fs_list(fd, "", &names, &n);
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 :
		       note_bad(l, "", parent, strerror(-r), is_passing(r));
	if (l->n)
		qsort(l->defs, l->n, sizeof(*l->defs), compare_uuids);
	l->n_others = l->n;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = load_one(l, fd, parent, names[i]);
	fs_list_free(names, n);
	return r;
}

int defstore_load(struct defstore *s, struct definition ***ret, size_t *ret_n,
		  struct definition_bad **ret_bad, size_t *ret_n_bad)
{
	struct loading l = { .s = s };
	char **parents;
	size_t n;
	int r;

	r = fs_list(s->mdevctl_fd, "", &parents, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = load_parent(&l, parents[i]);
	fs_list_free(parents, n);
	if (r < 0) {
		for (size_t i = 0; i < l.n; i++)
			definition_free(l.defs[i]);
		free(l.defs);
		free(l.bad);
		return r;
	}
	*ret = l.defs;
	*ret_n = l.n;
	*ret_bad = l.bad;
	*ret_n_bad = l.n_bad;
	return 0;
}

/* --- changing -------------------------------------------------------------------------------- */

static int check_file(int dirfd, const char *file, const char *want)
{
	_cleanup_(freep) char *text = NULL;
	int r;

	r = fs_read(dirfd, file, JSON_MAX_SIZE, &text);
	if (r < 0 && r != -ENOENT)
		return r;
	if (text && want ? !strcmp(text, want) : !text == !want)
		return 0;
	return -ESTALE;
}

int defstore_check(struct defstore *s, const struct definition_change *c)
{
	_cleanup_(closep) int fd = -1;
	char extra[UUID_LEN + 8];
	int r;

	r = fs_open_below(s->mdevctl_fd, c->parent, &fd);
	if (r == -ENOENT)
		r = c->before ? -ESTALE : 0;
	else if (r >= 0)
		r = check_file(fd, c->uuid, c->before);
	if (r < 0)
		return r;
	extra_name(c->uuid, extra);
	/* What nobody could read belongs to a definition that is gone. */
	return c->before ? check_file(s->extra_fd, extra, c->before_extra) : 0;
}

static int put_file(int dirfd, const char *file, const char *text)
{
	return text ? fs_write(dirfd, file, text) : fs_remove(dirfd, file);
}

static int put(struct defstore *s, const struct definition_change *c, const char *text,
	       const char *extra)
{
	_cleanup_(closep) int fd = -1;
	char extra_file[UUID_LEN + 8];
	int r;

	extra_name(c->uuid, extra_file);
	r = put_file(s->extra_fd, extra_file, extra);
	if (r < 0)
		return r;
	if (!text) {
		r = fs_open_below(s->mdevctl_fd, c->parent, &fd);
		if (r == -ENOENT)
			return 0;
	} else {
		r = fs_open_subdir(s->mdevctl_fd, c->parent, &fd);
	}
	return r < 0 ? r : put_file(fd, c->uuid, text);
}

int defstore_do(struct defstore *s, const struct definition_change *c)
{
	return put(s, c, c->after, c->after_extra);
}

int defstore_undo(struct defstore *s, const struct definition_change *c)
{
	return put(s, c, c->before, c->before_extra);
}
