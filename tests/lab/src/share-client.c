// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drives one mdev of a 1swq type through VFIO, without a guest: all of its queues, by
 * stores and by write(), with interrupts; descriptors that the host must refuse; the
 * ends of a queue.
 *
 *	share-client UUID [ROUNDS]		all checks, ROUNDS copies by interrupt (300)
 *	share-client UUID store SECONDS		enables the queues, stores all the time
 *
 * Prints a line per check, then "share-client: N ok, N bad".
 */
#include <sys/eventfd.h>
#include <time.h>

#include "check.h"
#include "mdev.h"
#include "setup.h"

#define IOVA	 0x40000000ull
#define IOVA_BAD 0x70000000ull
#define MEM_SIZE (64 * PAGE)
#define WQS	 4u
#define STRIDE	 (4 * PAGE)

#define E_OPCODE 0x10
#define E_RECORD 0x1b

static int vector[WQS + 1];
static uint16_t handle[WQS];
static uint8_t *mem, *door[WQS];
static uint64_t bar2, bar2_size;

static volatile uint8_t *record(unsigned int wq)
{
	return mem + MEM_SIZE - PAGE + 64 * wq;
}

static uint64_t record_iova(unsigned int wq)
{
	return IOVA + MEM_SIZE - PAGE + 64 * wq;
}

/* Source and destination of a queue are pages of its own. */
static struct desc copy_of(unsigned int wq)
{
	struct desc d = { .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR | FLAG_RCI,
			  .completion = record_iova(wq),
			  .src = IOVA + 2 * wq * PAGE,
			  .dst = IOVA + (2 * wq + 1) * PAGE,
			  .size = PAGE,
			  .handle = handle[wq] };

	memset((void *)record(wq), 0, 32);
	return d;
}

static void fill(unsigned int wq, uint8_t val)
{
	memset(mem + 2 * wq * PAGE, val, PAGE);
	memset(mem + (2 * wq + 1) * PAGE, 0, PAGE);
}

static bool copied(unsigned int wq)
{
	return !memcmp(mem + 2 * wq * PAGE, mem + (2 * wq + 1) * PAGE, PAGE);
}

static bool ends(unsigned int wq)
{
	return wait_event(vector[wq + 1], 10000) && *record(wq) == ST_SUCCESS && copied(wq);
}

static bool is_silent(unsigned int wq)
{
	usleep(100000);
	return !*record(wq) && !wait_event(vector[wq + 1], 0);
}

static void pause_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/* ---- set-up ---------------------------------------------------------------- */

static void connect_vectors(void)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(vector)];
	struct vfio_irq_set *s = (void *)buf;

	for (unsigned int i = 0; i <= WQS; i++)
		vector[i] = eventfd(0, EFD_CLOEXEC);
	s->argsz = sizeof(buf);
	s->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	s->index = VFIO_PCI_MSIX_IRQ_INDEX;
	s->start = 0;
	s->count = WQS + 1;
	memcpy(s->data, vector, sizeof(vector));
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, s))
		die("SET_IRQS");
}

static void map_doors(void)
{
	for (unsigned int i = 0; i < WQS; i++) {
		door[i] = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
			       (off_t)(bar2 + i * STRIDE));
		if (door[i] == MAP_FAILED)
			die("mmap of a portal");
	}
}

/* All queues in one group, one entry each; the size of one register space is in WQCAP. */
static void configure_all(uint16_t size)
{
	uint64_t offsets = rd(R_OFFSETS, 8);
	uint32_t grpcfg = (uint32_t)(offsets & 0xffff) << 8;
	uint32_t wqcfg = (uint32_t)(offsets >> 16 & 0xffff) << 8;
	uint32_t stride = 32u << (rd(R_WQCAP, 8) >> 24 & 15);

	for (unsigned int i = 0; i < WQS; i++) {
		wr(wqcfg + i * stride + 0, size, 4);
		wr(wqcfg + i * stride + 8, 1 | 10 << 4, 4);
		wr(wqcfg + i * stride + 12, 21 | 5 << 5, 4);
	}
	wr(grpcfg + 0, (1u << WQS) - 1, 8);
	wr(grpcfg + 0x20, 1, 8);
	wr(grpcfg + 0x28, 32u << 20, 8);
}

static bool enable_all(void)
{
	uint32_t r;

	configure_all(1);
	if (command_polled(CMD_ENABLE_DEVICE, 0))
		return false;
	for (unsigned int i = 0; i < WQS; i++) {
		if (command_polled(CMD_ENABLE_WQ, i))
			return false;
		r = command_polled(CMD_GET_HANDLE, i + 1);
		if (r & 0xff)
			return false;
		handle[i] = r >> 8 & 0xffff;
	}
	return true;
}

/* ---- checks ---------------------------------------------------------------- */

static void check_shape(void)
{
	struct vfio_irq_info ii = { .argsz = sizeof(ii), .index = VFIO_PCI_MSIX_IRQ_INDEX };
	void *p;

	if (ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &ii))
		die("GET_IRQ_INFO");
	check(ii.count == WQS + 1, "a vector for each queue: %u", ii.count);
	check(bar2_size == WQS * STRIDE, "four portal pages for each queue: %#lx", (long)bar2_size);
	check((rd(R_WQCAP, 8) & 0xffff) == WQS && (rd(R_WQCAP, 8) >> 16 & 0xff) == WQS,
	      "%u queues with %u entries", (unsigned int)(rd(R_WQCAP, 8) >> 16 & 0xff),
	      (unsigned int)(rd(R_WQCAP, 8) & 0xffff));
	for (unsigned int page = 1; page < 4; page++) {
		p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
			 (off_t)(bar2 + page * PAGE));
		check(p == MAP_FAILED, "pages %u and %u are not mapped", page, page + 1);
	}
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)(bar2 + bar2_size));
	check(p == MAP_FAILED, "nor what follows the last");
	check(map(IOVA_BAD, door[0], PAGE, true) != 0, "a portal is no target of DMA");
	configure_all(2);
	check(command_polled(CMD_ENABLE_DEVICE, 0) == 0x14, "a queue of two entries is refused");
}

/* Each queue by each way in: both pages, each slot, write(); asleep and awake. */
static void check_copies(unsigned int rounds)
{
	unsigned int good_ones = 0, wq;
	struct desc d;

	for (unsigned int i = 0; i < rounds; i++) {
		wq = i % WQS;
		d = copy_of(wq);
		fill(wq, (uint8_t)i | 1);
		portal_store(door[wq] + (i / WQS % 128) * 64, &d);
		good_ones += ends(wq);
		if (i % 50 == 49)
			pause_ms(60);
	}
	check(good_ones == rounds, "copies by stores to each place: %u of %u", good_ones, rounds);

	for (wq = 0; wq < WQS; wq++) {
		d = copy_of(wq);
		fill(wq, 0x77);
		check(pwrite(device, &d, 64, (off_t)(bar2 + wq * STRIDE + PAGE)) == 64 && ends(wq),
		      "queue %u: a copy by write()", wq);
	}
	d = copy_of(0);
	for (unsigned int half = 0; half < 64; half += 32)
		if (pwrite(device, (uint8_t *)&d + half, 32, (off_t)(bar2 + half)) != 32)
			die("write of a portal");
	check(is_silent(0), "two halves by write() are no descriptor");

	for (wq = 0; wq < WQS; wq++) {
		fill(wq, (uint8_t)(wq + 1));
		d = copy_of(wq);
		portal_store(door[wq], &d);
	}
	for (wq = 0; wq < WQS; wq++)
		check(ends(wq), "queue %u at the same time as the others", wq);
}

/* A store that is not one: its first and its last part come at different times. */
static void check_slow_store(void)
{
	volatile uint64_t *slot = (void *)(door[1] + 5 * 64);
	struct desc d = copy_of(1);
	const uint64_t *from = (void *)&d;

	fill(1, 0x42);
	for (int i = 7; i >= 0; i--) {
		slot[i] = from[i];
		usleep(500);
	}
	check(ends(1), "eight stores make a descriptor too");
}

/* What dword 0 says of PASID and privilege is not the guest's to say. */
static void check_owner(void)
{
	static const uint32_t words[] = { 1, 0xfffff, 1u << 31, 0x7ff00000, 0xfffffffe };
	struct desc d;
	bool same = true;

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		d = copy_of(2);
		d.pasid_priv = words[i];
		fill(2, (uint8_t)(0x30 + i));
		portal_store(door[2], &d);
		same &= ends(2);
	}
	check(same, "PASID and privilege in a descriptor mean nothing");

	d = copy_of(2);
	d.dst = IOVA_BAD;
	portal_store(door[2], &d);
	wait_event(vector[3], 10000);
	check(*record(2) == ST_FAULT_WR, "an address that is not mapped: status %#x", *record(2));
	d = copy_of(2);
	d.handle = (uint16_t)(handle[2] + 100);
	portal_store(door[2], &d);
	pause_ms(200);
	check(*record(2) == ST_HANDLE, "another's interrupt handle: status %#x", *record(2));
	d = copy_of(2);
	d.handle = handle[3];
	fill(2, 0x11);
	portal_store(door[2], &d);
	check(wait_event(vector[4], 10000) && copied(2), "its own queue's handle is one");
}

static uint8_t swerror(void)
{
	uint64_t v = rd(R_SWERR, 8);

	wr(R_SWERR, 3, 8);
	return v & 1 ? v >> 8 & 0xff : 0;
}

static void check_refused(void)
{
	struct desc d;
	uint8_t code;

	swerror();
	d = copy_of(3);
	d.completion += 16;
	portal_store(door[3], &d);
	check(is_silent(3), "a record that is not aligned: nothing happens");
	code = swerror();
	check(code == E_RECORD, "but an error: %#x", code);
	d = copy_of(3);
	d.opcode_flags |= OPCODE(0xffu);
	portal_store(door[3], &d);
	check(is_silent(3), "an operation that there is not: nothing happens");
	code = swerror();
	check(code == E_OPCODE, "but an error: %#x", code);
	d = copy_of(3);
	d.completion = IOVA_BAD;
	portal_store(door[3], &d);
	pause_ms(1000);
	check(swerror() != 0, "a record that cannot be written is an error");
	fill(3, 0x55);
	d = copy_of(3);
	portal_store(door[3], &d);
	check(ends(3), "the queue goes on");
}

static void check_ends(void)
{
	struct desc d = copy_of(0);

	fill(0, 0x21);
	portal_store(door[0], &d);
	check(!command_polled(CMD_DISABLE_WQ, 1u << 0), "disable one queue");
	check(*record(0) == ST_SUCCESS && copied(0), "what it had accepted is done");
	wait_event(vector[1], 0);
	d = copy_of(0);
	portal_store(door[0], &d);
	check(is_silent(0), "a disabled queue drops what is stored");
	fill(1, 0x22);
	d = copy_of(1);
	portal_store(door[1], &d);
	check(ends(1), "another one does not");
	check(!command_polled(CMD_ENABLE_WQ, 0), "enable it again");
	check(is_silent(0), "what was dropped does not come back");
	fill(0, 0x23);
	d = copy_of(0);
	portal_store(door[0], &d);
	check(ends(0), "it works");
	check(!command_polled(CMD_RESET_WQ, 1u << 2), "reset one queue");
	fill(3, 0x24);
	d = copy_of(3);
	portal_store(door[3], &d);
	check(ends(3), "another one goes on");
	check(!command_polled(CMD_DISABLE_DEVICE, 0), "disable the device");
	reset_function();
	check(rd(R_GENSTS, 4) == 0, "a reset");
	check(enable_all(), "and all again");
	fill(0, 0x25);
	d = copy_of(0);
	portal_store(door[0], &d);
	check(ends(0), "it works");
}

static void store_for(unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned long n = 0, failed = 0;
	struct desc d;

	printf("storing\n");
	fflush(stdout);
	while (time(NULL) < end) {
		unsigned int wq = n++ % WQS;

		fill(wq, (uint8_t)n | 1);
		d = copy_of(wq);
		portal_store(door[wq], &d);
		if (ends(wq))
			continue;
		printf("# %lu: queue %u, status %#x, %scopied, SWERROR %#x\n", n, wq, *record(wq),
		       copied(wq) ? "" : "not ", swerror());
		failed++;
	}
	check(!failed, "stored %lu, %lu failed", n, failed);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	open_mdev(argv[1]);
	bar2 = region(VFIO_PCI_BAR2_REGION_INDEX, &bar2_size);
	mem = memory(IOVA, MEM_SIZE);
	map_doors();
	connect_vectors();

	if (argc > 3 && !strcmp(argv[2], "store")) {
		check(enable_all(), "all queues are enabled");
		store_for((unsigned int)atoi(argv[3]));
	} else {
		check_shape();
		check(enable_all(), "all queues are enabled");
		check_copies(argc > 2 ? (unsigned int)atoi(argv[2]) : 300);
		check_slow_store();
		check_owner();
		check_refused();
		check_ends();
	}
	printf("share-client: %d ok, %d bad\n", good, bad);
	return bad != 0;
}
