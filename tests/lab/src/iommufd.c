// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drives one mdev through its character device and iommufd, without a guest:
 *
 *	iommufd UUID OTHER ROUNDS	all checks; OTHER is a second mdev of the same accelerator
 *
 * Two address spaces give two memories at the same addresses, so that each copy shows
 * which of them it went to. Prints a line per check, then "iommufd: N ok, N bad".
 */
#include <linux/iommufd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "check.h"
#include "mdev.h"
#include "setup.h"

#define IOVA	  0x40000000ull
#define PAGES	  16u
#define SPACES	  2
#define RECORD	  (IOVA + (PAGES - 1) * PAGE)
#define NO_ANSWER 0

static int iommufd;
static uint32_t dev_id, ioas[SPACES];
static uint8_t *mem[SPACES];

/* ---- iommufd ---------------------------------------------------------------- */

static uint32_t ioas_alloc(void)
{
	struct iommu_ioas_alloc a = { .size = sizeof(a) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &a))
		die("IOAS_ALLOC");
	return a.out_ioas_id;
}

static int ioas_map(uint32_t id, uint64_t iova, void *va, uint64_t size)
{
	struct iommu_ioas_map m = { .size = sizeof(m),
				    .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
					     IOMMU_IOAS_MAP_WRITEABLE,
				    .ioas_id = id,
				    .user_va = (uintptr_t)va,
				    .length = size,
				    .iova = iova };

	return ioctl(iommufd, IOMMU_IOAS_MAP, &m) ? -errno : 0;
}

static int ioas_unmap(uint32_t id, uint64_t iova, uint64_t size)
{
	struct iommu_ioas_unmap m = { .size = sizeof(m), .ioas_id = id, .iova = iova,
				      .length = size };

	return ioctl(iommufd, IOMMU_IOAS_UNMAP, &m) ? -errno : 0;
}

/* An address space of its own with @flags. Returns -errno. */
static int hwpt_alloc(uint32_t parent, uint32_t flags, uint32_t *ret_id)
{
	struct iommu_hwpt_alloc a = { .size = sizeof(a), .flags = flags, .dev_id = dev_id,
				      .pt_id = parent };

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &a))
		return -errno;
	*ret_id = a.out_hwpt_id;
	return 0;
}

static int destroy(uint32_t id)
{
	struct iommu_destroy d = { .size = sizeof(d), .id = id };

	return ioctl(iommufd, IOMMU_DESTROY, &d) ? -errno : 0;
}

static int attach(uint32_t id)
{
	struct vfio_device_attach_iommufd_pt a = { .argsz = sizeof(a), .pt_id = id };

	return ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a) ? -errno : 0;
}

static int detach(void)
{
	struct vfio_device_detach_iommufd_pt d = { .argsz = sizeof(d) };

	return ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d) ? -errno : 0;
}

static int bind_device(int fd, uint32_t *ret_id)
{
	struct vfio_device_bind_iommufd b = { .argsz = sizeof(b), .iommufd = iommufd };

	if (ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &b))
		return -errno;
	*ret_id = b.out_devid;
	return 0;
}

/* The character device, found as a VMM finds it. */
static int open_cdev(const char *uuid)
{
	char cmd[256], path[64] = "/dev/vfio/devices/", *name = path + strlen(path);
	FILE *f;
	int fd;

	snprintf(cmd, sizeof(cmd), "ls " MDEVS "%s/vfio-dev", uuid);
	f = popen(cmd, "r");
	if (!f || fscanf(f, "%31s", name) != 1)
		die(cmd);
	pclose(f);
	fd = open(path, O_RDWR);
	if (fd < 0)
		die(path);
	return fd;
}

/* ---- descriptors ------------------------------------------------------------- */

static void store(uint64_t src, uint64_t dst)
{
	struct desc d = { .opcode_flags = OPCODE(OP_MEMMOVE) | FLAG_CRAV | FLAG_RCR,
			  .completion = RECORD, .src = src, .dst = dst, .size = PAGE };

	portal_store(portal, &d);
}

static volatile uint8_t *record(unsigned int space)
{
	return mem[space] + (PAGES - 1) * PAGE;
}

/* The status in that memory's record, or NO_ANSWER. */
static int answer(unsigned int space, int ms)
{
	struct timespec nap = { .tv_nsec = 1000000 };

	for (int i = 0; i < ms && !*record(space); i++)
		nanosleep(&nap, NULL);
	return *record(space);
}

/* A copy from page 0 to page 1. */
static int copy(unsigned int space, uint8_t value, int ms)
{
	for (unsigned int i = 0; i < SPACES; i++) {
		memset(mem[i], value + (int)i, PAGE);
		memset(mem[i] + PAGE, 0, PAGE);
		*record(i) = NO_ANSWER;
	}
	store(IOVA, IOVA + PAGE);
	return answer(space, ms);
}

/* ... and nothing else: the other memory is as it was. */
static bool copied_in(unsigned int space, uint8_t value)
{
	unsigned int other = !space;
	bool here, there;

	if (copy(space, value, 10000) != ST_SUCCESS)
		return false;
	here = !memcmp(mem[space], mem[space] + PAGE, PAGE) && mem[space][0] == value + space;
	there = !*record(other) && !mem[other][PAGE] &&
		!memcmp(mem[other] + PAGE, mem[other] + PAGE + 1, PAGE - 1);
	return here && there;
}

static bool enable(void)
{
	configure();
	return !command_polled(CMD_ENABLE_DEVICE, 0) && !command_polled(CMD_ENABLE_WQ, 0);
}

/* ---- checks ------------------------------------------------------------------ */

static void check_bind(const char *uuid)
{
	struct vfio_device_info di = { .argsz = sizeof(di) };
	uint32_t id;
	int second;

	check(ioctl(device, VFIO_DEVICE_GET_INFO, &di) && errno == EINVAL,
	      "before it is bound the device answers nothing");
	check(!bind_device(device, &dev_id), "bind to an iommufd");
	check(bind_device(device, &id) == -EINVAL, "bind again is refused");
	second = open_cdev(uuid);
	check(bind_device(second, &id) < 0, "bind a second time, by another open, is refused");
	close(second);
	check(!ioctl(device, VFIO_DEVICE_GET_INFO, &di) && (di.flags & VFIO_DEVICE_FLAGS_PCI),
	      "it is a VFIO PCI device");
}

static void check_attach(void)
{
	struct vfio_device_attach_iommufd_pt pasid = { .argsz = sizeof(pasid), .flags = 1,
						       .pt_id = ioas[0] };
	uint32_t id;

	configure();
	check(!command_polled(CMD_ENABLE_DEVICE, 0), "enable the device");
	check(command_polled(CMD_ENABLE_WQ, 0) != 0,
	      "without an address space the queue cannot be enabled");
	check(!attach(ioas[0]), "attach an address space");
	check(enable() || !command_polled(CMD_ENABLE_WQ, 0), "enable the queue");
	check(copied_in(0, 0x10), "a copy goes to the memory of that space only");
	check(attach(ioas[0] + 1000) < 0 && copied_in(0, 0x20),
	      "attach to nothing is refused, and changes nothing");
	check(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &pasid) != 0 && copied_in(0, 0x30),
	      "attach a PASID of the user's own is refused");
	check(hwpt_alloc(ioas[0], IOMMU_HWPT_ALLOC_NEST_PARENT, &id) == -EOPNOTSUPP,
	      "no parent for nested tables");
	check(ioas_map(ioas[0], IOVA + 64 * PAGE, portal, PAGE) < 0,
	      "the portal cannot be mapped for DMA");
}

static atomic_bool storing;

static void *store_all_the_time(void *arg)
{
	(void)arg;
	while (atomic_load(&storing))
		store(IOVA + 2 * PAGE, IOVA + 3 * PAGE);
	return NULL;
}

static void check_replace(unsigned int rounds)
{
	unsigned int done = 0, right = 0;
	pthread_t thread;

	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int space = !(i & 1);

		done += !attach(ioas[space]);
		right += copied_in(space, (uint8_t)(0x40 + i % 100));
	}
	check(done == rounds && right == rounds,
	      "replaced under an enabled queue %u times: %u done, DMA followed %u times", rounds,
	      done, right);

	/* the storing thread fills the queue, so a copy may be dropped: its records say nothing */
	atomic_store(&storing, true);
	if (pthread_create(&thread, NULL, store_all_the_time, NULL))
		die("thread");
	for (done = 0; done < rounds && !attach(ioas[done & 1]); done++)
		;
	atomic_store(&storing, false);
	pthread_join(thread, NULL);
	check(done == rounds, "replaced %u times while a thread stores: %u done", rounds, done);
	check(!command_polled(CMD_DRAIN_WQ, 1), "drain");
	check(!attach(ioas[1]) && copied_in(1, 0x33), "DMA is right after it");
}

static void check_detach(void)
{
	check(!detach(), "detach while the queue is enabled");
	check(copy(1, 0x55, 300) == NO_ANSWER && !mem[1][PAGE], "what is stored now is dropped");
	check(!attach(ioas[0]) && copied_in(0, 0x66), "attached again the queue goes on");
	check(!detach() && !command_polled(CMD_DISABLE_WQ, 1) && !attach(ioas[0]),
	      "a queue that was disabled while detached");
	check(copy(0, 0x77, 300) == NO_ANSWER && !mem[0][PAGE], "... stays disabled");
	check(!command_polled(CMD_RESET_DEVICE, 0) && enable() && copied_in(0, 0x88),
	      "... until it is enabled");
}

static void check_mappings(void)
{
	uint8_t *hot = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(mem[0], 0x99, PAGE);
	*record(0) = NO_ANSWER;
	check(!ioas_map(ioas[0], IOVA + 32 * PAGE, hot, PAGE), "map a page while attached");
	store(IOVA, IOVA + 32 * PAGE);
	check(answer(0, 10000) == ST_SUCCESS && hot[0] == 0x99 && hot[PAGE - 1] == 0x99, "it is reached");
	check(!ioas_unmap(ioas[0], IOVA + 32 * PAGE, PAGE), "unmap it");
	memset(hot, 0, PAGE);
	*record(0) = NO_ANSWER;
	store(IOVA, IOVA + 32 * PAGE);
	check(answer(0, 10000) == ST_FAULT_WR && !hot[0], "it is not reached any more: %#x",
	      *record(0));
}

/* Two mdevs of one accelerator in one space share its tables, each with its own PASID. */
static void check_two(const char *other)
{
	uint8_t *first = portal;
	int keep = device;
	uint32_t id;

	device = open_cdev(other);
	check(!bind_device(device, &id) && !attach(ioas[0]), "a second mdev in the same space");
	open_regions();
	check(enable() && copied_in(0, 0xaa), "the second copies");
	close(device);
	munmap(portal, PORTAL_PAGES * PAGE);
	device = keep;
	portal = first;
	check(copied_in(0, 0xbb), "with it gone the first still copies");
}

/* ---- which pages the device wrote ---------------------------------------------- */

static uint64_t dirty_pages(uint32_t hwpt)
{
	uint64_t bitmap = 0;
	struct iommu_hwpt_get_dirty_bitmap g = { .size = sizeof(g), .hwpt_id = hwpt,
						 .iova = IOVA, .length = PAGES * PAGE,
						 .page_size = PAGE,
						 .data = (uintptr_t)&bitmap };

	if (ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &g))
		die("GET_DIRTY_BITMAP");
	return bitmap;
}

static int track(uint32_t hwpt, bool on)
{
	struct iommu_hwpt_set_dirty_tracking t = { .size = sizeof(t), .hwpt_id = hwpt,
						   .flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE :
								 0 };

	return ioctl(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &t) ? -errno : 0;
}

static void check_dirty(unsigned int rounds)
{
	const uint64_t record_bit = 1ull << (PAGES - 1);
	struct iommu_hw_info info = { .size = sizeof(info), .dev_id = dev_id };
	struct vfio_device_feature log = { .argsz = sizeof(log),
					   .flags = VFIO_DEVICE_FEATURE_PROBE |
						    VFIO_DEVICE_FEATURE_SET |
						    VFIO_DEVICE_FEATURE_DMA_LOGGING_START };
	unsigned int right = 0;
	uint64_t map;
	uint32_t id;
	bool can;
	int r;

	check(ioctl(device, VFIO_DEVICE_FEATURE, &log) && errno == ENOTTY,
	      "the device itself keeps no log of what it writes");
	if (ioctl(iommufd, IOMMU_GET_HW_INFO, &info))
		die("GET_HW_INFO");
	can = info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING;
	r = hwpt_alloc(ioas[0], IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &id);
	printf("# dirty tracking: %s\n", can ? "yes" : "no");
	if (!can) {
		check(r == -EOPNOTSUPP, "the IOMMU has no dirty bits: a space that tracks is refused");
		return;
	}
	check(!r && !attach(id), "attach a space that can track, under an enabled queue");
	check(copied_in(0, 0x12) && !track(id, true), "start to track after a copy");
	check(!dirty_pages(id), "nothing is dirty yet");
	check(copied_in(0, 0x23), "a copy");
	map = dirty_pages(id);
	check(map == (2 | record_bit), "its destination and its record are dirty: %#lx", (long)map);
	check(!dirty_pages(id), "asked again, nothing is");
	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int page = 1 + i % (PAGES - 2);

		*record(0) = NO_ANSWER;
		store(IOVA, IOVA + page * PAGE);
		answer(0, 10000);
		right += dirty_pages(id) == (1ull << page | record_bit);
	}
	check(right == rounds, "%u copies to pages in turn: %u times just these", rounds, right);
	check(!track(id, false) && copied_in(0, 0x34), "stop, and copy");
	check(!track(id, true) && !dirty_pages(id), "started again, nothing is left of it");
	check(!attach(ioas[1]) && copied_in(1, 0x45) && !destroy(id), "back to a space that cannot");
}

int main(int argc, char **argv)
{
	unsigned int rounds;

	if (argc != 4) {
		fprintf(stderr, "usage: iommufd UUID OTHER ROUNDS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	rounds = (unsigned int)atoi(argv[3]);
	iommufd = open("/dev/iommu", O_RDWR);
	if (iommufd < 0)
		die("/dev/iommu");
	for (unsigned int i = 0; i < SPACES; i++) {
		ioas[i] = ioas_alloc();
		mem[i] = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (mem[i] == MAP_FAILED || ioas_map(ioas[i], IOVA, mem[i], PAGES * PAGE))
			die("memory");
	}
	device = open_cdev(argv[1]);
	check_bind(argv[1]);
	open_regions();
	check_attach();
	check_replace(rounds);
	check_detach();
	check_mappings();
	check_two(argv[2]);
	check_dirty(rounds);
	printf("iommufd: %d ok, %d bad\n", good, bad);
	return bad != 0;
}
