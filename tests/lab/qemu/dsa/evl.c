/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that no completion record can carry: the software error register and the event log.
 */
#include "qemu/osdep.h"
#include "hw/misc/idxd-lab.h"
#include "hw/pci/pci_bus.h"
#include "model.h"

/* SWERROR qword 0; a log entry has the same layout without the two lowest bits */
#define ERR_VALID	(1u << 0)
#define ERR_OVERFLOW	(1u << 1)
#define ERR_DESC	(1u << 2)
#define ERR_WQ		(1u << 3)
#define ERR_BATCH	(1u << 4)
#define ERR_WRITE	(1u << 5)
#define ERR_PRIV	(1u << 6)
#define ERR_INFO	(1u << 7)

/* information word of entries that stand for a completion record */
#define INFO_INTERRUPT	(1u << 16)
#define INFO_IMS	(1u << 17)
#define INFO_RECORD	(1u << 18)
#define INFO_FIRST	(1u << 19)

#define EVL_PENDING	(1u << 30)

bool evl_enabled(IdxdLab *d)
{
	return d->evl && reg32(d, R_GENCFG) & GENCFG_EVL;
}

static void swerror(IdxdLab *d, uint64_t head, uint64_t info, uint64_t addr)
{
	if (reg32(d, R_SWERROR) & ERR_VALID) {
		d->regs[R_SWERROR / 4] |= ERR_OVERFLOW;
		return;
	}
	reg64_set(d, R_SWERROR, head | ERR_VALID);
	reg64_set(d, R_SWERROR + 8, info);
	reg64_set(d, R_SWERROR + 16, addr);
	reg64_set(d, R_SWERROR + 24, 0);
	if (reg32(d, R_GENCTRL) & GENCTRL_SWERR)
		irq_misc(d, CAUSE_SWERR);
}

/* Appends one entry; the tail moves only after the entry is in memory. */
static void evl_append(IdxdLab *d, const uint8_t *entry)
{
	uint32_t bytes = d->iaa ? 128 : 64;
	uint64_t base = reg64(d, R_EVLCFG);
	uint32_t size = reg32(d, R_EVLCFG + 8) & 0xffff;
	uint32_t pasid = reg64(d, R_EVLCFG + 8) >> 16 & 0xfffff;
	uint32_t head = reg32(d, R_EVLSTATUS) & 0xffff;
	uint32_t *hi = &d->regs[R_EVLSTATUS / 4 + 1];
	uint32_t tail = *hi & 0xffff;
	uint32_t next = size ? (tail + 1) % size : 0;

	/* GENCAP promises to drop and to say so, rather than to block */
	if (next == head || lab_dma(&d->parent_obj, base & 1 ? pasid : PCI_NO_PASID, base & 2,
				    (base & ~0xfffull) + tail * bytes, (void *)entry, bytes,
				    true) < 0) {
		swerror(d, ER_EVL << 8, 0, 0);
		return;
	}

	*hi = (*hi & ~0xffffu) | next;
	if (reg32(d, R_GENCTRL) & GENCTRL_EVL && !(*hi & EVL_PENDING)) {
		*hi |= EVL_PENDING;
		irq_misc(d, CAUSE_EVL);
	}
}

/*
 * Device and queue errors always go to SWERROR here.
 * unverified: whether an enabled event log takes some of them instead.
 */
void error_device(IdxdLab *d, uint8_t code)
{
	swerror(d, code << 8, 0, 0);
}

void error_wq_full(IdxdLab *d, unsigned int wq, bool priv)
{
	swerror(d, ERR_WQ | (priv ? ERR_PRIV : 0) | ER_WQ_FULL << 8 | wq << 16, 0, 0);
}

static uint64_t error_head(struct work *w, uint8_t code)
{
	uint64_t head = ERR_DESC | ERR_WQ | (uint64_t)ST_CODE(code) << 8 | w->wq << 16 |
			(uint64_t)w->opcode << 32;

	if (w->parent)
		head |= ERR_BATCH;
	if (code & ST_WRITE)
		head |= ERR_WRITE;
	if (w->priv)
		head |= ERR_PRIV;
	if (w->pasid_en)
		head |= (uint64_t)w->pasid << 40;
	return head;
}

static uint8_t batch_id(const struct work *w)
{
	return w->parent ? w->parent->batch_id : w->batch_id;
}

static void error_report_work(struct work *w, uint8_t code, uint32_t info, uint64_t addr,
			      const uint8_t *record)
{
	uint64_t head = error_head(w, code);
	uint16_t index = w->parent ? w->index : 0;
	uint8_t entry[128] = { 0 };

	if (!evl_enabled(w->d)) {
		if (info)
			head |= ERR_INFO;
		swerror(w->d, head, index | (uint64_t)info << 32, addr);
		return;
	}

	if (info)
		head |= ERR_INFO;
	stq_le_p(entry, head | (uint64_t)batch_id(w) << 24);
	stw_le_p(entry + 8, index);
	stl_le_p(entry + 12, info);
	stq_le_p(entry + 16, addr);
	if (record && w->d->iaa)
		memcpy(entry + 64, record, 64);
	else if (record)
		memcpy(entry + 32, record, 32);
	evl_append(w->d, entry);
}

/* An error of a descriptor that has no usable completion record. */
void error_work(struct work *w, uint8_t code, uint32_t info, uint64_t addr)
{
	error_report_work(w, code, info, addr, NULL);
}

/* A completion record that cannot be written, or must not be before one that could not. */
void error_record(struct work *w, uint8_t code)
{
	uint32_t info = w->handle;

	if (w->flags & F_RCI)
		info |= INFO_INTERRUPT;
	if (w->ims)
		info |= INFO_IMS;
	if (w->flags & F_RCR || !(w->status == ST_OK || w->status == ST_FALSE))
		info |= INFO_RECORD;
	if (w->parent && !w->parent->logged)
		info |= INFO_FIRST;
	error_report_work(w, code, info, w->record_addr, w->record);
}
