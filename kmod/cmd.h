/* SPDX-License-Identifier: GPL-2.0-only */
/* Administrative commands of the physical function, beside idxd's own. */
#ifndef IDXD_MDEV_CMD_H
#define IDXD_MDEV_CMD_H

#include <linux/types.h>

#include "regs.h"

struct idxd_device;

/* Every command ends within twice this time, one way or the other. */
#define CMD_TIMEOUT_MS 10000

/* Operand of the commands that take a set of queues. */
static inline u32 cmd_wq_mask(unsigned int wq)
{
	return (wq / 16) << 16 | BIT(wq % 16);
}

int cmd_init(void);
void cmd_exit(void);
int cmd_exec(struct idxd_device *idxd, enum cmd_code code, u32 operand, u16 *ret_result);

#endif
