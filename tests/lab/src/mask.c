// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Masks a vector while completions raise it, without a guest:
 *
 *	mask UUID ROUNDS	races, each masked in one of four ways
 *
 * Once the masking call returned, its eventfd must stay silent until the vector is
 * unmasked; and what came meanwhile must come then. Prints a line per check, then
 * "mask: N ok, N bad".
 */
#include <sys/eventfd.h>
#include <time.h>

#include "check.h"
#include "mdev.h"
#include "setup.h"

#define IOVA	 0x40000000ull
#define BURST	 4u
#define SPREAD	 400000u	/* ns in which the mask falls */
#define MSIX_CTL 0x82		/* in configuration space */
#define MSIX_TBL 0x800		/* in BAR0 */
#define MSIX_PBA 0xa00		/* in BAR0 */
#define VECTOR	 1u

static uint8_t *mem;
static uint16_t handle;
static int event;

static void connect_vector(int fd)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(int)];
	struct vfio_irq_set *s = (void *)buf;

	s->argsz = sizeof(buf);
	s->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	s->index = VFIO_PCI_MSIX_IRQ_INDEX;
	s->start = VECTOR;
	s->count = 1;
	memcpy(s->data, &fd, sizeof(fd));
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, s))
		die("SET_IRQS");
}

/* ---- the ways to mask --------------------------------------------------------- */

static void by_entry(bool on)
{
	wr(MSIX_TBL + 16 * VECTOR + 12, on, 4);
}

static void by_function(bool on)
{
	config_wr(MSIX_CTL, 1u << 15 | (on ? 1u << 14 : 0), 2);
}

static void by_disable(bool on)
{
	config_wr(MSIX_CTL, on ? 0 : 1u << 15, 2);
}

static void by_disconnection(bool on)
{
	connect_vector(on ? -1 : event);
}

static const struct {
	const char *name;
	void (*set)(bool on);
} ways[] = {
	{ "its entry's mask", by_entry },
	{ "the function's mask", by_function },
	{ "MSI-X disabled", by_disable },
	{ "the eventfd taken away", by_disconnection },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* ---- races --------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static volatile uint8_t *record(unsigned int i)
{
	return mem + PAGE + 32 * i;
}

static void submit(unsigned int i)
{
	struct desc d = { .opcode_flags = OPCODE(OP_NOOP) | FLAG_CRAV | FLAG_RCR | FLAG_RCI,
			  .completion = IOVA + PAGE + 32 * i,
			  .handle = handle };

	*record(i) = 0;
	portal_store(portal, &d);
}

/* How often the eventfd was signalled since it was read last. */
static uint64_t taken(void)
{
	uint64_t n = 0;

	return read(event, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static bool completed(unsigned int n)
{
	uint64_t end = now_ns() + 20000000000ull;

	for (unsigned int i = 0; i < n; i++)
		while (!*record(i))
			if (now_ns() > end)
				return false;
	return true;
}

struct tally {
	unsigned int races, early, late, held, fired, lost, stuck;
};

static void race(unsigned int way, struct tally *t)
{
	unsigned int n = 1 + (unsigned int)random() % BURST;
	uint64_t at = now_ns() + (uint64_t)random() % SPREAD;
	uint64_t before;

	t->races++;
	for (unsigned int i = 0; i < n; i++)
		submit(i);
	while (now_ns() < at)
		;
	ways[way].set(true);
	before = taken();
	t->stuck += !completed(n);
	at = now_ns() + (uint64_t)random() % (SPREAD / 4);
	while (now_ns() < at)
		;
	t->held += rd(MSIX_PBA, 8) >> VECTOR & 1;
	t->fired += taken() != 0;
	ways[way].set(false);
	/* at least one of this race comes before the mask or after it */
	if (before)
		t->early++;
	else if (wait_event(event, 20000))
		t->late++;
	else
		t->lost++;
	taken();
}

int main(int argc, char **argv)
{
	struct tally t[WAYS] = { };
	unsigned int rounds, all = 0;
	uint32_t r;

	if (argc != 3) {
		fprintf(stderr, "usage: mask UUID ROUNDS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	rounds = (unsigned int)atoi(argv[2]);
	srandom(1);
	open_mdev(argv[1]);
	mem = memory(IOVA, 2 * PAGE);
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	connect_vector(event);
	configure();
	if (command_polled(CMD_ENABLE_DEVICE, 0) || command_polled(CMD_ENABLE_WQ, 0))
		die("enable");
	r = command_polled(CMD_GET_HANDLE, VECTOR);
	handle = (uint16_t)(r >> 8);
	check(!(r & 0xff), "an interrupt handle: %u", handle);

	for (unsigned int i = 0; i < rounds; i++)
		race(i % WAYS, &t[i % WAYS]);
	for (unsigned int i = 0; i < WAYS; i++) {
		all += t[i].races;
		check(!t[i].fired && !t[i].lost && !t[i].stuck,
		      "%s: %u races, %u fired while masked, %u lost, %u did not complete",
		      ways[i].name, t[i].races, t[i].fired, t[i].lost, t[i].stuck);
		check(t[i].early && t[i].late && t[i].held,
		      "... before the mask %u, after it %u, in the PBA %u", t[i].early, t[i].late,
		      t[i].held);
	}
	check(all == rounds, "%u races of %u", all, rounds);
	printf("mask: %d ok, %d bad\n", good, bad);
	return bad != 0;
}
