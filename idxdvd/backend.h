/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_BACKEND_H
#define IDXDVD_BACKEND_H

/*
 * The hardware and the kernel, as the daemon needs them. Every call may sleep and is made from the
 * worker only. All return 0 or a negative errno, with the kernel's own errno where there is one.
 * Nothing here decides anything, and nothing verifies: apply reads back what it wrote.
 */

#include <stdbool.h>
#include <stddef.h>

#include "idxdvd/device.h"
#include "idxdvd/holding.h"
#include "idxdvd/mdev.h"

struct backend;

struct backend_ops {
	void (*free)(struct backend *b);
	/* Tells boots apart; the hardware forgets its configuration at each. */
	int (*boot_id)(struct backend *b, char ret[UUID_LEN]);
	/* All accelerators, each with everything read; the array and its elements are the caller's. */
	int (*scan)(struct backend *b, struct accel ***ret, size_t *ret_n);
	/* Reads again what can change. -ENODEV: it is gone. */
	int (*refresh)(struct backend *b, struct accel *a);
	/* All mdevs below our accelerators, in one array of the caller's. */
	int (*scan_mdevs)(struct backend *b, struct mdev **ret, size_t *ret_n);
	/* -ENOENT: there is no such mdev. */
	int (*read_mdev)(struct backend *b, const char *uuid, struct mdev *ret);
	/* One attribute of dsaN, wqN.M or engineN.M without its newline; "driver" is the bound one. */
	int (*get)(struct backend *b, const char *object, const char *attr, char *buf, size_t size);
	int (*set)(struct backend *b, const char *object, const char *attr, const char *value);
	int (*bind)(struct backend *b, const char *object, const char *driver);
	int (*unbind)(struct backend *b, const char *object, const char *driver);
	int (*mdev_create)(struct backend *b, const char *parent, const char *type,
			   const char *uuid);
	int (*mdev_remove)(struct backend *b, const char *uuid);
	/* The same, but whoever has it open is asked to let go. -ETIMEDOUT: it goes when he has. */
	int (*mdev_evict)(struct backend *b, const char *uuid);
	/*
	 * Returns when a wq has nothing in flight any more; of one process that has it open, or of one
	 * PASID, if that is not 0. -ENXIO: it is not enabled, -ESRCH: there is no such process.
	 */
	int (*drain)(struct backend *b, const char *wq, int pid, unsigned int pasid);
	/* The mdev that has a wq of this parent; "" if none has it. */
	int (*wq_mdev)(struct backend *b, const char *parent, const char *wq, char ret[UUID_LEN]);
	/* Everybody who holds a wq of one of our accelerators, in one array of the caller's. */
	int (*holdings)(struct backend *b, struct holding **ret, size_t *ret_n);
	/* The mdev's attribute "wq". */
	int (*mdev_set_wq)(struct backend *b, const char *uuid, const char *wq);
};

/* First member of every backend. */
struct backend {
	const struct backend_ops *ops;
};

static inline struct backend *backend_free(struct backend *b)
{
	if (b)
		b->ops->free(b);
	return NULL;
}

int backend_host_new(struct backend **ret);

/*
 * The same in memory, with the kernel's rules. @topology is a JSON file, or NULL for one DSA of 8 wqs
 * at 0000:6a:01.0. @state is a file that holds the hardware's state across processes, or NULL.
 */
int backend_fake_new(struct backend **ret, const char *topology, const char *state);

/* Called before (@after false) and after each call; an errno returned before makes the call fail. */
typedef int (*backend_fake_hook)(void *userdata, const char *call, bool after);
void backend_fake_set_hook(struct backend *b, backend_fake_hook hook, void *userdata);

/* Plays the others on the machine: a VMM that opens an mdev (@pid 0: closes it), a reboot. */
int backend_fake_open_mdev(struct backend *b, const char *uuid, int pid, const char *comm);
/* The next removal of this mdev meets a VMM that opens it in that moment. */
int backend_fake_race_open(struct backend *b, const char *uuid, int pid, const char *comm);
void backend_fake_reboot(struct backend *b);

enum fake_event {
	FAKE_UNPLUG,		/* the accelerator goes, or its driver idxd does */
	FAKE_PLUG,		/* it is back, as idxd probes it */
	FAKE_RESET,		/* of the function: idxd unbinds the queues and keeps how they are configured */
	FAKE_RESET_DONE,	/* it binds them again, and the module gives them back to their mdevs */
	FAKE_UNLOAD,		/* of our module; @accel does not matter */
	FAKE_LOAD,
};

int backend_fake_event(struct backend *b, const char *accel, enum fake_event event);
/* Both were unplugged, and come back under each other's name. */
int backend_fake_swap(struct backend *b, const char *accel, const char *other);

#endif
