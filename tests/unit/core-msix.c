// SPDX-License-Identifier: GPL-2.0-or-later
/* Vectors: who may close one, what waits in the PBA, what the owner hears. */
#include "core-fake.h"

#define ENABLE		0x8000u
#define MASKALL		0x4000u
#define CTRL(v)		(R_MSIX + (v) * 16 + 12)

/* Each way to close a vector, and to open it again; both vectors alike. */
enum way { ENTRY, FUNCTION, DISABLE, BUSMASTER, EVENTFD, WAYS };

static const char *const way_names[] = {
	[ENTRY] = "entry mask", [FUNCTION] = "function mask", [DISABLE] = "MSI-X off",
	[BUSMASTER] = "no bus master", [EVENTFD] = "no eventfd",
};

static void set_way(struct fake *f, enum way way, unsigned int vector, bool open)
{
	switch (way) {
	case ENTRY:
		w32(f, CTRL(vector), !open);
		break;
	case FUNCTION:
		cfg_write(f, MSIXCTL, 2, ENABLE | (open ? 0 : MASKALL));
		break;
	case DISABLE:
		cfg_write(f, MSIXCTL, 2, open ? ENABLE : 0);
		break;
	case BUSMASTER:
		cfg_write(f, COMMAND, 2, open ? MASTER : 0x2);
		break;
	case EVENTFD:
		vd_irq_connect(&f->d, vector, open);
		break;
	case WAYS:
		break;
	}
}

static void test_ways(void)
{
	unsigned int way, vector;
	struct fake f;

	for (way = 0; way < WAYS; way++)
		for (vector = 0; vector < 2; vector++) {
			const char *row = way_names[way];
			bool other = way != ENTRY && way != EVENTFD;

			fake_init(&f, DSA, CONFIGURED);
			vd_irq_pending(&f.d, vector);
			LOG(row, &f, vector ? "irq1" : "irq0");

			set_way(&f, way, vector, false);
			LOG(row, &f, vector || other ? "close1" : "");
			CHECK(row, !vd_irq_open(&f.d, vector));
			CHECK(row, vd_irq_open(&f.d, !vector) == !other);

			vd_irq_pending(&f.d, vector);
			vd_irq_pending(&f.d, vector);
			LOG(row, &f, "");
			w64(&f, R_PBA, ~0ull);
			w64(&f, R_PBA, 0);
			EQUAL(row, r64(&f, R_PBA), 1u << vector);

			set_way(&f, way, vector, true);
			EQUAL(row, r64(&f, R_PBA), 0);
			LOG(row, &f, vector ? "open1 irq1" : other ? "open1 irq0" : "irq0");
			set_way(&f, way, vector, true);
			LOG("nothing changed", &f, "");
		}
}

/* Two reasons at once: it takes both to open. */
static void test_two_reasons(void)
{
	const char *row = "entry and function mask";
	struct fake f;

	fake_init(&f, DSA, CONFIGURED);
	set_way(&f, ENTRY, 1, false);
	set_way(&f, FUNCTION, 1, false);
	LOG(row, &f, "close1");
	vd_irq_pending(&f.d, 1);
	set_way(&f, FUNCTION, 1, true);
	LOG(row, &f, "");
	set_way(&f, ENTRY, 1, true);
	LOG(row, &f, "open1 irq1");
}

/* What QEMU does with eventfds while the guest brings up one vector after the other. */
static void test_qemu(void)
{
	const char *row = "QEMU swaps eventfds";
	struct fake f;

	fake_init(&f, DSA, BORN);
	cfg_write(&f, COMMAND, 2, MASTER);
	cfg_write(&f, MSIXCTL, 2, ENABLE | MASKALL);
	vd_irq_connect(&f.d, 0, true);
	cfg_write(&f, MSIXCTL, 2, ENABLE);
	LOG(row, &f, "");
	CHECK(row, vd_irq_open(&f.d, 0));

	vd_irq_connect(&f.d, 0, false);
	EQUAL("MSI-X goes off with the last eventfd", cfg_read(&f, MSIXCTL, 2), 0x0001);
	w32(&f, R_CMD, CMD(5, 0));
	LOG("a completion meanwhile", &f, "reset-all:0");
	vd_irq_connect(&f.d, 0, true);
	LOG("is not lost", &f, "irq0");
	EQUAL("cause", r32(&f, R_INTCAUSE), CAUSE_CMD);
	vd_irq_connect(&f.d, 1, true);
	LOG(row, &f, "open1");
	vd_irq_connect(&f.d, 1, true);
	LOG("another eventfd for the same vector", &f, "");
}

/* A user space driver writes neither the table nor the capability. */
static void test_userspace(void)
{
	const char *row = "only eventfds";
	struct fake f;

	fake_init(&f, DSA, BORN);
	cfg_write(&f, COMMAND, 2, MASTER);
	vd_irq_connect(&f.d, 0, true);
	vd_irq_connect(&f.d, 1, true);
	LOG(row, &f, "open1");
	EQUAL(row, cfg_read(&f, MSIXCTL, 2), ENABLE | 1);
	EQUAL(row, r32(&f, CTRL(1)), 0);
	vd_irq_connect(&f.d, 1, false);
	EQUAL(row, r32(&f, CTRL(1)), 1);
	LOG(row, &f, "close1");
}

static void test_bounds(void)
{
	const char *row = "no such vector";
	struct fake f;

	fake_init(&f, DSA, CONFIGURED);
	vd_irq_connect(&f.d, 2, true);
	vd_irq_connect(&f.d, 77, true);
	vd_irq_pending(&f.d, 2);
	vd_irq_pending(&f.d, ~0u);
	LOG(row, &f, "");
	EQUAL(row, r64(&f, R_PBA), 0);
	CHECK(row, !vd_irq_open(&f.d, 2));
	EQUAL(row, vd_vectors(&f.d), 2);
}

int main(void)
{
	test_ways();
	test_two_reasons();
	test_qemu();
	test_userspace();
	test_bounds();
	return report();
}
