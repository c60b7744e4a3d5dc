/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_FAKE_HW_H
#define IDXDVD_FAKE_HW_H

/*
 * State of the simulated machine: flat data, so that it can live in memory shared with a process
 * that dies, or in a file. Filled from a topology file:
 *
 *   { "module": true, "allow-unsafe": false, "max-sharers": 128, "enqcmd": true,
 *     "accelerators": [
 *       { "kind": "dsa", "address": "0000:6a:01.0", "device": "11fb", "numa": 0,
 *         "wqs": 8, "engines": 4, "groups": 4, "size": 128, "configurable": true,
 *         "max-transfer-size": 2147483648, "max-batch-size": 1024,
 *         "iommu": true, "pasid": true, "ims": true, "unsafe-allowed": false, "enabled": true,
 *         "engine-groups": [ 0, 0, 0, 0 ],
 *         "queues": [ { "id": 0, "size": 16, "group": 0, "mode": "dedicated", "type": "kernel",
 *                       "name": "dma", "driver-name": "dmaengine", "driver": "dmaengine",
 *                       "priority": 10, "threshold": 0, "clients": 2, "pid": 0,
 *                       "comm": "" } ] } ],
 *     "mdevs": [ { "uuid": "...", "type": "idxd-dsa-1dwq-v1", "wq": "wq0.1", "pid": 0,
 *                  "comm": "" } ],
 *     "openers": [ { "uuid": "...", "pid": 4711, "comm": "qemu",
 *                    "stubborn": false } ],
 *     "taken": [ { "address": "0000:6f:01.0", "driver": "vfio-pci", "pid": 0, "comm": "" } ],
 *     "faults": [ { "call": "mdev_create", "ms": 2000, "errno": 5, "after": 0, "times": 1,
 *                   "die": "before" } ] }
 *
 * An IAA starts as idxd leaves it where there is no iaa_crypto: on, with one queue of all entries.
 * A fault makes a call of backend.h take that long, and fail if errno is not 0: the first that many
 * times, after so many without; times 0 is always. With "die" the process ends there instead, before
 * the call or after it, as after kill -9.
 * What is taken is an accelerator that another driver has, and perhaps a process through it.
 * An opener has that mdev open from the moment it is created. Every key may be left out; the n-th accelerator is dsaN or iaxN.
 */

#include <stdint.h>

#include "idxdvd/mdev.h"

#define FAKE_MAX_ACCELS		256
#define FAKE_MAX_WQS		64
#define FAKE_MAX_ENGINES	16
#define FAKE_MAX_OPENERS	16
#define FAKE_MAX_TAKEN		8
#define FAKE_MAX_FAULTS		16
#define FAKE_MAX_MDEVS		(FAKE_MAX_ACCELS * FAKE_MAX_WQS)
#define FAKE_BUCKETS		16384	/* a power of two */

struct fake_wq {
	int group;
	unsigned int size, priority, threshold, clients, max_transfer, max_batch;
	bool dedicated;
	enum object_state state;
	enum wq_type type;
	bool interrupted;		/* was bound to the module before a reset */
	char label[LABEL_LEN], driver_name[LABEL_LEN], driver[NAME_LEN];
	struct holder holder;
	unsigned int mdev;		/* index + 1 of the first of the mdevs on it, 0: none */
	unsigned int n_mdevs;
};

struct fake_accel {
	char name[NAME_LEN], bdf[NAME_LEN];
	enum accel_kind kind;
	uint16_t pci_device;
	int numa_node;
	unsigned int n_wqs, n_engines, n_groups, max_size, max_transfer, max_batch;
	bool configurable, iommu, pasid, unsafe_allowed, enabled, ims;
	bool absent;			/* unplugged, or without its driver */
	unsigned int instance;		/* how often idxd has taken it */
	unsigned int cmd_status;
	int engine_group[FAKE_MAX_ENGINES];
	struct fake_wq wqs[FAKE_MAX_WQS];
};

struct fake_mdev {
	bool used;
	bool going;			/* its removal waits for the holder; it is not shown any more */
	char uuid[UUID_LEN], type[NAME_LEN];
	unsigned int accel, wq;
	unsigned int next;		/* index + 1 in the chain of its bucket, or of free ones */
	unsigned int beside;		/* the same, of those on its wq */
	struct holder holder, racer;	/* the racer opens it when its removal begins */
};

struct fake_opener {
	char uuid[UUID_LEN];
	struct holder holder;
	bool stubborn;			/* does not let go when asked */
};

/* An accelerator that is not idxd's. */
struct fake_taken {
	char bdf[NAME_LEN], driver[NAME_LEN];
	struct holder holder;
};

struct fake_fault {
	char call[NAME_LEN];
	unsigned int ms, after, times;
	int error;
	int die;			/* enum fake_death */
	unsigned int seen;		/* calls so far */
};

enum fake_death { FAKE_LIVE, FAKE_DIE_BEFORE, FAKE_DIE_AFTER };

struct fake_hw {
	char magic[16];
	uint32_t size;
	char boot_id[UUID_LEN];
	bool module;
	bool allow_unsafe;		/* the module's parameter */
	unsigned int max_sharers;	/* the same */
	bool enqcmd;			/* the processor has ENQCMDS */
	unsigned int n_accels;
	struct fake_accel accels[FAKE_MAX_ACCELS];
	unsigned int n_mdevs;		/* of the array, that were ever used */
	unsigned int free_mdevs;	/* index + 1 of the first that is free again */
	unsigned int buckets[FAKE_BUCKETS];	/* index + 1, by UUID */
	struct fake_mdev mdevs[FAKE_MAX_MDEVS];
	unsigned int n_openers;
	struct fake_opener openers[FAKE_MAX_OPENERS];
	unsigned int n_taken;
	struct fake_taken taken[FAKE_MAX_TAKEN];
	unsigned int n_faults;
	struct fake_fault faults[FAKE_MAX_FAULTS];
};

/* A machine that nobody configured, in memory that is zero; @topology NULL: one DSA of 8 wqs. */
int fake_hw_init(struct fake_hw *hw, const char *topology);
/* What a boot leaves: the same devices, as idxd probes them. */
void fake_hw_reset(struct fake_hw *hw);
/* What idxd gives a queue at first, and when it is disabled. */
void fake_wq_reset_limits(const struct fake_accel *a, struct fake_wq *w);
/* As idxd probes it. */
void fake_accel_reset(struct fake_accel *a);

struct fake_mdev *fake_find_mdev(struct fake_hw *hw, const char *uuid);
/* On no wq yet; NULL: there is no more room. */
struct fake_mdev *fake_add_mdev(struct fake_hw *hw, const char *uuid);
/* One more can be on it, of a type with parts of queues or with queues of their own. */
bool fake_wq_has_room(const struct fake_hw *hw, const struct fake_wq *w, bool shared);
void fake_seat_mdev(struct fake_hw *hw, struct fake_mdev *m, unsigned int accel, unsigned int wq);
void fake_unseat_mdev(struct fake_hw *hw, struct fake_mdev *m);
void fake_drop_mdev(struct fake_hw *hw, struct fake_mdev *m);
/* Makes the index again, which a process may have left half done. */
void fake_index_mdevs(struct fake_hw *hw);

#endif
