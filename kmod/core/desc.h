/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * A descriptor of a guest that the host submits in its place, as 8 quadwords, little
 * endian (5.2 and table 5-x of the specification). It is a private copy.
 */
#ifndef VD_DESC_H
#define VD_DESC_H

#include "vd.h"

/* 0, or the error code that the device would report without a completion record. */
uint8_t vd_desc_check(const struct vd_caps *caps, const uint64_t desc[8]);

/* Whose it is: @pasid, user privilege. The guest has no say in that. */
void vd_desc_own(uint64_t desc[8], uint32_t pasid);

/* The SWERROR of the guest's queue @wq for a descriptor that is refused. */
void vd_desc_error(const uint64_t desc[8], unsigned int wq, uint8_t error, uint64_t ret_rec[4]);

#endif
