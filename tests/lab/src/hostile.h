/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hostile and hostile-guest do to a device, against every rule. They include mdev.h or
 * function.h first, which say how it is reached.
 *
 *	faults N	N descriptors whose completion record cannot be written
 *	records N	N times records that cannot be written, and what the device does not write after
 *			them: those of a batch and of drains
 *	storm N		N random accesses of every width at every offset, commands among them, with
 *			descriptors of random bytes
 *	sweep N		N times each offset of the registers in each width, read and written
 *	commands N	N times every command in every state, and over an active one
 *	forge N		N times descriptors with what is not theirs, alone and in batches
 *	flood N		N descriptors without a pause, more than the queue holds
 *	stuck 0		drains while the device holds descriptors back, then works again
 *
 * What it owns is 16 pages; the last of them, which no descriptor names, must stay as it was. At the
 * end a reset must lead to a device that copies. Prints "hostile: N ok, N bad".
 */
#ifndef LAB_HOSTILE_H
#define LAB_HOSTILE_H

#include <time.h>

#include "setup.h"

#define MEM_SIZE (16 * PAGE)
#define GUARD	 15u
#define RECORD	 2u
#define LIST	 3u
#define RECORDS	 4u
#define IOVA_BAD 0x70000000ull		/* nobody's: neither mapped nor memory of a small guest */
#define BAR0_END 0xb00u			/* of the registers */

static int good, bad;
static uint8_t *mem;
static uint64_t iova;			/* where the device reaches mem */

static inline void check(bool ok, const char *what)
{
	ok ? good++ : bad++;
	printf("hostile: %s - %s\n", ok ? "ok" : "NOT OK", what);
}

static inline bool enable(void)
{
	configure();
	return !command_polled(CMD_ENABLE_DEVICE, 0) && !command_polled(CMD_ENABLE_WQ, 0);
}

/* ---- descriptors ------------------------------------------------------------ */

static inline uint64_t at(unsigned int page)
{
	return iova + page * PAGE;
}

static inline struct desc move(uint64_t src, uint64_t dst, uint64_t completion)
{
	return (struct desc){ .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR,
			      .completion = completion,
			      .src = src,
			      .dst = dst,
			      .size = PAGE };
}

static inline struct desc batch_of(unsigned int n, uint64_t list, uint64_t completion)
{
	return (struct desc){ .opcode_flags = OPCODE(OP_BATCH) | FLAG_CRAV | FLAG_RCR,
			      .completion = completion,
			      .src = list,
			      .size = n };
}

static inline void submit(unsigned int page, const void *d)
{
	portal_store(portal + page * PAGE, d);
}

static inline bool filled(unsigned int page, uint8_t v)
{
	for (unsigned int i = 0; i < PAGE; i++)
		if (mem[page * PAGE + i] != v)
			return false;
	return true;
}

/* The status of a descriptor with the record in page RECORD; 0: none came. */
static inline uint8_t status_of(const struct desc *d)
{
	volatile uint8_t *status = mem + RECORD * PAGE;

	memset((void *)status, 0, 32);
	submit(0, d);
	for (int i = 0; i < 20000 && !*status; i++)
		usleep(1000);
	return *status;
}

/* Page 0 to page 1. */
static inline bool copies(uint8_t v)
{
	struct desc d = move(at(0), at(1), at(RECORD));

	memset(mem, v, PAGE);
	memset(mem + PAGE, 0, PAGE);
	return status_of(&d) == ST_SUCCESS && filled(1, v);
}

/* ---- unwritable records ------------------------------------------------------- */

static inline void faults(unsigned int n)
{
	struct desc d = move(at(0), at(1), IOVA_BAD), *list = (void *)(mem + LIST * PAGE);
	struct desc batch = batch_of(4, at(LIST), IOVA_BAD);
	uint64_t first;

	check(enable(), "enable");
	for (unsigned int i = 0; i < 4; i++)
		list[i] = move(at(0), at(1), IOVA_BAD + 64 * i);
	for (unsigned int i = 0; i < n; i += 8) {
		for (unsigned int k = 0; k < 8; k++)
			submit(0, k == 7 ? &batch : &d);
		if (command_polled(CMD_DRAIN_WQ, 1)) {
			check(false, "drain");
			break;
		}
	}
	for (int i = 0; i < 2000 && !(rd(R_SWERR, 8) & 1); i++)
		usleep(1000);
	first = rd(R_SWERR, 8);
	printf("hostile: SWERROR %#lx %#lx %#lx\n", (long)first, (long)rd(R_SWERR + 8, 8),
	       (long)rd(R_SWERR + 16, 8));
	check(first & 1, "the guest's software error register has a record");
	check((first >> 3 & 1) && !(first >> 16 & 0xff), "it names the guest's own queue");
	check((first >> 8 & 0xff) && !(first >> 40), "it has a code and nobody's PASID");
	check((rd(R_SWERR + 16, 8) & ~0xfffull) == IOVA_BAD, "it has the address");
	wr(R_SWERR, 3, 8);
	check(!(rd(R_SWERR, 8) & 1), "it can be acknowledged");
	check(copies(0x5a), "the queue still copies");
}

/* ---- records that are not written because earlier ones could not be ---------------- */

static inline void records(unsigned int n)
{
	const struct desc drain = { .opcode_flags = OPCODE(OP_DRAIN) | FLAG_CRAV | FLAG_RCR,
				    .completion = at(RECORD) };
	struct desc lost = move(at(0), at(1), IOVA_BAD), *list = (void *)(mem + LIST * PAGE);
	struct desc batch = batch_of(2, at(LIST), at(RECORD)), blind = drain;
	unsigned int drained = 0, batched = 0;

	check(enable(), "enable");
	list[0] = lost;
	list[1] = move(at(0), at(1), at(RECORDS));
	for (unsigned int i = 0; i < n; i++) {
		submit(0, &lost);
		drained += status_of(&drain) == ST_SUCCESS;
		batched += status_of(&batch) == ST_BATCH_FAIL;
		drained += status_of(&drain) == ST_SUCCESS;
	}
	printf("hostile: %u drains, %u batches\n", drained, batched);
	check(drained == 2 * n, "each drain completed");
	check(batched == n, "each batch says that one of its records is lost");

	blind.completion = IOVA_BAD;
	for (unsigned int i = 0; i < n; i++) {
		submit(0, &lost);
		submit(0, &blind);
	}
	check(!(command_polled(CMD_DRAIN_WQ, 1) & 0xff), "drain");
	for (int i = 0; i < 2000 && !(rd(R_SWERR, 8) & 1); i++)
		usleep(1000);
	check(rd(R_SWERR, 8) & 1 && rd(R_SWERR + 16, 8) == IOVA_BAD,
	      "a drain without a record is an error");
	check(rd(R_SWERR, 8) & 2, "more than one is an overflow");
	wr(R_SWERR, 3, 8);
	check(copies(0x5a), "the queue still copies");
}

/* ---- random everything ------------------------------------------------------------ */

static uint64_t seed = 88172645463325252ull;

static inline uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Mostly at registers that do something. */
static inline uint64_t some_offset(uint64_t size)
{
	return rnd() % 4 ? rnd() % BAR0_END : rnd() % size;
}

static inline void one_access(void)
{
	unsigned int len = 1u << rnd() % 4;
	uint64_t off = some_offset(2 * PAGE - 8), v = rnd() & rnd();
	uint8_t buf[64];

	switch (rnd() % 8) {
	case 0:		/* any length, any alignment */
		rd_any(off, (unsigned int)(rnd() % 64 + 1));
		break;
	case 1:
	case 2:
		wr(off & ~(uint64_t)(len - 1), v, len);
		break;
	case 3:
		config_wr(rnd() % (PAGE - 8), v, len);
		break;
	case 4:		/* every command, good operands and bad ones, also over an active one */
		wr(R_CMD, rnd() << 31 | rnd() % 32 << 20 | (rnd() % 2 ? rnd() % 4 : rnd() & 0xfffff), 4);
		break;
	default:
		for (unsigned int i = 0; i < sizeof(buf); i += 8)
			memcpy(buf + i, (uint64_t[]){ rnd() }, 8);
		if (rnd() % 2) {	/* addresses of its own now and then, never of the guard page */
			struct desc d = move(at(0), at(1), iova + rnd() % (14 * PAGE));

			d.opcode_flags = (uint32_t)rnd();
			d.pasid_priv = (uint32_t)rnd();
			d.handle = (uint16_t)rnd();
			d.size = (uint32_t)(rnd() % (8 * PAGE));
			submit(rnd() % 2, &d);
		} else {
			submit(rnd() % 2, memcpy(&(struct desc){ 0 }, buf, 64));
		}
	}
}

static inline void storm(unsigned int n)
{
	unsigned int enabled = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (i % 500 == 0) {
			if (finish() == ~0u) {
				check(false, "every command ends");
				break;
			}
			reset_function();
			enabled += enable();
		}
		one_access();
	}
	check(finish() != ~0u, "the last command ended");
	check(enabled == (n + 499) / 500, "after each reset it could be enabled");
}

/* ---- every register ------------------------------------------------------------- */

static inline void sweep(unsigned int n)
{
	bool ended = true;

	for (unsigned int round = 0; round < n && ended; round++) {
		reset_function();
		if (round % 2 && !enable())
			check(false, "enable between two sweeps");
		for (unsigned int len = 1; len <= 8 && ended; len *= 2) {
			for (unsigned int off = 0; off < BAR0_END && ended; off += len) {
				rd(off, len);
				wr(off, rnd(), len);
				ended = off != R_CMD || finish() != ~0u;
			}
			for (unsigned int off = 0; off < 0x100; off += len)
				config_wr(off, rnd(), len);
		}
	}
	check(ended && finish() != ~0u, "whatever the sweep commanded ended");
}

/* ---- commands ------------------------------------------------------------------- */

/* No device, a device, a queue, and a queue with a command on its way. */
static inline bool state_make(unsigned int state)
{
	if (command_polled(CMD_RESET_DEVICE, 0))
		return false;
	configure();
	if (state > 0 && command_polled(CMD_ENABLE_DEVICE, 0))
		return false;
	if (state > 1 && command_polled(CMD_ENABLE_WQ, 0))
		return false;
	if (state > 2)
		wr(R_CMD, CMD_DRAIN_WQ << 20 | 1, 4);
	return true;
}

static inline void commands(unsigned int n)
{
	static const uint32_t operands[] = { 0, 1, 0xfffff };
	unsigned int late = 0, unmade = 0, taken = 0;

	for (unsigned int i = 0; i < n * 4 * 32 * 3; i++) {
		unsigned int state = i / 3 / 32 % 4, code = i / 3 % 32;
		uint32_t status;

		unmade += !state_make(state);
		wr(R_CMD, code << 20 | operands[i % 3], 4);
		status = finish();
		late += status == ~0u;
		/* over an active one, the status may be the other's */
		taken += state < 3 && (!code || code > 15) && !(status & 0xff);
	}
	check(!late, "every command ended");
	check(!unmade, "every state could be reached again");
	check(!taken, "codes that mean nothing are refused");
}

/* ---- what is not its own ----------------------------------------------------------- */

enum where { OWN_SRC, OWN_DST, NOBODYS, ABOVE, INTERRUPTS, TOP };

static inline uint64_t address(enum where w)
{
	static const uint64_t foreign[] = { [NOBODYS] = IOVA_BAD,
					    [ABOVE] = 64ull << 30,
					    [INTERRUPTS] = 0xfee00000,
					    [TOP] = ~0ull << 12 };

	return w <= OWN_DST ? at(w) : foreign[w];
}

static const struct forgery {
	const char *name;
	uint32_t pasid_priv, flags;
	enum where src, dst;
	uint16_t handle;		/* beyond its own */
	uint8_t status;
} forgeries[] = {
	{ "source that nobody mapped", 0, 0, NOBODYS, OWN_DST, 0, ST_FAULT_RD },
	{ "destination that nobody mapped", 0, 0, OWN_SRC, NOBODYS, 0, ST_FAULT_WR },
	{ "source above all memory", 0, 0, ABOVE, OWN_DST, 0, ST_FAULT_RD },
	{ "destination above all memory", 0, 0, OWN_SRC, ABOVE, 0, ST_FAULT_WR },
	{ "source in the interrupt range", 0, 0, INTERRUPTS, OWN_DST, 0, ST_FAULT_RD },
	{ "destination in the interrupt range", 0, 0, OWN_SRC, INTERRUPTS, 0, ST_FAULT_WR },
	{ "source in the last page there is", 0, 0, TOP, OWN_DST, 0, ST_FAULT_RD },
	{ "another's PASID, destination nobody's", 1, 0, OWN_SRC, NOBODYS, 0, ST_FAULT_WR },
	{ "privileged, destination nobody's", 1u << 31, 0, OWN_SRC, NOBODYS, 0, ST_FAULT_WR },
	{ "another's PASID, privileged", 1u << 31 | 1, 0, OWN_SRC, OWN_DST, 0, ST_SUCCESS },
	{ "every PASID bit", 0xfffff, 0, OWN_SRC, OWN_DST, 0, ST_SUCCESS },
	{ "its own handle", 0, FLAG_RCI, OWN_SRC, OWN_DST, 0, ST_SUCCESS },
	{ "the handle after its own", 0, FLAG_RCI, OWN_SRC, OWN_DST, 1, ST_HANDLE },
	{ "the handle before its own", 0, FLAG_RCI, OWN_SRC, OWN_DST, 0xffff, ST_HANDLE },
	{ "a handle that there is not", 0, FLAG_RCI, OWN_SRC, OWN_DST, 0x7fff, ST_HANDLE },
};

static uint16_t own_handle;

#define FORGERIES (sizeof(forgeries) / sizeof(forgeries[0]))

static inline struct desc forged(const struct forgery *f, uint64_t completion)
{
	struct desc d = move(address(f->src), address(f->dst), completion);

	d.pasid_priv = f->pasid_priv;
	d.opcode_flags |= f->flags;
	d.handle = (uint16_t)(own_handle + f->handle);
	return d;
}

/* Only a descriptor that succeeds may write the destination. */
static inline bool is_kept(const struct forgery *f)
{
	return filled(1, f->status == ST_SUCCESS ? 0x96 : 0x69) && filled(0, 0x96);
}

static inline void forge_each(bool show)
{
	for (unsigned int i = 0; i < FORGERIES; i++) {
		const struct forgery *f = &forgeries[i];
		struct desc d = forged(f, at(RECORD));
		uint8_t status;

		memset(mem, 0x96, PAGE);
		memset(mem + PAGE, 0x69, PAGE);
		status = status_of(&d);
		if (show || status != f->status || !is_kept(f)) {
			printf("hostile: status %#04x, want %#04x: ", status, f->status);
			fflush(stdout);
			check(status == f->status && is_kept(f), f->name);
		}
	}
}

static inline void forge_batch(bool show)
{
	struct desc *list = (void *)(mem + LIST * PAGE), batch;
	unsigned int wrong = 0;
	uint8_t status;

	memset(mem + RECORDS * PAGE, 0, PAGE);
	for (unsigned int i = 0; i < FORGERIES; i++)
		list[i] = forged(&forgeries[i], at(RECORDS) + 64 * i);
	batch = batch_of(FORGERIES, at(LIST), at(RECORD));
	/* the batch itself is forged like its descriptors */
	batch.pasid_priv = 1u << 31 | 1;
	status = status_of(&batch);
	for (unsigned int i = 0; i < FORGERIES; i++)
		wrong += mem[RECORDS * PAGE + 64 * i] != forgeries[i].status;
	if (show || wrong || status != ST_BATCH_FAIL) {
		printf("hostile: batch status %#04x, %u of %zu wrong: ", status, wrong, FORGERIES);
		fflush(stdout);
		check(status == ST_BATCH_FAIL && !wrong, "a batch of all these");
	}
	batch = batch_of(4, IOVA_BAD, at(RECORD));
	status = status_of(&batch);
	if (show || status == ST_SUCCESS || !status)
		check(status > ST_SUCCESS, "a batch whose list nobody mapped");
}

static inline void forge(unsigned int n)
{
	uint32_t status;

	check(enable(), "enable");
	status = command_polled(CMD_GET_HANDLE, 1);
	check(!(status & 0xff), "it has an interrupt handle");
	own_handle = (uint16_t)(status >> 8);
	for (unsigned int i = 0; i < n; i++) {
		forge_each(!i);
		forge_batch(!i);
	}
	check(copies(0x5a), "the queue still copies");
}

/* ---- more than the queue holds ----------------------------------------------------- */

static inline void flood(unsigned int n)
{
	const struct desc noop = { .opcode_flags = OPCODE(OP_NOOP) };
	const struct desc copy = move(at(0), at(1), at(RECORD));

	check(enable(), "enable");
	for (unsigned int i = 0; i < n; i++)
		submit(i / 2 % 2, i % 2 ? &noop : &copy);
	check(!(command_polled(CMD_DRAIN_WQ, 1) & 0xff), "drain");
	wr(R_SWERR, 3, 8);
	check(copies(0x5a), "the queue still copies");
}

/* ---- a device that does not answer ----------------------------------------------- */

static inline void stuck(unsigned int n)
{
	time_t start = time(NULL), end = start + 120;
	struct desc d = move(at(0), at(1), at(RECORD));
	uint32_t status;

	(void)n;
	check(enable(), "enable");
	submit(0, &d);
	status = command_polled(CMD_DRAIN_WQ, 1);
	printf("hostile: drain ended with %#x after %ld s\n", status, (long)(time(NULL) - start));
	fflush(stdout);
	check((status & 0xff) == 3, "the command ended with a hardware error");
	do {
		sleep(1);
		reset_function();
	} while (!enable() && time(NULL) < end);
}

static const struct {
	const char *name;
	void (*run)(unsigned int n);
} attacks[] = {
	{ "faults", faults },	  { "storm", storm }, { "sweep", sweep }, { "records", records },
	{ "commands", commands }, { "forge", forge }, { "flood", flood }, { "stuck", stuck },
};

static inline int attack(const char *name, unsigned int n)
{
	bool known = false;

	memset(mem + GUARD * PAGE, 0xc3, PAGE);
	for (unsigned int i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (strcmp(attacks[i].name, name))
			continue;
		known = true;
		attacks[i].run(n);
	}
	check(known, "the attack is known");
	check(filled(GUARD, 0xc3), "no page was written that no descriptor named");
	reset_function();
	check(!(rd(R_GENSTS, 4) & 3), "the device is disabled after a reset");
	check(enable(), "it can be enabled");
	check(copies(0xa7), "it copies");
	printf("hostile: %d ok, %d bad\n", good, bad);
	return bad != 0;
}

#endif
