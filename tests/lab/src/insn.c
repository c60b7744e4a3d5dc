// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The direct-store instructions as the lab's processor executes them: results, alignment and
 * privilege faults, and what they refuse. Prints one line per check. Exit status: 0 all passed,
 * 1 any failed, 77 the part that needs the msr module could not run. With the argument "guest" it
 * expects what KVM shows a guest: the same without ENQCMD, which then still faults.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf trap;
static volatile sig_atomic_t caught;
static int failures;
static bool skipped;

static void on_signal(int sig)
{
	caught = sig;
	siglongjmp(trap, 1);
}

/* The signal @stmt raised, or 0. */
#define SIGNAL_OF(stmt) ({			\
	caught = 0;				\
	if (!sigsetjmp(trap, 1)) {		\
		stmt;				\
	}					\
	(int)caught;				\
})

static void check(const char *name, bool ok)
{
	printf("%s %s\n", ok ? "ok" : "FAIL", name);
	fflush(stdout);
	failures += !ok;
}

static void movdiri64(volatile void *dst, uint64_t val)
{
	asm volatile(".byte 0x48, 0x0f, 0x38, 0xf9, 0x07" : : "D"(dst), "a"(val) : "memory");
}

static void movdiri32(volatile void *dst, uint32_t val)
{
	asm volatile(".byte 0x0f, 0x38, 0xf9, 0x07" : : "D"(dst), "a"(val) : "memory");
}

/* register operand: rax (destination); memory operand: (rdx) */
static void movdir64b(volatile void *dst, const void *src)
{
	asm volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02" : : "a"(dst), "d"(src) : "memory");
}

static unsigned long enqcmd(volatile void *dst, const void *src)
{
	unsigned long flags;

	/* set CF, PF, AF, SF and OF first: they must come out cleared */
	asm volatile("mov $0x7f, %%cl\n\tadd $1, %%cl\n\tstc\n\t"
		     ".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02\n\t"
		     "pushfq\n\tpop %0"
		     : "=r"(flags) : "a"(dst), "d"(src) : "memory", "cc", "rcx");
	return flags & 0x8d5;
}

static void enqcmds(volatile void *dst, const void *src)
{
	asm volatile(".byte 0xf3, 0x0f, 0x38, 0xf8, 0x02" : : "a"(dst), "d"(src) : "memory", "cc");
}

static uint32_t cpuid_7_ecx(void)
{
	uint32_t a = 7, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c;
}

/* IA32_PASID of the CPU this runs on; needs the msr module. Returns false without it. */
static bool set_pasid(uint64_t val)
{
	cpu_set_t one;
	ssize_t n;
	int fd;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		return false;
	fd = open("/dev/cpu/0/msr", O_WRONLY);
	if (fd < 0)
		return false;
	n = pwrite(fd, &val, sizeof(val), 0xd93);
	close(fd);
	return n == sizeof(val);
}

static void check_enqcmd_to_memory(uint8_t *dst, const uint8_t *src)
{
	uint8_t before[64];

	if (!set_pasid(1u << 31 | 5)) {
		puts("skip enqcmd with a PASID: no writable /dev/cpu/0/msr");
		skipped = true;
		return;
	}
	memcpy(before, dst, sizeof(before));
	check("enqcmd to memory gives ZF and clears the other flags", enqcmd(dst, src) == 0x40);
	check("enqcmd leaves memory alone", !memcmp(before, dst, sizeof(before)));
	check("enqcmd refuses an unaligned destination",
	      SIGNAL_OF(enqcmd(dst + 32, src)) == SIGSEGV);
	check("IA32_PASID refuses reserved bits", !set_pasid(1u << 20));
	check("IA32_PASID can be cleared", set_pasid(0));
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = i * 7 + 1;
}

int main(int argc, char **argv)
{
	static uint8_t src[192] __attribute__((aligned(64)));
	static uint8_t dst[256] __attribute__((aligned(64)));
	struct sigaction sa = { .sa_handler = on_signal };
	bool guest = argc > 1 && !strcmp(argv[1], "guest");
	uint8_t *ro, *pair;
	uint32_t ecx;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);

	ecx = cpuid_7_ecx();
	check("cpuid shows movdiri", ecx & 1u << 27);
	check("cpuid shows movdir64b", ecx & 1u << 28);
	check(guest ? "cpuid hides enqcmd" : "cpuid shows enqcmd", !(ecx & 1u << 29) == guest);

	movdiri64(dst, 0x1122334455667788);
	check("movdiri stores 8 bytes", *(uint64_t *)dst == 0x1122334455667788);
	movdiri32(dst, 0xa1b2c3d4);
	check("movdiri stores 4 bytes", *(uint64_t *)dst == 0x11223344a1b2c3d4);

	fill(src, sizeof(src));
	memset(dst, 0, sizeof(dst));
	movdir64b(dst + 64, src);
	check("movdir64b copies 64 bytes", !memcmp(dst + 64, src, 64));
	check("movdir64b copies no more", dst[63] == 0 && dst[128] == 0);
	movdir64b(dst, src + 13);
	check("movdir64b takes an unaligned source", !memcmp(dst, src + 13, 64));
	check("movdir64b refuses an unaligned destination",
	      SIGNAL_OF(movdir64b(dst + 8, src)) == SIGSEGV);

	pair = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill(pair + 4096 - 32, 64);
	movdir64b(dst, pair + 4096 - 32);
	check("movdir64b source across pages", !memcmp(dst, pair + 4096 - 32, 64));
	mprotect(pair + 4096, 4096, PROT_NONE);
	check("movdir64b faults on an unreadable source",
	      SIGNAL_OF(movdir64b(dst, pair + 4096 - 32)) == SIGSEGV);

	ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check("movdir64b faults on a read-only page", SIGNAL_OF(movdir64b(ro, src)) == SIGSEGV);
	check("read-only page is intact", ro[0] == 0);
	check("movdir64b faults on no page",
	      SIGNAL_OF(movdir64b((void *)0x1000, src)) == SIGSEGV);

	check("enqcmd without a PASID faults", SIGNAL_OF(enqcmd(dst, src)) == SIGSEGV);
	check("enqcmds in user mode faults", SIGNAL_OF(enqcmds(dst, src)) == SIGSEGV);
	if (!guest)
		check_enqcmd_to_memory(dst, src);
	if (failures)
		return 1;
	return skipped ? 77 : 0;
}
