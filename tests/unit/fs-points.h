/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_FS_POINTS_H
#define TESTS_UNIT_FS_POINTS_H

/*
 * Stands between a program and the C library's calls into the file system, those that only read
 * included. A program that links this needs $(fs_points_ldflags).
 */

enum fs_moment {
	FS_BEFORE,		/* a negative errno makes the call fail, and it does nothing */
	FS_HALF,		/* the same for a write, but half of it is done first */
	FS_HALF_DONE,		/* that half is written; the answer does not matter */
	FS_AFTER,		/* the answer does not matter */
};

typedef int (*fs_points_hook)(void *userdata, const char *call, enum fs_moment moment);
void fs_points_set(fs_points_hook hook, void *userdata);

#endif
