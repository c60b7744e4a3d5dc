/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_PRINT_H
#define IDXDCTL_PRINT_H

#include <stdbool.h>
#include <stddef.h>

struct client_list;
struct client_manager;
struct client_snapshot;
struct doctor;
struct find_match;
struct json_object;

/* One step a line. */
void print_plan(char *const *plan);

/* Tables fit 80 columns; JSON holds every field. Both go to stdout; JSON returns -ENOMEM. */
void print_tree(const struct client_snapshot *s, bool wide);
void print_objects(const struct client_snapshot *s, const struct find_match *found, size_t n);
void print_types(const struct client_list *types);
void print_capacity(const struct client_list *capacity);
void print_holders(const struct client_list *holders);
void print_status(const struct client_manager *m, const struct client_snapshot *s);

/* From now on JSON is a record a line, each with its kind. */
void print_set_lines(bool lines);
int print_tree_json(const struct client_snapshot *s);
/* An array of records that name no others. */
int print_list_json(const char *key, const struct client_list *l);
int print_status_json(const struct client_manager *m, const struct client_snapshot *s);
int print_objects_json(const struct client_snapshot *s, const struct find_match *found, size_t n);
int print_doctor_json(const struct doctor *d);

#endif
