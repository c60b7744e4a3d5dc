// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes the PASID of an mdev whose VMM dies under load:
 *
 *	sva-heir UUID PID WQ DEVICE
 *
 * Kills PID, removes the mdev UUID and opens DEVICE, the character device of the dedicated user
 * queue WQ, at once. Its memory lies where the program `load` had its own: what a late descriptor
 * writes would land there, and what a stale translation reads would be the other's. Prints a line
 * per check, then "sva-heir: PASID N, N ok, N bad".
 */
#include <signal.h>

#include "check.h"
#include "mdev.h"

/* As in load.c; the second half stays unmapped. */
#define IOVA  0x40000000ull
#define HALF  (60 * PAGE)
#define GUARD 0xe7

static uint8_t *own;
static volatile uint8_t *record;

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	close(fd);
}

static unsigned int get(const char *path, const char *format)
{
	unsigned int v = 0;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, format, &v) != 1)
		die(path);
	fclose(f);
	return v;
}

/* The PASID that the device holds for a queue: WQCFG of the physical function. */
static uint32_t device_pasid(const char *wq, unsigned int id)
{
	volatile uint32_t *regs;
	char path[256];
	uint32_t at;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/dsa/devices/%s/../../resource0", wq);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		die(path);
	regs = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (regs == MAP_FAILED)
		die(path);
	at = (regs[R_OFFSETS / 4] >> 16) * 0x100 + id * (32u << (regs[R_WQCAP / 4] >> 24 & 15));
	at = regs[at / 4 + 2] >> 8 & 0xfffff;
	munmap((void *)regs, 2 * PAGE);
	close(fd);
	return at;
}

static uint8_t copy(uint64_t src, uint64_t dst)
{
	struct desc d = { .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR,
			  .completion = (uintptr_t)record,
			  .src = src,
			  .dst = dst,
			  .size = PAGE };

	*record = 0;
	portal_store(portal, &d);
	for (int i = 0; i < 200000 && !*record; i++)
		usleep(100);
	return *record;
}

static bool filled(const uint8_t *p, size_t n, uint8_t v)
{
	return *p == v && !memcmp(p, p + 1, n - 1);
}

int main(int argc, char **argv)
{
	unsigned int pasid, id;
	char path[256];
	uint8_t *guard, status;
	int fd;

	if (argc != 5)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	guard = mmap((void *)IOVA, HALF, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
	own = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (guard != (void *)IOVA || own == MAP_FAILED)
		die("mmap");
	memset(guard, GUARD, HALF);
	memset(own, 0x11, 4 * PAGE);
	record = own + 3 * PAGE;
	if (sscanf(argv[3], "wq%*u.%u", &id) != 1)
		return 2;
	snprintf(path, sizeof(path), MDEVS "%s/pasid", argv[1]);
	pasid = get(path, "%u");
	snprintf(path, sizeof(path), MDEVS "%s/remove", argv[1]);

	kill(atoi(argv[2]), SIGKILL);
	put(path, "1");
	fd = open(argv[4], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(argv[4]);
	check(device_pasid(argv[3], id) == pasid, "the PASID is the one that the mdev had");
	portal = mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (portal == MAP_FAILED)
		die("mmap of the portal");

	status = copy((uintptr_t)own, (uintptr_t)own + PAGE);
	check(status == ST_SUCCESS && filled(own + PAGE, PAGE, 0x11), "it copies its own memory");
	memset(own + PAGE, 0x22, PAGE);
	status = copy(IOVA, (uintptr_t)own + PAGE);
	check(status == ST_SUCCESS && filled(own + PAGE, PAGE, GUARD),
	      "from an address that the VMM had it reads its own memory");
	memset(own + PAGE, 0x22, PAGE);
	status = copy(IOVA + HALF, (uintptr_t)own + PAGE);
	check((status & 0x7f) == ST_FAULT_RD && filled(own + PAGE, PAGE, 0x22),
	      "from one that only the VMM had it reads nothing");
	status = copy((uintptr_t)own, IOVA + HALF);
	check(status != ST_SUCCESS && status, "to one that only the VMM had it writes nothing");
	usleep(300000);
	check(filled(guard, HALF, GUARD), "nothing was written where the VMM's memory was");
	printf("sva-heir: PASID %u, %d ok, %d bad\n", pasid, good, bad);
	return bad != 0;
}
