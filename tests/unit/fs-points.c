/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One __wrap_ function for each call that the linker is told to bring here. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "tests/unit/fs-points.h"

static fs_points_hook hook_fn;
static void *hook_userdata;

void fs_points_set(fs_points_hook hook, void *userdata)
{
	hook_fn = hook;
	hook_userdata = userdata;
}

static int tell(const char *call, enum fs_moment moment)
{
	int r = hook_fn ? hook_fn(hook_userdata, call, moment) : 0;

	if (r < 0)
		errno = -r;
	return r;
}

static void tell_after(const char *call)
{
	int error = errno;

	tell(call, FS_AFTER);
	errno = error;
}

#define POINT(type, name, failed, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		type r; \
		\
		if (tell(#name, FS_BEFORE) < 0) \
			return failed; \
		r = __real_##name arguments; \
		tell_after(#name); \
		return r; \
	}

POINT(int, access, -1, (const char *path, int mode), (path, mode))
POINT(int, close, -1, (int fd), (fd))
POINT(DIR *, fdopendir, NULL, (int fd), (fd))
POINT(int, fsync, -1, (int fd), (fd))
POINT(int, mkdirat, -1, (int fd, const char *path, mode_t mode), (fd, path, mode))
POINT(ssize_t, read, -1, (int fd, void *buf, size_t size), (fd, buf, size))
POINT(struct dirent *, readdir, NULL, (DIR *dir), (dir))
POINT(int, renameat, -1, (int fd, const char *old, int to, const char *new), (fd, old, to, new))
POINT(int, unlinkat, -1, (int fd, const char *path, int flags), (fd, path, flags))

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;
	int r;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	if (tell("openat", FS_BEFORE) < 0)
		return -1;
	r = __real_openat(fd, path, flags, mode);
	tell_after("openat");
	return r;
}

ssize_t __real_write(int fd, const void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size)
{
	ssize_t r;

	if (tell("write", FS_BEFORE) < 0)
		return -1;
	r = tell("write", FS_HALF);
	if (r < 0) {
		__real_write(fd, buf, size / 2);
		tell("write", FS_HALF_DONE);
		errno = -r;
		return -1;
	}
	r = __real_write(fd, buf, size);
	tell_after("write");
	return r;
}
