// SPDX-License-Identifier: GPL-2.0-or-later
/* The migration image: what is saved arrives, and what is wrong is refused whole. */
#include <string.h>

#include "core-fake.h"
#include "core-image.h"

static uint8_t image[VD_IMAGE_SIZE + 1];
static struct vd spare;

static int load(struct fake *f, size_t len)
{
	return vd_restore(&f->d, &spare, image, len);
}

/* Each kind of device in each state: the other one reads the same, and does the same. */
static void test_round_trip(void)
{
	static const enum flavour flavours[] = { DSA, DSA_V1, DSA_V3, IAA, DSA_8WQ };
	static const enum stage stages[] = { BORN, PROBED, CONFIGURED, DEV_ON, WQ_ON, HALTED };
	static uint8_t here[VD_BAR0_SIZE], there[VD_BAR0_SIZE];
	struct fake a, b;
	unsigned int i, k;

	for (i = 0; i < VD_COUNT(flavours); i++) {
		for (k = 0; k < VD_COUNT(stages); k++) {
			fake_init(&a, flavours[i], stages[k]);
			fake_init(&b, flavours[i], stages[k] == BORN ? BORN : PROBED);
			EQUAL("save", vd_save(&a.d, image), 0);
			EQUAL("load", load(&b, VD_IMAGE_SIZE), 0);
			LOG("an interrupt is sent again", &b, stages[k] == HALTED ? "irq0" : "");
			vd_bar0_read(&a.d, 0, here, VD_BAR0_SIZE);
			vd_bar0_read(&b.d, 0, there, VD_BAR0_SIZE);
			CHECK("BAR0 reads the same", !memcmp(here, there, VD_BAR0_SIZE));
			vd_config_read(&a.d, 0, here, VD_CONFIG_SIZE);
			vd_config_read(&b.d, 0, there, VD_CONFIG_SIZE);
			CHECK("configuration space too", !memcmp(here, there, VD_CONFIG_SIZE));
		}
	}
	fake_init(&a, DSA, WQ_ON);
	vd_save(&a.d, image);
	fake_init(&b, DSA, PROBED);
	load(&b, VD_IMAGE_SIZE);
	w32(&b, R_CMD, CMD(7, 1));
	LOG("the queue can be disabled at the destination", &b, "disable:1 irq0");
}

/* Handles are void at the destination, and interrupts that may be lost come again. */
static void test_handles(void)
{
	struct fake a, b;

	fake_init(&a, DSA, WQ_ON);
	w32(&a, R_CMD, CMD(13, 1));
	w32(&a, R_INTCAUSE, CAUSE_ALL);
	EQUAL("the handle", r32(&a, R_CMDSTS), 0x101 << 8);
	vd_pause(&a.d, true);
	vd_save(&a.d, image);

	fake_init(&b, DSA, PROBED);
	vd_pause(&b.d, true);
	fake_log(&b);
	EQUAL("load", load(&b, VD_IMAGE_SIZE), 0);
	LOG("nothing is sent while paused", &b, "");
	EQUAL("both interrupts wait", r64(&b, R_PBA), 3);
	EQUAL("the cause", r32(&b, R_INTCAUSE), CAUSE_REVOKED);
	vd_pause(&b.d, false);
	LOG("they are sent", &b, "open1 irq0 irq1");
	w32(&b, R_INTCAUSE, CAUSE_REVOKED);
	w32(&b, R_CMD, CMD(14, 0x101));
	EQUAL("the old handle is none", r32(&b, R_CMDSTS), E_HANDLE_INDEX);
	w32(&b, R_CMD, CMD(13, 1));
	EQUAL("a new one", r32(&b, R_CMDSTS), 0x101 << 8);

	fake_init(&a, DSA, WQ_ON);
	w32(&a, R_CMD, CMD(13, 1));
	vd_halt(&a.d);
	w32(&a, R_INTCAUSE, CAUSE_ALL);
	vd_save(&a.d, image);
	fake_init(&b, DSA, PROBED);
	EQUAL("a halted device", load(&b, VD_IMAGE_SIZE), 0);
	EQUAL("needs a reset, not a handle", r32(&b, R_INTCAUSE), CAUSE_HALT);
}

static void test_pause(void)
{
	struct fake f;

	fake_init(&f, DSA, WQ_ON);
	vd_pause(&f.d, true);
	LOG("vectors close", &f, "close1");
	w32(&f, R_CMD, CMD(8, 1));
	LOG("a command is not accepted", &f, "");
	vd_irq_pending(&f.d, 1);
	LOG("an interrupt waits", &f, "");
	EQUAL("in the PBA", r64(&f, R_PBA), 2);
	vd_pause(&f.d, false);
	LOG("and is sent later", &f, "open1 irq1");
	w32(&f, R_CMD, CMD(8, 1));
	LOG("a command is accepted again", &f, "drain:1 irq0");

	f.hold = true;
	w32(&f, R_INTCAUSE, CAUSE_ALL);
	w32(&f, R_CMD, CMD(8, 1));
	vd_pause(&f.d, true);
	EQUAL("nothing is saved during a command", vd_save(&f.d, image), VD_IMAGE_BUSY);
	EQUAL("nor loaded", load(&f, 0), VD_IMAGE_BUSY);
	fake_done(&f);
	EQUAL("which ends", r32(&f, R_CMDSTS), 0);
	EQUAL("then it can be saved", vd_save(&f.d, image), 0);
}

/* @len bytes of the image of an enabled queue, of which some changed: refused, and nothing is loaded. */
static void refuse(const char *name, unsigned int off, unsigned int size, uint64_t val, bool sealed,
		   size_t len, int error)
{
	struct fake a, b, was;

	fake_init(&a, DSA, WQ_ON);
	fake_init(&b, DSA, PROBED);
	was = b;
	vd_save(&a.d, image);
	vd_store(image + off, size, val);
	if (sealed)
		seal(image);
	EQUAL(name, vd_image_check(&b.d, &spare, image, len), error);
	EQUAL(name, load(&b, len), error);
	CHECK(name, !memcmp(&was.d, &b.d, sizeof(b.d)));
}

/* Not an image, or not whole, or not of such a device. */
static void test_heads(void)
{
	static const struct {
		const char *name;
		unsigned int off, size;
		uint64_t val;
		bool sealed;
		size_t len;
		int error;
	} rows[] = {
		{ "nothing", 0, 0, 0, 0, 0, VD_IMAGE_TRUNCATED },
		{ "half a head", 0, 0, 0, 0, 23, VD_IMAGE_TRUNCATED },
		{ "only a head", 0, 0, 0, 0, 24, VD_IMAGE_TRUNCATED },
		{ "one byte less", 0, 0, 0, 0, VD_IMAGE_SIZE - 1, VD_IMAGE_TRUNCATED },
		{ "one byte more", 0, 0, 0, 0, VD_IMAGE_SIZE + 1, VD_IMAGE_LARGER },
		{ "says that it is larger", 12, 4, VD_IMAGE_SIZE + 1, 1, VD_IMAGE_SIZE,
		  VD_IMAGE_LARGER },
		{ "says that it is smaller", 12, 4, VD_IMAGE_SIZE - 1, 1, VD_IMAGE_SIZE,
		  VD_IMAGE_CORRUPT },
		{ "no magic number", 0, 1, 'i', 1, VD_IMAGE_SIZE, VD_IMAGE_FOREIGN },
		{ "version 0", 8, 4, 0, 1, VD_IMAGE_SIZE, VD_IMAGE_FOREIGN },
		{ "version 2", 8, 4, 2, 1, VD_IMAGE_SIZE, VD_IMAGE_NEWER },
		{ "version 2, larger", 8, 4, 2, 1, VD_IMAGE_SIZE + 1, VD_IMAGE_NEWER },
		{ "a changed sum", SUM, 1, 0xee, 0, VD_IMAGE_SIZE, VD_IMAGE_CORRUPT },
		{ "a changed byte", BAR0 + R_GENCTRL, 1, 0, 0, VD_IMAGE_SIZE, VD_IMAGE_CORRUPT },
		{ "another PCI device", 30, 2, 0x0b25, 1, VD_IMAGE_SIZE, VD_IMAGE_CAPS },
		{ "more operations", 56, 1, 0xfe, 1, VD_IMAGE_SIZE, VD_IMAGE_CAPS },
		{ "a larger queue", 112, 2, 32, 1, VD_IMAGE_SIZE, VD_IMAGE_CAPS },
	};
	unsigned int i;

	for (i = 0; i < VD_COUNT(rows); i++)
		refuse(rows[i].name, rows[i].off, rows[i].size, rows[i].val, rows[i].sealed,
		       rows[i].len, rows[i].error);
}

/* Of each kind of device, on each other one. */
static void test_caps(void)
{
	unsigned int i, k;
	struct fake a, b;

	for (i = DSA; i <= DSA_8WQ; i++) {
		fake_init(&a, i, WQ_ON);
		vd_save(&a.d, image);
		for (k = DSA; k <= DSA_8WQ; k++) {
			fake_init(&b, k, PROBED);
			EQUAL("only on its own kind", load(&b, VD_IMAGE_SIZE),
			      i == k ? 0 : VD_IMAGE_CAPS);
		}
	}
}

/* A sealed image of a state that cannot be: one row per rule. */
static void test_states(void)
{
	static const struct {
		const char *name;
		unsigned int off, size;
		uint64_t val;
	} rows[] = {
		{ "a capability that differs", BAR0 + R_GENCAP, 1, 0xff },
		{ "a hole in BAR0", BAR0 + 0x100, 1, 1 },
		{ "a hole in configuration space", CONFIG + 0xf0, 1, 1 },
		{ "the head's hole", 134, 1, 1 },
		{ "a read-only bit of configuration space", CONFIG + 0x06, 2, 0 },
		{ "BAR2 smaller than it is", CONFIG + 0x18, 4, 0x100c },
		{ "power state D1", CONFIG + 0x94, 1, 9 },
		{ "reserved bits of MODE", BAR0 + R_WQCFG + WQ_MODE, 4, 0x800000a1 },
		{ "a busy device", BAR0 + R_GENSTS, 1, VD_BUSY },
		{ "halted without asking for a reset", BAR0 + R_GENSTS, 1, VD_HALTED },
		{ "halted with a queue", BAR0 + R_GENSTS, 1, 7 },
		{ "disabled with a queue", BAR0 + R_GENSTS, 1, VD_DISABLED },
		{ "a busy queue", BAR0 + R_WQCFG + WQ_STATE + 3, 1, 0x80 },
		{ "an active command", BAR0 + R_CMDSTS + 3, 1, 0x80 },
		{ "a result with an error", BAR0 + R_CMDSTS, 2, 0x101 },
		{ "an enabled shared queue", BAR0 + R_WQCFG + WQ_MODE, 4, 0xa0 },
		{ "an enabled queue with a PASID", BAR0 + R_WQCFG + WQ_MODE, 4, 0x100000a1 },
		{ "too long transfers", BAR0 + R_WQCFG + WQ_LIMITS, 4, 22 | 5 << 5 },
		{ "too long batches", BAR0 + R_WQCFG + WQ_LIMITS, 4, 21 | 6 << 5 },
		{ "an operation that is not offered", BAR0 + R_WQCFG + WQ_OPCFG + 31, 1, 0x80 },
		{ "a queue larger than the host's", BAR0 + R_WQCFG + WQ_SIZE, 2, 17 },
		{ "no bus master", CONFIG + COMMAND, 2, 2 },
		{ "a group without an engine", BAR0 + R_GRPCFG + GRP_ENGINES, 1, 0 },
		{ "both causes", BAR0 + R_INTCAUSE, 1, CAUSE_CMD | CAUSE_HALT },
		{ "a cause that does not happen", BAR0 + R_INTCAUSE, 1, CAUSE_PERFMON },
		{ "a cause that waits for nothing", 128, 1, CAUSE_CMD },
		{ "a cause that never waits", 128, 1, CAUSE_SWERR },
		{ "an error with a PASID", BAR0 + R_SWERROR + 6, 1, 1 },
		{ "an error of a queue that is none", BAR0 + R_SWERROR + 2, 1, 1 },
		{ "a vector that is none waits", BAR0 + R_PBA, 1, 4 },
		{ "a handle of vector 0", LIVE, 1, 1 },
		{ "a handle of a vector that is none", LIVE, 1, 4 },
	};
	unsigned int i;

	for (i = 0; i < VD_COUNT(rows); i++)
		refuse(rows[i].name, rows[i].off, rows[i].size, rows[i].val, true, VD_IMAGE_SIZE,
		       VD_IMAGE_STATE);
}

/* One interrupt waits for the answer to another: also at the destination. */
static void test_later(void)
{
	struct fake a, b;

	fake_init(&a, DSA, WQ_ON);
	a.hold = true;
	w32(&a, R_CMD, CMD(8, 1));
	vd_halt(&a.d);
	EQUAL("the command first", r32(&a, R_INTCAUSE), CAUSE_CMD);
	vd_save(&a.d, image);
	fake_init(&b, DSA, PROBED);
	EQUAL("load", load(&b, VD_IMAGE_SIZE), 0);
	w32(&b, R_INTCAUSE, CAUSE_CMD);
	EQUAL("then the halt", r32(&b, R_INTCAUSE), CAUSE_HALT);
}

int main(void)
{
	test_round_trip();
	test_handles();
	test_pause();
	test_heads();
	test_caps();
	test_states();
	test_later();
	return report();
}
