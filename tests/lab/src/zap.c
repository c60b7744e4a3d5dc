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
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "mdev.h"
#include "setup.h"

#define RAM	   0x8000ul		/* of the guest; the portal follows it */
#define CODE	   0x1000ul
#define COUNTERS   0x2000ul
#define VCPUS	   2

static uint8_t *ram;
static volatile bool stop;
static volatile int failed;

static void command(unsigned int code, unsigned int operand)
{
	uint32_t status = command_polled(code, operand);

	if (status) {
		fprintf(stderr, "zap: command %u: CMDSTS %#x\n", code, status);
		exit(1);
	}
}

/* The page that the stores hit is the real portal then, not what stands for it before. */
static void enable(void)
{
	configure();
	command(CMD_ENABLE_DEVICE, 0);
	command(CMD_ENABLE_WQ, 0);
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
						   .memory_size = PORTAL_PAGES * PAGE,
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
	open_mdev(argv[1]);
	enable();
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
		command(CMD_DISABLE_WQ, 1);
		command(CMD_ENABLE_WQ, 0);
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
