/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * A virtual DSA or IAA device, seen from its owner.
 *
 * The core keeps what the guest can see (configuration space, BAR0) and decides
 * what a guest access means. It owns no resource: it never allocates, locks,
 * waits, prints or reads a clock. All effects leave through struct vd_ops.
 *
 * Contract
 *  - The owner serialises every call on one struct vd (one mutex per device).
 *    Ops run in the context of that call, with that lock held, after the state
 *    is stored. An op must not call back into the same struct vd, with one
 *    exception: cmd_start() may call vd_cmd_done().
 *  - Guest accesses never fail: a bad one reads as all ones, or is ignored, or
 *    sets the software error, as the device would.
 *  - Only vd_init() returns an error, and only for what the host passed.
 *
 * Section, table and register names in the core's comments are those of the Intel
 * DSA Architecture Specification, revision 3.0.
 */
#ifndef VD_H
#define VD_H

#include "env.h"

struct vd;

/* Sizes of the windows the guest sees. */
#define VD_CONFIG_SIZE	4096u		/* configuration space; no extended capability	*/
#define VD_BAR0_SIZE	8192u		/* registers, MSI-X table and PBA; never mmapped */
#define VD_PORTAL_SIZE	16384u		/* BAR2: four 4 KiB portal pages per work queue	*/

#define VD_MAX_WQS	8u
#define VD_MAX_VECTORS	(VD_MAX_WQS + 1)

/* Where the MSI-X structures are, for an owner that must tell VFIO. */
#define VD_MSIX_BAR	0u
#define VD_MSIX_TABLE	0x800u
#define VD_MSIX_PBA	0xa00u

/* The state fields of GENSTS and WQCFG. */
enum vd_state {
	VD_DISABLED = 0,
	VD_ENABLED = 1,
	VD_BUSY = 2,			/* disable or reset in progress			*/
	VD_HALTED = 3,			/* the device only; a work queue never halts	*/
};

enum vd_kind {
	VD_DSA,
	VD_IAA,
};

/*
 * What the host has, as its registers read it. The core decides what of it the
 * guest may see: nothing here needs to be filtered by the owner, except that
 * opcap is already ANDed with the host work queue's op-config when there is one.
 */
struct vd_caps {
	enum vd_kind kind;
	uint16_t device;		/* PCI device id of the physical function	*/
	uint8_t revision;		/* PCI revision id				*/
	uint8_t nwqs;			/* 1..VD_MAX_WQS				*/
	uint32_t version;		/* VERSION					*/
	uint64_t gencap;		/* GENCAP					*/
	uint64_t wqcap;			/* WQCAP					*/
	uint64_t opcap[4];		/* OPCAP					*/
	uint64_t ext[3];		/* 0x180, 0x188, 0x190 (DSACAP0-2 or IAACAP)	*/
	uint8_t max_xfer_shift;		/* largest transfer is 2^N bytes (type's limit)	*/
	uint8_t max_batch_shift;	/* largest batch is 2^N (type's limit)		*/
	uint8_t read_buffers;		/* GRPCAP total, as shown to the guest		*/
	uint16_t wq_size[VD_MAX_WQS];	/* entries of each host work queue, not 0	*/
};

/* What the guest asked of a work queue; valid while it is enabled or being enabled. */
struct vd_wqcfg {
	uint16_t size;			/* <= vd_caps.wq_size[] for a single queue	*/
	uint16_t threshold;
	bool dedicated;			/* always true for the types that exist		*/
	uint8_t priority;		/* 1..15					*/
	uint8_t max_xfer_shift;		/* <= vd_caps.max_xfer_shift			*/
	uint8_t max_batch_shift;	/* <= vd_caps.max_batch_shift; 0 for IAA	*/
	uint8_t max_sgl_shift;		/* VERSION >= 0x300 only, else 0		*/
	uint64_t opcfg[4];		/* subset of the OPCAP that the guest sees	*/
};

/* Work that only the host can do. One at a time; each ends with vd_cmd_done(). */
enum vd_work {
	VD_WORK_NONE,			/* never handed to cmd_start()			*/
	VD_WORK_ENABLE,			/* enable the one queue in @wqs, show its portal */
	VD_WORK_DISABLE,		/* hide portals, finish what was accepted, disable */
	VD_WORK_DRAIN,			/* wait for what was accepted; queues stay enabled */
	VD_WORK_ABORT,			/* may abandon; queues stay enabled		*/
	VD_WORK_RESET,			/* hide portals, abandon, disable		*/
	VD_WORK_RESET_ALL,		/* as RESET, and all handles are void (@wqs may be 0) */
	VD_WORK_GET_HANDLE,		/* result: completion handle for @vector (>= 1)	*/
	VD_WORK_PUT_HANDLE,		/* @vector's handle is void; the guest spins	*/
					/* meanwhile, so complete it from cmd_start()	*/
	VD_WORK_MAX,
};

struct vd_cmd {
	uint32_t seq;			/* to be handed back to vd_cmd_done()		*/
	enum vd_work work;
	uint8_t code;			/* the guest's command code, for tracing	*/
	uint16_t vector;
	uint32_t wqs;			/* bit n: work queue n. All of them were enabled, */
					/* except for VD_WORK_ENABLE			*/
};

/* Errors of the specification that an owner may return in CMDSTS. */
#define VD_CMD_OK		0x00
#define VD_CMD_HWERR		0x03	/* host failed or timed out			*/
#define VD_CMD_NOHANDLE		0x42

enum vd_stop {
	VD_STOP_HALT,			/* device halted: no more DMA or interrupts	*/
	VD_STOP_RESET,			/* function level reset: also, handles are void	*/
};

struct vd_ops {
	/* Starts @cmd in a worker. Exactly one vd_cmd_done(cmd->seq) must follow. */
	void (*cmd_start)(void *priv, const struct vd_cmd *cmd);
	/*
	 * Abandon and disable all queues, hide all portals. May be asynchronous, but
	 * takes effect before any command started later. A command in flight is no
	 * longer waited for; its vd_cmd_done() is ignored.
	 */
	void (*stop)(void *priv, enum vd_stop why);
	/* Send @vector to the guest now. Only called while the vector is open. */
	void (*irq)(void *priv, unsigned int vector);
	/*
	 * Vector @vector (>= 1) may (@open) or may not be sent from now on: mask or
	 * unmask the physical interrupt behind it. All are closed at the start.
	 */
	void (*irq_gate)(void *priv, unsigned int vector, bool open);
};

/* ---- host side ------------------------------------------------------------ */

/*
 * Makes a device in its power-on state. @caps is copied, @ops is kept.
 * 0, or -EINVAL when @caps describes no possible device or @ops has a hole.
 */
int vd_init(struct vd *d, const struct vd_caps *caps, const struct vd_ops *ops, void *priv);

/* Function level reset, as if the guest had asked for it (VFIO_DEVICE_RESET). */
void vd_reset(struct vd *d);

/* The host device halted or went away: the guest must see Halt and ask for an FLR. */
void vd_halt(struct vd *d);

/*
 * A software error of the host for one of our queues. The record has the
 * specification's layout with the *guest's* queue index; PASID and privilege
 * are removed here.
 */
void vd_swerr(struct vd *d, const uint64_t rec[4]);

/* Ends command @seq. @result is a handle and is ignored for every other work. */
void vd_cmd_done(struct vd *d, uint32_t seq, uint8_t error, uint16_t result);

/*
 * The VMM connected an eventfd to a vector, or took it away. VMMs trap the MSI-X
 * table and never write it, so this is what unmasks an entry, exactly as
 * vfio-pci does for a physical one.
 */
void vd_irq_connect(struct vd *d, unsigned int vector, bool on);

/*
 * An interrupt for @vector: sent if the vector is open, else latched in the PBA.
 * For completion vectors this is only needed when the fast path could not send.
 */
void vd_irq_pending(struct vd *d, unsigned int vector);

unsigned int vd_wqs(const struct vd *d);
unsigned int vd_vectors(const struct vd *d);			/* vd_wqs() + 1 */
uint64_t vd_bar_size(const struct vd *d, unsigned int bar);	/* 0: no such BAR */
enum vd_state vd_state(const struct vd *d);
enum vd_state vd_wq_state(const struct vd *d, unsigned int wq);
bool vd_irq_open(const struct vd *d, unsigned int vector);
void vd_wq_cfg(const struct vd *d, unsigned int wq, struct vd_wqcfg *ret_cfg);

/* ---- migration -------------------------------------------------------------- */

#define VD_IMAGE_SIZE	3208u

/* Why an image is refused; the numbers are Linux's. */
#define VD_IMAGE_BUSY		(-16)	/* EBUSY: a command is active			*/
#define VD_IMAGE_FOREIGN	(-22)	/* EINVAL: it is none				*/
#define VD_IMAGE_TRUNCATED	(-61)	/* ENODATA					*/
#define VD_IMAGE_LARGER		(-27)	/* EFBIG					*/
#define VD_IMAGE_NEWER		(-93)	/* EPROTONOSUPPORT: a later version		*/
#define VD_IMAGE_CORRUPT	(-74)	/* EBADMSG: size or checksum			*/
#define VD_IMAGE_CAPS		(-18)	/* EXDEV: of a device with other capabilities	*/
#define VD_IMAGE_STATE		(-84)	/* EILSEQ: no guest could have brought it about	*/

/*
 * A paused device accepts no command and sends no interrupt, which is latched
 * instead. The rest of it answers. A command in flight ends as usual.
 */
void vd_pause(struct vd *d, bool on);

/* Writes VD_IMAGE_SIZE bytes. 0 or VD_IMAGE_BUSY. */
int vd_save(const struct vd *d, void *ret_image);

/*
 * Makes @d the device that was saved, or leaves it as it was. The owner has disabled
 * all queues before; after it, and before the guest runs, it enables those that
 * vd_wq_state() says are enabled. The guest is told that its handles were revoked.
 * @spare is scratch memory. 0, or what is wrong with the image, VD_IMAGE_*.
 */
int vd_restore(struct vd *d, struct vd *spare, const void *image, size_t len);

/* What vd_restore() would say of an image, to who wants to know before it is its turn. */
int vd_image_check(const struct vd *d, struct vd *spare, const void *image, size_t len);

/* ---- guest side: any offset, any length, never fails ----------------------- */

void vd_config_read(struct vd *d, uint32_t off, void *buf, uint32_t len);
void vd_config_write(struct vd *d, uint32_t off, const void *buf, uint32_t len);
void vd_bar0_read(struct vd *d, uint32_t off, void *buf, uint32_t len);
void vd_bar0_write(struct vd *d, uint32_t off, const void *buf, uint32_t len);

/* ---- the object: public only so that it can be embedded -------------------- */

#define VD_CONFIG_REGS	256u		/* bytes of configuration space with registers	*/
#define VD_BAR0_REGS	0xb00u		/* bytes of BAR0 with registers			*/

struct vd {
	struct vd_caps caps;		/* already limited to what the guest may see	*/
	const struct vd_ops *ops;
	void *priv;

	uint8_t config[VD_CONFIG_REGS];
	uint8_t bar0[VD_BAR0_REGS];

	struct vd_cmd cmd;		/* the active command, while CMDSTS says so	*/
	bool cmd_irq;			/* ... and the guest wants an interrupt for it	*/
	uint32_t cmd_wqs;		/* queues it named, enabled or not		*/
	enum vd_state cmd_from;		/* device state to go back to when it fails	*/
	uint32_t seq;
	uint32_t cause_later;		/* INTCAUSE bits that must wait for another	*/
	uint16_t connected;		/* bit v: vector v has an eventfd		*/
	uint16_t open;			/* bit v: vector v may be sent (as last told)	*/
	uint16_t live;			/* bit v: vector v has a handle			*/
	uint16_t handle[VD_MAX_VECTORS];
	bool paused;			/* no commands, no interrupts			*/
};

#endif
