// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapped portal page always has something behind it: the host portal while
 * the queue is enabled, a page of ours otherwise. Hardware drops stores to a
 * disabled queue's portal; a fault handler that fails instead stops the VM.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "compat.h"
#include "regs.h"
#include "region.h"
#include "slice.h"

#define PORTAL_OFFSET	((loff_t)VFIO_PCI_BAR2_REGION_INDEX << VFIO_PCI_OFFSET_SHIFT)
#define PORTAL_BASE	(PORTAL_OFFSET >> PAGE_SHIFT)
#define PORTAL_WQ_PAGES	(PORTAL_STRIDE >> PAGE_SHIFT)

int portal_init(struct portal *p, unsigned int nwqs)
{
	mutex_init(&p->lock);
	init_waitqueue_head(&p->changed);
	p->nwqs = nwqs;
	p->sink = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return p->sink ? 0 : -ENOMEM;
}

void portal_free(struct portal *p)
{
	__free_page(p->sink);
}

void portal_open(struct portal *p, struct address_space *mapping)
{
	mutex_lock(&p->lock);
	/* what its last user stored while the queue was disabled */
	clear_page(page_address(p->sink));
	p->mapping = mapping;
	mutex_unlock(&p->lock);
}

/*
 * Takes every PTE out, of processes and of KVM; the next access faults again.
 * KVM makes a PTE present and then looks it up, with mmap_lock held for reading,
 * and stops the VM when the PTE is gone again in between. So nothing is taken
 * out while the VMM's mmap_lock is held.
 */
static void portal_zap(struct address_space *mapping, struct mm_struct *mm, unsigned int wq)
{
	if (mm)
		mmap_write_lock(mm);
	unmap_mapping_range(mapping, PORTAL_OFFSET + wq * PORTAL_STRIDE, PORTAL_PAGES * PAGE_SIZE,
			    true);
	if (mm)
		mmap_write_unlock(mm);
}

/*
 * What a fault inserts is decided under the lock, so once it is dropped only
 * PTEs of the old kind are left, and the zap gets them all. @to is NULL when
 * nothing else is to be shown: the next store shall fault again.
 */
static void portal_switch(struct portal *p, unsigned int wq, const struct window *to)
{
	struct address_space *mapping = NULL;
	enum window_show was;
	unsigned int changes;
	struct mm_struct *mm = NULL;

	mutex_lock(&p->lock);
	was = p->windows[wq].show;
	if (was != WINDOW_WAITS && (!to || was != to->show))
		mapping = p->mapping;
	if (mapping && p->mm && mmget_not_zero(p->mm))
		mm = p->mm;
	if (to) {
		changes = p->windows[wq].changes + 1;
		p->windows[wq] = *to;
		WRITE_ONCE(p->windows[wq].changes, changes);
	}
	mutex_unlock(&p->lock);
	if (was == WINDOW_WAITS)
		wake_up_all(&p->changed);
	if (mapping)
		portal_zap(mapping, mm, wq);
	if (mm)
		mmput(mm);
}

void portal_show(struct portal *p, unsigned int wq, unsigned long pfn, unsigned int step)
{
	portal_switch(p, wq, &(struct window) { .show = WINDOW_SHOWN, .pfn = pfn, .step = step });
}

void portal_park(struct portal *p, unsigned int wq)
{
	portal_switch(p, wq, &(struct window) { .show = WINDOW_WAITS });
}

void portal_hide(struct portal *p, unsigned int wq)
{
	portal_switch(p, wq, &(struct window) { });
}

void portal_clear(struct portal *p, unsigned int wq)
{
	portal_switch(p, wq, NULL);
}

bool portal_is_shown(struct portal *p, unsigned int wq)
{
	bool shown;

	mutex_lock(&p->lock);
	shown = p->windows[wq].show == WINDOW_SHOWN;
	mutex_unlock(&p->lock);
	return shown;
}

void portal_close(struct portal *p)
{
	struct mm_struct *mm;
	unsigned int wq;

	for (wq = 0; wq < p->nwqs; wq++)
		portal_hide(p, wq);
	mutex_lock(&p->lock);
	mm = p->mm;
	p->mm = NULL;
	p->mapping = NULL;
	mutex_unlock(&p->lock);
	if (mm)
		mmdrop(mm);
}

/* A second process that maps the portal and runs a VM on it is not cared for. */
static void portal_mapped_by(struct portal *p, struct mm_struct *mm)
{
	mmgrab(mm);
	mutex_lock(&p->lock);
	swap(p->mm, mm);
	mutex_unlock(&p->lock);
	if (mm)
		mmdrop(mm);
}

static bool fault_may_wait(const struct vm_fault *vmf)
{
	return fault_flag_allow_retry_first(vmf->flags) && !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT);
}

/*
 * Without any lock of the VMM's, until the window changed or a signal comes; the store
 * is repeated then. The file keeps the portal, and this module.
 */
static vm_fault_t portal_wait(struct vm_fault *vmf, struct portal *p, const struct window *w,
			      unsigned int changes)
{
	struct file *file;

	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (!fault_may_wait(vmf))
		return VM_FAULT_SIGBUS;	/* no store of a CPU */
	file = get_file(vmf->vma->vm_file);
	release_fault_lock(vmf);
	wait_event_interruptible(p->changed, READ_ONCE(w->changes) != changes);
	fput(file);
	return VM_FAULT_NOPAGE | VM_FAULT_COMPLETED;
}

static vm_fault_t portal_fault(struct vm_fault *vmf)
{
	struct slice *s = vmf->vma->vm_private_data;
	struct portal *p = &s->portal;
	unsigned long page = vmf->pgoff - PORTAL_BASE;
	unsigned int wq = page / PORTAL_WQ_PAGES;
	unsigned int changes;
	const struct window *w;
	unsigned long pfn;
	vm_fault_t r;

	page %= PORTAL_WQ_PAGES;
	if (wq >= p->nwqs || page >= PORTAL_PAGES)
		return VM_FAULT_SIGBUS;	/* mmap let no such VMA through, nor can one grow */

	mutex_lock(&p->lock);
	w = &p->windows[wq];
	if (w->show == WINDOW_WAITS) {
		p->ring(p, wq);
		changes = w->changes;
		mutex_unlock(&p->lock);
		return portal_wait(vmf, p, w, changes);
	}
	pfn = w->show == WINDOW_SHOWN ? w->pfn + page * w->step : page_to_pfn(p->sink);
	r = compat_insert_mixed(vmf->vma, vmf->address & PAGE_MASK, pfn);
	if (w->show == WINDOW_SHOWN && p->ring)
		p->ring(p, wq);
	mutex_unlock(&p->lock);

	/*
	 * Told that the fault is complete and the lock dropped, KVM starts over
	 * instead of looking up what a zap may have taken out again (portal_zap()).
	 */
	if (r == VM_FAULT_NOPAGE && fault_may_wait(vmf)) {
		release_fault_lock(vmf);
		r |= VM_FAULT_COMPLETED;
	}
	return r;
}

static const struct vm_operations_struct portal_vm_ops = {
	.fault = portal_fault,
};

/*
 * Only the two portal pages of one queue, only shared. Not VM_PFNMAP: VFIO's type1
 * follows such mappings and would make the portal a target of DMA that outlives a zap.
 */
int portal_mmap(struct slice *s, struct vm_area_struct *vma)
{
	unsigned long first = vma->vm_pgoff - PORTAL_BASE, pages = vma_pages(vma);

	if (vma->vm_pgoff < PORTAL_BASE || first / PORTAL_WQ_PAGES >= s->portal.nwqs)
		return -EINVAL;
	first %= PORTAL_WQ_PAGES;
	if (first >= PORTAL_PAGES || pages > PORTAL_PAGES - first)
		return -EINVAL;
	if ((vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) != (VM_SHARED | VM_MAYSHARE))
		return -EINVAL;
	if (!(vma->vm_flags & VM_WRITE) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;

	vm_flags_mod(vma, VM_IO | VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	if (!s->portal.ram)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_private_data = s;
	vma->vm_ops = &portal_vm_ops;
	portal_mapped_by(&s->portal, vma->vm_mm);
	return 0;
}
