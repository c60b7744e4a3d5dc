// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI core tells a function's driver of a reset, if that wants to know. The idxd
 * of 6.12 does not: the device is then as after power on, no interrupt says so, and
 * there is no other event. There a probe at the end of the PCI core's function for
 * resets makes the queues' watches look whether their device still runs. Where idxd
 * is told it unbinds the queues itself, and nothing is probed.
 */
#include <linux/kprobes.h>
#include <linux/pci.h>

#include "flr.h"
#include "log.h"

#ifdef CONFIG_KRETPROBES

static bool flr_probed;

static int flr_begin(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(struct pci_dev **)ri->data = (void *)regs_get_kernel_argument(regs, 0);
	return 0;
}

static int flr_end(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	log_check(*(struct pci_dev **)ri->data);
	return 0;
}

static struct kretprobe flr_probe = {
	.kp.symbol_name = "__pci_reset_function_locked",
	.entry_handler = flr_begin,
	.handler = flr_end,
	.data_size = sizeof(struct pci_dev *),
};

static bool flr_is_told(void)
{
	struct device_driver *drv = driver_find("idxd", &pci_bus_type);
	const struct pci_error_handlers *h = drv ? to_pci_driver(drv)->err_handler : NULL;

	return h && h->reset_done;
}

/* Without the probe a user learns of such a reset when it sends the next command. */
void flr_init(void)
{
	int r;

	if (flr_is_told())
		return;
	r = register_kretprobe(&flr_probe);
	flr_probed = !r;
	if (r < 0)
		pr_notice("idxd_mdev: resets of a device are noticed late: no kretprobe: %d\n", r);
}

void flr_exit(void)
{
	if (flr_probed)
		unregister_kretprobe(&flr_probe);
}

#else

void flr_init(void)
{
}

void flr_exit(void)
{
}

#endif
