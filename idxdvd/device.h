/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_DEVICE_H
#define IDXDVD_DEVICE_H

/*
 * What is known of an accelerator, its groups, engines and work queues. Plain data without I/O: a
 * backend fills it, the manager keeps it, alloc decides on it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_LEN	32	/* dsa0, wq0.1, 0000:6a:01.0 */
#define UUID_LEN	37
#define LABEL_LEN	132	/* a wq's free-text name, cut when longer */

enum accel_kind {
	ACCEL_DSA,
	ACCEL_IAX,
};

enum object_state {
	STATE_DISABLED,
	STATE_ENABLED,
	STATE_HALTED,
	STATE_UNKNOWN,
};

enum wq_type {
	WQ_TYPE_NONE,
	WQ_TYPE_KERNEL,
	WQ_TYPE_USER,
};

/* Who a wq belongs to; exactly one holds. Names: wq_class_name(). */
enum wq_class {
	WQ_FREE,		/* disabled and unconfigured; size may be 0 */
	WQ_HOST_KERNEL,		/* enabled for dmaengine or iaa_crypto */
	WQ_HOST_USER,		/* enabled as a character device */
	WQ_POOL,		/* bound to our module, no mdev on it */
	WQ_MDEV_IDLE,		/* an mdev has it, nobody has that mdev open */
	WQ_MDEV_IN_USE,		/* an mdev has it and a VMM has it open */
	WQ_FOREIGN,		/* configured by somebody, not enabled */
	WQ_CLASS_COUNT,
};

/* Who has something open; pid 0 is "nobody, or not known". */
struct holder {
	int pid;
	char comm[NAME_LEN];
};

struct wq {
	char name[NAME_LEN];		/* wq0.1 */
	unsigned int id;		/* 1 */
	int group;			/* -1: in no group */
	unsigned int size;
	unsigned int priority;
	unsigned int threshold;
	unsigned int max_transfer;	/* bytes of one descriptor */
	unsigned int max_batch;		/* descriptors of a batch; 0: no batches */
	bool dedicated;
	enum object_state state;
	enum wq_type type;
	char label[LABEL_LEN];		/* attribute "name" */
	char driver_name[LABEL_LEN];	/* attribute "driver_name" */
	char driver[NAME_LEN];		/* driver it is bound to, "" if none */
	unsigned int clients;
	struct holder holder;		/* one opener of a host-user wq */

	/* Filled in by the manager. */
	enum wq_class cls;
	bool ours;			/* we configured and bound it */
	bool reserved;			/* kept free for the host by policy */
	char mdev[UUID_LEN];		/* the mdev on it, one of those that share it, "" if none */
	unsigned int n_mdevs, n_open;	/* how many are on it, how many of them are open */
};

struct engine {
	char name[NAME_LEN];
	int group;
};

struct accel {
	char name[NAME_LEN];		/* dsa0 */
	char bdf[NAME_LEN];		/* 0000:6a:01.0, the parent of its mdevs */
	enum accel_kind kind;
	unsigned int id;		/* 0 */
	uint64_t instance;		/* another number each time idxd takes the function */
	uint16_t pci_vendor, pci_device;
	int numa_node;
	unsigned int max_groups, max_size;
	unsigned int max_transfer, max_batch;	/* that a queue may be given */
	bool configurable;
	bool unsafe;			/* under the erratum of CVE-2024-21823 */

	enum object_state state;
	bool unsafe_allowed;		/* opened for guests despite the erratum */
	bool iommu;			/* behind an IOMMU */
	bool pasid;			/* and that IOMMU does scalable mode with PASID */
	bool module;			/* our driver is on the dsa bus */
	/* What it takes to share a queue: of the processor, of idxd, of the device, of our module. */
	bool enqcmd, shared_mode, ims;
	unsigned int max_sharers;	/* mdevs on one queue; 0: our module shares none */
	unsigned int cmd_status;

	struct wq *wqs;			/* index = id */
	unsigned int n_wqs;
	struct engine *engines;
	unsigned int n_engines;

	/* Filled in by the manager. */
	bool adopted;
	bool laid_out;			/* by us, so release undoes it */
	bool exclusive;			/* by policy: the engines of a group work for one queue */
	unsigned int host_wqs;		/* wqs kept free for the host */
	unsigned int pool_min;		/* wqs kept bound and ready */
	unsigned int n_pool;		/* wqs of class WQ_POOL that are ours */
	unsigned int n_mdevs;
	unsigned int sharers;		/* mdevs on one shared queue, by our module and by policy */
	unsigned int room[2];		/* alloc_available() of it, of whole queues and of parts */
};

const char *accel_kind_name(enum accel_kind kind);	/* dsa, iax */
const char *object_state_name(enum object_state state);
const char *wq_type_name(enum wq_type type);
const char *wq_class_name(enum wq_class cls);		/* "host-kernel", "mdev-in-use", ... */

struct accel *accel_free(struct accel *a);
void accel_freep(struct accel **a);
int accel_new(struct accel **ret, unsigned int n_wqs, unsigned int n_engines);
int accel_copy(const struct accel *a, struct accel **ret);
/* The facts a backend reads are the same in both; the manager's own are not compared. */
bool accel_same_hardware(const struct accel *a, const struct accel *b);

struct wq *accel_find_wq(struct accel *a, const char *name);
unsigned int accel_group_engines(const struct accel *a, int group);
/*
 * Nobody configured it: as idxd leaves it at probe. That is disabled; but an IAA gets defaults for
 * iaa_crypto, with which the driver core enables it at once. Their type is lost when iaa_crypto is
 * not there to take the queue.
 */
bool accel_is_unconfigured(const struct accel *a);
bool wq_is_iaa_default(const struct accel *a, const struct wq *w);
/* Disabled, unbound, no type, no name: nobody's. */
bool wq_is_unconfigured(const struct wq *w);
/* Sets w->cls from what is known of the wq; @in_use: an mdev on it is. */
void wq_classify(struct wq *w, bool in_use);

#endif
