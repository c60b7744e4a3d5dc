// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapped portal page always has something behind it: the host portal while
 * the queue is enabled, a page of ours otherwise. Hardware drops stores to a
 * disabled queue's portal; a fault handler that fails instead stops the VM.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "compat.h"
#include "regs.h"
#include "region.h"
#include "slice.h"

#define PORTAL_OFFSET ((loff_t)VFIO_PCI_BAR2_REGION_INDEX << VFIO_PCI_OFFSET_SHIFT)

int portal_init(struct portal *p)
{
	mutex_init(&p->lock);
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
static void portal_zap(struct address_space *mapping, struct mm_struct *mm)
{
	if (mm)
		mmap_write_lock(mm);
	unmap_mapping_range(mapping, PORTAL_OFFSET, PORTAL_PAGES * PAGE_SIZE, true);
	if (mm)
		mmap_write_unlock(mm);
}

/*
 * What a fault inserts is decided under the lock, so once it is dropped only
 * PTEs of the old kind are left, and the zap gets them all.
 */
static void portal_switch(struct portal *p, bool shown, unsigned long pfn)
{
	struct address_space *mapping = NULL;
	struct mm_struct *mm = NULL;

	mutex_lock(&p->lock);
	if (p->shown != shown)
		mapping = p->mapping;
	if (mapping && p->mm && mmget_not_zero(p->mm))
		mm = p->mm;
	p->shown = shown;
	p->pfn = pfn;
	mutex_unlock(&p->lock);
	if (mapping)
		portal_zap(mapping, mm);
	if (mm)
		mmput(mm);
}

void portal_show(struct portal *p, unsigned long pfn)
{
	portal_switch(p, true, pfn);
}

void portal_hide(struct portal *p)
{
	portal_switch(p, false, 0);
}

void portal_close(struct portal *p)
{
	struct mm_struct *mm;

	portal_hide(p);
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

static vm_fault_t portal_fault(struct vm_fault *vmf)
{
	struct slice *s = vmf->vma->vm_private_data;
	struct portal *p = &s->portal;
	unsigned long page = vmf->pgoff - (PORTAL_OFFSET >> PAGE_SHIFT);
	unsigned long pfn;
	vm_fault_t r;

	if (page >= PORTAL_PAGES)
		return VM_FAULT_SIGBUS;	/* mmap let no such VMA through, nor can one grow */

	mutex_lock(&p->lock);
	pfn = p->shown ? p->pfn + page : page_to_pfn(p->sink);
	r = compat_insert_mixed(vmf->vma, vmf->address & PAGE_MASK, pfn);
	mutex_unlock(&p->lock);

	/*
	 * Told that the fault is complete and the lock dropped, KVM starts over
	 * instead of looking up what a zap may have taken out again (portal_zap()).
	 */
	if (r == VM_FAULT_NOPAGE && fault_flag_allow_retry_first(vmf->flags) &&
	    !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT)) {
		release_fault_lock(vmf);
		r |= VM_FAULT_COMPLETED;
	}
	return r;
}

static const struct vm_operations_struct portal_vm_ops = {
	.fault = portal_fault,
};

/*
 * Only the two portal pages, only shared. Not VM_PFNMAP: VFIO's type1 follows
 * such mappings and would make the portal a target of DMA that outlives a zap.
 */
int portal_mmap(struct slice *s, struct vm_area_struct *vma)
{
	unsigned long first = vma->vm_pgoff, pages = vma_pages(vma);
	unsigned long base = PORTAL_OFFSET >> PAGE_SHIFT;

	if (first < base || first - base >= PORTAL_PAGES || pages > PORTAL_PAGES - (first - base))
		return -EINVAL;
	if ((vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) != (VM_SHARED | VM_MAYSHARE))
		return -EINVAL;
	if (!(vma->vm_flags & VM_WRITE) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;

	vm_flags_mod(vma, VM_IO | VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_private_data = s;
	vma->vm_ops = &portal_vm_ops;
	portal_mapped_by(&s->portal, vma->vm_mm);
	return 0;
}
