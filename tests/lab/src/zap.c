// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VMM of one page of guest code, which stores to the portal of its mdev without pause on two
 * vCPUs, while another thread disables and enables the queue as fast as the device goes along: each
 * time the module takes the portal's page-table entries away. KVM looks an entry up again after each
 * fault; it must never give up.
 *
 *	zap UUID SECONDS
 *
 * Prints "zap: N zaps, N stores" and fails when a vCPU stopped.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE	   4096ul
#define PAGES	   2ul
#define RAM	   0x8000ul		/* of the guest; the portal follows it */
#define CODE	   0x1000ul
#define COUNTERS   0x2000ul
#define VCPUS	   2

/* Registers and commands: DSA specification, chapter 9. */
#define R_WQCAP	   0x20
#define R_OFFSETS  0x60
#define R_CMD	   0xa0
#define R_CMDSTS   0xa8
#define ENABLE_DEVICE 1u
#define ENABLE_WQ     6u
#define DISABLE_WQ    7u

static int device;
static uint64_t bar0;
static uint8_t *ram, *portal;
static volatile bool stop;
static volatile int failed;

static void die(const char *what)
{
	fprintf(stderr, "zap: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t region(unsigned int index)
{
	struct vfio_region_info r = { .argsz = sizeof(r), .index = index };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &r))
		die("GET_REGION_INFO");
	return r.offset;
}

static void wr(uint64_t off, uint64_t v, unsigned int len)
{
	if (pwrite(device, &v, len, (off_t)(bar0 + off)) != (ssize_t)len)
		die("write of BAR0");
}

static uint64_t rd(uint64_t off, unsigned int len)
{
	uint64_t v = 0;

	if (pread(device, &v, len, (off_t)(bar0 + off)) != (ssize_t)len)
		die("read of BAR0");
	return v;
}

static void command(unsigned int code, unsigned int operand)
{
	uint32_t status;

	wr(R_CMD, code << 20 | operand, 4);
	for (int i = 0; i < 300000; i++) {
		status = (uint32_t)rd(R_CMDSTS, 4);
		if (!(status >> 31))
			break;
		usleep(100);
	}
	if (status) {
		fprintf(stderr, "zap: command %u: CMDSTS %#x\n", code, status);
		exit(1);
	}
}

static void open_device(const char *uuid)
{
	char path[256], link[256];
	int container, group;
	uint16_t master = 6;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/iommu_group", uuid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		die(path);
	link[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	container = open("/dev/vfio/vfio", O_RDWR);
	group = open(path, O_RDWR);
	if (container < 0 || group < 0)
		die(path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	if (device < 0)
		die("GET_DEVICE_FD");
	if (pwrite(device, &master, 2, (off_t)region(VFIO_PCI_CONFIG_REGION_INDEX) + 4) != 2)
		die("write of the command register");
	bar0 = region(VFIO_PCI_BAR0_REGION_INDEX);
	portal = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		      (off_t)region(VFIO_PCI_BAR2_REGION_INDEX));
	if (portal == MAP_FAILED)
		die("mmap of the portal");
}

/* The page that the stores hit is the real portal then, not what stands for it before. */
static void enable_wq(void)
{
	uint64_t offsets = rd(R_OFFSETS, 8);
	uint32_t grpcfg = (uint32_t)(offsets & 0xffff) << 8;
	uint32_t wqcfg = (uint32_t)(offsets >> 16 & 0xffff) << 8;

	wr(wqcfg + 0, rd(R_WQCAP, 8) & 0xffff, 4);
	wr(wqcfg + 8, 1 | 10 << 4, 4);
	wr(wqcfg + 12, 21 | 5 << 5, 4);
	wr(grpcfg + 0, 1, 8);
	wr(grpcfg + 0x20, 1, 8);
	command(ENABLE_DEVICE, 0);
	command(ENABLE_WQ, 0);
}

/* Real mode. Store to the portal, count, again. */
static void write_code(unsigned int cpu)
{
	uint16_t counter = (uint16_t)(COUNTERS + 4 * cpu);
	const uint8_t code[] = {
		0xa3, RAM & 0xff, RAM >> 8,				/* mov [portal], ax */
		0x66, 0xff, 0x06, counter & 0xff, counter >> 8,		/* inc dword [counter] */
		0xeb, 0xf6,						/* jmp to the start */
	};

	memcpy(ram + CODE + 64 * cpu, code, sizeof(code));
}

static int vm_create(int kvm)
{
	struct kvm_userspace_memory_region low = { .memory_size = RAM,
						   .userspace_addr = (uintptr_t)ram };
	struct kvm_userspace_memory_region bar = { .slot = 1,
						   .guest_phys_addr = RAM,
						   .memory_size = PAGES * PAGE,
						   .userspace_addr = (uintptr_t)portal };
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &low) ||
	    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &bar))
		die("VM");
	return vm;
}

struct vcpu {
	int fd;
	pthread_t thread;
	struct kvm_run *run;
};

static void vcpu_create(struct vcpu *c, int kvm, int vm, unsigned int n)
{
	long size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_regs regs = { .rip = CODE + 64 * n, .rflags = 2 };
	struct kvm_sregs sregs;

	c->fd = ioctl(vm, KVM_CREATE_VCPU, n);
	if (c->fd < 0)
		die("vCPU");
	c->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->run == MAP_FAILED || ioctl(c->fd, KVM_GET_SREGS, &sregs))
		die("vCPU state");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(c->fd, KVM_SET_SREGS, &sregs) || ioctl(c->fd, KVM_SET_REGS, &regs))
		die("vCPU registers");
}

static void *vcpu_run(void *arg)
{
	struct vcpu *c = arg;

	while (!stop) {
		if (!ioctl(c->fd, KVM_RUN, 0)) {
			fprintf(stderr, "zap: a vCPU left the guest, reason %u\n", c->run->exit_reason);
			failed = 1;
			break;
		}
		if (errno != EINTR && errno != EAGAIN) {
			fprintf(stderr, "zap: KVM_RUN: %s\n", strerror(errno));
			failed = 1;
			break;
		}
	}
	stop = true;
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct vcpu vcpus[VCPUS];
	unsigned long zaps = 0;
	unsigned int stores = 0;
	time_t end;
	int kvm, vm;

	if (argc < 3) {
		fprintf(stderr, "usage: zap UUID SECONDS\n");
		return 2;
	}
	open_device(argv[1]);
	enable_wq();
	ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kvm = open("/dev/kvm", O_RDWR);
	if (ram == MAP_FAILED || kvm < 0)
		die("/dev/kvm");
	sigaction(SIGUSR1, &sa, NULL);
	vm = vm_create(kvm);
	for (unsigned int i = 0; i < VCPUS; i++) {
		write_code(i);
		vcpu_create(&vcpus[i], kvm, vm, i);
		if (pthread_create(&vcpus[i].thread, NULL, vcpu_run, &vcpus[i]))
			die("thread");
	}
	/* the vCPUs take all the time that there is */
	if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 }))
		die("sched_setscheduler");
	end = time(NULL) + atoi(argv[2]);
	while (!stop && time(NULL) < end) {
		command(DISABLE_WQ, 1);
		command(ENABLE_WQ, 0);
		zaps += 2;
	}
	stop = true;
	for (unsigned int i = 0; i < VCPUS; i++) {
		pthread_kill(vcpus[i].thread, SIGUSR1);
		vcpus[i].run->immediate_exit = 1;
		pthread_kill(vcpus[i].thread, SIGUSR1);
		pthread_join(vcpus[i].thread, NULL);
		stores += *(volatile unsigned int *)(ram + COUNTERS + 4 * i);
	}
	printf("zap: %lu zaps, %u stores\n", zaps, stores);
	return failed || !stores;
}
