/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* What the files of the core know of each other. */
#ifndef VD_CORE_H
#define VD_CORE_H

#include "bar0.h"
#include "reg.h"

extern const struct vd_space vd_config_space;	/* config.c */
extern const struct vd_space vd_bar0_space;	/* bar0.c   */

/* bar0.c: a register by its offset; only for offsets inside the image */
uint32_t vd_get32(const struct vd *d, uint32_t off);
uint64_t vd_get64(const struct vd *d, uint32_t off);
void vd_set32(struct vd *d, uint32_t off, uint32_t val);
void vd_set64(struct vd *d, uint32_t off, uint64_t val);
void vd_state_set(struct vd *d, enum vd_state state);
void vd_wqcfg_reset(struct vd *d, unsigned int wq);

/* config.c */
bool vd_is_busmaster(const struct vd *d);
uint16_t vd_msix_control(const struct vd *d);
void vd_msix_control_set(struct vd *d, uint16_t control);
bool vd_pm_is_possible(const struct vd *d);

/* cmd.c */
void vd_cmd_post(struct vd *d, const struct vd_write *w);
bool vd_cmd_is_active(const struct vd *d);
bool vd_cmd_cancel(struct vd *d);

/* wq.c */
bool vd_wq_is_locked(const struct vd *d, unsigned int wq);
void vd_wq_state_set(struct vd *d, uint32_t wqs, enum vd_state state);
uint32_t vd_wqs_enabled(const struct vd *d);
uint8_t vd_wq_check(const struct vd *d, unsigned int wq);
uint8_t vd_dev_check(const struct vd *d);

/* msix.c */
#define MSIX_ENABLE	(1u << 15)
#define MSIX_MASKALL	(1u << 14)
#define MSIX_RW		(MSIX_ENABLE | MSIX_MASKALL)
void vd_msix_update(struct vd *d);
void vd_msix_follow(struct vd *d);
void vd_msix_post(struct vd *d, const struct vd_write *w);
uint64_t vd_msix_entry_reset(const struct vd *d, unsigned int idx);
uint64_t vd_msix_control_reset(const struct vd *d, unsigned int idx);

/* swerr.c */
void vd_cause(struct vd *d, uint32_t cause);
void vd_cause_post(struct vd *d, const struct vd_write *w);
void vd_swerr_code(struct vd *d, uint8_t code);

/* reset.c */
void vd_power_on(struct vd *d);
void vd_reset_device(struct vd *d);

#endif
