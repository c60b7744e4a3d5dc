/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space: the capabilities of the specification's appendix at its offsets, and what
 * happens when software changes a control under a running device.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "model.h"

#define CAP_PCIE	0x40
#define CAP_MSIX	0x80
#define CAP_PM		0x90
#define CAP_AER		0x100
#define CAP_ATS		0x220
#define CAP_PASID	0x230
#define CAP_PRI		0x240

#define ATS_CAP		(CAP_ATS + 4)
#define ATS_CTRL	(CAP_ATS + 6)
#define PASID_CAP	(CAP_PASID + 4)
#define PASID_CTRL	(CAP_PASID + 6)
#define PRI_CTRL	(CAP_PRI + 4)
#define PRI_STATUS	(CAP_PRI + 6)
#define PRI_CAPACITY	(CAP_PRI + 8)
#define PRI_ALLOC	(CAP_PRI + 12)

#define ATS_ENABLE	0x8000
#define ATS_STU		0x001f
#define PASID_ENABLE	0x0001
#define PASID_PRIV	0x0004
#define PRI_ENABLE	0x0001
#define PRI_RESET	0x0002
#define PRI_STOPPED	0x0100
#define PRI_DEFAULT	0x8100	/* stopped; responses carry the PASID */

/* DEVCAP2: DMWr completer, end-end prefix (one), 10-bit tags, LTR, as in the appendix. */
#define DEVCAP2		0x10730810

static uint16_t cfg16(IdxdLab *d, uint32_t off)
{
	return pci_get_word(d->parent_obj.config + off);
}

bool pcicfg_bus_master(IdxdLab *d)
{
	return cfg16(d, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

bool pcicfg_ats(IdxdLab *d)
{
	return cfg16(d, ATS_CTRL) & ATS_ENABLE;
}

bool pcicfg_pasid(IdxdLab *d)
{
	return cfg16(d, PASID_CTRL) & PASID_ENABLE;
}

bool pcicfg_priv(IdxdLab *d)
{
	return pcicfg_pasid(d) && cfg16(d, PASID_CTRL) & PASID_PRIV;
}

bool pcicfg_pri(IdxdLab *d)
{
	return cfg16(d, PRI_CTRL) & PRI_ENABLE;
}

uint32_t pcicfg_pri_alloc(IdxdLab *d)
{
	return pci_get_long(d->parent_obj.config + PRI_ALLOC);
}

bool pcicfg_pri_alloc_ok(IdxdLab *d)
{
	uint32_t n = pcicfg_pri_alloc(d);

	return n > 0 && n <= pci_get_long(d->parent_obj.config + PRI_CAPACITY);
}

/* QEMU 10.0 has no calls for these two capabilities. */
static void pcicfg_add_pasid(PCIDevice *dev)
{
	pcie_add_capability(dev, PCI_EXT_CAP_ID_PASID, 1, CAP_PASID, 8);
	pci_set_word(dev->config + PASID_CAP, 20 << 8 | PASID_PRIV);
	pci_set_word(dev->wmask + PASID_CTRL, PASID_ENABLE | PASID_PRIV);
}

static void pcicfg_add_pri(IdxdLab *d)
{
	PCIDevice *dev = &d->parent_obj;

	pcie_add_capability(dev, PCI_EXT_CAP_ID_PRI, 1, CAP_PRI, 16);
	pci_set_word(dev->config + PRI_STATUS, PRI_DEFAULT);
	pci_set_long(dev->config + PRI_CAPACITY, d->iaa ? 0x100 : 0x200);
	pci_set_word(dev->wmask + PRI_CTRL, PRI_ENABLE | PRI_RESET);
	pci_set_word(dev->w1cmask + PRI_STATUS, 0x0003);
	pci_set_long(dev->wmask + PRI_ALLOC, ~0u);
}

bool pcicfg_init(IdxdLab *d, Error **errp)
{
	PCIDevice *dev = &d->parent_obj;
	unsigned int i;
	int r;

	pci_config_set_device_id(dev->config, d->device_id);
	pci_config_set_interrupt_pin(dev->config, 0);
	pci_set_word(dev->wmask + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		     PCI_COMMAND_PARITY | PCI_COMMAND_SERR);

	r = pcie_endpoint_cap_init(dev, CAP_PCIE);
	if (r < 0) {
		error_setg(errp, "idxd-lab: cannot add the PCI Express capability");
		return false;
	}
	pci_set_long(dev->config + CAP_PCIE + PCI_EXP_DEVCAP2, DEVCAP2);
	pcie_cap_flr_init(dev);
	pcie_cap_deverr_init(dev);

	if (msix_init(dev, d->nwqs + 1, &d->bar0, 0, T_MSIX, &d->bar0, 0, T_PBA, CAP_MSIX,
		      errp) < 0)
		return false;
	for (i = 0; i <= d->nwqs; i++)
		msix_vector_use(dev, i);

	if (pci_pm_init(dev, CAP_PM, errp) < 0)
		return false;
	/* D0 and D3hot; coming back resets nothing */
	pci_set_word(dev->config + CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set_word(dev->wmask + CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
	if (pcie_aer_init(dev, PCI_ERR_VER, CAP_AER, PCI_ERR_SIZEOF, errp) < 0)
		return false;

	pcie_ats_init(dev, CAP_ATS, true);
	pci_set_word(dev->config + ATS_CAP, 0x0060);
	pci_set_word(dev->wmask + ATS_CTRL, ATS_ENABLE | ATS_STU);
	pcicfg_add_pasid(dev);
	pcicfg_add_pri(d);
	return true;
}

void pcicfg_exit(IdxdLab *d)
{
	PCIDevice *dev = &d->parent_obj;

	pcie_aer_exit(dev);
	msix_uninit(dev, &d->bar0, &d->bar0);
}

/* FLR and bus reset: the core resets the header, BARs and MSI-X, the rest is ours. */
void pcicfg_reset(IdxdLab *d)
{
	uint8_t *config = d->parent_obj.config;

	pci_set_word(config + ATS_CTRL, 0);
	pci_set_word(config + PASID_CTRL, 0);
	pci_set_word(config + PRI_CTRL, 0);
	pci_set_word(config + PRI_STATUS, PRI_DEFAULT);
	pci_set_long(config + PRI_ALLOC, 0);
}

/* PRI status follows the control: stopped when disabled and nothing is outstanding. */
static void pcicfg_update_pri(IdxdLab *d)
{
	uint8_t *config = d->parent_obj.config;
	uint16_t ctrl = cfg16(d, PRI_CTRL);
	uint16_t status = cfg16(d, PRI_STATUS);

	if (ctrl & PRI_ENABLE)
		status &= ~PRI_STOPPED;
	else
		status |= PRI_STOPPED;
	pci_set_word(config + PRI_STATUS, status);
	pci_set_word(config + PRI_CTRL, ctrl & ~PRI_RESET);
}

void pcicfg_write(PCIDevice *dev, uint32_t addr, uint32_t val, int len)
{
	IdxdLab *d = IDXD_LAB(dev);
	bool master = pcicfg_bus_master(d);
	uint16_t ats = cfg16(d, ATS_CTRL);
	uint16_t pasid = cfg16(d, PASID_CTRL);
	uint16_t pri = cfg16(d, PRI_CTRL);
	uint32_t alloc = pcicfg_pri_alloc(d);
	bool changed;

	pci_default_write_config(dev, addr, val, len);

	/* The allocation cannot move and width and privilege are fixed while the function is on. */
	if (pri & PRI_ENABLE && cfg16(d, PRI_CTRL) & PRI_ENABLE)
		pci_set_long(dev->config + PRI_ALLOC, alloc);

	pcicfg_update_pri(d);

	changed = (master && !pcicfg_bus_master(d)) || ats != cfg16(d, ATS_CTRL) ||
		  pasid != cfg16(d, PASID_CTRL) ||
		  (pri & PRI_ENABLE) != (cfg16(d, PRI_CTRL) & PRI_ENABLE);
	/* unverified: that the device then asks for an FLR rather than for a Reset Device command */
	if (changed && dev_state(d) != DEV_DISABLED && dev_state(d) != DEV_HALT) {
		error_device(d, ER_CONFIG);
		device_halt(d, RESET_FLR);
	}

	pcie_cap_flr_write_config(dev, addr, val, len);
	pcie_aer_write_config(dev, addr, val, len);
}
