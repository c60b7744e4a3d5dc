/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

#include "idxdvd/common/json.h"

int json_parse(const char *text, struct json_object **ret)
{
	struct json_tokener *tok;
	struct json_object *o;
	size_t len = strlen(text);
	int r = 0;

	if (len > JSON_MAX_SIZE)
		return -EFBIG;

	tok = json_tokener_new_ex(JSON_MAX_DEPTH);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tok, text, len + 1);
	if (json_tokener_get_error(tok) != json_tokener_success ||
	    !json_object_is_type(o, json_type_object))
		r = -EBADMSG;
	json_tokener_free(tok);
	if (r < 0) {
		json_object_put(o);
		return r;
	}
	*ret = o;
	return 0;
}

void json_putp(struct json_object **o)
{
	json_object_put(*o);
}

static int get(struct json_object *o, const char *key, enum json_type type,
	       struct json_object **ret)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		return -ENOENT;
	if (!json_object_is_type(v, type))
		return -EBADMSG;
	*ret = v;
	return 0;
}

int json_get_string(struct json_object *o, const char *key, char *buf, size_t size)
{
	struct json_object *v;
	const char *s;
	int r;

	r = get(o, key, json_type_string, &v);
	if (r < 0)
		return r;
	s = json_object_get_string(v);
	if (strlen(s) >= size || strlen(s) != (size_t)json_object_get_string_len(v))
		return -EBADMSG;
	strcpy(buf, s);
	return 0;
}

static int get_range(struct json_object *o, const char *key, int64_t min, int64_t max,
		     int64_t *ret)
{
	struct json_object *v;
	int64_t n;
	int r;

	r = get(o, key, json_type_int, &v);
	if (r < 0)
		return r;
	n = json_object_get_int64(v);
	if (n < min || n > max)
		return -EBADMSG;
	*ret = n;
	return 0;
}

int json_get_uint(struct json_object *o, const char *key, unsigned int *ret)
{
	int64_t n;
	int r;

	r = get_range(o, key, 0, UINT_MAX, &n);
	if (r < 0)
		return r;
	*ret = n;
	return 0;
}

int json_get_int(struct json_object *o, const char *key, int *ret)
{
	int64_t n;
	int r;

	r = get_range(o, key, INT_MIN, INT_MAX, &n);
	if (r < 0)
		return r;
	*ret = n;
	return 0;
}

int json_get_bool(struct json_object *o, const char *key, bool *ret)
{
	struct json_object *v;
	int r;

	r = get(o, key, json_type_boolean, &v);
	if (r < 0)
		return r;
	*ret = json_object_get_boolean(v);
	return 0;
}

int json_get_array(struct json_object *o, const char *key, struct json_object **ret)
{
	return get(o, key, json_type_array, ret);
}
