/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_CLIENT_RECORD_H
#define IDXDCTL_CLIENT_RECORD_H

typedef struct sd_bus_message sd_bus_message;
struct client_class;
struct client_list;

/* Reads an a{sv} into @record, which must be zeroed; on failure the caller frees what is there. */
int client_record_read(sd_bus_message *m, const struct client_class *class, void *record);
/* Appends a zeroed record to @l; @ret points into it until it grows again. */
int client_list_grow(struct client_list *l, void **ret);

#endif
