/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* BAR0: offsets and fields, named as in the specification (chapter 9). */
#ifndef VD_BAR0_H
#define VD_BAR0_H

#define R_VERSION	0x000
#define R_GENCAP	0x010
#define R_WQCAP		0x020
#define R_GRPCAP	0x030
#define R_ENGCAP	0x038
#define R_OPCAP		0x040
#define R_OFFSETS	0x060
#define R_GENCFG	0x080
#define R_GENCTRL	0x088
#define R_GENSTS	0x090
#define R_INTCAUSE	0x098
#define R_CMD		0x0a0
#define R_CMDSTS	0x0a8
#define R_CMDCAP	0x0b0
#define R_SWERROR	0x0c0
#define R_EVLCFG	0x0e0
#define R_EVLSTATUS	0x0f0
#define R_EXTCAP	0x180		/* DSACAP0-2 or IAACAP	*/
/* Ours to choose; OFFSETS and the MSI-X capability announce them. */
#define R_MSIXPERM	0x300
#define R_GRPCFG	0x400
#define R_WQCFG		0x500
#define R_MSIX		VD_MSIX_TABLE
#define R_PBA		VD_MSIX_PBA
#define R_IMS		0x1000		/* no entries (GENCAP IMS size is 0)	*/

#define MSIXPERM_STRIDE	8
#define GRPCFG_STRIDE	64
#define WQCFG_STRIDE	64
#define MSIX_STRIDE	16

#define GENCAP_BOF		(1ull << 0)
#define GENCAP_CMDCAP		(1ull << 4)
#define GENCAP_EVL_SHIFT	13
#define GENCAP_XFER_SHIFT	16
#define GENCAP_BATCH_SHIFT	21
#define GENCAP_CONFIG		(1ull << 31)
#define GENCAP_BATCH1		(1ull << 52)

#define WQCAP_NWQS_SHIFT	16
#define WQCAP_CFGSIZE_64	(1ull << 24)
#define WQCAP_DEDICATED		(1ull << 49)
#define WQCAP_PRIORITY		(1ull << 51)
#define WQCAP_OPCFG		(1ull << 54)

#define GENCFG_USERINT		(1u << 12)
#define GENCFG_EVL		(1u << 13)
#define GENCFG_ALL		(GENCFG_USERINT | GENCFG_EVL)

#define GENCTRL_SWERR		(1u << 0)
#define GENCTRL_HALT		(1u << 1)
#define GENCTRL_EVL		(1u << 2)
#define GENCTRL_ALL		(GENCTRL_SWERR | GENCTRL_HALT | GENCTRL_EVL)

#define GENSTS_STATE		0x3u
#define GENSTS_RESET_FLR	(1u << 2)

#define CAUSE_SWERR		(1u << 0)
#define CAUSE_CMD		(1u << 1)
#define CAUSE_OCCUPANCY		(1u << 2)
#define CAUSE_PERFMON		(1u << 3)
#define CAUSE_HALT		(1u << 4)
#define CAUSE_EVL		(1u << 5)
#define CAUSE_REVOKED		(1u << 31)
#define CAUSE_ALL		0x8000003fu

#define CMD_OPERAND		0x000fffffu
#define CMD_CODE_SHIFT		20
#define CMD_CODE_MASK		0x1fu
#define CMD_RESERVED		0x7e000000u
#define CMD_IRQ			(1u << 31)
#define CMDSTS_RESULT_SHIFT	8
#define CMDSTS_ACTIVE		(1u << 31)

#define SWERR_VALID		(1ull << 0)
#define SWERR_OVERFLOW		(1ull << 1)
#define SWERR_WQ_VALID		(1ull << 3)
#define SWERR_CODE_SHIFT	8
#define SWERR_WQ_SHIFT		16
/* Of a host's record: no PASID, no privilege, no reserved bits. */
#define SWERR_RECORD0		0x000000ff00ffffbcull
#define SWERR_RECORD1		0xffffffff0000ffffull

#define EVLCFG_PASID_EN		(1ull << 0)
#define EVLCFG_PRIV		(1ull << 1)
#define EVLCFG_BASE		(~0xfffull)
#define EVLCFG_ALL		(EVLCFG_BASE | EVLCFG_PASID_EN | EVLCFG_PRIV)
#define EVLSTATUS_PENDING	(1ull << 62)

/* GRPCFG, offsets within an entry */
#define GRP_WQS			0x00
#define GRP_ENGINES		0x20
#define GRP_FLAGS		0x28
#define GRPFLAGS_BUFS_SHIFT	20
#define GRPFLAGS_RW		0x0ff0ff3full	/* classes, buffers reserved, allowed */

/* WQCFG, offsets within an entry */
#define WQ_SIZE			0x00
#define WQ_THRESHOLD		0x04
#define WQ_MODE			0x08
#define WQ_LIMITS		0x0c
#define WQ_OCC_HANDLE		0x10
#define WQ_OCC_LIMIT		0x14
#define WQ_STATE		0x18
#define WQ_OPCFG		0x20

#define WQ_MODE_DEDICATED	(1u << 0)
#define WQ_MODE_BOF		(1u << 1)
#define WQ_MODE_ATS_OFF		(1u << 2)
#define WQ_MODE_PRS_OFF		(1u << 3)
#define WQ_MODE_PRIO_SHIFT	4
#define WQ_MODE_PASID_EN	(1u << 28)
#define WQ_MODE_PRIV		(1u << 29)
#define WQ_LIMITS_BATCH_SHIFT	5
#define WQ_LIMITS_SGL_SHIFT	9
#define WQ_OCC_IMS		(1u << 16)
#define WQ_OCC_ENABLE		(1u << 16)
#define WQ_OCC_GENERATED	(1u << 16)
#define WQ_STATE_SHIFT		30

#define MSIX_CTRL		0x0c
#define MSIX_CTRL_MASK		(1u << 0)

/* Opcodes that the core must know */
#define OP_BATCH		1

/* Error codes of commands, and at the end of software errors */
#define E_OK			VD_CMD_OK
#define E_CODE			0x01
#define E_WQ_INDEX		0x02
#define E_HARDWARE		VD_CMD_HWERR
#define E_RESERVED		0x04
#define E_HALTED		0x05
#define E_DEV_NOT_DISABLED	0x10
#define E_NO_BUSMASTER		0x12
#define E_TOTAL_SIZE		0x14
#define E_GROUP			0x15
#define E_GROUP_WQS		0x16
#define E_GROUP_ENGINES		0x17
#define E_EVL			0x19
#define E_EVL_PASID		0x1b
#define E_DEV_NOT_ENABLED	0x20
#define E_WQ_NOT_DISABLED	0x21
#define E_WQ_SIZE		0x22
#define E_WQ_PRIORITY		0x23
#define E_WQ_MODE		0x24
#define E_WQ_BOF		0x25
#define E_WQ_PASID		0x26
#define E_WQ_BATCH		0x27
#define E_WQ_XFER		0x28
#define E_WQ_OCCUPANCY		0x2b
#define E_WQ_ATS		0x2c
#define E_WQ_OPCFG		0x2d
#define E_WQ_PRS		0x2e
#define E_DISABLE_DEV		0x31
#define E_WQ_NOT_ENABLED	0x32
#define E_HANDLE_INDEX		0x41
#define E_NO_HANDLE		VD_CMD_NOHANDLE
#define E_PCI_CONFIG		0x51
#define E_CMD_ACTIVE		0x52

/* Error codes of descriptors */
#define E_DESC_OPCODE		0x10
#define E_DESC_RECORD		0x1b

#endif
