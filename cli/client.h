/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_CLIENT_H
#define IDXDCTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct cli_args;
struct json_object;

/* One property: its D-Bus name and signature, its key in JSON, its place in the struct. */
struct client_field {
	const char *property;
	const char *key;
	char type;			/* s o u i b t, as in a D-Bus signature; a: strings, a line each */
	size_t offset;
};

/* A kind of record; what the daemon sends beyond the table is skipped, so that it may grow. */
struct client_class {
	const char *iface;
	const struct client_field *fields;
	size_t n_fields;
	size_t size;
};

struct client_manager {
	char *version;
	bool module_loaded, simulated;
	uint32_t n_accelerators, n_adopted, n_work_queues, n_mdevs, n_definitions;
	char *bad_files;
};

struct client_accelerator {
	char *path;
	char *name, *pci, *kind, *device_id, *state, *erratum;
	bool adopted, unsafe, iommu, pasid;
	uint32_t max_work_queues, max_groups, max_engines, total_size;
	uint32_t host_work_queues, pool_min, pool_size;
	int32_t numa_node;
};

struct client_work_queue {
	char *path;
	char *name, *accelerator, *type, *driver_name, *mode, *state, *class, *holder;
	char *label, *driver, *mdev;
	uint32_t size, priority, sharers;
	int32_t group;
};

struct client_mdev {
	char *path;
	char *uuid, *type, *parent, *accelerator, *work_queue, *state, *holder;
	int32_t iommu_group;
	uint32_t owner;
	bool managed, persisted;
};

struct client_definition {
	char *path;
	char *uuid, *parent, *type, *work_queue, *labels;
	bool autostart;
};

struct client_type {
	char *parent, *device, *type, *name, *device_api, *description;
	uint32_t available, creatable;
};

struct client_capacity {
	char *device, *type;
	int32_t numa_node, quota_left;	/* of who asks; -1: he has none */
	uint32_t total, free_now, creatable, reserved, host, mdevs, in_use, exclusive, foreign,
		 unusable, room, max_sharers;
};

struct client_holder {
	char *wq, *device, *kind, *driver, *label, *channel, *client, *mdev, *command, *exe, *unit, *container, *domain;
	uint32_t clients, pid;
	uint64_t since;
};

/* Why an mdev could not get a queue; error "": it can. */
struct client_reason {
	char *class, *error, *reason, *remedy;
};

extern const struct client_class client_manager_class, client_accelerator_class,
	client_work_queue_class, client_mdev_class, client_definition_class, client_type_class,
	client_capacity_class, client_holder_class;

/* An array of records of one class; client_list_done() frees it and takes an empty one too. */
struct client_list {
	const struct client_class *class;
	void *items;
	size_t n;
};

struct client_snapshot {
	struct client_list accelerators, work_queues, mdevs, definitions;
};

/* All return 0 or a negative errno; client_complain() then knows what the daemon said. */
int client_new(uint64_t timeout_usec, bool may_ask, struct client **ret);
/* From now on a call fails where the daemon does not run, rather than to have it started. */
void client_start_nothing(struct client *c);
struct client *client_free(struct client *c);
void client_freep(struct client **c);

/* A plan is the list of steps, of those done or, on a dry run, of those that would be. */
int client_act(struct client *c, const char *method, const char *word,
	       const struct cli_args *args, char ***ret_plan);
/* The same for a method that answers with an mdev. */
int client_make(struct client *c, const char *method, const char *word,
		const struct cli_args *args, char **ret_uuid, char ***ret_plan);
void client_plan_freep(char ***plan);
/* Has the daemon read everything again; the others show what it knows. */
int client_cancel_apply(struct client *c);
int client_refresh(struct client *c);
int client_get_manager(struct client *c, struct client_manager *ret);
int client_get_snapshot(struct client *c, struct client_snapshot *ret);
int client_get_types(struct client *c, struct client_list *ret);
int client_get_capacity(struct client *c, struct client_list *ret);
/* @wq "": of all queues. */
int client_get_holders(struct client *c, const char *wq, struct client_list *ret);
int client_export(struct client *c, char **ret);
int client_explain(struct client *c, const char *wq, struct client_reason *ret);
void client_reason_done(struct client_reason *r);

/* What a signal of the daemon says; values are JSON. */
struct client_event {
	const char *event;		/* added, removed, changed; of the daemon: started, stopped */
	const char *kind;		/* accelerator, work_queue, mdev, definition, manager, daemon */
	const char *object;		/* its name or UUID, "" if it has none */
	struct json_object *properties;	/* keys as in the records */
};

/* Calls @handle for each of them, until that fails or the bus goes away. */
int client_monitor(struct client *c, int (*handle)(const struct client_event *e, void *userdata),
		   void *userdata);

/*
 * Whether the last call was refused because somebody has the thing open. Then waits for the daemon to
 * say something, a second at most; the first call of both begins the time that the client may take.
 */
bool client_is_in_use(const struct client *c);
int client_wait(struct client *c);

/* Says on stderr why @what failed and how to help it; returns the exit status for it. */
int client_complain(const struct client *c, const char *what, int r);

void client_record_done(const struct client_class *class, void *record);
void client_list_done(struct client_list *l);
void client_manager_done(struct client_manager *m);
void client_snapshot_done(struct client_snapshot *s);
const char *client_snapshot_name(const struct client_snapshot *s, const char *path);

#endif
