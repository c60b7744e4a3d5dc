/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_FAKE_KERNEL_H
#define IDXDVD_FAKE_KERNEL_H

/* The rules of the kernel's sysfs on a simulated machine; errors are the kernel's. */

#include "idxdvd/backend.h"
#include "idxdvd/fake-hw.h"

/* An object by its sysfs name. */
struct target {
	struct fake_accel *accel;
	struct fake_wq *wq;		/* NULL unless it is one */
	int *engine_group;		/* the same */
};

int fake_find(struct fake_hw *hw, const char *object, struct target *ret);
bool fake_is_unsafe(const struct fake_accel *a);

int fake_get(struct fake_hw *hw, const char *object, const char *attr, char *buf, size_t size);
int fake_set(struct fake_hw *hw, const char *object, const char *attr, const char *value);
int fake_bind(struct fake_hw *hw, const char *object, const char *driver);
int fake_unbind(struct fake_hw *hw, const char *object, const char *driver);

void fake_disable_wq(struct fake_hw *hw, struct fake_accel *a, struct fake_wq *w);
void fake_disable_accel(struct fake_hw *hw, struct fake_accel *a);

void fake_event(struct fake_hw *hw, struct fake_accel *a, enum fake_event event);

int fake_create_mdev(struct fake_hw *hw, const char *parent, const char *type, const char *uuid);
int fake_move_mdev(struct fake_hw *hw, const char *uuid, const char *wq);

#endif
