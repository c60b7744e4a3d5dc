/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of one modelled DSA/IAA function and the calls its parts make to each other.
 *
 * Everything runs under the big lock: register and portal accesses from vCPU threads, engines and
 * commands from bottom halves. A descriptor is a `struct work`; it never blocks, a step that has to
 * wait parks the work on a list and is run again from where it left off.
 */
#ifndef IDXD_LAB_MODEL_H
#define IDXD_LAB_MODEL_H

#include "qemu/queue.h"
#include "qemu/timer.h"
#include "hw/pci/pci_device.h"
#include "qom/object.h"
#include "regs.h"

#define TYPE_IDXD_LAB "idxd-lab"
OBJECT_DECLARE_SIMPLE_TYPE(IdxdLab, IDXD_LAB)

#define MAX_WQS		64
#define MAX_GROUPS	32
#define MAX_ENGINES	64
#define MAX_IMS		2048
#define MAX_PRG		512
#define MAX_COUNTERS	32
#define RECORD_MAX	64
#define ENGINE_WORKS	16	/* descriptors in progress per engine */

/* What a step of a work ended with; STEP_OK is only used inside a step and means "go on". */
enum step {
	STEP_OK,
	STEP_DONE,	/* status is set			*/
	STEP_MORE,	/* slice used up, run again soon	*/
	STEP_PAGE,	/* page request sent, wait for response	*/
	STEP_RETRY,	/* no page request slot, try later	*/
	STEP_BLOCKED,	/* waits for other works		*/
};

enum phase { PHASE_CHECK, PHASE_RUN, PHASE_RECORD, PHASE_END };

/* A dispatched work is on exactly one of these lists. */
enum place { ON_READY, ON_BLOCKED, ON_RETRY, ON_PAGE, PLACES };

struct op;
struct work;
QTAILQ_HEAD(work_list, work);

struct work {
	QTAILQ_ENTRY(work) link;	/* wq queue, or the list of `place`	*/
	QTAILQ_ENTRY(work) all;		/* d->active, once dispatched		*/
	IdxdLab *d;
	enum phase phase;
	enum place place;
	bool zombie;			/* aborted, page response outstanding	*/
	bool bugged;			/* see bug.h				*/
	int64_t due;			/* ON_RETRY: when to run again		*/

	/* who submitted it, through what */
	uint64_t seq;
	uint16_t wq;
	int8_t group;
	bool ims;
	bool pasid_en;
	bool priv;
	uint32_t pasid;

	/* the descriptor */
	uint8_t raw[64];
	const struct op *op;
	uint32_t flags;
	uint8_t opcode;
	uint16_t handle;
	uint64_t record_addr;
	uint64_t src;
	uint64_t dst;
	uint64_t third;			/* dst2, delta record, pattern high	*/
	uint32_t size;
	bool irq_ok;			/* RCI set and the handle is permitted	*/

	/* progress and outcome */
	uint64_t done;
	uint64_t aux;			/* CRC, delta bytes written, ...	*/
	bool seeded;
	bool backward;
	uint8_t status;
	uint8_t result;
	uint8_t operand;
	bool record_started;
	uint64_t fault_addr;
	uint8_t record[RECORD_MAX];

	/* page request */
	uint16_t prg;
	bool page_failed;
	bool page_write;
	uint8_t page_operand;
	uint16_t page_tries;
	uint64_t page_addr;

	/* batch: the parent's side and the member's side */
	struct work *parent;
	uint16_t index;
	uint32_t fetched;
	uint32_t members;
	uint32_t finished;
	bool member_failed;
	bool abandoned;
	bool logged;			/* a member's record went to the log	*/
	uint8_t batch_id;
	struct work *pending;		/* fetched, waits at a fence		*/

	void *extra;			/* an operation's own, freed with the work */
};

struct wq {
	union work_list queue;
	uint16_t occupancy;
	uint8_t credit;
	bool record_logged;		/* since the last drain			*/
};

struct ims_entry {
	uint64_t addr;
	uint32_t data;
	uint32_t ctrl;
};

struct command {
	bool active;
	bool started;
	bool irq;
	uint8_t code;
	uint32_t operand;
	uint64_t seq;
	int64_t deadline;
	uint32_t polls;
};

struct perfmon {
	uint32_t frozen;		/* a bit per counter			*/
	uint32_t overflow;
	uint64_t config[MAX_COUNTERS];
	uint64_t data[MAX_COUNTERS];
	uint32_t filter[MAX_COUNTERS][6];
};

struct IdxdLab {
	PCIDevice parent_obj;
	MemoryRegion bar0;
	MemoryRegion bar2;

	/* properties */
	char *kind;
	uint16_t device_id;
	uint16_t version;
	uint32_t nwqs;
	uint32_t ngroups;
	uint32_t nengines;
	uint32_t total_size;
	uint32_t read_buffers;
	uint32_t xfer_shift;
	uint32_t batch_shift;
	uint32_t ims_units;
	uint32_t handle_base;
	uint64_t delay_ns;		/* of a descriptor, whatever it does	*/
	uint64_t ns_per_kib;		/* of one with a transfer size, besides	*/
	bool handles;
	bool cmdcap;
	bool evl;
	bool bof;
	bool batch1;
	bool shared;
	bool dedicated;
	bool ats_disable;
	bool op_config;
	bool lab_page;
	uint32_t counters;
	uint32_t counter_width;
	uint32_t handle_limit;
	uint32_t sgl_shift;
	bool iaa;
	char *bug_name;
	uint32_t bug_every;
	uint8_t bug;			/* enum bug				*/
	uint32_t bug_seen;

	/* registers below T_REGS_END, and the IMS table */
	uint32_t regs[T_REGS_END / 4];
	uint32_t cmdparam[2];
	struct perfmon perf;
	uint32_t lab[16];		/* registers of the lab's page		*/
	struct ims_entry ims[MAX_IMS];
	bool msix_handle[MAX_WQS + 1];
	bool ims_handle[MAX_IMS];

	struct command cmd;
	struct wq wq[MAX_WQS];
	uint16_t in_flight[MAX_GROUPS];
	union work_list active;
	union work_list place[PLACES];
	uint64_t seq;
	int64_t budget;			/* bytes left in this slice		*/
	uint8_t next_batch;

	struct work *prg[MAX_PRG];
	bool prg_busy[MAX_PRG];
	uint16_t prg_next;
	uint16_t prg_used;

	QEMUBH *engine_bh;
	QEMUBH *cmd_bh;
	QEMUTimer *timer;
	QEMUTimer *cmd_timer;
};

static inline uint32_t reg32(const IdxdLab *d, uint32_t off)
{
	return d->regs[off / 4];
}

static inline uint64_t reg64(const IdxdLab *d, uint32_t off)
{
	return d->regs[off / 4] | (uint64_t)d->regs[off / 4 + 1] << 32;
}

static inline void reg64_set(IdxdLab *d, uint32_t off, uint64_t v)
{
	d->regs[off / 4] = v;
	d->regs[off / 4 + 1] = v >> 32;
}

static inline uint32_t *wqcfg(IdxdLab *d, unsigned int wq)
{
	return &d->regs[(T_WQCFG + wq * WQCFG_STRIDE) / 4];
}

static inline unsigned int dev_state(const IdxdLab *d)
{
	return reg32(d, R_GENSTS) & 3;
}

static inline unsigned int wq_state(IdxdLab *d, unsigned int wq)
{
	return wqcfg(d, wq)[WQ_STATUS] >> WQS_STATE_SHIFT;
}

/* pcicfg.c: configuration space */
bool pcicfg_init(IdxdLab *d, Error **errp);
void pcicfg_exit(IdxdLab *d);
void pcicfg_reset(IdxdLab *d);
void pcicfg_write(PCIDevice *dev, uint32_t addr, uint32_t val, int len);
bool pcicfg_bus_master(IdxdLab *d);
bool pcicfg_ats(IdxdLab *d);
bool pcicfg_pasid(IdxdLab *d);
bool pcicfg_priv(IdxdLab *d);
bool pcicfg_pri(IdxdLab *d);
uint32_t pcicfg_pri_alloc(IdxdLab *d);
bool pcicfg_pri_alloc_ok(IdxdLab *d);

/* device.c */
void device_halt(IdxdLab *d, unsigned int reset);

/* perfmon.c */
void perfmon_reset(IdxdLab *d);
uint32_t perfmon_read(IdxdLab *d, uint32_t off);
void perfmon_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val);
void perfmon_count(const struct work *w);

/* inject.c, labpage.c: events that a test causes */
void inject_init(Object *obj);
void inject_revoke(IdxdLab *d);
uint32_t labpage_read(IdxdLab *d, uint32_t off);
void labpage_write(IdxdLab *d, uint32_t off, uint32_t val);
void labpage_reset(IdxdLab *d);
bool labpage_holds(const IdxdLab *d);
uint64_t labpage_delay_ns(const IdxdLab *d);
uint64_t labpage_cmd_delay_ns(const IdxdLab *d);
uint8_t labpage_cmd_error(IdxdLab *d);
uint8_t labpage_status(IdxdLab *d);

/* caps.c: capability registers */
void caps_reset(IdxdLab *d);
uint64_t opcap_word(IdxdLab *d, unsigned int n);
uint32_t caps_commands(const IdxdLab *d);

/* regs.c, tables.c: BAR0 */
extern const MemoryRegionOps bar0_ops;
void regs_reset(IdxdLab *d, bool full);
uint32_t table_read(IdxdLab *d, uint32_t off);
void table_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val);
void table_reset(IdxdLab *d);
void table_reset_wq(IdxdLab *d, unsigned int wq);

/* cmd.c, check.c */
void cmd_write(IdxdLab *d, uint32_t val);
void cmd_kick(IdxdLab *d);
void cmd_poll(IdxdLab *d);
void cmd_bh(void *opaque);
void cmd_cancel(IdxdLab *d);
enum cmd_error check_device(IdxdLab *d);
enum cmd_error check_wq(IdxdLab *d, unsigned int wq);

/* wq.c: portals and queues */
extern const MemoryRegionOps portal_ops;
bool portal_dmwr(void *opaque, hwaddr off, const uint8_t data[64], bool deferrable);
bool bar0_dmwr(void *opaque, hwaddr off, const uint8_t data[64], bool deferrable);
void wq_set_state(IdxdLab *d, unsigned int wq, enum wq_state state);
bool wq_dispatch(IdxdLab *d);
void wq_occupancy_check(IdxdLab *d, unsigned int wq);

/* engine.c: the life of a work */
typedef bool (*work_match)(IdxdLab *d, const struct work *w);
void engine_init(IdxdLab *d);
void engine_bh(void *opaque);
void engine_timer(void *opaque);
void engine_kick(IdxdLab *d);
void engine_abort(IdxdLab *d, work_match match);
bool engine_any(IdxdLab *d, work_match match);
void work_start(struct work *w);
void work_move(struct work *w, enum place place);
struct work *work_new(IdxdLab *d, const uint8_t raw[64]);
void work_unlink(struct work *w);
void work_free(struct work *w);

/* dma.c: memory access on behalf of a work */
enum step work_read(struct work *w, uint64_t addr, void *buf, uint32_t len, enum operand which);
enum step work_write(struct work *w, uint64_t addr, const void *buf, uint32_t len,
		     enum operand which);
void page_response(void *opaque, uint32_t pasid, uint16_t prgi, int code);
void page_forget(IdxdLab *d);

/* record.c: completion record */
enum step record_write(struct work *w);

/* irq.c */
void irq_misc(IdxdLab *d, uint32_t cause);
bool irq_permitted(const struct work *w);
void irq_complete(const struct work *w);
void irq_occupancy(IdxdLab *d, unsigned int wq);
void irq_ims_unmasked(IdxdLab *d, unsigned int n);
enum cmd_error irq_handle_get(IdxdLab *d, uint32_t operand, uint16_t *ret_handle);
enum cmd_error irq_handle_put(IdxdLab *d, uint32_t operand);

/* evl.c: SWERROR and the event log */
bool evl_enabled(IdxdLab *d);
void error_device(IdxdLab *d, uint8_t code);
void error_wq_full(IdxdLab *d, unsigned int wq, bool priv);
void error_work(struct work *w, uint8_t code, uint32_t info, uint64_t addr);
void error_record(struct work *w, uint8_t code);

#endif
