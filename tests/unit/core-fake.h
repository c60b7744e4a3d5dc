/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the virtual device share: an owner that records every effect
 * as a word, devices in a known state, and a guest's accesses.
 */
#ifndef CORE_FAKE_H
#define CORE_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bar0.h"
#include "core.h"
#include "vd.h"

enum stage {
	BORN,				/* after vd_init()				*/
	PROBED,				/* bus master, vectors connected		*/
	CONFIGURED,			/* one queue in the group, device still disabled */
	DEV_ON,
	WQ_ON,
	HALTED,
};

enum flavour {
	DSA,				/* one queue of 16, version 0x200, op-config	*/
	DSA_V1,				/* as Sapphire Rapids, without op-config	*/
	DSA_V3,
	IAA,
	DSA_8WQ,			/* eight queues of one entry			*/
};

struct fake {
	struct vd d;
	char log[512];			/* " word word ...", cleared by fake_log()	*/
	bool hold;			/* leave commands to the test			*/
	uint8_t error;			/* else complete them at once, with this	*/
	struct vd_cmd cmd;		/* the last one started				*/
};

extern const struct vd_ops fake_ops;
extern const struct vd_caps fake_caps[];	/* by enum flavour */

void fake_init(struct fake *f, enum flavour flavour, enum stage stage);
void fake_done(struct fake *f);			/* ends a held command */

/* What happened since the last call; "" for nothing. */
const char *fake_log(struct fake *f);

uint64_t bar_read(struct fake *f, uint32_t off, uint32_t len);
void bar_write(struct fake *f, uint32_t off, uint32_t len, uint64_t val);
uint64_t cfg_read(struct fake *f, uint32_t off, uint32_t len);
void cfg_write(struct fake *f, uint32_t off, uint32_t len, uint64_t val);

static inline uint32_t r32(struct fake *f, uint32_t off)
{
	return (uint32_t)bar_read(f, off, 4);
}

static inline void w32(struct fake *f, uint32_t off, uint32_t val)
{
	bar_write(f, off, 4, val);
}

static inline uint64_t r64(struct fake *f, uint32_t off)
{
	return bar_read(f, off, 8);
}

static inline void w64(struct fake *f, uint32_t off, uint64_t val)
{
	bar_write(f, off, 8, val);
}

/* WQCFG register @reg of queue @wq */
static inline uint32_t wqcfg(unsigned int wq, uint32_t reg)
{
	return R_WQCFG + wq * WQCFG_STRIDE + reg;
}

#define COMMAND		0x04
#define MSIXCTL		0x82
#define DEVCTL		0x48
#define MASTER		0x0006		/* memory and bus master */

/* Commands as Linux writes them: with the interrupt bit. */
#define CMD(code, operand)	(CMD_IRQ | (uint32_t)(code) << CMD_CODE_SHIFT | (operand))

extern unsigned int checks, failures;
bool check_at(const char *file, int line, bool ok, const char *what, const char *row);
bool equal_at(const char *file, int line, uint64_t is, uint64_t want, const char *what,
	      const char *row);
bool same_at(const char *file, int line, const char *is, const char *want, const char *row);
int report(void);

/* @row names the row of a table, or the case */
#define CHECK(row, cond)	check_at(__FILE__, __LINE__, cond, #cond, row)
#define EQUAL(row, is, want)	equal_at(__FILE__, __LINE__, is, want, #is, row)
#define LOG(row, f, want)	same_at(__FILE__, __LINE__, fake_log(f), want, row)

#endif
