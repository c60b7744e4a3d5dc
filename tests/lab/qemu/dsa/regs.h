/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register numbers, bits and codes of a DSA/IAA physical function, as far as the model uses them.
 * Only the model includes this; it shares no definition with the code under test, so that a
 * misreading on one side shows up as a failing test.
 */
#ifndef IDXD_LAB_REGS_H
#define IDXD_LAB_REGS_H

/* Fixed BAR0 offsets */
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
#define R_CMDSTATUS	0x0a8
#define R_CMDCAP	0x0b0
#define R_SWERROR	0x0c0
#define R_EVLCFG	0x0e0
#define R_EVLSTATUS	0x0f0
#define R_IAACAP	0x180
#define R_DSACAP0	0x180
#define R_DSACAP1	0x188
#define R_DSACAP2	0x190

/* Where this model puts its tables (all but the portals are found through OFFSETS) */
#define T_TABLES	0x0400
#define T_GRPCFG	0x0400
#define T_MSIXPERM	0x0c00
#define T_WQCFG		0x1000
#define T_REGS_END	0x2000
#define T_PERFMON	0x2000
#define T_PERFMON_END	0x3000
#define T_MSIX		0x4000
#define T_PBA		0x5000
#define T_LAB		0xd000	/* not of the specification, see inject.c */
#define T_CMDPARAM	0xe000
#define T_DUMMY		0xf000
#define T_IMS		0x10000
#define BAR0_SIZE	0x20000

#define MSIXPERM_STRIDE	8
#define GRPCFG_STRIDE	64
#define WQCFG_STRIDE	64
#define IMS_STRIDE	16
#define PORTAL_STRIDE	0x4000

/* VERSION */
#define V2			0x200
#define V3			0x300

/* GENCAP */
#define GENCAP_BOF		(1ull << 0)
#define GENCAP_OVERLAP		(1ull << 1)
#define GENCAP_CACHE		(1ull << 2)
#define GENCAP_CMDCAP		(1ull << 4)
#define GENCAP_STRIDE		(1ull << 7)
#define GENCAP_READBACK		(1ull << 8)
#define GENCAP_DRAIN_RB		(1ull << 9)
#define GENCAP_FILL16		(1ull << 10)
#define GENCAP_CRC64		(1ull << 11)
#define GENCAP_FAULTINFO	(1ull << 12)
#define GENCAP_EVL_SHIFT	13
#define GENCAP_BATCH_CONT	(1ull << 15)
#define GENCAP_XFER_SHIFT	16
#define GENCAP_BATCH_SHIFT	21
#define GENCAP_IMS_SHIFT	25
#define GENCAP_CONFIG		(1ull << 31)
#define GENCAP_EVL_DROP		(1ull << 32)
#define GENCAP_BATCH1		(1ull << 52)

/* GRPCAP */
#define GRPCAP_BUFFERS		(1u << 16)
#define GRPCAP_LIMIT		(1u << 17)
#define GRPCAP_PROGRESS		(1u << 18)
#define GRPCAP_BANDWIDTH	(1u << 19)

/* WQCAP */
#define WQCAP_CFG_SIZE		(1ull << 24)	/* 64 bytes each, else 32 */
#define WQCAP_SHARED		(1ull << 48)
#define WQCAP_DEDICATED		(1ull << 49)
#define WQCAP_ATS_OFF		(1ull << 50)
#define WQCAP_PRIORITY		(1ull << 51)
#define WQCAP_OCCUPANCY		(1ull << 52)
#define WQCAP_OCC_INT		(1ull << 53)
#define WQCAP_OPCFG		(1ull << 54)
#define WQCAP_PRS_OFF		(1ull << 55)

/* GENCFG, GENCTRL, GENSTS, INTCAUSE */
#define GENCFG_LIMIT		0xffu
#define GENCFG_USER_INT		(1u << 12)
#define GENCFG_EVL		(1u << 13)
#define GENCTRL_SWERR		(1u << 0)
#define GENCTRL_HALT		(1u << 1)
#define GENCTRL_EVL		(1u << 2)
#define CAUSE_SWERR		(1u << 0)
#define CAUSE_CMD		(1u << 1)
#define CAUSE_OCC		(1u << 2)
#define CAUSE_PERFMON		(1u << 3)
#define CAUSE_HALT		(1u << 4)
#define CAUSE_EVL		(1u << 5)
#define CAUSE_REVOKED		(1u << 31)
#define CAUSE_ALL		0x8000003fu

enum dev_state { DEV_DISABLED, DEV_ENABLED, DEV_CHANGING, DEV_HALT };
#define GENSTS_RESET_SHIFT	2
#define RESET_COMMAND		0u
#define RESET_FLR		1u

/* CMD, CMDSTATUS */
#define CMD_INT			(1u << 31)
#define CMD_RESERVED		0x7e000000u
#define CMDSTS_ACTIVE		(1u << 31)

enum cmd_code {
	CMD_ENABLE = 1, CMD_DISABLE, CMD_DRAIN_ALL, CMD_ABORT_ALL, CMD_RESET,
	CMD_WQ_ENABLE, CMD_WQ_DISABLE, CMD_WQ_DRAIN, CMD_WQ_ABORT, CMD_WQ_RESET,
	CMD_PASID_DRAIN, CMD_PASID_ABORT, CMD_HANDLE_GET, CMD_HANDLE_PUT,
};

enum cmd_error {
	CE_OK = 0x00, CE_CODE = 0x01, CE_WQ = 0x02, CE_RESERVED = 0x04, CE_HALT = 0x05,
	CE_NOT_DISABLED = 0x10, CE_CONFIG = 0x11, CE_BUS_MASTER = 0x12, CE_PRI = 0x13,
	CE_WQ_SIZE = 0x14, CE_GROUP = 0x15, CE_GROUP_WQ = 0x16, CE_GROUP_ENGINE = 0x17,
	CE_READ_BUFFERS = 0x18, CE_EVL = 0x19, CE_EVL_PASID = 0x1b,
	CE_NOT_ENABLED = 0x20, CE_WQ_NOT_DISABLED = 0x21, CE_WQ_NO_SIZE = 0x22,
	CE_PRIORITY = 0x23, CE_MODE = 0x24, CE_BOF = 0x25, CE_PASID = 0x26,
	CE_BATCH = 0x27, CE_XFER = 0x28, CE_PRIV = 0x2a, CE_OCC_HANDLE = 0x2b,
	CE_ATS = 0x2c, CE_OPCFG = 0x2d, CE_PRS = 0x2e,
	CE_DEV_NOT_ENABLED = 0x31, CE_WQ_NOT_ENABLED = 0x32,
	CE_HANDLE = 0x41, CE_NO_HANDLE = 0x42,
};

/* WQCFG dwords and bits */
enum { WQ_SIZE, WQ_THRESHOLD, WQ_MODE, WQ_LIMITS, WQ_OCC_VEC, WQ_OCC_LIMIT, WQ_STATUS, WQ_RSVD,
       WQ_OPCFG };
#define WQM_DEDICATED		(1u << 0)
#define WQM_BOF			(1u << 1)
#define WQM_ATS_OFF		(1u << 2)
#define WQM_PRS_OFF		(1u << 3)
#define WQM_PRIORITY(v)		((v) >> 4 & 0xf)
#define WQM_PASID(v)		((v) >> 8 & 0xfffff)
#define WQM_PASID_EN		(1u << 28)
#define WQM_PRIV		(1u << 29)
#define WQM_MASK		0x3fffffffu
#define WQL_XFER(v)		((v) & 0x1f)
#define WQL_BATCH(v)		((v) >> 5 & 0xf)
#define WQL_SGL(v)		((v) >> 9 & 0xf)
#define WQL_MASK		0x1ffu
#define WQL_MASK_V3		0x1fffu
#define WQO_IMS			(1u << 16)
#define WQO_ENABLE		(1u << 16)
#define WQS_OCC_FIRED		(1u << 16)
#define WQS_STATE_SHIFT		30

enum wq_state { WQ_DISABLED, WQ_ENABLED, WQ_CHANGING };

/* MSIXPERM register and IMS control word */
#define PERM_MASKED		(1u << 0)
#define PERM_PENDING		(1u << 1)
#define PERM_IGNORE		(1u << 2)
#define PERM_PASID_EN		(1u << 3)
#define PERM_PASID(v)		((v) >> 12)
#define PERM_MSIX_BITS		0xfffff00cu
#define PERM_IMS_BITS		0xfffff00du

/* Descriptor flags */
#define F_FENCE		(1u << 0)
#define F_BOF		(1u << 1)
#define F_CRAV		(1u << 2)
#define F_RCR		(1u << 3)
#define F_RCI		(1u << 4)
#define F_CACHE3	(1u << 5)
#define F_CHECK		(1u << 7)
#define F_CACHE		(1u << 8)
#define F_TC1		(1u << 9)
#define F_TC2		(1u << 10)
#define F_TC3		(1u << 11)
#define F_TCR		(1u << 12)
#define F_ORDER		(1u << 13)
#define F_READBACK	(1u << 14)
#define F_OP(n)		(1u << (16 + (n)))

/* Opcodes */
enum opcode {
	OP_NOOP = 0x00, OP_BATCH = 0x01, OP_DRAIN = 0x02, OP_MEMMOVE = 0x03, OP_FILL = 0x04,
	OP_COMPARE = 0x05, OP_COMPVAL = 0x06, OP_CREATE_DELTA = 0x07, OP_APPLY_DELTA = 0x08,
	OP_DUALCAST = 0x09, OP_TRANSLATE = 0x0a, OP_CRC = 0x10, OP_COPY_CRC = 0x11,
	OP_DIF_CHECK = 0x12, OP_DIF_INSERT = 0x13, OP_DIF_STRIP = 0x14, OP_DIF_UPDATE = 0x15,
	OP_DIX = 0x17, OP_CACHE_FLUSH = 0x20,
};

/* Completion status and error codes */
enum status {
	ST_OK = 0x01, ST_FALSE = 0x02, ST_FAULT = 0x03, ST_PAGE_REFUSED = 0x04,
	ST_BATCH_MEMBER = 0x05, ST_BATCH_LIST = 0x06, ST_DELTA_ORDER = 0x07, ST_DELTA_RANGE = 0x08,
	ST_DIF = 0x09,
	ST_OPCODE = 0x10, ST_FLAGS = 0x11, ST_RESERVED = 0x12, ST_SIZE = 0x13, ST_COUNT = 0x14,
	ST_VALUE = 0x15, ST_OVERLAP = 0x16, ST_DUALCAST = 0x17, ST_LIST_ALIGN = 0x18,
	ST_HANDLE = 0x19, ST_RECORD_FAULT = 0x1a, ST_RECORD_ALIGN = 0x1b, ST_ALIGN = 0x1c,
	ST_PRIV = 0x1d, ST_READBACK = 0x1f, ST_HW_READ = 0x20, ST_LOG_DRAIN = 0x26, ST_LOG_BATCH = 0x27,
	ER_CONFIG = 0x51, ER_CMD = 0x52, ER_WQ_FULL = 0x53, ER_EVL = 0x54,
};
#define ST_CODE(s)	((s) & 0x3f)
#define ST_WRITE	0x80

/* Operand named in a completion record's fault information */
enum operand { OPND_SRC1 = 1, OPND_SRC2, OPND_DST, OPND_DST2, OPND_RECORD };

#endif
