/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzzers of the virtual device share. Bytes choose what a guest, a VMM and
 * an owner do; after each step the device must still make sense.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core.h"
#include "vd.h"

struct owner {
	struct vd d;
	struct vd born;				/* as vd_init() left it		*/
	struct vd_caps caps;			/* of the host			*/
	const uint8_t *data;			/* what is left of the input	*/
	size_t size;
	struct vd_cmd cmd;			/* in flight, if pending	*/
	bool pending;
	uint16_t gate;				/* what irq_gate() told last	*/
	uint32_t wqs;				/* queues the owner has enabled	*/
	unsigned long irqs, cmds, steps;
	unsigned long changes;			/* commands begun or ended, stops */
};

/* A fuzzer is a table of these; a byte of the input chooses by weight. */
struct fuzz_step {
	unsigned int weight;			/* all of a table: 256		*/
	void (*run)(struct owner *o);
};

/* bar0.c, config.c, image.c: one of them */
extern const struct fuzz_step fuzz_steps[];
extern const unsigned int fuzz_nsteps;

#define MUST(cond) do { if (!(cond)) fuzz_die(__FILE__, __LINE__, #cond); } while (0)
__attribute__((noreturn)) void fuzz_die(const char *file, int line, const char *what);

/* owner.c: the next bytes of the input, zeros at its end */
uint64_t take(struct owner *o, unsigned int bytes);
void owner_init(struct owner *o, const struct vd_caps *caps);
void owner_complete(struct owner *o);
void fuzz_run(struct owner *o, const uint8_t *data, size_t size, unsigned long steps);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* invariants.c */
void check_all(struct owner *o, const struct vd *before, unsigned long changes_before);
uint32_t bar32(const struct owner *o, uint32_t off);

/* steps.c */
void guest_bar0(struct owner *o);
void guest_bar0_wide(struct owner *o);
void guest_command(struct owner *o);
void guest_sets_up(struct owner *o);
void guest_config(struct owner *o);
void guest_reads(struct owner *o);
void guest_acknowledges(struct owner *o);
void guest_masks(struct owner *o);
void host_completes(struct owner *o);
void host_completes_late(struct owner *o);
void host_connects(struct owner *o);
void host_interrupts(struct owner *o);
void host_swerr(struct owner *o);
void host_resets(struct owner *o);
void host_halts(struct owner *o);
void host_pauses(struct owner *o);

#endif
