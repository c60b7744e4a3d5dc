/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel shows in sysfs and processes in /proc. The backend for real hardware reads it, but
 * through the functions here, which answer with the lines of the input, one after the other: a line
 * that begins with '!' is an error, an empty one ends a directory.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/holder.h"
#include "idxdvd/sysfs.h"
#include "tests/fuzz/daemon.h"

static const char *input, *input_end;

/* The next line; an error if it says so. Behind the last one there is nothing. */
static int next_line(const char **ret, size_t *ret_len)
{
	const char *s = input, *end;

	if (input >= input_end)
		return -ENOENT;
	end = memchr(s, '\n', input_end - s);
	input = end ? end + 1 : input_end;
	*ret = s;
	*ret_len = (end ? end : input_end) - s;
	if (*ret_len < 2 || *s != '!')
		return 0;
	return s[1] == 'n' ? -ENOENT : s[1] == 'o' ? -EOPNOTSUPP : s[1] == 'd' ? -ENODEV : -EIO;
}

static int copy_line(char *buf, size_t size)
{
	const char *s;
	size_t n;
	int r = next_line(&s, &n);

	if (r < 0)
		return r;
	if (n >= size)
		n = size - 1;
	memcpy(buf, s, n);
	buf[n] = '\0';
	return 0;
}

/* --- in place of idxdvd/sysfs.c -------------------------------------------------------------- */

int sysfs_path(char path[SYSFS_PATH_LEN], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, SYSFS_PATH_LEN, fmt, ap);
	va_end(ap);
	return n < 0 || n >= SYSFS_PATH_LEN ? -ENAMETOOLONG : 0;
}

bool sysfs_exists(const char *path)
{
	const char *s;
	size_t n;

	/* libaccel-config reads that on its own ways. */
	return strcmp(path, "/sys/bus/dsa/devices") && next_line(&s, &n) == 0;
}

int sysfs_read_instance(const char *path, uint64_t *ret)
{
	const char *s;
	size_t n;
	int r = next_line(&s, &n);

	if (r >= 0)
		*ret = n;
	return r;
}

int sysfs_read(const char *path, char *buf, size_t size)
{
	return copy_line(buf, size);
}

int sysfs_read_int(const char *path, int *ret)
{
	char buf[32];
	int r = copy_line(buf, sizeof(buf));

	return r < 0 ? r : parse_int(buf, ret);
}

int sysfs_read_link(const char *path, char *buf, size_t size)
{
	char line[PATH_MAX];
	int r = copy_line(line, sizeof(line));

	if (r < 0 && r != -ENOENT)
		return r;
	if (r >= 0 && strlen(line) >= size)
		return -ENAMETOOLONG;
	strcpy(buf, r < 0 ? "" : line);
	return 0;
}

int sysfs_write(const char *path, const char *value)
{
	const char *s;
	size_t n;

	return next_line(&s, &n);
}

int sysfs_write_bounded(const char *path, const char *value, int timeout_ms)
{
	return sysfs_write(path, value);
}

/* --- in place of the C library's, by the linker's --wrap ------------------------------------- */

DIR *__wrap_opendir(const char *path);
struct dirent *__wrap_readdir(DIR *dir);
int __wrap_closedir(DIR *dir);
int __wrap_dirfd(DIR *dir);
char *__wrap_realpath(const char *path, char *resolved);
ssize_t __wrap_readlink(const char *path, char *buf, size_t size);
ssize_t __wrap_readlinkat(int fd, const char *path, char *buf, size_t size);
int __wrap_fs_read(int dirfd, const char *name, size_t max, char **ret);
int __wrap_open(const char *path, int flags, ...);

DIR *__wrap_opendir(const char *path)
{
	const char *s;
	size_t n;
	int r = next_line(&s, &n);

	errno = -r;
	return r < 0 ? NULL : malloc(1);
}

struct dirent *__wrap_readdir(DIR *dir)
{
	static struct dirent de;

	memset(&de, 0, sizeof(de));
	return copy_line(de.d_name, sizeof(de.d_name)) == 0 && de.d_name[0] ? &de : NULL;
}

int __wrap_closedir(DIR *dir)
{
	free(dir);
	return 0;
}

int __wrap_dirfd(DIR *dir)
{
	return -1;
}

/* Absolute, as a real one. */
char *__wrap_realpath(const char *path, char *resolved)
{
	char *text = malloc(PATH_MAX);
	int r;

	MUST(text && !resolved);
	text[0] = '/';
	r = copy_line(text + 1, PATH_MAX - 1);
	if (r < 0) {
		free(text);
		errno = -r;
		return NULL;
	}
	return text;
}

ssize_t __wrap_readlink(const char *path, char *buf, size_t size)
{
	const char *s;
	size_t n;
	int r = next_line(&s, &n);

	errno = -r;
	if (r < 0)
		return -1;
	n = n < size ? n : size;
	memcpy(buf, s, n);
	return n;
}

ssize_t __wrap_readlinkat(int fd, const char *path, char *buf, size_t size)
{
	return __wrap_readlink(path, buf, size);
}

/* Several lines: ';' stands for the newline. */
int __wrap_fs_read(int dirfd, const char *name, size_t max, char **ret)
{
	char *text = malloc(max + 2);
	int r;

	MUST(text);
	r = copy_line(text, max + 1);
	if (r < 0) {
		free(text);
		return r;
	}
	for (char *s = text; (s = strchr(s, ';')); )
		*s = '\n';
	*ret = text;
	return 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	const char *s;
	size_t n;

	errno = next_line(&s, &n) == -EIO ? EBUSY : ENOENT;
	return -1;
}

/* --- what was read --------------------------------------------------------------------------- */

#define MUST_END(field) MUST(memchr(field, '\0', sizeof(field)))

static void check_accel(const struct accel *a)
{
	MUST(a->state <= STATE_UNKNOWN);
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		const struct wq *w = &a->wqs[i];

		MUST(w->state <= STATE_UNKNOWN && w->type <= WQ_TYPE_USER);
		MUST_END(w->name);
		MUST_END(w->label);
		MUST_END(w->driver_name);
		MUST_END(w->driver);
		MUST_END(w->holder.comm);
	}
}

static void check_mdev(const struct mdev *m)
{
	char uuid[UUID_LEN];

	MUST(parse_uuid(m->uuid, uuid) == 0 && !strcmp(m->uuid, uuid));
	MUST_END(m->type);
	MUST_END(m->parent);
	MUST_END(m->wq);
	MUST_END(m->holder.comm);
	MUST(string_is_pci_address(m->parent));
	MUST(!m->in_use || m->holder.pid > 0);
}

static void check_holding(const struct holding *h)
{
	MUST(h->kind < HOLDING_KIND_COUNT);
	MUST_END(h->wq);
	MUST_END(h->mdev);
	MUST_END(h->name);
	MUST_END(h->comm);
	MUST_END(h->exe);
	MUST_END(h->unit);
	MUST_END(h->container);
	MUST_END(h->domain);
}

static void refresh(struct backend *b)
{
	struct accel *a;

	MUST(accel_new(&a, 3, 2) == 0);
	for (unsigned int i = 0; i < a->n_wqs; i++)
		snprintf(a->wqs[i].name, sizeof(a->wqs[i].name), "wq0.%u", i);
	strcpy(a->name, "dsa0");
	strcpy(a->bdf, "0000:6a:01.0");
	if (b->ops->refresh(b, a) == 0)
		check_accel(a);
	accel_free(a);
}

static void scan_mdevs(struct backend *b)
{
	struct mdev *mdevs;
	size_t n;

	if (b->ops->scan_mdevs(b, &mdevs, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		check_mdev(&mdevs[i]);
	free(mdevs);
}

static void read_mdev(struct backend *b)
{
	struct mdev m;

	if (b->ops->read_mdev(b, MACHINE_RUNNING, &m) == 0)
		check_mdev(&m);
}

static void holdings(struct backend *b)
{
	struct holding *list;
	size_t n;

	if (b->ops->holdings(b, &list, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		check_holding(&list[i]);
	free(list);
}

static void describe(struct backend *b)
{
	struct holding h = { .pid = 4711 };

	holder_describe(&h);
	check_holding(&h);
}

static void wq_mdev(struct backend *b)
{
	char uuid[UUID_LEN], canonical[UUID_LEN];

	if (b->ops->wq_mdev(b, "0000:6a:01.0", "wq0.1", uuid) == 0)
		MUST(!uuid[0] || parse_uuid(uuid, canonical) == 0);
}

static void remove_mdev(struct backend *b)
{
	b->ops->mdev_remove(b, MACHINE_RUNNING);
}

static void boot_id(struct backend *b)
{
	char id[UUID_LEN];

	if (b->ops->boot_id(b, id) == 0)
		MUST_END(id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const reads[])(struct backend *b) = {
		refresh, scan_mdevs, read_mdev, holdings, describe, wq_mdev, remove_mdev, boot_id,
	};
	struct backend *b;

	if (!size)
		return 0;
	input = (const char *)data + 1;
	input_end = (const char *)data + size;
	MUST(backend_host_new(&b) == 0);
	reads[data[0] % ARRAY_LEN(reads)](b);
	backend_free(b);
	return 0;
}
