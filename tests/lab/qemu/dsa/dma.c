/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory access on behalf of a work, and what a missing translation leads to: a page request when
 * the descriptor and its queue allow blocking, a fault otherwise.
 */
#include "qemu/osdep.h"
#include "hw/misc/idxd-lab.h"
#include "hw/pci/pci_bus.h"
#include "bug.h"

#define PAGE		4096u
#define PAGE_TRIES	64

static uint32_t wq_mode(struct work *w)
{
	return wqcfg(w->d, w->wq)[WQ_MODE];
}

/*
 * Page requests for data need the flag in the descriptor and in the queue.
 * unverified: for the completion record and a batch's list, whose operations cannot carry the flag
 * or whose fault loses the record, it is enough that the queue's page requests are not off.
 */
static bool work_may_block(struct work *w, enum operand which)
{
	if (!pcicfg_pri(w->d) || wq_mode(w) & WQM_PRS_OFF)
		return false;
	if (which == OPND_RECORD || w->opcode == OP_BATCH)
		return true;
	return w->flags & F_BOF && wq_mode(w) & WQM_BOF;
}

static enum step work_fault(struct work *w, uint8_t code, uint64_t addr, bool write,
			    enum operand which)
{
	w->status = code | (write && code != ST_HW_READ ? ST_WRITE : 0);
	w->fault_addr = addr;
	w->operand = which;
	return STEP_DONE;
}

/* Returns the index of a free page request group, or -1. The allocation register is the limit. */
static int prg_get(IdxdLab *d)
{
	unsigned int i;

	if (d->prg_used >= MIN(pcicfg_pri_alloc(d), MAX_PRG))
		return -1;
	for (i = 0; i < MAX_PRG; i++) {
		unsigned int n = (d->prg_next + i) % MAX_PRG;

		if (!d->prg[n]) {
			d->prg_next = n + 1;
			return n;
		}
	}
	return -1;
}

static enum step page_request(struct work *w, uint64_t addr, bool write, enum operand which)
{
	IdxdLab *d = w->d;
	int prg, r;

	/* A page that is made present again and again but never is: give up, as a refusal. */
	if (w->page_addr != addr / PAGE || w->page_write != write)
		w->page_tries = 0;
	w->page_addr = addr / PAGE;
	w->page_write = write;
	if (++w->page_tries > PAGE_TRIES)
		return work_fault(w, ST_PAGE_REFUSED, addr, write, which);

	prg = prg_get(d);
	if (prg < 0) {
		w->page_tries--;
		return STEP_RETRY;
	}
	r = lab_page_request(&d->parent_obj, w->pasid_en ? w->pasid : PCI_NO_PASID, w->priv,
			     addr & ~(uint64_t)(PAGE - 1), write, prg);
	if (r == -EBUSY) {
		w->page_tries--;
		return STEP_RETRY;
	}
	if (r < 0)
		return work_fault(w, ST_FAULT, addr, write, which);

	d->prg[prg] = w;
	d->prg_used++;
	w->prg = prg;
	w->page_operand = which;
	w->fault_addr = addr;
	return STEP_PAGE;
}

/* The IOMMU's software answered; called under the big lock. */
void page_response(void *opaque, uint32_t pasid, uint16_t prgi, int code)
{
	IdxdLab *d = opaque;
	struct work *w;

	if (prgi >= MAX_PRG || !d->prg[prgi])
		return;
	w = d->prg[prgi];
	if (w->pasid_en && w->pasid != pasid)
		return;

	d->prg[prgi] = NULL;
	d->prg_used--;
	if (w->zombie) {
		work_unlink(w);
		work_free(w);
		cmd_kick(d);
		return;
	}
	if (code != LAB_PAGE_RESPONSE_SUCCESS) {
		w->page_failed = true;
		if (w->phase == PHASE_RUN)
			work_fault(w, ST_PAGE_REFUSED, w->fault_addr, w->page_write,
				   w->page_operand);
	}
	work_move(w, ON_READY);
	engine_kick(d);
}

/* Nobody will wait for the responses that abandoned works are still owed. */
void page_forget(IdxdLab *d)
{
	struct work *w, *tmp;

	QTAILQ_FOREACH_SAFE(w, &d->active, all, tmp) {
		if (!w->zombie)
			continue;
		d->prg[w->prg] = NULL;
		d->prg_used--;
		work_unlink(w);
		work_free(w);
	}
}

static enum step work_dma(struct work *w, uint64_t addr, void *buf, uint32_t len, bool write,
			  enum operand which)
{
	IdxdLab *d = w->d;
	bool ats = pcicfg_ats(d) && !(wq_mode(w) & WQM_ATS_OFF);

	while (len) {
		uint32_t n = MIN(len, PAGE - (uint32_t)(addr & (PAGE - 1)));
		uint32_t pasid = w->pasid ^ bug_work(w, BUG_WRONG_PASID);
		int r = lab_dma(&d->parent_obj, w->pasid_en ? pasid : PCI_NO_PASID, w->priv,
				addr, buf, n, write);

		/*
		 * Without ATS nobody tells the device: a read comes back as a hardware error,
		 * unverified: a posted write is just lost.
		 */
		if (r < 0 && !ats && !write)
			return work_fault(w, ST_HW_READ, addr, write, which);
		if (r < 0 && ats && !work_may_block(w, which))
			return work_fault(w, ST_FAULT, addr, write, which);
		if (r < 0 && ats)
			return page_request(w, addr, write, which);

		d->budget -= n;
		addr += n;
		buf = (char *)buf + n;
		len -= n;
	}
	return STEP_OK;
}

enum step work_read(struct work *w, uint64_t addr, void *buf, uint32_t len, enum operand which)
{
	return work_dma(w, addr, buf, len, false, which);
}

enum step work_write(struct work *w, uint64_t addr, const void *buf, uint32_t len,
		     enum operand which)
{
	return work_dma(w, addr, (void *)buf, len, true, which);
}
