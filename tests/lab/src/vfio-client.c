// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drives one mdev through VFIO's type1 container, without a guest: what a driver
 * does with the registers, descriptors through the mapped portal, interrupts by
 * eventfd, and everything that must not work.
 *
 *	vfio-client UUID [ROUNDS]	all checks, ROUNDS copies by interrupt (300)
 *	vfio-client UUID hold SECONDS	enable the queue and keep it enabled
 *	vfio-client UUID store SECONDS	the same, storing descriptors all the time
 *	vfio-client UUID release SECONDS	as hold, until it is asked to release the mdev
 *	vfio-client UUID withhold 0	a command whose end waits for a page that this program withholds
 *	vfio-client UUID reset SECONDS	enable the queue, wait for a halt, reset until it copies again
 *
 * Prints a line per check, then "vfio-client: N ok, N bad".
 */
#include <sys/eventfd.h>
#include <time.h>

#include "check.h"
#include "mdev.h"
#include "setup.h"

/* Guest-physical layout that this program pretends to have. */
#define IOVA	 0x40000000ull
#define MEM_SIZE (64 * PAGE)
#define IOVA_RO	 0x50000000ull
#define IOVA_HOT 0x60000000ull
#define IOVA_BAD 0x70000000ull

static int vector[2];
static uint64_t bar2, bar2_size;
static uint8_t *mem;
static uint32_t handle;
static const char *uuid;

/* A command, ended by vector 0. Returns CMDSTS, or ~0 when no interrupt came. */
static uint32_t command(unsigned int code, uint32_t operand)
{
	wr(R_CMD, CMD_INTERRUPT | code << 20 | operand, 4);
	if (!wait_event(vector[0], 30000))
		return ~0u;
	wr(R_INTCAUSE, rd(R_INTCAUSE, 4), 4);
	return (uint32_t)rd(R_CMDSTS, 4);
}

static bool enable(void)
{
	uint32_t r;

	configure();
	r = command(CMD_ENABLE_DEVICE, 0);
	if (r) {
		printf("# Enable Device: CMDSTS %#x\n", r);
		return false;
	}
	r = command(CMD_ENABLE_WQ, 0);
	if (r) {
		printf("# Enable WQ: CMDSTS %#x\n", r);
		return false;
	}
	r = command(CMD_GET_HANDLE, 1);
	handle = r >> 8 & 0xffff;
	return (r & 0xff) == 0;
}

/* ---- descriptors ----------------------------------------------------------- */

static uint64_t record_iova = IOVA + MEM_SIZE - PAGE;

static volatile uint8_t *record(void)
{
	return mem + MEM_SIZE - PAGE;
}

static void submit(unsigned int page, uint32_t dword0, uint64_t src, uint64_t dst, uint32_t size,
		   uint32_t flags, uint16_t h)
{
	struct desc d = { .pasid_priv = dword0,
			  .opcode_flags = OPCODE(OP_MEMMOVE) | flags,
			  .completion = record_iova,
			  .src = src,
			  .dst = dst,
			  .size = size,
			  .handle = h };

	memset((void *)record(), 0, 32);
	portal_store(portal + page * PAGE, &d);
}

/* The status, or -1 if none came in time. */
static int status(int ms)
{
	struct timespec nap = { .tv_nsec = 1000000 };

	for (int i = 0; i < ms; i++) {
		if (*record())
			return *record();
		nanosleep(&nap, NULL);
	}
	return *record() ? *record() : -1;
}

/* One copy with an interrupt: status, and whether the interrupt came. */
static int copy_dword0(unsigned int page, uint32_t dword0, uint64_t src, uint64_t dst, bool *irq)
{
	submit(page, dword0, src, dst, PAGE, FLAG_CRAV | FLAG_RCR | FLAG_RCI, (uint16_t)handle);
	*irq = wait_event(vector[1], 3000);
	return status(1000);
}

static int copy(unsigned int page, uint64_t src, uint64_t dst, bool *irq)
{
	return copy_dword0(page, 0, src, dst, irq);
}

static bool filled(const uint8_t *p, uint8_t v)
{
	for (unsigned int i = 0; i < PAGE; i++)
		if (p[i] != v)
			return false;
	return true;
}

/* ---- set-up ---------------------------------------------------------------- */

static void set_irqs(unsigned int index, unsigned int start, unsigned int count, const int *fds)
{
	char buf[sizeof(struct vfio_irq_set) + 2 * sizeof(int)];
	struct vfio_irq_set *s = (void *)buf;

	s->argsz = sizeof(*s) + count * sizeof(int);
	s->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	s->index = index;
	s->start = start;
	s->count = count;
	memcpy(s->data, fds, count * sizeof(int));
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, s))
		die("SET_IRQS");
}

static void set_irq(unsigned int start, unsigned int count, const int *fds)
{
	set_irqs(VFIO_PCI_MSIX_IRQ_INDEX, start, count, fds);
}

static void open_all(void)
{
	open_mdev(uuid);
	mem = memory(IOVA, MEM_SIZE);
	bar2 = region(VFIO_PCI_BAR2_REGION_INDEX, &bar2_size);
	vector[0] = eventfd(0, EFD_CLOEXEC);
	vector[1] = eventfd(0, EFD_CLOEXEC);
	set_irq(0, 2, vector);
}

/* ---- checks ---------------------------------------------------------------- */

static void check_shape(void)
{
	struct vfio_device_info di = { .argsz = sizeof(di) };
	struct vfio_irq_info ii = { .argsz = sizeof(ii), .index = VFIO_PCI_ERR_IRQ_INDEX };
	uint8_t whole[4096];

	check(!ioctl(device, VFIO_DEVICE_GET_INFO, &di) && (di.flags & VFIO_DEVICE_FLAGS_PCI),
	      "it is a VFIO PCI device");
	check(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &ii) && errno == EINVAL,
	      "no error interrupt is offered");
	ii.index = VFIO_PCI_MSIX_IRQ_INDEX;
	if (ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &ii))
		die("GET_IRQ_INFO");
	check(ii.count == 2, "two MSI-X vectors: %u", ii.count);
	check(pread(device, whole, 256, (off_t)config) == 256 && whole[0] == 0x86 &&
		      whole[1] == 0x80,
	      "configuration space is read in one piece, vendor 8086");
	check(bar2_size == 4 * PAGE, "BAR2 has four portal pages: %#lx", (long)bar2_size);
}

static void check_mmap(void)
{
	static const struct {
		const char *name;
		int prot, flags;
		unsigned long page, pages;
	} no[] = {
		{ "page 2", PROT_READ | PROT_WRITE, MAP_SHARED, 2, 1 },
		{ "page 3", PROT_READ | PROT_WRITE, MAP_SHARED, 3, 1 },
		{ "pages 1 and 2", PROT_READ | PROT_WRITE, MAP_SHARED, 1, 2 },
		{ "all four pages", PROT_READ | PROT_WRITE, MAP_SHARED, 0, 4 },
		{ "a private mapping", PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, 1 },
		{ "a read-only mapping", PROT_READ, MAP_SHARED, 0, 1 },
		{ "an executable mapping", PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, 0, 1 },
		{ "BAR0", PROT_READ | PROT_WRITE, MAP_SHARED, 0, 0 },
	};

	for (unsigned int i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		off_t at = no[i].pages ? (off_t)(bar2 + no[i].page * PAGE) : (off_t)bar0;
		unsigned long len = (no[i].pages ?: 1) * PAGE;
		void *p = mmap(NULL, len, no[i].prot, no[i].flags, device, at);

		/* a /dev mounted noexec refuses on its own, with EPERM */
		check(p == MAP_FAILED &&
			      (errno == EINVAL || (errno == EPERM && (no[i].prot & PROT_EXEC))),
		      "mmap of %s is refused", no[i].name);
		if (p != MAP_FAILED)
			munmap(p, len);
	}
}

/* The host's own view of the queue, through the physical function. */
static void check_host(bool enabled)
{
	char path[256], name[64] = "";
	volatile uint32_t *regs;
	uint32_t pasid = 0, wqcfg, stride, word2, word6;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), MDEVS "%s/wq", uuid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "wq%*d.%63s", name) != 1)
		die(path);
	fclose(f);
	snprintf(path, sizeof(path), MDEVS "%s/pasid", uuid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%u", &pasid) != 1)
		die(path);
	fclose(f);
	/* the link to the mdev leads into its parent's directory */
	snprintf(path, sizeof(path), MDEVS "%s/../resource0", uuid);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		die(path);
	regs = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (regs == MAP_FAILED)
		die("mmap of the physical function");
	stride = 32u << (regs[(R_WQCAP + 4) / 4 - 1] >> 24 & 15);
	wqcfg = (regs[R_OFFSETS / 4] >> 16) * 0x100 + (uint32_t)atoi(name) * stride;
	word2 = regs[wqcfg / 4 + 2];
	word6 = regs[wqcfg / 4 + 6];
	munmap((void *)regs, 2 * PAGE);
	close(fd);
	if (enabled) {
		check((word2 >> 8 & 0xfffff) == pasid && pasid, "WQCFG on the host holds PASID %u: %#x",
		      pasid, word2);
		check((word2 >> 28 & 3) == 1, "... with PASID enabled and without privilege");
		check(word6 >> 30 == 1, "... and the queue is enabled");
	} else {
		check((word2 >> 8 & 0xfffff) == 0 && word6 >> 30 == 0,
		      "WQCFG on the host holds no PASID and the queue is disabled: %#x", word2);
	}
}

static void check_copies(unsigned int rounds)
{
	unsigned int done = 0, irqs = 0;
	bool irq;
	int r;

	for (unsigned int page = 0; page < 2; page++) {
		memset(mem, 0xa0 + (int)page, PAGE);
		memset(mem + PAGE, 0, PAGE);
		r = copy(page, IOVA, IOVA + PAGE, &irq);
		check(r == 1 && irq && filled(mem + PAGE, 0xa0 + (uint8_t)page),
		      "copy through portal page %u: status %#x, interrupt %d", page, r, irq);
	}
	for (unsigned int i = 0; i < rounds; i++) {
		memset(mem, (int)i, PAGE);
		r = copy(1, IOVA, IOVA + PAGE, &irq);
		done += r == 1 && filled(mem + PAGE, (uint8_t)i);
		irqs += irq;
	}
	check(done == rounds && irqs == rounds, "%u copies by interrupt: %u done, %u interrupts",
	      rounds, done, irqs);
}

static void check_isolation(void)
{
	uint8_t *local = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool irq;
	int r;

	memset(mem, 0x11, PAGE);
	memset(mem + PAGE, 0x22, PAGE);
	memset(local, 0x33, PAGE);

	r = copy(1, IOVA_BAD, IOVA + PAGE, &irq);
	check(r == 0x03 && irq && filled(mem + PAGE, 0x22), "source not mapped: %#x", r);
	r = copy(1, IOVA, IOVA_BAD, &irq);
	check(r == 0x83 && irq, "destination not mapped: %#x", r);
	r = copy(1, IOVA, (uintptr_t)local, &irq);
	check(r == 0x83 && filled(local, 0x33), "own virtual address as destination: %#x", r);
	r = copy(1, IOVA, 0x1000, &irq);
	check(r == 0x83, "low physical address as destination: %#x", r);
	r = copy(1, IOVA, 0xfee00000, &irq);
	check(r == 0x83, "interrupt range as destination: %#x", r);

	r = copy_dword0(1, 0x80000000u | 1, IOVA, IOVA + PAGE, &irq);
	check(r == 1 && filled(mem + PAGE, 0x11), "forged PASID and privilege are ignored: %#x", r);

	memset(mem + PAGE, 0x22, PAGE);
	submit(1, 0, IOVA, IOVA + PAGE, PAGE, FLAG_CRAV | FLAG_RCR | FLAG_RCI,
	       (uint16_t)(handle + 1));
	r = status(2000);
	irq = wait_event(vector[1], 300);
	check(r == 0x19 && !irq && filled(mem + PAGE, 0x22),
	      "a foreign interrupt handle: %#x, interrupt %d", r, irq);

	if (map(IOVA_RO, local, PAGE, false))
		die("MAP_DMA read-only");
	r = copy(1, IOVA, IOVA_RO, &irq);
	check(r == 0x83 && filled(local, 0x33), "write to a read-only mapping: %#x", r);
	r = copy(1, IOVA_RO, IOVA + PAGE, &irq);
	check(r == 1 && filled(mem + PAGE, 0x33), "read from it: %#x", r);

	if (unmap(IOVA_RO, PAGE))
		die("UNMAP_DMA");
	r = copy(1, IOVA_RO, IOVA + PAGE, &irq);
	check(r == 0x03, "source just unmapped: %#x", r);
	if (map(IOVA_HOT, local, PAGE, true))
		die("MAP_DMA while enabled");
	r = copy(1, IOVA, IOVA_HOT, &irq);
	check(r == 1 && filled(local, 0x11), "destination just mapped: %#x", r);
	unmap(IOVA_HOT, PAGE);
}

/* Neither state of the portal may become a target of DMA. */
static void check_portal_map(const char *when)
{
	int r;

	r = map(IOVA_BAD, portal, PAGE, true);
	check(r < 0, "MAP_DMA of the portal %s is refused: %s", when, strerror(-r));
	if (!r)
		unmap(IOVA_BAD, PAGE);
}

static void check_cycles(void)
{
	unsigned int cycles = 0;
	bool irq;
	int r;

	r = (int)command(CMD_DISABLE_WQ, 1);
	check(r == 0, "Disable WQ: %#x", r);
	check_host(false);
	submit(1, 0, IOVA, IOVA + PAGE, PAGE, FLAG_CRAV | FLAG_RCR, 0);
	r = status(300);
	check(r == -1, "a store to the disabled queue's portal is dropped");
	check_portal_map("of a disabled queue");

	for (unsigned int i = 0; i < 4; i++) {
		configure();
		if (command(CMD_ENABLE_WQ, 0))
			break;
		r = (int)command(CMD_GET_HANDLE, 1);
		handle = (uint32_t)r >> 8 & 0xffff;
		memset(mem, (int)i + 1, PAGE);
		if (copy(1, IOVA, IOVA + PAGE, &irq) != 1 || !irq ||
		    !filled(mem + PAGE, (uint8_t)(i + 1)))
			break;
		if (command(CMD_DRAIN_WQ, 1) || command(i & 1 ? CMD_RESET_WQ : CMD_DISABLE_WQ, 1))
			break;
		cycles++;
	}
	check(cycles == 4, "enable, copy, drain, disable or reset: %u of 4 cycles", cycles);
}

static void check_reset(void)
{
	bool irq;
	int r;

	reset_function();
	check((rd(R_GENSTS, 4) & 3) == 0, "the device is disabled after it");
	check_host(false);
	set_irq(0, 2, vector);
	check(enable(), "enable again after the reset");
	memset(mem, 0x77, PAGE);
	r = copy(1, IOVA, IOVA + PAGE, &irq);
	check(r == 1 && irq && filled(mem + PAGE, 0x77), "copy after the reset: %#x", r);
}

/* An interrupt without a listener is kept until there is one. */
static void check_latch(void)
{
	const int none = -1;
	int r;

	set_irq(1, 1, &none);
	submit(1, 0, IOVA, IOVA + PAGE, PAGE, FLAG_CRAV | FLAG_RCR | FLAG_RCI, (uint16_t)handle);
	r = status(3000);
	check(r == 1 && !wait_event(vector[1], 300), "no listener on vector 1: status %#x", r);
	set_irq(1, 1, &vector[1]);
	check(wait_event(vector[1], 3000), "its interrupt comes with the listener");
	set_irq(0, 1, &none);
	wr(R_CMD, CMD_INTERRUPT | CMD_DRAIN_WQ << 20 | 1, 4);
	check(!wait_event(vector[0], 1000), "no listener on vector 0");
	set_irq(0, 1, &vector[0]);
	check(wait_event(vector[0], 3000), "the command's interrupt comes with the listener");
	wr(R_INTCAUSE, rd(R_INTCAUSE, 4), 4);
}

#include "faults.h"

static int hold(unsigned int seconds, bool store)
{
	time_t end = time(NULL) + seconds;
	unsigned long n = 0;

	if (!enable()) {
		printf("vfio-client: not enabled\n");
		return 1;
	}
	printf("holding\n");
	fflush(stdout);
	while (time(NULL) < end) {
		if (store) {
			submit(1, 0, IOVA, IOVA + PAGE, PAGE, FLAG_CRAV | FLAG_RCR, 0);
			n++;
			status(2);
		} else {
			usleep(100000);
		}
	}
	printf("vfio-client: held, %lu stores\n", n);
	return 0;
}

static int release(unsigned int seconds)
{
	int request = eventfd(0, EFD_CLOEXEC);
	bool asked;

	set_irqs(VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &request);
	printf("holding\n");
	asked = wait_event(request, (int)seconds * 1000);
	printf("vfio-client: %s\n", asked ? "asked to release" : "not asked");
	return !asked;
}

/* What a driver does whose device halts and asks for a reset. */
static int recover(unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	bool irq;

	if (!enable()) {
		printf("vfio-client: not enabled\n");
		return 1;
	}
	printf("holding\n");
	while ((rd(R_GENSTS, 4) & 3) != 3 && time(NULL) < end)
		usleep(10000);
	printf("vfio-client: halted, GENSTS %#lx\n", (long)rd(R_GENSTS, 4));
	while (time(NULL) < end) {
		usleep(500000);
		reset_function();
		set_irq(0, 2, vector);
		memset(mem, 0x3c, PAGE);
		if (enable() && copy(1, IOVA, IOVA + PAGE, &irq) == 1 && irq &&
		    filled(mem + PAGE, 0x3c)) {
			printf("vfio-client: copies again\n");
			sleep(seconds);
			return 0;
		}
	}
	return 1;
}

int main(int argc, char **argv)
{
	bool enabled;

	if (argc < 2) {
		fprintf(stderr, "usage: vfio-client UUID [ROUNDS | hold|store|release|reset SECONDS]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	uuid = argv[1];
	open_all();
	if (argc > 3 && !strcmp(argv[2], "reset"))
		return recover((unsigned int)atoi(argv[3]));
	if (argc > 3 && !strcmp(argv[2], "release"))
		return release((unsigned int)atoi(argv[3]));
	if (argc > 3 && !strcmp(argv[2], "withhold"))
		return withhold();
	if (argc > 3)
		return hold((unsigned int)atoi(argv[3]), !strcmp(argv[2], "store"));

	check_shape();
	check_mmap();
	check_portal_map("before it was touched");
	check_host(false);
	enabled = enable();
	check(enabled, "enable the device and its queue, handle %u", handle);
	if (enabled) {
		check_host(true);
		check_copies(argc > 2 ? (unsigned int)atoi(argv[2]) : 300);
		check_isolation();
		check_portal_map("of an enabled queue");
		check_latch();
		check_record_fault();
		check_cycles();
		check_reset();
	}
	printf("vfio-client: %d ok, %d bad\n", good, bad);
	return bad != 0;
}
