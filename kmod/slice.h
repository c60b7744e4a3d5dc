/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hardware side of one mdev: a PASID, a work queue, a vector, a portal. It
 * outlives the queue: when that is unbound the slice loses it and goes on empty.
 */
#ifndef IDXD_MDEV_SLICE_H
#define IDXD_MDEV_SLICE_H

#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "core/vd.h"
#include "hwq.h"
#include "irq.h"
#include "region.h"
#include "type.h"
#include "watch.h"

struct hwq;
struct parent;
struct proxy_domain;
struct share;
struct slice;
struct turn;

/* Since the mdev was made. */
struct slice_stats {
	atomic64_t commands;		/* of its users, ended */
	atomic64_t interrupts;		/* of completions */
	atomic64_t errors;		/* forwarded: SWERROR, event log */
	u64 faults;			/* records not writable; of the queues it had before */
};

/* What the types do differently; all with s->lock, and with a queue unless said. */
struct slice_mode {
	int (*join)(struct slice *s);		/* it is open: before its vectors are made */
	void (*part)(struct slice *s);		/* after them, stopped; also if it did not join */
	unsigned int (*running)(const struct slice *s);	/* the guest's queues that are enabled */
	int (*start)(struct slice *s, unsigned int wq);
	/* nothing reaches the hardware afterwards; also without a queue */
	int (*stop)(struct slice *s, unsigned int wqs, bool abandon);
	int (*drain)(struct slice *s);
	int (*abort)(struct slice *s);
};

extern const struct slice_mode whole_mode, share_mode, turn_mode;

struct slice {
	struct kref ref;
	struct list_head node;		/* parent->slices, parents_lock */
	struct parent *parent;		/* referenced */
	struct mutex lock;		/* everything below */
	struct hwq *hwq;		/* also parents_lock; NULL once it was unbound */
	struct list_head sharer;	/* hwq->sharers, parents_lock */
	enum type_kind kind;
	const struct slice_mode *mode;
	struct share *share;		/* of TYPE_1SWQ */
	struct turn *turn;		/* of TYPE_1TWQ */
	unsigned int weight;		/* beside others on its queue, 1 to SLICE_MAX_WEIGHT */
	struct fault_trap trap;		/* of one of several on a queue, as the next */
	struct watch watch;
	unsigned int nwqs;		/* that the guest sees */
	ioasid_t pasid;
	bool undrained;			/* hardware may still use the PASID: never free it */
	struct proxy_domain *domain;	/* attached to the PASID, or NULL */
	struct proxy_domain *wanted;	/* what VFIO attached, whether there is a queue or not */
	struct hwq_limits limits;	/* that the user last enabled the queue with */
	unsigned int cut;		/* queues that VFIO's detaching stopped; attaching starts them */
	int lost;			/* id of the queue that was taken away, or -1 */
	bool opened;			/* at least once: the queue cannot be changed any more */
	struct vector vectors[VD_MAX_WQS];
	struct vd_caps caps;		/* that its user was shown */
	struct portal portal;
	struct work_struct *gone_work;	/* queued when the queue is taken away */
	pid_t opener;			/* process that opened the device, or 0 */
	char opener_comm[TASK_COMM_LEN];
	bool gone;			/* its device halted or its queue was taken: till a reset */
	spinlock_t event_lock;		/* gone_work, event, has_event; nothing inside it */
	u64 event[4];			/* an error of the guest, as in SWERROR */
	bool has_event;
	struct slice_stats stats;
};

/* Who opened an mdev: where its interrupts go, and what else it must be told. */
struct slice_user {
	irq_handler_t fn;
	void *priv[VD_MAX_WQS];		/* for fn, of each queue's vector */
	struct work_struct *gone_work;
	struct address_space *mapping;
};

/* How many more mdevs of this kind could be made. */
unsigned int slice_room(struct parent *parent, enum type_kind kind);
int slice_create(struct parent *parent, enum type_kind kind, struct slice **ret_slice);
void slice_destroy(struct slice *s);
void slice_put(struct slice *s);
void slice_bereave(struct slice *s, struct hwq *hwq);
bool slice_give_back(struct slice *s, struct hwq *hwq);
bool slice_revive(struct slice *s);
void slice_orphan(struct slice *s, const struct hwq *hwq);
void slice_halt(struct slice *s, const struct hwq *hwq);
void slice_wake(struct slice *s);
bool slice_take_record(struct slice *s, struct watch_record *ret_rec);
void slice_event(struct slice *s, const u64 rec[4]);
bool slice_take_event(struct slice *s, u64 ret_rec[4]);

ssize_t slice_show_wq(struct slice *s, char *buf);
ssize_t slice_show_opener(struct slice *s, char *buf);
ssize_t slice_show_state(struct slice *s, char *buf);
u64 slice_faults(struct slice *s);
int slice_pin(struct slice *s, const char *name);

int slice_watch_own(struct slice *s);
void slice_unwatch_own(struct slice *s);

#define SLICE_MAX_WEIGHT 100u

/* Queues of the guest: a number, or a set with bit n for queue n. */
#define SLICE_ALL_WQS ((1u << VD_MAX_WQS) - 1)

int slice_open(struct slice *s, const struct slice_user *user);
void slice_close(struct slice *s);
int slice_enable(struct slice *s, unsigned int wq, const struct hwq_limits *limits);
void slice_disable(struct slice *s, unsigned int wqs, bool abandon);
int slice_drain(struct slice *s);
int slice_handle(struct slice *s, unsigned int wq, u16 *ret_handle);
void slice_bypass(struct slice *s, unsigned int wq, struct eventfd_ctx *ctx);
void slice_post(struct slice *s, u64 off, const void *desc);
int slice_abort(struct slice *s);

int slice_attach(struct slice *s, struct proxy_domain *pd);
void slice_detach(struct slice *s);

#endif
