/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_COMMON_JSON_H
#define IDXDVD_COMMON_JSON_H

/* Typed access to parsed JSON: -ENOENT if the key is missing, -EBADMSG if it is of another type. */

#include <stdbool.h>
#include <stddef.h>

struct json_object;

#define JSON_MAX_DEPTH 16
#define JSON_MAX_SIZE (1024 * 1024)

/* The text must be one object and nothing more. */
int json_parse(const char *text, struct json_object **ret);
void json_putp(struct json_object **o);

int json_get_string(struct json_object *o, const char *key, char *buf, size_t size);
int json_get_uint(struct json_object *o, const char *key, unsigned int *ret);
int json_get_int(struct json_object *o, const char *key, int *ret);
int json_get_bool(struct json_object *o, const char *key, bool *ret);
/* The array stays the object's. */
int json_get_array(struct json_object *o, const char *key, struct json_object **ret);

#endif
