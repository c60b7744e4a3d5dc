// SPDX-License-Identifier: GPL-2.0-only
/*
 * One host work queue. To idxd and to everybody in sysfs it reads `enabled`
 * from bind to unbind, so that nobody can give it another mode, group or name;
 * in hardware it is enabled only while the guest that holds it says so.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "cmd.h"
#include "consumer.h"
#include "core/vd.h"
#include "hwq.h"
#include "layout.h"
#include "log.h"
#include "turn.h"

/* What idxd itself leaves behind in a queue that it disabled. */
#define DEFAULT_MAX_XFER	(2u << 20)
#define DEFAULT_MAX_BATCH	32u

#define ENABLE_TRIES		8u

const struct hwq_limits hwq_no_limits = { .max_xfer_shift = 31, .max_batch_shift = 15 };

static struct device *hwq_dev(const struct hwq *hwq)
{
	return &hwq->wq->idxd_dev.conf_dev;
}

const char *hwq_name(const struct hwq *hwq)
{
	return dev_name(hwq_dev(hwq));
}

static void __iomem *hwq_regs(const struct hwq *hwq)
{
	return (void __iomem __force *)hwq->wq->idxd->reg_base;
}

static void __iomem *hwq_wqcfg_at(const struct hwq *hwq, unsigned int dword)
{
	const struct idxd_device *idxd = hwq->wq->idxd;

	return hwq_regs(hwq) + idxd->wqcfg_offset + hwq->wq->id * idxd->wqcfg_size +
	       dword * sizeof(u32);
}

static u32 hwq_wqcfg(const struct hwq *hwq, unsigned int dword)
{
	return ioread32(hwq_wqcfg_at(hwq, dword));
}

static u64 hwq_wqcap(const struct hwq *hwq)
{
	return ioread64(hwq_regs(hwq) + REG_WQCAP);
}

static u32 hwq_mask(const struct hwq *hwq)
{
	return cmd_wq_mask(hwq->wq->id);
}

static void hwq_save(struct hwq *hwq)
{
	struct hwq_config *c = &hwq->config;
	const struct idxd_wq *wq = hwq->wq;

	c->max_xfer_bytes = wq->max_xfer_bytes;
	c->max_batch_size = wq->max_batch_size;
	c->size = wq->size;
}

/*
 * idxd has a copy of each queue's WQCFG, which it ORs with the hardware's values
 * and writes whenever it enables any queue of the device. So the PASID is taken
 * out of that copy, by mask, whenever the queue is not enabled; and out of the
 * hardware, where idxd may have put it again since the reset. While the queue is
 * enabled the hardware ignores that write.
 */
static void hwq_clear_shadow(struct hwq *hwq)
{
	struct idxd_device *idxd = hwq->wq->idxd;
	u32 *shadow = (u32 *)hwq->wq->wqcfg;

	spin_lock(&idxd->dev_lock);
	shadow[WQCFG_CONTROL] &= ~(WQCFG_PASID | WQCFG_PASID_EN | WQCFG_PRIV | WQCFG_BOF);
	iowrite32(shadow[WQCFG_CONTROL], hwq_wqcfg_at(hwq, WQCFG_CONTROL));
	spin_unlock(&idxd->dev_lock);
}

/* log2 of the largest gather list; the field is reserved in devices without lists. */
static u32 hwq_sgl_shift(const struct hwq *hwq)
{
#ifdef LAYOUT_HAS_IDXD_WQ_MAX_SGL_SIZE
	const void __iomem *regs = hwq_regs(hwq);

	if (ioread32(regs + REG_VERSION) >= VERSION_SGL &&
	    FIELD_GET(DSACAP0_SGL_FORMATS, ioread64(regs + REG_EXTCAP)) && hwq->wq->max_sgl_size)
		return ilog2(hwq->wq->max_sgl_size);
#endif
	return 0;
}

/*
 * A page request of a guest is never granted. It only makes the device wait for the
 * host's answer, and whoever waits for the device. So they are switched off where
 * that is possible, which takes an event log for the records that are lost.
 */
static bool hwq_disables_prs(const struct hwq *hwq)
{
	return (hwq_wqcap(hwq) & WQCAP_PRS) && log_is_on(hwq->wq->idxd);
}

static u32 hwq_limits_word(const struct hwq *hwq, const struct hwq_limits *limits)
{
	const struct hwq_config *c = &hwq->config;

	return FIELD_PREP(WQCFG_MAX_XFER, min_t(u32, ilog2(c->max_xfer_bytes),
						limits->max_xfer_shift)) |
	       FIELD_PREP(WQCFG_MAX_BATCH, min_t(u32, ilog2(c->max_batch_size),
						 limits->max_batch_shift)) |
	       FIELD_PREP(WQCFG_MAX_SGL, hwq_sgl_shift(hwq));
}

/*
 * Writes the queue's WQCFG, to the hardware and to idxd's copy. Not through
 * idxd_drv_enable_wq(): that configures every queue of the device, and refuses
 * as soon as the host left one of its own unconfigured.
 */
static void hwq_write_wqcfg(struct hwq *hwq, ioasid_t pasid, const struct hwq_limits *limits)
{
	const struct hwq_config *c = &hwq->config;
	const struct idxd_wq *wq = hwq->wq;
	struct idxd_device *idxd = wq->idxd;
	u32 *shadow = (u32 *)wq->wqcfg;
	unsigned int i, n;

	spin_lock(&idxd->dev_lock);
	memset(shadow, 0, idxd->wqcfg_size);
	shadow[WQCFG_SIZE] = c->size;
	shadow[WQCFG_CONTROL] = FIELD_PREP(WQCFG_PRIORITY, wq->priority) |
				FIELD_PREP(WQCFG_PASID, pasid) | WQCFG_PASID_EN;
	if (hwq_is_shared(hwq))
		shadow[WQCFG_THRESHOLD] = wq->threshold;
	else
		shadow[WQCFG_CONTROL] |= WQCFG_MODE;
	if (test_bit(WQ_FLAG_ATS_DISABLE, &wq->flags))
		shadow[WQCFG_CONTROL] |= WQCFG_ATS_DISABLE;
	if (hwq_disables_prs(hwq))
		shadow[WQCFG_CONTROL] |= WQCFG_PRS_DISABLE;
	shadow[WQCFG_LIMITS] = hwq_limits_word(hwq, limits);
	n = WQCFG_STATUS;
	if (wq->opcap_bmap && (hwq_wqcap(hwq) & WQCAP_OPCFG)) {
		memcpy(shadow + WQCFG_OPCFG, wq->opcap_bmap, WQCFG_OPCFG_SIZE);
		n = WQCFG_OPCFG + WQCFG_OPCFG_SIZE / sizeof(u32);
	}
	for (i = 0; i < n; i++)
		if (i != WQCFG_STATUS)
			iowrite32(shadow[i], hwq_wqcfg_at(hwq, i));
	spin_unlock(&idxd->dev_lock);
}

/* wq_lock. Why @wq cannot be handed to a guest, or NULL. */
static const char *hwq_objection(const struct idxd_wq *wq)
{
	if (wq->idxd->state != IDXD_DEV_ENABLED)
		return "its device is disabled; enable the device first";
	if (!test_bit(IDXD_FLAG_CONFIGURABLE, &wq->idxd->flags))
		return "its device has a fixed configuration, so no PASID can be set";
	if (wq->type != IDXD_WQT_USER)
		return "its type is not `user`";
	if (!test_bit(WQ_FLAG_DEDICATED, &wq->flags)) {
		if (!boot_cpu_has(X86_FEATURE_ENQCMD))
			return "its mode is `shared`, and this processor has no ENQCMDS; make it `dedicated`";
		if (!wq->threshold || wq->threshold > wq->size)
			return "its mode is `shared`, and its threshold is not 1 to its size; write to `threshold`";
	}
	if (test_bit(WQ_FLAG_BLOCK_ON_FAULT, &wq->flags))
		return "block_on_fault is on, a guest could stall the engine; write 0 to it";
	if (!wq->size || !wq->group)
		return "it has no entries or no group; set `size` and `group_id`";
	if (!wq->name[0])
		return "it has no name";
	if (!wq->priority && (ioread64((void __iomem __force *)wq->idxd->reg_base + REG_WQCAP) &
			      WQCAP_PRIORITY))
		return "its priority is 0, which the device refuses; write 1 to 15 to `priority`";
	return NULL;
}

static void hwq_end_sharing(struct hwq *hwq)
{
	if (hwq->consumer)
		consumer_destroy(hwq->consumer);
	if (hwq->turns)
		turns_destroy(hwq->turns);
}

/*
 * Takes a queue for the pool. In-tree idxd queues work on wq->wq for event-log
 * entries of any queue, which only its own `user` driver provides: without one
 * a guest's fault would dereference NULL.
 */
struct hwq *hwq_bind(struct idxd_wq *wq)
{
	struct device *dev = &wq->idxd_dev.conf_dev;
	const char *why;
	struct hwq *hwq;
	int r;

	hwq = kzalloc(sizeof(*hwq), GFP_KERNEL);
	if (!hwq)
		return ERR_PTR(-ENOMEM);
	hwq->wq = wq;
	INIT_LIST_HEAD(&hwq->node);
	INIT_LIST_HEAD(&hwq->sharers);
	watch_setup(&hwq->watch, NULL);
	r = watch_attach(&hwq->watch, hwq);
	if (r < 0) {
		kfree(hwq);
		return ERR_PTR(r);
	}
	if (test_bit(WQ_FLAG_DEDICATED, &wq->flags))
		r = turns_create(hwq, &hwq->turns);
	else
		r = consumer_create(hwq, &hwq->consumer);
	if (r < 0) {
		watch_detach(&hwq->watch);
		watch_settle(&hwq->watch);
		kfree(hwq);
		return ERR_PTR(r);
	}

	mutex_lock(&wq->wq_lock);
	why = hwq_objection(wq);
	if (!why && wq->state != IDXD_WQ_DISABLED)
		why = "it is enabled";
	if (why) {
		dev_err(dev, "cannot serve mdevs: %s\n", why);
		r = -EINVAL;
		goto refuse;
	}
	/* a hardware queue that is not disabled now is somebody else's */
	if (FIELD_GET(WQCFG_STATE, hwq_wqcfg(hwq, WQCFG_STATUS)) != WQCFG_STATE_DISABLED) {
		dev_err(dev, "cannot serve mdevs: its hardware is enabled although idxd says not; disable its device and enable it again\n");
		r = -EBUSY;
		goto refuse;
	}
	hwq->faults = alloc_workqueue("idxd_mdev-%s", WQ_UNBOUND, 1, dev_name(dev));
	if (!hwq->faults) {
		r = -ENOMEM;
		goto refuse;
	}
	hwq_save(hwq);
	hwq_clear_shadow(hwq);
	wq->wq = hwq->faults;
	wq->state = IDXD_WQ_ENABLED;
	/* so that idxd's recovery from a halt saves and restores what the host configured */
	set_bit(wq->id, wq->idxd->wq_enable_map);
	mutex_unlock(&wq->wq_lock);
	return hwq;

refuse:
	mutex_unlock(&wq->wq_lock);
	hwq_end_sharing(hwq);
	watch_detach(&hwq->watch);
	watch_settle(&hwq->watch);
	kfree(hwq);
	return ERR_PTR(r);
}

/* Nobody holds the queue any more; leaves it as idxd leaves a disabled one. */
void hwq_unbind(struct hwq *hwq)
{
	struct idxd_wq *wq = hwq->wq;
	struct idxd_device *idxd = wq->idxd;
	bool running = false;
	unsigned int i;

	watch_detach(&hwq->watch);
	watch_settle(&hwq->watch);
	hwq_end_sharing(hwq);
	mutex_lock(&wq->wq_lock);
	if (idxd->state == IDXD_DEV_ENABLED)
		running = cmd_exec(idxd, CMD_RESET_WQ, hwq_mask(hwq), NULL) < 0;

	/*
	 * After this no event-log entry of the queue is being handled. Without the
	 * lock, which idxd's thread takes when the device halts; the driver core's
	 * lock of the queue keeps it ours.
	 */
	mutex_unlock(&wq->wq_lock);
	synchronize_irq(pci_irq_vector(idxd->pdev, 0));
	mutex_lock(&wq->wq_lock);
	if (running) {
		/* its events may come until the device is reset; idxd must find what it needs */
		dev_err(hwq_dev(hwq), "is let go without a reset; disable its device\n");
		fault_trap_leave(&hwq->trap);
	} else {
		wq->wq = NULL;
		drain_workqueue(hwq->faults);
		destroy_workqueue(hwq->faults);
		fault_trap_clear(&hwq->trap);
	}

	spin_lock(&idxd->dev_lock);
	memset(wq->wqcfg, 0, idxd->wqcfg_size);
	if (idxd->state == IDXD_DEV_ENABLED)
		iowrite32(0, hwq_wqcfg_at(hwq, WQCFG_CONTROL));
	spin_unlock(&idxd->dev_lock);
	if (wq->opcap_bmap && idxd->state == IDXD_DEV_ENABLED)
		for (i = 0; i < WQCFG_OPCFG_SIZE / sizeof(u64); i++)
			wq->opcap_bmap[i] = ioread64(hwq_regs(hwq) + REG_OPCAP + i * sizeof(u64));
	memset(wq->name, 0, sizeof(wq->name));
	wq->type = IDXD_WQT_NONE;
	wq->threshold = 0;
	wq->priority = 0;
	clear_bit(WQ_FLAG_DEDICATED, &wq->flags);
	clear_bit(WQ_FLAG_ATS_DISABLE, &wq->flags);
	clear_bit(WQ_FLAG_PRS_DISABLE, &wq->flags);
	wq->max_xfer_bytes = DEFAULT_MAX_XFER;
	wq->max_batch_size = idxd->idxd_dev.type == IDXD_DEV_IAX ? 1 : DEFAULT_MAX_BATCH;
	clear_bit(wq->id, idxd->wq_enable_map);
	wq->state = IDXD_WQ_DISABLED;
	mutex_unlock(&wq->wq_lock);
	kfree(hwq);
}

/* Is the queue still what was bound? idxd clears it when its device is disabled. */
bool hwq_is_usable(const struct hwq *hwq)
{
	bool ok;

	mutex_lock(&hwq->wq->wq_lock);
	ok = !hwq_objection(hwq->wq) && hwq->wq->state == IDXD_WQ_ENABLED &&
	     hwq->wq->size == hwq->config.size &&
	     hwq_is_shared(hwq) != test_bit(WQ_FLAG_DEDICATED, &hwq->wq->flags);
	mutex_unlock(&hwq->wq->wq_lock);
	return ok;
}

/*
 * Does the device of a bound queue still run, as far as one sees without
 * waiting? Not after a halt or a reset, nor after idxd's recovery from one,
 * which clears what it was told.
 */
bool hwq_is_alive(const struct hwq *hwq)
{
	return READ_ONCE(hwq->wq->idxd->state) == IDXD_DEV_ENABLED &&
	       READ_ONCE(hwq->wq->state) == IDXD_WQ_ENABLED &&
	       FIELD_GET(GENSTS_STATE, ioread32(hwq_regs(hwq) + REG_GENSTS)) == GENSTS_ENABLED;
}

/* As it was bound. */
bool hwq_is_shared(const struct hwq *hwq)
{
	return hwq->consumer;
}

/* Of a shared queue the guest sees @nwqs dedicated ones, of one entry each. */
void hwq_caps(const struct hwq *hwq, unsigned int nwqs, struct vd_caps *ret_caps)
{
	const struct idxd_device *idxd = hwq->wq->idxd;
	const void __iomem *regs = hwq_regs(hwq);
	unsigned int i;

	memset(ret_caps, 0, sizeof(*ret_caps));
	ret_caps->kind = idxd->idxd_dev.type == IDXD_DEV_IAX ? VD_IAA : VD_DSA;
	ret_caps->device = idxd->pdev->device;
	ret_caps->revision = idxd->pdev->revision;
	ret_caps->nwqs = nwqs;
	ret_caps->version = ioread32(regs + REG_VERSION);
	ret_caps->gencap = ioread64(regs + REG_GENCAP);
	ret_caps->wqcap = ioread64(regs + REG_WQCAP);
	for (i = 0; i < ARRAY_SIZE(ret_caps->opcap); i++) {
		ret_caps->opcap[i] = ioread64(regs + REG_OPCAP + i * 8);
		if ((ret_caps->wqcap & WQCAP_OPCFG) && hwq->wq->opcap_bmap)
			ret_caps->opcap[i] &= hwq->wq->opcap_bmap[i];
	}
	for (i = 0; i < ARRAY_SIZE(ret_caps->ext); i++)
		ret_caps->ext[i] = ioread64(regs + REG_EXTCAP + i * 8);
	ret_caps->max_xfer_shift = ilog2(hwq->config.max_xfer_bytes);
	ret_caps->max_batch_shift = ilog2(hwq->config.max_batch_size);
	ret_caps->read_buffers = FIELD_GET(GRPCAP_BUFFERS, ioread64(regs + REG_GRPCAP));
	for (i = 0; i < nwqs; i++)
		ret_caps->wq_size[i] = hwq_is_shared(hwq) ? 1 : hwq->config.size;
	/* what a batch of this version is made of nobody can check, as idxd knows too */
	if (hwq_is_shared(hwq) && ret_caps->kind == VD_DSA && ret_caps->version == VERSION_DSA1)
		ret_caps->opcap[0] &= ~OPCAP0_BATCH;
}

unsigned long hwq_portal_pfn(const struct hwq *hwq, unsigned int page)
{
	return PHYS_PFN(pci_resource_start(hwq->wq->idxd->pdev, PORTAL_BAR) +
			hwq->wq->id * PORTAL_STRIDE) + page;
}

/* wq_lock, queue enabled in hardware. */
static void hwq_disable_locked(struct hwq *hwq)
{
	struct idxd_device *idxd = hwq->wq->idxd;

	cmd_exec(idxd, CMD_DRAIN_WQ, hwq_mask(hwq), NULL);
	watch_look(&hwq->watch);
	hwq->enabled = cmd_exec(idxd, CMD_RESET_WQ, hwq_mask(hwq), NULL) < 0;
	if (hwq->enabled)
		dev_err_ratelimited(hwq_dev(hwq),
				    "was not reset and may still run; reset its device\n");
	hwq_clear_shadow(hwq);
}

/*
 * wq_lock. What the hardware holds afterwards decides: anything but this PASID, user
 * privilege, no blocking on faults, no page requests and the guest's limits is undone,
 * with -EAGAIN. That happens when idxd, enabling another queue of the device, writes
 * this one's WQCFG from its own view in between.
 */
static int hwq_enable_once(struct hwq *hwq, ioasid_t pasid, const struct hwq_limits *limits)
{
	const u32 prs = hwq_disables_prs(hwq) ? WQCFG_PRS_DISABLE : 0;
	const u32 mode = hwq_is_shared(hwq) ? 0 : WQCFG_MODE;
	const u32 want = FIELD_PREP(WQCFG_PASID, pasid) | WQCFG_PASID_EN | mode | prs;
	const u32 mask = want | WQCFG_MODE | WQCFG_PASID | WQCFG_PRIV | WQCFG_BOF;
	struct idxd_device *idxd = hwq->wq->idxd;
	const u32 caps = hwq_limits_word(hwq, limits);
	u32 control, state;
	int r;

	/* a PASID left in the hardware would be ORed with ours: another address space */
	hwq_clear_shadow(hwq);
	r = cmd_exec(idxd, CMD_RESET_WQ, hwq_mask(hwq), NULL);
	if (r < 0)
		return r;
	if (hwq_wqcfg(hwq, WQCFG_CONTROL) & (WQCFG_PASID | WQCFG_PASID_EN)) {
		dev_err_ratelimited(hwq_dev(hwq), "not enabled: keeps PASID %u after a reset\n",
				    (u32)FIELD_GET(WQCFG_PASID, hwq_wqcfg(hwq, WQCFG_CONTROL)));
		return -EIO;
	}

	hwq_write_wqcfg(hwq, pasid, limits);
	/* one of several listens for itself */
	watch_start(&hwq->watch, READ_ONCE(hwq->slice) ? pasid : 0);
	r = cmd_exec(idxd, CMD_ENABLE_WQ, hwq->wq->id, NULL);
	if (r < 0) {
		dev_dbg(hwq_dev(hwq), "the device did not enable it: %d\n", r);
		hwq->enabled = cmd_exec(idxd, CMD_RESET_WQ, hwq_mask(hwq), NULL) < 0;
		hwq_clear_shadow(hwq);
		return r;
	}

	control = hwq_wqcfg(hwq, WQCFG_CONTROL);
	state = FIELD_GET(WQCFG_STATE, hwq_wqcfg(hwq, WQCFG_STATUS));
	if ((control & mask) != want || state != WQCFG_STATE_ENABLED ||
	    ((hwq_wqcfg(hwq, WQCFG_LIMITS) ^ caps) & (WQCFG_MAX_XFER | WQCFG_MAX_BATCH))) {
		dev_dbg(hwq_dev(hwq), "disabled again: reads %#010x in state %u, not PASID %u\n",
			control, state, pasid);
		hwq_disable_locked(hwq);
		return hwq->enabled ? -EIO : -EAGAIN;
	}
	hwq->enabled = true;
	watch_check(&hwq->watch);	/* it may have halted before that */
	return 0;
}

int hwq_enable(struct hwq *hwq, ioasid_t pasid, const struct hwq_limits *limits)
{
	struct idxd_wq *wq = hwq->wq;
	unsigned int tries = ENABLE_TRIES;
	const char *why;
	int r;

	mutex_lock(&wq->wq_lock);
	why = hwq_objection(wq);
	if (!why && wq->state != IDXD_WQ_ENABLED)
		why = "idxd disabled it; unbind it from mdev and bind it again";
	if (!why && wq->size != hwq->config.size)
		why = "its size was changed";
	if (why) {
		dev_dbg(hwq_dev(hwq), "not enabled: %s\n", why);
		r = -ENXIO;
		goto out;
	}

	/* without it idxd is loud about the guest's faults, and nothing worse */
	if (READ_ONCE(hwq->slice))
		fault_trap_set(&hwq->trap, wq, pasid);
	do {
		r = hwq_enable_once(hwq, pasid, limits);
	} while (r == -EAGAIN && --tries);
	if (r == -EAGAIN) {
		dev_err_ratelimited(hwq_dev(hwq), "not enabled: its configuration does not stay\n");
		r = -EIO;
	}
out:
	mutex_unlock(&wq->wq_lock);
	return r;
}

void hwq_disable(struct hwq *hwq)
{
	if (!hwq->enabled)
		return;
	mutex_lock(&hwq->wq->wq_lock);
	hwq_disable_locked(hwq);
	mutex_unlock(&hwq->wq->wq_lock);
	flush_workqueue(hwq->faults);
}

/* The queue is disabled and its PASID drained: idxd works off what it logged of it. */
void hwq_forget(struct hwq *hwq)
{
	if (hwq->enabled)
		return;
	synchronize_irq(pci_irq_vector(hwq->wq->idxd->pdev, 0));
	flush_workqueue(hwq->faults);
	fault_trap_clear(&hwq->trap);
}

/* What the device logged for the commands' sake is known before they end. */
static int hwq_command(struct hwq *hwq, enum cmd_code code)
{
	int r;

	if (!hwq->enabled)
		return 0;
	r = cmd_exec(hwq->wq->idxd, code, hwq_mask(hwq), NULL);
	watch_look(&hwq->watch);
	return r;
}

int hwq_drain(struct hwq *hwq)
{
	return hwq_command(hwq, CMD_DRAIN_WQ);
}

int hwq_abort(struct hwq *hwq)
{
	return hwq_command(hwq, CMD_ABORT_WQ);
}
