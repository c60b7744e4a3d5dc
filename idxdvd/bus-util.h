/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BUS_UTIL_H
#define IDXDVD_BUS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

#include "idxdvd/device.h"

struct manager;
struct mdev;
struct refusal;
struct leases;
struct request;

/* A work queue as the bus shows it: a copy, with the name of the accelerator it belongs to. */
struct bus_wq {
	struct wq wq;
	char accel[NAME_LEN];
};

/* The D-Bus side of the daemon. Everything here belongs to the loop's thread. */
struct bus {
	sd_bus *bus;
	struct manager *manager;
	bool simulated;
	struct leases *leases;		/* bus-lease.c's */
	struct request *requests;	/* not answered yet; bus-request.c's */
	struct bus_wq wq;		/* the one looked up last */
};

/* Options of the Manager's methods; each method takes some of them. */
enum bus_option {
	BUS_HOST_WQS = 1 << 0,
	BUS_POOL_MIN = 1 << 1,
	BUS_PARENT = 1 << 2,
	BUS_UUID = 1 << 3,
	BUS_WQ = 1 << 4,
	BUS_DRY_RUN = 1 << 5,
	BUS_TYPE = 1 << 6,
	BUS_AUTOSTART = 1 << 7,
	BUS_LABELS = 1 << 8,
	BUS_PLACEMENT = 1 << 9,
	BUS_NUMA_NODE = 1 << 10,
	BUS_MIN_SIZE = 1 << 11,
	BUS_LEASE = 1 << 12,
	BUS_FORCE = 1 << 13,
	BUS_PID = 1 << 14,
	BUS_PASID = 1 << 15,
	BUS_PRIORITY = 1 << 16,
	BUS_MAX_TRANSFER = 1 << 17,
	BUS_MAX_BATCH = 1 << 18,
};

/* Strings point into the message; what is not in @set is NULL or 0. */
struct bus_options {
	unsigned int set;		/* enum bus_option */
	const char *parent, *uuid, *wq, *type, *placement;
	uint32_t host_wqs, pool_min, min_size, pid, pasid;
	uint32_t priority, max_transfer, max_batch;
	int32_t numa_node;
	int dry_run, autostart, lease, force;
	char **labels;			/* ends in NULL; bus_options_done() frees it */
};

void bus_options_done(struct bus_options *o);

/* Object path of @id below @prefix; the path "/" for the empty id, which is "none". */
int bus_path_new(const char *prefix, const char *id, char **ret);
/* 1 and the id, 0 if @path is not below @prefix. */
int bus_path_id(const char *path, const char *prefix, char **ret);

void bus_paths_free(char **paths);

/* Each sets @err and returns a negative errno. */
int bus_refuse(sd_bus_error *err, const struct refusal *refusal);
int bus_refuse_args(sd_bus_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The D-Bus error name of a refusal; @kind is an enum refusal_kind. */
const char *bus_error_name(unsigned int kind);

/* Decode and bound: @what is how the refusal calls the argument. */
int bus_read_name(sd_bus_message *msg, const char *what, size_t max, const char **ret,
		  sd_bus_error *err);
int bus_read_options(sd_bus_message *msg, unsigned int allowed, struct bus_options *ret,
		     sd_bus_error *err);

/* Appends @text as a string; what is not printable ASCII becomes '?', as the bus wants UTF-8. */
int bus_append_text(sd_bus_message *reply, const char *text);
/* The same as an entry of an a{sv}. */
int bus_append_text_entry(sd_bus_message *reply, const char *key, const char *text);
int bus_append_path(sd_bus_message *reply, const char *prefix, const char *id);

#define BUS_GETTER(name) \
	static int name(sd_bus *bus, const char *path, const char *iface, const char *property, \
			sd_bus_message *reply, void *userdata, sd_bus_error *err)

/* Getters for a property that is a char array or a bool at the row's offset. */
int bus_get_text(sd_bus *bus, const char *path, const char *iface, const char *property,
		 sd_bus_message *reply, void *userdata, sd_bus_error *err);
int bus_get_bool(sd_bus *bus, const char *path, const char *iface, const char *property,
		 sd_bus_message *reply, void *userdata, sd_bus_error *err);

#endif
