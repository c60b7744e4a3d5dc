/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/fs.h"

static fs_hook hook_fn;
static void *hook_userdata;

void fs_set_hook(fs_hook hook, void *userdata)
{
	hook_fn = hook;
	hook_userdata = userdata;
}

static int before(const char *call)
{
	return hook_fn ? hook_fn(hook_userdata, call, false) : 0;
}

/* @rc as a system call returns it; yields 0 or a negative errno. */
static int after(const char *call, int rc)
{
	int r = rc < 0 ? -errno : 0;

	if (hook_fn)
		hook_fn(hook_userdata, call, true);
	return r;
}

static int make_dir(int dirfd, const char *path)
{
	int r;

	r = before("mkdir");
	if (r < 0)
		return r;
	r = after("mkdir", mkdirat(dirfd, path, 0755));
	return r == -EEXIST ? 0 : r;
}

int fs_open_below(int dirfd, const char *path, int *ret_fd)
{
	int fd;

	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int fs_open_dir(const char *path, int *ret_fd)
{
	char part[PATH_MAX];
	int r;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return -ENAMETOOLONG;

	for (char *s = strchr(part + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		if (access(part, F_OK) < 0) {
			r = make_dir(AT_FDCWD, part);
			if (r < 0)
				return r;
		}
		*s = '/';
	}
	return fs_open_subdir(AT_FDCWD, path, ret_fd);
}

int fs_open_subdir(int dirfd, const char *name, int *ret_fd)
{
	int r;

	r = fs_open_below(dirfd, name, ret_fd);
	if (r != -ENOENT)
		return r;
	r = make_dir(dirfd, name);
	if (r < 0)
		return r;
	return fs_open_below(dirfd, name, ret_fd);
}

static int sync_fd(int fd)
{
	int r;

	r = before("fsync");
	if (r < 0)
		return r;
	return after("fsync", fsync(fd));
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);
	int r;

	r = before("write");
	if (r < 0)
		return r;
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return after("write", -1);
		text += n;
		len -= n;
	}
	return after("write", 0);
}

static int write_temp(int dirfd, const char *temp, const char *text)
{
	_cleanup_(closep) int fd = -1;
	int r;

	r = before("create");
	if (r < 0)
		return r;
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = after("create", fd);
	if (r < 0)
		return r;

	r = write_all(fd, text);
	if (r < 0)
		return r;
	r = sync_fd(fd);
	if (r < 0)
		return r;
	return close(TAKE_FD(fd)) < 0 ? -errno : 0;
}

static int rename_temp(int dirfd, const char *temp, const char *name)
{
	int r;

	r = before("rename");
	if (r < 0)
		return r;
	return after("rename", renameat(dirfd, temp, dirfd, name));
}

int fs_write(int dirfd, const char *name, const char *text)
{
	char temp[NAME_MAX + 1];
	int r;

	if (snprintf(temp, sizeof(temp), "%s" FS_TEMP_SUFFIX, name) >= (int)sizeof(temp))
		return -ENAMETOOLONG;

	r = write_temp(dirfd, temp, text);
	if (r >= 0)
		r = rename_temp(dirfd, temp, name);
	if (r < 0) {
		unlinkat(dirfd, temp, 0);
		return r;
	}
	return sync_fd(dirfd);
}

int fs_read(int dirfd, const char *name, size_t max, char **ret)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_(freep) char *buf = NULL;
	size_t len = 0;

	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	buf = malloc(max + 2);
	if (!buf)
		return -ENOMEM;

	while (len <= max) {
		ssize_t n = read(fd, buf + len, max + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += n;
	}
	if (len > max)
		return -EFBIG;

	buf[len] = '\0';
	*ret = TAKE(buf);
	return 0;
}

int fs_remove(int dirfd, const char *name)
{
	int r;

	r = before("unlink");
	if (r < 0)
		return r;
	r = after("unlink", unlinkat(dirfd, name, 0));
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	return sync_fd(dirfd);
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && !strcmp(s + n - k, suffix);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void fs_list_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

int fs_list(int dirfd, const char *suffix, char ***ret, size_t *ret_n)
{
	size_t n = 0, size = 0;
	char **names = NULL;
	struct dirent *de;
	DIR *dir;
	int fd, r = 0;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}

	for (errno = 0; r == 0 && (de = readdir(dir)); errno = 0) {
		if (de->d_name[0] == '.' || !has_suffix(de->d_name, suffix))
			continue;
		if (n == size) {
			char **more = realloc(names, (size = size ? 2 * size : 16) * sizeof(*names));

			if (!more) {
				r = -ENOMEM;
				break;
			}
			names = more;
		}
		names[n] = strdup(de->d_name);
		if (!names[n])
			r = -ENOMEM;
		else
			n++;
	}
	/* A list that ends too early would make others forget. */
	r = r == 0 && errno ? -errno : r;
	closedir(dir);
	if (r < 0) {
		fs_list_free(names, n);
		return r;
	}

	if (n)
		qsort(names, n, sizeof(*names), compare_names);
	*ret = names;
	*ret_n = n;
	return 0;
}
