/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The physical function in the hands of a test program: registers, commands, portals, memory the
 * device can reach, and interrupts, all through vfio-pci. DMA addresses equal virtual addresses.
 */
#ifndef IDXD_LAB_GUEST_PF_H
#define IDXD_LAB_GUEST_PF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "desc.h"

#define PF_VECTORS	4
#define WQ_SIZE		16u

struct pf {
	int group, container, dev, sysfs;
	int vector[PF_VECTORS];
	volatile uint8_t *bar0;
	uint8_t *bar2;
	uint64_t config_off;
	uint32_t grpcfg, wqcfg, msixperm, ims;
	uint32_t wqcfg_size;
	uint32_t version;
	uint64_t gencap, wqcap;
	unsigned int nwqs;
	bool iaa, handles, evl, lab_page;
	uint8_t *mem;			/* DMA memory, see pf_mem()	*/
	size_t used;
};

#define PF_MEM	(32u << 20)

int pf_open(struct pf *pf, const char *bdf, const char *group);
/* The function's own configuration space; vfio hides PASID and page requests from us. */
uint16_t pf_pci_read(struct pf *pf, uint32_t off);
void pf_pci_write(struct pf *pf, uint32_t off, uint16_t val);
bool pf_pasid_on(struct pf *pf);
bool pf_pri_on(struct pf *pf);
/* An FLR, and bus mastering and memory on again. */
void pf_flr_restore(struct pf *pf);
void pf_flr(struct pf *pf);
uint16_t pf_config_read16(struct pf *pf, uint32_t off);
void pf_config_write16(struct pf *pf, uint32_t off, uint16_t val);

static inline uint32_t rd32(struct pf *pf, uint32_t off)
{
	return *(volatile uint32_t *)(pf->bar0 + off);
}

static inline uint64_t rd64(struct pf *pf, uint32_t off)
{
	return *(volatile uint64_t *)(pf->bar0 + off);
}

static inline void wr32(struct pf *pf, uint32_t off, uint32_t v)
{
	*(volatile uint32_t *)(pf->bar0 + off) = v;
}

static inline void wr64(struct pf *pf, uint32_t off, uint64_t v)
{
	*(volatile uint64_t *)(pf->bar0 + off) = v;
}

static inline uint32_t wq_reg(struct pf *pf, unsigned int wq)
{
	return pf->wqcfg + pf->wqcfg_size * wq;
}

static inline bool pf_has_op(struct pf *pf, unsigned int op)
{
	return rd64(pf, 0x40 + op / 64 * 8) >> op % 64 & 1;
}

/* Registers of the page that lab-page=on adds. */
#define LAB		0xd000
#define LAB_REVOKE	(LAB + 0x04)
#define LAB_HALT	(LAB + 0x08)
#define LAB_HOLD	(LAB + 0x0c)
#define LAB_CMD_ERROR	(LAB + 0x14)
#define LAB_CMD_DELAY	(LAB + 0x18)
#define LAB_STATUS	(LAB + 0x1c)
#define LAB_STATUSES	(LAB + 0x20)

/* Zeroed, page aligned memory the device may use; given back all at once by pf_mem_reset(). */
void *pf_mem(struct pf *pf, size_t bytes);
void pf_mem_reset(struct pf *pf);
/* An address the device may not use. */
uint64_t pf_unmapped(struct pf *pf);

/* Runs a command and returns CMDSTATUS, or ~0 if it did not end in time. */
uint32_t pf_cmd(struct pf *pf, unsigned int code, uint32_t operand);

/* Clears a vector's count, or returns it after waiting up to @ms for the first. */
void pf_vector_clear(struct pf *pf, unsigned int n);
unsigned int pf_vector_wait(struct pf *pf, unsigned int n, int ms);

/* Resets the device, writes a plain configuration; with_log adds an event log of 64 entries. */
void pf_configure(struct pf *pf, bool with_log);
/* The same and enables it and queue 0. */
int pf_start(struct pf *pf, bool with_log);
void pf_stop(struct pf *pf);
uint8_t *pf_log(struct pf *pf);

void pf_submit(struct pf *pf, unsigned int wq, const struct desc *d);
/* Submits to queue 0 and waits; returns the status, 0 for none. */
uint8_t pf_run(struct pf *pf, struct desc *d, struct record *r);
uint8_t pf_wait(struct record *r, int ms);
/* The code in the software error register, waiting a second for one; 0 for none. */
unsigned int pf_swerror(struct pf *pf);
/* A handle for the vector, which is its number where there are no handles. */
uint16_t pf_handle(struct pf *pf, unsigned int vector);

/* Test bookkeeping */
void check_at(const char *file, int line, const char *what, uint64_t got, uint64_t want);
#define EXPECT(got, want)	check_at(__FILE__, __LINE__, #got, got, want)
#define EXPECT_NAMED(what, got, want)	check_at(__FILE__, __LINE__, what, got, want)

struct test {
	const char *name;
	void (*run)(struct pf *pf);
};

extern uint64_t test_seed;
extern const struct test reg_tests[], cmd_tests[], desc_tests[], op_tests[], dif_tests[],
	flow_tests[], event_tests[], fuzz_tests[], iaa_tests[], iaa_filter_tests[];

#endif
