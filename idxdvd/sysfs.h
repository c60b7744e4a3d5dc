/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_SYSFS_H
#define IDXDVD_SYSFS_H

/* Attributes and links below /sys. Paths are made of names that the kernel gave or of UUIDs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "idxdvd/common/cleanup.h"

#define SYSFS_PATH_LEN 512

int sysfs_path(char path[SYSFS_PATH_LEN], const char *fmt, ...) _printf_(2, 3);
bool sysfs_exists(const char *path);
/* A number that no other object has had in this boot, though it may have had the name. */
int sysfs_read_instance(const char *path, uint64_t *ret);
/* Without the trailing newline; cut to @size. */
int sysfs_read(const char *path, char *buf, size_t size);
int sysfs_read_int(const char *path, int *ret);
/* One write of @value and a newline: an empty value is a newline alone, which idxd trims to "". */
int sysfs_write(const char *path, const char *value);
/*
 * The same for a store that may sleep for as long as somebody else likes. It is made by a process of
 * its own; -ETIMEDOUT: that one still waits, and goes on to wait after our end.
 */
int sysfs_write_bounded(const char *path, const char *value, int timeout_ms);
/* Last component of a link's target; "" if there is no such link. */
int sysfs_read_link(const char *path, char *buf, size_t size);

#endif
