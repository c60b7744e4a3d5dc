/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/common/json.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/fs.h"
#include "idxdvd/policy.h"

#define POLICY_VERSION 1
#define POLICY_QUOTA_MAX 1000000

struct policy *policy_free(struct policy *p)
{
	if (!p)
		return NULL;
	free(p->exclusive);
	free(p->quotas);
	free(p);
	return NULL;
}

void policy_freep(struct policy **p)
{
	policy_free(*p);
}

bool policy_is_exclusive(const struct policy *p, const char *bdf)
{
	for (size_t i = 0; p && i < p->n_exclusive; i++)
		if (!strcmp(p->exclusive[i], bdf))
			return true;
	return false;
}

unsigned int policy_sharers(const struct policy *p, unsigned int max)
{
	return p && p->has_max_sharers && p->max_sharers < max ? p->max_sharers : max;
}

bool policy_has_quotas(const struct policy *p)
{
	return p && (p->has_quota || p->n_quotas);
}

bool policy_quota(const struct policy *p, unsigned int uid, unsigned int *ret)
{
	for (size_t i = 0; p && i < p->n_quotas; i++)
		if (p->quotas[i].uid == uid) {
			*ret = p->quotas[i].mdevs;
			return true;
		}
	if (!p || !p->has_quota || uid == 0)
		return false;
	*ret = p->quota;
	return true;
}

static int bad(char why[POLICY_WHY_LEN], const char *what)
{
	snprintf(why, POLICY_WHY_LEN, "%s", what);
	return -EBADMSG;
}

static int parse_version(struct json_object *v, struct policy *p, char why[POLICY_WHY_LEN])
{
	if (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) != POLICY_VERSION)
		return bad(why, "version must be 1");
	return 0;
}

static int parse_exclusive(struct json_object *v, struct policy *p, char why[POLICY_WHY_LEN])
{
	static const char what[] = "exclusive-engines must be an array of PCI addresses";
	size_t n;

	if (!json_object_is_type(v, json_type_array))
		return bad(why, what);
	n = json_object_array_length(v);
	p->exclusive = calloc(n + 1, sizeof(*p->exclusive));
	if (!p->exclusive)
		return -ENOMEM;
	for (; p->n_exclusive < n; p->n_exclusive++) {
		struct json_object *s = json_object_array_get_idx(v, p->n_exclusive);

		if (!json_object_is_type(s, json_type_string) ||
		    !string_is_pci_address(json_object_get_string(s)))
			return bad(why, what);
		snprintf(p->exclusive[p->n_exclusive], NAME_LEN, "%s", json_object_get_string(s));
	}
	return 0;
}

static int parse_count(struct json_object *v, unsigned int *ret)
{
	int64_t n = json_object_get_int64(v);

	if (!json_object_is_type(v, json_type_int) || n < 0 || n > POLICY_QUOTA_MAX)
		return -EBADMSG;
	*ret = n;
	return 0;
}

static int parse_max_sharers(struct json_object *v, struct policy *p, char why[POLICY_WHY_LEN])
{
	p->has_max_sharers = true;
	return parse_count(v, &p->max_sharers) < 0 ?
	       bad(why, "max-sharers must be a number of mdevs") : 0;
}

static int parse_quota(struct json_object *v, struct policy *p, char why[POLICY_WHY_LEN])
{
	p->has_quota = true;
	return parse_count(v, &p->quota) < 0 ? bad(why, "quota must be a number of mdevs") : 0;
}

static int parse_quotas(struct json_object *v, struct policy *p, char why[POLICY_WHY_LEN])
{
	if (!json_object_is_type(v, json_type_object))
		return bad(why, "quotas must be an object of numbers by user");
	p->quotas = calloc(json_object_object_length(v) + 1, sizeof(*p->quotas));
	if (!p->quotas)
		return -ENOMEM;
	json_object_object_foreach(v, user, count) {
		struct policy_quota *q = &p->quotas[p->n_quotas++];

		/* By number: a name may mean another user tomorrow. 007 and 7 would be the same. */
		if (parse_uint(user, &q->uid) < 0 || (user[0] == '0' && user[1]) ||
		    parse_count(count, &q->mdevs) < 0)
			return bad(why, "quotas must be numbers of mdevs by the number of a user");
	}
	return 0;
}

/* A key that is not here is refused: who misspells one thinks that it holds. */
static const struct {
	const char *key;
	int (*parse)(struct json_object *v, struct policy *p, char why[POLICY_WHY_LEN]);
} keys[] = {
	{ "version", parse_version },
	{ "exclusive-engines", parse_exclusive },
	{ "max-sharers", parse_max_sharers },
	{ "quota", parse_quota },
	{ "quotas", parse_quotas },
};

static int parse_key(struct policy *p, const char *key, struct json_object *v,
		     char why[POLICY_WHY_LEN])
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!strcmp(keys[i].key, key))
			return keys[i].parse(v, p, why);
	snprintf(why, POLICY_WHY_LEN, "there is no key \"%.64s\"", key);
	return -EBADMSG;
}

int policy_parse(struct policy **ret, const char *text, char ret_why[POLICY_WHY_LEN])
{
	_cleanup_(json_putp) struct json_object *o = NULL;
	_cleanup_(policy_freep) struct policy *p = NULL;
	int r;

	r = json_parse(text, &o);
	if (r < 0)
		return r == -ENOMEM ? r : bad(ret_why, "it must be one JSON object");
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	json_object_object_foreach(o, key, value) {
		r = parse_key(p, key, value, ret_why);
		if (r < 0)
			return r;
	}
	*ret = TAKE(p);
	return 0;
}

int policy_read(struct policy **ret, const char *path, char ret_why[POLICY_WHY_LEN])
{
	_cleanup_(freep) char *text = NULL;
	int r;

	r = fs_read(AT_FDCWD, path, JSON_MAX_SIZE, &text);
	if (r < 0 && r != -ENOENT) {
		snprintf(ret_why, POLICY_WHY_LEN, "%s", strerror(-r));
		return r;
	}
	return policy_parse(ret, r < 0 ? "{}" : text, ret_why);
}
