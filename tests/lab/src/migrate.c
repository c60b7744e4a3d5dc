// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO migration of one mdev without a guest, in two processes as two VMMs would do it:
 *
 *	migrate UUID save FILE	enable, copy, stop under load, save to FILE and FILE.regs, go on
 *	migrate UUID load FILE	refuse damaged images, load FILE, compare, copy without enabling
 *
 * Prints a line per check, then "migrate: N ok, N bad".
 */
#include <sys/eventfd.h>
#include <time.h>

#include "check.h"
#include "mdev.h"
#include "setup.h"

#define IOVA	 0x40000000ull
#define BURST	 16u
#define MEM_SIZE (64 * PAGE)
#define RECORDS	 (MEM_SIZE - PAGE)	/* 32 bytes for each descriptor */

#define REGS	 0xb00u
#define DUMP	 (REGS + 256u)
#define R_PBA	 0xa00u
#define REVOKED	 (1u << 31)

/* The head of an image: magic, version, size, checksum of what follows. */
#define I_VERSION 8
#define I_SIZE	  12
#define I_SUM	  16
#define I_CAPS	  24
#define I_BAR0	  392

static int vector[2];
static uint8_t *mem;
static uint16_t handle;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void connect_vectors(void)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(vector)];
	struct vfio_irq_set *s = (void *)buf;

	vector[0] = eventfd(0, EFD_CLOEXEC);
	vector[1] = eventfd(0, EFD_CLOEXEC);
	s->argsz = sizeof(buf);
	s->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	s->index = VFIO_PCI_MSIX_IRQ_INDEX;
	s->start = 0;
	s->count = 2;
	memcpy(s->data, vector, sizeof(vector));
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, s))
		die("SET_IRQS");
}

/* ---- descriptors ----------------------------------------------------------- */

static volatile uint8_t *record(unsigned int i)
{
	return mem + RECORDS + 32 * i;
}

static void submit(unsigned int i, bool interrupt)
{
	struct desc d = { .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR |
					  (interrupt ? FLAG_RCI : 0),
			  .completion = IOVA + RECORDS + 32 * i,
			  .src = IOVA + i * PAGE,
			  .dst = IOVA + (BURST + i) * PAGE,
			  .size = PAGE,
			  .handle = interrupt ? handle : 0 };

	memset((void *)record(i), 0, 32);
	memset(mem + i * PAGE, (int)(0x40 + i), PAGE);
	memset(mem + (BURST + i) * PAGE, 0, PAGE);
	portal_store(portal, &d);
}

static bool copied(unsigned int i)
{
	return *record(i) == ST_SUCCESS && !memcmp(mem + i * PAGE, mem + (BURST + i) * PAGE, PAGE);
}

static bool copies(void)
{
	while (wait_event(vector[1], 0))
		;
	submit(0, true);
	return wait_event(vector[1], 10000) && copied(0);
}

/* ---- migration states ------------------------------------------------------- */

/* 0 or a negative errno; the file of a state that transfers data. */
static int set_state(uint32_t state, int *ret_fd)
{
	char buf[sizeof(struct vfio_device_feature) + sizeof(struct vfio_device_feature_mig_state)];
	struct vfio_device_feature *f = (void *)buf;
	struct vfio_device_feature_mig_state *m = (void *)f->data;

	memset(buf, 0, sizeof(buf));
	f->argsz = sizeof(buf);
	f->flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;
	m->device_state = state;
	m->data_fd = -1;
	if (ioctl(device, VFIO_DEVICE_FEATURE, f))
		return -errno;
	if (ret_fd)
		*ret_fd = m->data_fd;
	return 0;
}

static int state(void)
{
	char buf[sizeof(struct vfio_device_feature) + sizeof(struct vfio_device_feature_mig_state)];
	struct vfio_device_feature *f = (void *)buf;

	memset(buf, 0, sizeof(buf));
	f->argsz = sizeof(buf);
	f->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;
	if (ioctl(device, VFIO_DEVICE_FEATURE, f))
		return -errno;
	return (int)((struct vfio_device_feature_mig_state *)(void *)f->data)->device_state;
}

static void dump(uint8_t *to)
{
	if (pread(device, to, REGS, (off_t)bar0) != REGS ||
	    pread(device, to + REGS, DUMP - REGS, (off_t)config) != DUMP - REGS)
		die("read of the registers");
}

/* Interrupts that wait, and why: the destination adds the revoked handle. */
static void forget_interrupts(uint8_t *regs)
{
	memset(regs + R_INTCAUSE, 0, 4);
	memset(regs + R_PBA, 0, 8);
}

static void put_file(const char *name, const char *tail, const void *data, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", name, tail);
	f = fopen(path, "wb");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		die(path);
}

static size_t get_file(const char *name, const char *tail, void *data, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", name, tail);
	f = fopen(path, "rb");
	if (!f)
		die(path);
	len = fread(data, 1, len, f);
	fclose(f);
	return len;
}

/* ---- the source -------------------------------------------------------------- */

static void save(const char *file)
{
	uint8_t image[8192], regs[DUMP], after[DUMP];
	unsigned int i, done = 0;
	size_t len = 0;
	uint64_t start;
	uint32_t r;
	ssize_t n;
	int fd = -1, e;

	configure();
	check(!command_polled(CMD_ENABLE_DEVICE, 0) && !command_polled(CMD_ENABLE_WQ, 0),
	      "device and queue are enabled");
	r = command_polled(CMD_GET_HANDLE, 1);
	handle = (uint16_t)(r >> 8);
	check(!(r & 0xff), "a handle is given");
	check(copies(), "a copy with an interrupt");

	for (i = 0; i < BURST; i++)
		submit(i, false);
	start = now_us();
	e = set_state(VFIO_DEVICE_STATE_STOP_COPY, &fd);
	check(!e, "running to stop-copy under load: %d", e);
	for (i = 0; i < BURST; i++)
		done += copied(i);
	check(done == BURST, "nothing is in flight: %u of %u had ended", done, BURST);
	while ((n = read(fd, image + len, sizeof(image) - len < 100 ? sizeof(image) - len : 100)) > 0)
		len += (size_t)n;
	printf("# stopped, drained and saved %zu bytes in %lu us\n", len, now_us() - start);
	check(!n && len > I_BAR0 && len < sizeof(image), "an image of %zu bytes is read", len);
	check(pread(fd, after, 1, 0) < 0 && errno == ESPIPE, "it is a stream");

	submit(0, true);
	check(!wait_event(vector[1], 300) && !*record(0), "a stopped device does nothing");
	dump(regs);
	put_file(file, "", image, len);
	put_file(file, ".regs", regs, sizeof(regs));
	wr(R_CMD, CMD_DISABLE_WQ << 20 | 1, 4);
	dump(after);
	check(!memcmp(regs, after, sizeof(regs)), "and accepts no command");

	e = set_state(VFIO_DEVICE_STATE_RUNNING, NULL);
	check(!e && state() == VFIO_DEVICE_STATE_RUNNING, "it runs again here: %d", e);
	check(read(fd, image, 1) < 0 && errno == ENODEV, "the old file has ended");
	close(fd);
	check(copies(), "a copy with the same handle");
}

/* ---- the destination ---------------------------------------------------------- */

static void seal(uint8_t *image, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325ull;
	size_t i;

	for (i = I_CAPS; i < len; i++)
		sum = (sum ^ image[i]) * 0x100000001b3ull;
	memcpy(image + I_SUM, &sum, 8);
}

/* A VMM can call a migration off as long as it writes: @early says that it learns of it then. */
static void refuse(const char *name, const uint8_t *image, size_t len, size_t part, int want,
		   bool early)
{
	uint8_t before[DUMP], after[DUMP];
	int fd = -1, e, at_write;

	reset_function();
	dump(before);
	e = set_state(VFIO_DEVICE_STATE_RESUMING, &fd);
	if (!e && write(fd, image, part) != (ssize_t)part)
		e = -errno;
	if (!e && len > part && write(fd, image + part, len - part) < 0)
		e = -errno;
	at_write = e;
	if (len == part)
		e = set_state(VFIO_DEVICE_STATE_RUNNING, NULL);
	dump(after);
	check(at_write == (early ? -want : 0), "%s: written: %d", name, at_write);
	check(e == -want, "%s: %d", name, e);
	check(!memcmp(before, after, sizeof(before)) && state() == VFIO_DEVICE_STATE_RESUMING,
	      "%s: nothing was loaded", name);
	close(fd);
}

static void refuse_all(const uint8_t *image, size_t len)
{
	static const struct {
		const char *name;
		unsigned int at;
		uint8_t val;
		bool sealed;
		int error;
	} rows[] = {
		{ "corrupt", I_BAR0 + R_GENSTS, 0x55, false, EBADMSG },
		{ "no image", 0, 'x', true, EINVAL },
		{ "newer", I_VERSION, 2, true, EPROTONOSUPPORT },
		{ "says it is larger", I_SIZE + 2, 1, true, EFBIG },
		{ "of another device", I_CAPS + 6, 0x99, true, EXDEV },
		{ "of an impossible state", I_BAR0 + R_GENSTS, 2, true, EILSEQ },
	};
	uint8_t bad_image[8192] = { 0 };
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(bad_image, image, len);
		bad_image[rows[i].at] = rows[i].val;
		if (rows[i].sealed)
			seal(bad_image, len);
		refuse(rows[i].name, bad_image, len, len, rows[i].error, true);
	}
	memcpy(bad_image, image, len);
	refuse("empty", bad_image, 0, 0, ENODATA, false);
	refuse("truncated", bad_image, len - 1, len - 1, ENODATA, false);
	refuse("larger", bad_image, len + 1, len, EFBIG, true);
}

static void load(const char *file)
{
	uint8_t image[8192], want[DUMP], regs[DUMP];
	size_t len = get_file(file, "", image, sizeof(image)), i, n;
	uint64_t start;
	int fd = -1, e;
	uint32_t r;

	if (get_file(file, ".regs", want, sizeof(want)) != sizeof(want))
		die(file);
	refuse_all(image, len);

	reset_function();
	check(state() == VFIO_DEVICE_STATE_RUNNING, "a reset makes it run");
	start = now_us();
	e = set_state(VFIO_DEVICE_STATE_RESUMING, &fd);
	for (i = 0; !e && i < len; i += n) {
		n = len - i < 100 ? len - i : 100;
		if (write(fd, image + i, n) != (ssize_t)n)
			e = -errno;
	}
	if (!e)
		e = set_state(VFIO_DEVICE_STATE_STOP, NULL);
	printf("# loaded in %lu us\n", now_us() - start);
	check(!e, "the image is loaded: %d", e);
	close(fd);
	dump(regs);
	forget_interrupts(regs);
	forget_interrupts(want);
	check(!memcmp(regs, want, sizeof(regs)), "all registers read as at the source");
	check(!wait_event(vector[0], 100), "no interrupt while it is stopped");
	start = now_us();
	e = set_state(VFIO_DEVICE_STATE_RUNNING, NULL);
	printf("# running in %lu us\n", now_us() - start);
	check(!e, "it runs: %d", e);

	check(wait_event(vector[0], 1000) && rd(R_INTCAUSE, 4) & REVOKED,
	      "the driver is told that its handles are revoked");
	wr(R_INTCAUSE, rd(R_INTCAUSE, 4), 4);
	r = command_polled(CMD_GET_HANDLE, 1);
	handle = (uint16_t)(r >> 8);
	check(!(r & 0xff), "a new handle is given");
	check(copies(), "a copy with an interrupt, the queue never enabled here");
	check(!command_polled(CMD_DISABLE_WQ, 1), "the queue is disabled by command");
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_mdev(argv[1]);
	mem = memory(IOVA, MEM_SIZE);
	connect_vectors();
	if (!strcmp(argv[2], "save"))
		save(argv[3]);
	else
		load(argv[3]);
	printf("migrate: %d ok, %d bad\n", good, bad);
	return bad || !good;
}
