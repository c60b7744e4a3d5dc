// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration space: every offset and length, while the device is at work. */
#include "fuzz.h"

const struct fuzz_step fuzz_steps[] = {
	{ 128, guest_config },
	{ 32, guest_command },
	{ 16, guest_sets_up },
	{ 8, guest_bar0 },
	{ 12, guest_reads },
	{ 12, guest_acknowledges },
	{ 4, guest_masks },
	{ 16, host_completes },
	{ 12, host_connects },
	{ 12, host_interrupts },
	{ 2, host_swerr },
	{ 1, host_resets },
	{ 1, host_halts },
};

const unsigned int fuzz_nsteps = VD_COUNT(fuzz_steps);
