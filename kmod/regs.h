/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of the physical function that the module touches itself. Bit
 * layouts are those of the Intel DSA Architecture Specification, chapter 9;
 * idxd's own bit-field unions are not used because BTF cannot assert them.
 */
#ifndef IDXD_MDEV_REGS_H
#define IDXD_MDEV_REGS_H

#include <linux/bits.h>

#define REG_VERSION		0x00
#define REG_GENCAP		0x10
#define REG_WQCAP		0x20
#define REG_GRPCAP		0x30
#define REG_OPCAP		0x40
#define OPCAP0_BATCH		BIT_ULL(1)
#define REG_OFFSETS		0x60
#define REG_GENCFG		0x80
#define REG_GENSTS		0x90
#define REG_CMD			0xa0
#define REG_CMDSTS		0xa8
#define REG_EVLSTATUS		0xf0
#define REG_EXTCAP		0x180	/* DSACAP0-2, or IAACAP */

#define GENCAP_EVL		GENMASK_ULL(14, 13)	/* entries of 32 bytes << this */
#define GENCFG_EVL		BIT(13)
#define EVLSTATUS_HEAD		GENMASK_ULL(15, 0)	/* what software reads next */
#define EVLSTATUS_TAIL		GENMASK_ULL(47, 32)	/* what the device writes next */
#define GENCAP_IMS		GENMASK_ULL(30, 25)	/* times 256 entries */
#define GRPCAP_BUFFERS		GENMASK_ULL(15, 8)
#define WQCAP_PRIORITY		BIT_ULL(51)
#define WQCAP_OPCFG		BIT_ULL(54)
#define WQCAP_PRS		BIT_ULL(55)	/* page requests can be switched off */
#define OFFSETS_IMS		GENMASK_ULL(63, 48)	/* times 0x100 */

#define DSACAP0_SGL_FORMATS	GENMASK_ULL(47, 32)
#define VERSION_DSA1		0x100
#define VERSION_SGL		0x300		/* first one with gather lists */

/* Records in SWERROR and in the event log begin alike. */
#define RECORD_OVERFLOW		BIT_ULL(1)	/* SWERROR only */
#define RECORD_DESC		BIT_ULL(2)
#define RECORD_WQ_VALID		BIT_ULL(3)
#define RECORD_CODE		GENMASK_ULL(15, 8)
#define RECORD_WQ		GENMASK_ULL(23, 16)
#define RECORD_PASID		GENMASK_ULL(59, 40)
#define RECORD_HANDLE		GENMASK_ULL(47, 32)
#define RECORD_INTERRUPT	BIT_ULL(48)	/* second quadword, for the codes of the log */
#define RECORD_WANTED		BIT_ULL(50)
#define CODE_NO_RECORD		0x1a
#define CODE_LOG_DRAIN		0x26
#define CODE_LOG_BATCH		0x27
#define STATUS_SUCCESS		0x01
#define STATUS_BATCH_FAIL	0x05

#define GENSTS_STATE		GENMASK(1, 0)
#define GENSTS_ENABLED		1
#define GENSTS_HALT		3

#define CMD_OPERAND		GENMASK(19, 0)
#define CMD_CODE		GENMASK(24, 20)
#define CMD_INTERRUPT		BIT(31)
#define CMDSTS_ERROR		GENMASK(7, 0)
#define CMDSTS_RESULT		GENMASK(23, 8)
#define CMDSTS_ACTIVE		BIT(31)

enum cmd_code {
	CMD_ENABLE_WQ = 6,
	CMD_DRAIN_WQ = 8,
	CMD_ABORT_WQ = 9,
	CMD_RESET_WQ = 10,
	CMD_DRAIN_PASID = 11,
	CMD_ABORT_PASID = 12,
	CMD_REQUEST_HANDLE = 13,
	CMD_RELEASE_HANDLE = 14,
};

#define CMD_HANDLE_IMS		BIT(16)

/* WQCFG, by dword */
#define WQCFG_SIZE		0
#define WQCFG_THRESHOLD		1
#define WQCFG_CONTROL		2
#define WQCFG_MODE		BIT(0)		/* 1: dedicated */
#define WQCFG_BOF		BIT(1)
#define WQCFG_ATS_DISABLE	BIT(2)
#define WQCFG_PRS_DISABLE	BIT(3)
#define WQCFG_PRIORITY		GENMASK(7, 4)
#define WQCFG_PASID		GENMASK(27, 8)
#define WQCFG_PASID_EN		BIT(28)
#define WQCFG_PRIV		BIT(29)
#define WQCFG_LIMITS		3		/* each as log2 */
#define WQCFG_MAX_XFER		GENMASK(4, 0)
#define WQCFG_MAX_BATCH		GENMASK(8, 5)
#define WQCFG_MAX_SGL		GENMASK(12, 9)
#define WQCFG_STATUS		6
#define WQCFG_STATE		GENMASK(31, 30)
#define WQCFG_STATE_DISABLED	0
#define WQCFG_STATE_ENABLED	1
#define WQCFG_OPCFG		8		/* to the end, if WQCAP_OPCFG */
#define WQCFG_OPCFG_SIZE	32		/* bytes */

/* MSI-X permission entries are 8 bytes apart; IMS entries are 16 bytes. */
#define MSIXPERM_STRIDE		8
#define PERM_PASID		GENMASK(31, 12)
#define PERM_PASID_EN		BIT(3)
#define IMS_STRIDE		16
#define IMS_ADDR		0
#define IMS_DATA		8
#define IMS_CTRL		12
#define IMS_CTRL_MASK		BIT(0)

/* BAR2: four pages per work queue */
#define PORTAL_BAR		2
#define PORTAL_STRIDE		0x4000
#define PORTAL_PAGE_MSIX	0
#define PORTAL_PAGE_IMS		2
#define PORTAL_PAGES		2	/* unlimited and limited, per kind of vector */

#endif
