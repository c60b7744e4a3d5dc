// SPDX-License-Identifier: GPL-2.0-only
/* vmf_insert_mixed() takes a pfn_t and not a plain frame number. */
#include <linux/mm.h>
#include <linux/pfn_t.h>
vm_fault_t probe(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn);
vm_fault_t probe(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
{
	return vmf_insert_mixed(vma, addr, __pfn_to_pfn_t(pfn, PFN_DEV));
}
