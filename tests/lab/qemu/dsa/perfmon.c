/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Performance monitoring: perfmon=N counters with filters, freezing and overflow.
 * unverified: which events there are. Here every counter counts descriptors that have ended,
 * whatever event it was given, and of its filters only those for queue and PASID count.
 */
#include "qemu/osdep.h"
#include "model.h"

#define P_CAP		0x000
#define P_RESET		0x010
#define P_FREEZE	0x020
#define P_OVERFLOW	0x030
#define P_EVENTS	0x080
#define P_CONFIG	0x100
#define P_DATA		0x200
#define P_FILTER	0x300
#define P_END		(P_FILTER + 32 * MAX_COUNTERS)

#define CATEGORIES	4u
#define EVENTS		0x0fffffffu

#define CAP_FILTERS	0x3full
#define CAP_LIVE	(1ull << 53)
#define CAP_FREEZE	(1ull << 54)
#define CAP_INTERRUPT	(1ull << 55)

#define CFG_ENABLE	(1u << 0)
#define CFG_INTERRUPT	(1u << 1)
#define CFG_FREEZE	(1u << 2)
#define CFG_LOW_BITS	0x00000f07u

#define FILTER_WQ	0
#define FILTER_PASID	5

static uint64_t perfcap(const IdxdLab *d)
{
	return d->counters | d->counter_width << 8 | CATEGORIES << 16 |
	       (uint64_t)((1u << CATEGORIES) - 1) << 20 | CAP_FILTERS << 36 | CAP_LIVE |
	       CAP_FREEZE | CAP_INTERRUPT;
}

static void reset_config(IdxdLab *d)
{
	memset(d->perf.config, 0, sizeof(d->perf.config));
	memset(d->perf.filter, 0xff, sizeof(d->perf.filter));
	d->perf.frozen = 0;
}

static void reset_counters(IdxdLab *d)
{
	memset(d->perf.data, 0, sizeof(d->perf.data));
	d->perf.overflow = 0;
}

void perfmon_reset(IdxdLab *d)
{
	reset_config(d);
	reset_counters(d);
}

/* The dword at @off of what has 64 bits per counter. */
static uint32_t half(uint64_t v, uint32_t off)
{
	return off & 4 ? v >> 32 : v;
}

uint32_t perfmon_read(IdxdLab *d, uint32_t off)
{
	unsigned int n = off / 8 % 32;

	if (!d->counters || off >= P_END)
		return 0;
	if (off >= P_FILTER) {
		n = (off - P_FILTER) / 32;
		return n < d->counters && off % 32 < 24 ? d->perf.filter[n][off % 32 / 4] : 0;
	}
	if (off >= P_DATA)
		return n < d->counters ? half(d->perf.data[n], off) : 0;
	if (off >= P_CONFIG)
		return n < d->counters ? half(d->perf.config[n], off) : 0;
	if (off >= P_EVENTS)
		return (off - P_EVENTS) / 8 < CATEGORIES && !(off & 4) ? EVENTS : 0;
	if (off < P_CAP + 8)
		return half(perfcap(d), off);
	if (off == P_FREEZE)
		return d->perf.frozen;
	return off == P_OVERFLOW ? d->perf.overflow : 0;
}

static void config_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	unsigned int n = (off - P_CONFIG) / 8;
	unsigned int shift = off & 4 ? 32 : 0;
	uint64_t bits = lanes & (off & 4 ? EVENTS : CFG_LOW_BITS);

	if (n < d->counters)
		d->perf.config[n] = (d->perf.config[n] & ~(bits << shift)) |
				    (uint64_t)(val & bits) << shift;
}

static void filter_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	unsigned int n = (off - P_FILTER) / 32;
	uint32_t *f;

	if (n >= d->counters || off % 32 >= 24)
		return;
	f = &d->perf.filter[n][off % 32 / 4];
	*f = (*f & ~lanes) | (val & lanes);
}

/* unverified: that a counter cannot be written */
void perfmon_write(IdxdLab *d, uint32_t off, uint32_t lanes, uint32_t val)
{
	val &= lanes;
	if (!d->counters || off >= P_END)
		return;
	if (off >= P_FILTER)
		filter_write(d, off, lanes, val);
	else if (off >= P_CONFIG && off < P_DATA)
		config_write(d, off, lanes, val);
	else if (off == P_FREEZE)
		d->perf.frozen = (d->perf.frozen & ~lanes) | val;
	else if (off == P_OVERFLOW)
		d->perf.overflow &= ~val;
	if (off != P_RESET)
		return;
	if (val & 1)
		reset_config(d);
	if (val & 2)
		reset_counters(d);
}

static void overflow(IdxdLab *d, unsigned int n)
{
	d->perf.data[n] = 0;
	d->perf.overflow |= 1u << n;
	if (d->perf.config[n] & CFG_FREEZE)
		d->perf.frozen = ~0u;
	if (d->perf.config[n] & CFG_INTERRUPT)
		irq_misc(d, CAUSE_PERFMON);
}

static bool wanted(const struct work *w, const uint32_t *filter)
{
	if (filter[FILTER_WQ] != ~0u && (w->wq > 31 || !(filter[FILTER_WQ] >> w->wq & 1)))
		return false;
	return filter[FILTER_PASID] == ~0u || filter[FILTER_PASID] == w->pasid;
}

/* A descriptor has ended. */
void perfmon_count(const struct work *w)
{
	IdxdLab *d = w->d;
	unsigned int n;

	for (n = 0; n < d->counters; n++) {
		if (!(d->perf.config[n] & CFG_ENABLE) || d->perf.frozen >> n & 1 ||
		    !wanted(w, d->perf.filter[n]))
			continue;
		if (++d->perf.data[n] >> d->counter_width)
			overflow(d, n);
	}
}
