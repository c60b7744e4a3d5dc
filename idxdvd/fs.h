/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_FS_H
#define IDXDVD_FS_H

/* The few file-system operations that store and journal need, each durable when it returns. */

#include <stdbool.h>
#include <stddef.h>

#define FS_TEMP_SUFFIX ".tmp"

/* Called before and after each system call that changes something; an errno before makes it fail. */
typedef int (*fs_hook)(void *userdata, const char *call, bool after);
void fs_set_hook(fs_hook hook, void *userdata);

/* Opens a directory; makes it and its parents (mode 0755) if they are missing. */
int fs_open_dir(const char *path, int *ret_fd);
int fs_open_subdir(int dirfd, const char *name, int *ret_fd);
/* The same, but nothing is made. */
int fs_open_below(int dirfd, const char *name, int *ret_fd);

/* Replaces a file as a whole: after a crash it holds the old or the new text. */
int fs_write(int dirfd, const char *name, const char *text);
/* -EFBIG if it is larger than @max; *ret ends in a NUL. */
int fs_read(int dirfd, const char *name, size_t max, char **ret);
/* Removes a file for good; one that is not there is not an error. */
int fs_remove(int dirfd, const char *name);
/* Names that end in @suffix, without hidden ones, sorted; free each and the array. */
int fs_list(int dirfd, const char *suffix, char ***ret, size_t *ret_n);
void fs_list_free(char **names, size_t n);

#endif
