// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VMM that calls VFIO at random: mmap, interrupts, regions, features, migration, DMA mappings, in
 * structures that are often nearly right, from two threads at once.
 *
 *	vfio-fuzz UUID CALLS SEED
 *
 * Prints how often each call was made and with which result; then the mdev must copy after a reset.
 */
#include <pthread.h>
#include <sys/eventfd.h>

#include "mdev.h"
#include "setup.h"

#define IOVA	 0x40000000ull
#define MEM_SIZE (64 * PAGE)
#define THREADS	 2
#define FDS	 8
#define ERRNOS	 134
#define PLACES	 4
#define PLACE	 (8 * PAGE)

struct thread {
	uint64_t random;
	unsigned long calls;
	unsigned long count[16][ERRNOS];	/* by kind and errno; 0 is success */
	uint8_t *place;
	int mig_fd;
	uint8_t buf[8192] __attribute__((aligned(64)));
};

static uint8_t *mem;
static int fds[FDS];

/* xorshift64*: seeded, so that a run can be repeated as far as threads can be. */
static uint64_t rnd(struct thread *t)
{
	t->random ^= t->random >> 12;
	t->random ^= t->random << 25;
	t->random ^= t->random >> 27;
	return t->random * 0x2545f4914f6cdd1dull;
}

static uint64_t below(struct thread *t, uint64_t n)
{
	return rnd(t) % n;
}

/* Mostly small, sometimes at the edges of 32 and 64 bits. */
static uint64_t number(struct thread *t, uint64_t usual)
{
	static const uint64_t edges[] = { 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
					  ~0ull, 0x8000000000000000, 4095, 4097, 0 };

	return below(t, 8) ? below(t, usual) : edges[below(t, sizeof(edges) / sizeof(*edges))];
}

static int result(long r)
{
	return r < 0 ? errno : 0;
}

static void garbage(struct thread *t, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = rnd(t);

		memcpy(t->buf + i, &v, 8);
	}
}

/* ---- calls ------------------------------------------------------------------- */

/* Into a place of its own, so that what a failed or a split mapping leaves hits nothing else. */
static int fuzz_mmap(struct thread *t)
{
	static const int prot[] = { PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE, PROT_NONE,
				    PROT_READ | PROT_WRITE | PROT_EXEC };
	size_t len = number(t, 5) * PAGE + (below(t, 16) ? 0 : number(t, PAGE));
	off_t at = (off_t)((below(t, 4) ? VFIO_PCI_BAR2_REGION_INDEX : number(t, 10)) << 40 |
			   number(t, 5) * PAGE);
	int flags = below(t, 8) ? MAP_SHARED : MAP_PRIVATE;
	uint8_t *place = t->place + below(t, PLACES) * PLACE;
	void *p;

	if (mmap(place, PLACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != place)
		die("mmap");
	if (len <= PLACE)
		flags |= MAP_FIXED;
	p = mmap(place, len, prot[below(t, 5)], flags, device, at);
	if (p == MAP_FAILED)
		return errno;
	if (!below(t, 4))
		mprotect(p, PAGE, prot[below(t, 5)]);
	if (!below(t, 4))
		madvise(p, len, (int)below(t, 26));
	if (!below(t, 8))
		munmap((uint8_t *)p + PAGE, PAGE);
	if (!below(t, 4) && mremap(p, PAGE, 4 * PAGE, 0) != MAP_FAILED)
		printf("NOT OK - a mapping grew\n");
	return 0;
}

/* By the mapping that all have: the others may not be writable any more. */
static int fuzz_store(struct thread *t)
{
	struct desc *d = (void *)t->buf;

	garbage(t, sizeof(*d));
	if (below(t, 4)) {
		memset(d, 0, 8);
		d->opcode_flags = OPCODE(below(t, 6)) | (below(t, 64) << 2);
		d->completion = IOVA + below(t, MEM_SIZE / 32) * 32;
		d->src = IOVA + below(t, MEM_SIZE);
		d->dst = IOVA + below(t, MEM_SIZE);
		d->size = (uint32_t)below(t, 4 * PAGE);
	}
	portal_store(portal + below(t, 2) * PAGE + below(t, 64) * 64, d);
	return 0;
}

static int fuzz_irqs(struct thread *t)
{
	struct vfio_irq_set *s = (void *)t->buf;
	static const uint32_t data[] = { VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL,
					 VFIO_IRQ_SET_DATA_EVENTFD };

	garbage(t, 128);
	s->argsz = sizeof(*s) + (uint32_t)number(t, 64);
	s->flags = data[below(t, 3)] | (below(t, 8) ? VFIO_IRQ_SET_ACTION_TRIGGER : number(t, 64));
	s->index = below(t, 4) ? VFIO_PCI_MSIX_IRQ_INDEX : (uint32_t)number(t, 7);
	s->start = (uint32_t)number(t, 3);
	s->count = (uint32_t)number(t, 4);
	for (unsigned int i = 0; i < 8; i++)
		((int *)s->data)[i] = below(t, 8) ? fds[below(t, FDS)] : (int)number(t, 100);
	return result(ioctl(device, VFIO_DEVICE_SET_IRQS, s));
}

static int fuzz_info(struct thread *t)
{
	static const unsigned long calls[] = { VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO,
					       VFIO_DEVICE_GET_IRQ_INFO };
	struct vfio_region_info *r = (void *)t->buf;

	garbage(t, 128);
	r->argsz = (uint32_t)number(t, 128);
	r->index = (uint32_t)number(t, 12);
	return result(ioctl(device, calls[below(t, 3)], t->buf));
}

static off_t place(struct thread *t)
{
	uint64_t index = below(t, 4) ? below(t, 2) * VFIO_PCI_CONFIG_REGION_INDEX : number(t, 12);

	return (off_t)(index << 40 | number(t, index ? 300 : 3 * PAGE));
}

static int fuzz_read(struct thread *t)
{
	size_t len = below(t, 4) ? 1ul << below(t, 4) : number(t, sizeof(t->buf));

	return result(pread(device, t->buf, len > sizeof(t->buf) ? sizeof(t->buf) : len, place(t)));
}

static int fuzz_write(struct thread *t)
{
	size_t len = below(t, 4) ? 1ul << below(t, 4) : number(t, 512);

	garbage(t, 512);
	return result(pwrite(device, t->buf, len > 512 ? 512 : len, place(t)));
}

/* What a driver would do, so that there is something to disturb. */
static int fuzz_command(struct thread *t)
{
	if (!below(t, 4))
		configure();
	wr(R_CMD, (below(t, 2) ? CMD_INTERRUPT : 0) | (uint32_t)below(t, 18) << 20 | below(t, 3), 4);
	return 0;
}

static int fuzz_feature(struct thread *t)
{
	static const uint32_t ops[] = { VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_SET,
					VFIO_DEVICE_FEATURE_PROBE };
	struct vfio_device_feature *f = (void *)t->buf;

	garbage(t, 256);
	f->argsz = (uint32_t)(below(t, 4) ? 64 : number(t, 128));
	f->flags = (uint32_t)number(t, 14);
	for (unsigned int i = 0; i < 3; i++)
		f->flags |= below(t, 2) ? ops[i] : 0;
	return result(ioctl(device, VFIO_DEVICE_FEATURE, f));
}

static int fuzz_state(struct thread *t)
{
	struct vfio_device_feature *f = (void *)t->buf;
	struct vfio_device_feature_mig_state *m = (void *)f->data;

	memset(t->buf, 0, 64);
	f->argsz = sizeof(*f) + sizeof(*m);
	f->flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;
	m->device_state = (uint32_t)number(t, 9);
	m->data_fd = -1;
	if (ioctl(device, VFIO_DEVICE_FEATURE, f))
		return errno;
	if (m->data_fd >= 0) {
		if (t->mig_fd >= 0)
			close(t->mig_fd);
		t->mig_fd = m->data_fd;
	}
	return 0;
}

/* An image that was read is written back, whole or not, as it was or not. */
static int fuzz_image(struct thread *t)
{
	static __thread uint8_t image[8192];
	size_t len = below(t, 4) ? sizeof(image) : number(t, sizeof(image));
	ssize_t n;

	if (t->mig_fd < 0)
		return ENOENT;
	if (len > sizeof(image))
		len = sizeof(image);
	n = read(t->mig_fd, image, len);
	if (n >= 0)
		return 0;
	if (errno != EBADF)
		return errno;
	if (!below(t, 2))
		image[below(t, 3208)] ^= (uint8_t)rnd(t);
	return result(write(t->mig_fd, image, below(t, 2) ? 3208 : len));
}

static int fuzz_dma(struct thread *t)
{
	uint64_t at = IOVA + number(t, 8) * PAGE * 16, size = number(t, 8) * PAGE * 16;
	struct vfio_iommu_type1_dma_map m = { .argsz = sizeof(m),
					      .flags = (uint32_t)number(t, 4),
					      .iova = at,
					      .size = size };

	if (below(t, 2))
		return -unmap(at, size);
	m.vaddr = (uintptr_t)(below(t, 8) ? mem + below(t, 4) * 16 * PAGE : portal);
	return result(ioctl(container, VFIO_IOMMU_MAP_DMA, &m));
}

static int fuzz_reset(struct thread *t)
{
	if (below(t, 8))
		return result(ioctl(device, rnd(t), t->buf));
	return result(ioctl(device, VFIO_DEVICE_RESET));
}

static const struct {
	const char *name;
	int (*call)(struct thread *t);
} kinds[] = {
	{ "mmap", fuzz_mmap },	       { "store", fuzz_store },	    { "SET_IRQS", fuzz_irqs },
	{ "info", fuzz_info },	       { "read", fuzz_read },	    { "write", fuzz_write },
	{ "command", fuzz_command },   { "feature", fuzz_feature }, { "migration", fuzz_state },
	{ "image", fuzz_image },       { "DMA", fuzz_dma },	    { "reset", fuzz_reset },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void *run(void *arg)
{
	struct thread *t = arg;

	while (t->calls--) {
		unsigned int kind = (unsigned int)below(t, KINDS);
		int e = kinds[kind].call(t);

		t->count[kind][e < ERRNOS ? e : ERRNOS - 1]++;
	}
	if (t->mig_fd >= 0)
		close(t->mig_fd);
	return NULL;
}

/* ---- before and after ----------------------------------------------------------- */

static void show(const struct thread *t)
{
	unsigned long all = 0;

	for (unsigned int k = 0; k < KINDS; k++) {
		printf("%-10s", kinds[k].name);
		for (unsigned int e = 0; e < ERRNOS; e++) {
			unsigned long n = t[0].count[k][e] + t[1].count[k][e];

			all += n;
			if (n)
				printf(" %s %lu", e ? strerrorname_np((int)e) ?: "?" : "ok", n);
		}
		printf("\n");
	}
	printf("vfio-fuzz: %lu calls\n", all);
}

static bool copies(void)
{
	volatile uint8_t *rec = mem + MEM_SIZE - PAGE;
	struct desc d = { .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR,
			  .completion = IOVA + MEM_SIZE - PAGE,
			  .src = IOVA,
			  .dst = IOVA + PAGE,
			  .size = PAGE };

	unmap(0, 1ull << 63);
	unmap(1ull << 63, 1ull << 63);
	if (map(IOVA, mem, MEM_SIZE, true))
		die("MAP_DMA after all");
	reset_function();
	configure();
	if (command_polled(CMD_ENABLE_DEVICE, 0) || command_polled(CMD_ENABLE_WQ, 0))
		return false;
	memset(mem, 0x5a, PAGE);
	memset(mem + PAGE, 0, PAGE);
	*rec = 0;
	portal_store(portal, &d);
	for (int i = 0; i < 10000 && !*rec; i++)
		usleep(1000);
	return *rec == ST_SUCCESS && !memcmp(mem, mem + PAGE, PAGE);
}

int main(int argc, char **argv)
{
	static struct thread threads[THREADS];
	pthread_t id[THREADS];

	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_mdev(argv[1]);
	mem = memory(IOVA, MEM_SIZE);
	for (unsigned int i = 0; i < FDS; i++)
		fds[i] = i < FDS - 2 ? eventfd(0, EFD_CLOEXEC) : (int)i - FDS + 1;
	for (unsigned int i = 0; i < THREADS; i++) {
		threads[i].random = strtoull(argv[3], NULL, 0) * 2 + i + 1;
		threads[i].calls = strtoul(argv[2], NULL, 0) / THREADS;
		threads[i].mig_fd = -1;
		threads[i].place = mmap(NULL, PLACES * PLACE, PROT_NONE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (pthread_create(&id[i], NULL, run, &threads[i]))
			die("pthread_create");
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	show(threads);
	if (!copies()) {
		printf("NOT OK - it does not copy after a reset\n");
		return 1;
	}
	printf("it copies after a reset\n");
	return 0;
}
