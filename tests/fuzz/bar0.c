// SPDX-License-Identifier: GPL-2.0-or-later
/* The registers: every width and offset, every command in every state. */
#include "fuzz.h"

const struct fuzz_step fuzz_steps[] = {
	{ 54, guest_bar0 },
	{ 16, guest_bar0_wide },
	{ 64, guest_command },
	{ 12, guest_config },
	{ 12, guest_reads },
	{ 16, guest_acknowledges },
	{ 8, guest_masks },
	{ 16, guest_sets_up },
	{ 24, host_completes },
	{ 6, host_completes_late },
	{ 8, host_connects },
	{ 8, host_interrupts },
	{ 4, host_swerr },
	{ 3, host_resets },
	{ 3, host_halts },
	{ 2, host_pauses },
};

const unsigned int fuzz_nsteps = VD_COUNT(fuzz_steps);
