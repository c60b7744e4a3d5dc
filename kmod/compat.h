/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels that are supported, and nowhere else.
 * probed.h says what this kernel has: the build compiles each file in probe/.
 */
#ifndef IDXD_MDEV_COMPAT_H
#define IDXD_MDEV_COMPAT_H

#include <linux/eventfd.h>
#include <linux/irqbypass.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "probed.h"

#ifdef HAVE_IMPORT_NS_TOKEN
#define COMPAT_IMPORT_NS(ns) MODULE_IMPORT_NS(ns)
#else
#define COMPAT_IMPORT_NS(ns) MODULE_IMPORT_NS(#ns)
#endif

/* The last parameter of iommu_domain_ops.attach_dev. */
#ifdef HAVE_ATTACH_DEV_OLD
#define COMPAT_ATTACH_OLD , struct iommu_domain *old
#else
#define COMPAT_ATTACH_OLD
#endif

#ifdef HAVE_PFN_T
#include <linux/pfn_t.h>
#define compat_insert_mixed(vma, addr, pfn) \
	vmf_insert_mixed(vma, addr, __pfn_to_pfn_t(pfn, PFN_DEV))
#else
#define compat_insert_mixed(vma, addr, pfn) vmf_insert_mixed(vma, addr, pfn)
#endif

static inline int compat_bypass_register(struct irq_bypass_producer *producer,
					 struct eventfd_ctx *ctx, int irq)
{
#ifdef HAVE_BYPASS_EVENTFD
	return irq_bypass_register_producer(producer, ctx, irq);
#else
	producer->token = ctx;
	producer->irq = irq;
	return irq_bypass_register_producer(producer);
#endif
}

#endif
