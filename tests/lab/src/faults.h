/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of vfio-client, which includes it where all that it uses is there: completion records that
 * the device cannot write, or leaves in the host's event log.
 */
#ifndef LAB_FAULTS_H
#define LAB_FAULTS_H

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/syscall.h>

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Microseconds since @start when the software error register had an error at @iova; 0: none came. */
static unsigned int error_at(uint64_t iova, uint64_t start)
{
	uint64_t us;
	bool is;

	do {
		is = rd(R_SWERR, 8) & 1;
		us = now_us() - start + 1;
	} while (!is && us < 10000000);
	if (!is || rd(R_SWERR + 16, 8) != iova)
		return 0;
	wr(R_SWERR, 3, 8);
	return (unsigned int)us;
}

static int by_size(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The device may leave a Drain's completion in the host's event log: it comes all the same. */
static void check_drain_after_fault(void)
{
	struct desc d = { .opcode_flags = OPCODE(OP_DRAIN) | FLAG_CRAV | FLAG_RCR | FLAG_RCI,
			  .completion = record_iova,
			  .handle = (uint16_t)handle };
	bool irq;
	int r;

	memset((void *)record(), 0, 32);
	portal_store(portal, &d);
	irq = wait_event(vector[1], 10000);
	r = status(1000);
	check(r == 1 && irq, "a Drain after them completes: %#x, interrupt %d", r, irq);
}

/* Whoever touches @page from now on waits until the descriptor that is returned is closed. */
static int withheld(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .range = { .start = (uintptr_t)page, .len = PAGE },
				       .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg) ||
	    madvise(page, PAGE, MADV_DONTNEED))
		die("userfaultfd");
	return fd;
}

/*
 * A Drain's completion that is left in the host's log has to be written to memory that
 * this program withholds. The command after it ends all the same, and the queue with it.
 */
static int withhold(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct desc d = { .opcode_flags = OPCODE(OP_DRAIN) | FLAG_CRAV | FLAG_RCR,
			  .completion = IOVA_HOT };
	uint32_t r;
	bool irq;
	int fd;

	check(enable(), "enable");
	if (page == MAP_FAILED || map(IOVA_HOT, page, PAGE, true))
		die("map");
	record_iova = IOVA_BAD;
	submit(0, 0, IOVA, IOVA + PAGE, PAGE, FLAG_CRAV | FLAG_RCR, 0);
	record_iova = IOVA + MEM_SIZE - PAGE;
	fd = withheld(page);
	portal_store(portal, &d);
	r = command_polled(CMD_DRAIN_WQ, 1);
	check((r & 0xff) == 3, "a command whose end is held up fails: %#x", r);
	check((rd(R_GENSTS, 4) & 3) == 3, "the device is halted then");
	close(fd);
	check(!unmap(IOVA_HOT, PAGE), "the container is free again");
	reset_function();
	check((rd(R_GENSTS, 4) & 3) == 0, "a reset ends the halt");
	set_irq(0, 2, vector);
	check(enable(), "enable again");
	memset(mem, 0x42, PAGE);
	check(copy(1, IOVA, IOVA + PAGE, &irq) == 1 && irq && filled(mem + PAGE, 0x42),
	      "it copies again");
	printf("vfio-client: %d ok, %d bad\n", good, bad);
	return bad != 0;
}

/* A record that cannot be written goes to the host's event log; see the kernel log. */
static void check_record_fault(void)
{
	unsigned int us[20], told = 0;
	uint64_t start;
	bool irq;
	int r;

	wr(R_SWERR, 3, 8);
	record_iova = IOVA_BAD;
	for (unsigned int i = 0; i < 20; i++) {
		start = now_us();
		submit(i & 1, 0, IOVA, IOVA + PAGE, PAGE, FLAG_CRAV | FLAG_RCR | FLAG_RCI,
		       (uint16_t)handle);
		us[i] = error_at(IOVA_BAD, start);
		told += us[i] > 0;
	}
	check(told == 20, "%u of 20 records that cannot be written are reported", told);
	qsort(us, 20, sizeof(us[0]), by_size);
	printf("# from the store to the error register: median %u us, longest %u us\n", us[10], us[19]);
	check(command(CMD_DRAIN_WQ, 1) == 0, "drain after 20 records that cannot be written");
	record_iova = IOVA + MEM_SIZE - PAGE;
	while (wait_event(vector[1], 10))
		;
	check_drain_after_fault();
	memset(mem, 0x66, PAGE);
	r = copy(1, IOVA, IOVA + PAGE, &irq);
	check(r == 1 && irq && filled(mem + PAGE, 0x66), "the queue still copies: %#x", r);
}

#endif
