// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VMM without a guest that keeps the queue of one mdev full of copies:
 *
 *	load UUID SECONDS [stay]
 *
 * It lets go of the mdev when it is asked to, unless it is to stay; when the device halts it resets
 * it until it copies again. Says "loading" when copies arrive, "halted", "loading again", and at
 * the end "load: N copies, N wrong". It ends with 1 if one was wrong.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "mdev.h"
#include "setup.h"

#define IOVA	0x40000000ull
#define SLOTS	15u
#define SIZE	(4 * PAGE)
#define SLOT	(2 * SIZE)
#define RECORDS (SLOTS * SLOT)

static uint8_t *mem;
static bool busy[SLOTS];
static uint8_t fill[SLOTS];
static unsigned int slots;
static unsigned long copied, wrong;

static volatile uint8_t *record(unsigned int i)
{
	return mem + RECORDS + 32 * i;
}

static void submit(unsigned int i)
{
	struct desc d = { .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR,
			  .completion = IOVA + RECORDS + 32 * i,
			  .src = IOVA + i * SLOT,
			  .dst = IOVA + i * SLOT + SIZE,
			  .size = SIZE };

	fill[i]++;
	memset((void *)record(i), 0, 32);
	memset(mem + i * SLOT, fill[i], SIZE);
	busy[i] = true;
	portal_store(portal, &d);
}

static void finished(unsigned int i)
{
	const uint8_t *dst = mem + i * SLOT + SIZE;

	busy[i] = false;
	copied++;
	if (*record(i) != ST_SUCCESS || dst[0] != fill[i] || memcmp(dst, dst + 1, SIZE - 1)) {
		wrong++;
		printf("load: slot %u: status %#x, data %#x instead of %#x\n", i, *record(i),
		       dst[0], fill[i]);
	}
}

/* How many copies ended. */
static unsigned int turn(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < slots; i++) {
		if (busy[i] && *record(i)) {
			finished(i);
			n++;
		}
		if (!busy[i])
			submit(i);
	}
	return n;
}

static bool enable(void)
{
	memset(busy, 0, sizeof(busy));
	slots = (unsigned int)(rd(R_WQCAP, 8) & 0xffff);
	if (slots > SLOTS)
		slots = SLOTS;
	configure();
	return !command_polled(CMD_ENABLE_DEVICE, 0) && !command_polled(CMD_ENABLE_WQ, 0);
}

static bool is_halted(void)
{
	return (rd(R_GENSTS, 4) & 3) == 3;
}

/* A reset ends all DMA, so nothing is written to the slots that were busy. */
static bool recover(time_t end)
{
	printf("halted after %lu copies\n", copied);
	while (time(NULL) < end) {
		reset_function();
		if (enable())
			return true;
		usleep(300000);
	}
	return false;
}

static int watch_request(void)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(int)];
	struct vfio_irq_set *s = (void *)buf;
	int fd = eventfd(0, EFD_CLOEXEC);

	s->argsz = sizeof(buf);
	s->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	s->index = VFIO_PCI_REQ_IRQ_INDEX;
	s->start = 0;
	s->count = 1;
	memcpy(s->data, &fd, sizeof(fd));
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, s))
		die("SET_IRQS");
	return fd;
}

int main(int argc, char **argv)
{
	struct pollfd request = { .events = POLLIN };
	const char *news = "loading";
	unsigned int idle = 0;
	time_t end;
	bool stay;

	if (argc < 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	stay = argc > 3 && !strcmp(argv[3], "stay");
	end = time(NULL) + atoi(argv[2]);
	open_mdev(argv[1]);
	mem = memory(IOVA, RECORDS + PAGE);
	request.fd = watch_request();
	if (!enable()) {
		printf("load: not enabled\n");
		return 1;
	}
	while (time(NULL) < end) {
		if (turn()) {
			idle = 0;
			if (news)
				printf("%s\n", news);
			news = NULL;
		} else if (++idle % 1000 == 0 && is_halted()) {
			if (!recover(end))
				break;
			news = "loading again";
		} else {
			usleep(200);
		}
		if (!stay && poll(&request, 1, 0) == 1) {
			printf("asked to let go\n");
			break;
		}
	}
	printf("load: %lu copies, %lu wrong\n", copied, wrong);
	return wrong || !copied;
}
