// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical function has one command register and idxd drives it with a
 * protocol of its own: a lock, a "running" flag, a wait queue and a completion
 * that its interrupt thread fires. idxd exports no way to issue a command, so
 * this file joins that protocol. Unlike idxd it does not wait for ever.
 */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/slab.h>

#include "cmd.h"
#include "layout.h"

/* How long a late command is waited for: seconds after its timeout. */
#define LATE_TRIES	600

static struct workqueue_struct *late_commands;
static LIST_HEAD(late_list);
static DEFINE_SPINLOCK(late_lock);

/*
 * One command on its way. It lives on the heap: after a timeout idxd's
 * interrupt thread may still complete it.
 */
struct pending {
	struct completion done;
	struct idxd_device *idxd;
	struct list_head node;		/* late_list, late_lock */
	struct delayed_work late;
	unsigned int tries;
};

static void cmd_release(struct idxd_device *idxd, u32 status)
{
	unsigned long flags;

	spin_lock_irqsave(&idxd->cmd_lock, flags);
	idxd->cmd_status = FIELD_GET(CMDSTS_ERROR, status);
	__clear_bit(IDXD_FLAG_CMD_RUNNING, &idxd->flags);
	wake_up(&idxd->cmd_waitq);
	spin_unlock_irqrestore(&idxd->cmd_lock, flags);
}

/* While one command is late all others fail at once instead of waiting in turn. */
static bool cmd_is_stuck(const struct idxd_device *idxd)
{
	struct pending *p;
	bool stuck = false;

	spin_lock(&late_lock);
	list_for_each_entry(p, &late_list, node)
		stuck |= p->idxd == idxd;
	spin_unlock(&late_lock);
	return stuck;
}

static void cmd_wait_late(struct pending *p)
{
	__module_get(THIS_MODULE);
	get_device(&p->idxd->idxd_dev.conf_dev);
	spin_lock(&late_lock);
	list_add(&p->node, &late_list);
	spin_unlock(&late_lock);
	queue_delayed_work(late_commands, &p->late, HZ);
}

/*
 * Gives the command register back once the device is through with a late command.
 * A command that is never answered leaves its object behind: idxd may still point
 * to it. Until then the module and the device stay; what runs after module_put()
 * is waited for by cmd_exit().
 */
static void cmd_late(struct work_struct *work)
{
	struct pending *p = container_of(to_delayed_work(work), struct pending, late);
	struct device *conf_dev = &p->idxd->idxd_dev.conf_dev;
	bool done = completion_done(&p->done);

	if (!done && ++p->tries < LATE_TRIES) {
		queue_delayed_work(late_commands, &p->late, HZ);
		return;
	}
	spin_lock(&late_lock);
	list_del(&p->node);
	spin_unlock(&late_lock);
	if (done) {
		cmd_release(p->idxd, 0);
		kfree(p);
	}
	put_device(conf_dev);
	module_put(THIS_MODULE);
}

/*
 * Issues one command and waits for its end. May sleep. 0, -EIO when the device
 * refused it or is halted, -ETIMEDOUT when it did not answer in time.
 */
int cmd_exec(struct idxd_device *idxd, enum cmd_code code, u32 operand, u16 *ret_result)
{
	void __iomem *regs = (void __iomem __force *)idxd->reg_base;
	struct device *dev = &idxd->pdev->dev;
	long timeout = msecs_to_jiffies(CMD_TIMEOUT_MS);
	struct pending *p;
	u32 status;

	if (FIELD_GET(GENSTS_STATE, ioread32(regs + REG_GENSTS)) == GENSTS_HALT)
		return -EIO;
	if (cmd_is_stuck(idxd))
		return -ETIMEDOUT;

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	init_completion(&p->done);
	INIT_DELAYED_WORK(&p->late, cmd_late);
	p->idxd = idxd;

	spin_lock_irq(&idxd->cmd_lock);
	if (!wait_event_lock_irq_timeout(idxd->cmd_waitq,
					 !test_bit(IDXD_FLAG_CMD_RUNNING, &idxd->flags),
					 idxd->cmd_lock, timeout)) {
		spin_unlock_irq(&idxd->cmd_lock);
		kfree(p);
		dev_err_ratelimited(dev, "command %u not issued: another one is still active\n",
				    code);
		return -ETIMEDOUT;
	}
	__set_bit(IDXD_FLAG_CMD_RUNNING, &idxd->flags);
	idxd->cmd_status = 0;
	idxd->cmd_done = &p->done;
	iowrite32(FIELD_PREP(CMD_CODE, code) | FIELD_PREP(CMD_OPERAND, operand) | CMD_INTERRUPT,
		  regs + REG_CMD);
	spin_unlock_irq(&idxd->cmd_lock);

	if (!wait_for_completion_timeout(&p->done, timeout)) {
		dev_err_ratelimited(dev, "command %u, operand %#x: no completion within %u ms\n",
				    code, operand, CMD_TIMEOUT_MS);
		/*
		 * An idle device will not answer any more: a reset took the command
		 * or its interrupt away. The object stays, idxd may still point to it.
		 */
		if (ioread32(regs + REG_CMDSTS) & CMDSTS_ACTIVE)
			cmd_wait_late(p);
		else
			cmd_release(idxd, 0);
		return -ETIMEDOUT;
	}

	status = ioread32(regs + REG_CMDSTS);
	cmd_release(idxd, status);
	kfree(p);

	if (FIELD_GET(CMDSTS_ERROR, status)) {
		dev_dbg(dev, "command %u, operand %#x: status %#x\n", code, operand, status);
		return -EIO;
	}
	if (ret_result)
		*ret_result = FIELD_GET(CMDSTS_RESULT, status);
	return 0;
}

int cmd_init(void)
{
	late_commands = alloc_workqueue("idxd_mdev_late", WQ_UNBOUND, 0);
	return late_commands ? 0 : -ENOMEM;
}

/* Nobody issues commands any more, and none is late: each holds the module. */
void cmd_exit(void)
{
	destroy_workqueue(late_commands);
}
