/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/host.h"
#include "idxdvd/common/cleanup.h"

#define PATH_LEN 1024
#define READ_MAX (4 * 1024 * 1024)

static bool make_path(const struct host *h, char path[PATH_LEN], const char *fmt, va_list ap)
	_printf_(3, 0);

static bool make_path(const struct host *h, char path[PATH_LEN], const char *fmt, va_list ap)
{
	int n = snprintf(path, PATH_LEN, "%s", h->root);

	if (n < 0 || n >= PATH_LEN)
		return false;
	return vsnprintf(path + n, PATH_LEN - n, fmt, ap) < PATH_LEN - n;
}

#define MAKE_PATH(h, path, fmt) ({ \
	va_list ap_; \
	bool ok_; \
	va_start(ap_, fmt); \
	ok_ = make_path(h, path, fmt, ap_); \
	va_end(ap_); \
	if (!ok_) \
		errno = ENAMETOOLONG; \
	ok_; \
})

/* Attributes have no size to go by, and /dev/kmsg hands out a record for each read. */
static char *read_all(int fd, bool records)
{
	_cleanup_(freep) char *text = NULL;
	size_t n = 0, size = 0;
	ssize_t got;

	for (;;) {
		if (size - n < 16384) {
			char *more = size < READ_MAX ? realloc(text, size + 65536) : NULL;

			if (!more) {
				errno = EFBIG;
				return NULL;
			}
			text = more;
			size += 65536;
		}
		got = read(fd, text + n, size - n - 1);
		if (got < 0 && errno == EPIPE && records)
			continue;		/* overwritten while we read: go on with the next one */
		if (got < 0 && errno == EAGAIN && records)
			break;
		if (got < 0)
			return NULL;
		if (got == 0)
			break;
		n += got;
	}
	text[n] = '\0';
	return TAKE(text);
}

static char *read_path(const char *path, bool records)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? NULL : read_all(fd, records);
}

/* A record is "6,339,514,-;text", with further lines that begin with a blank. */
static void strip_records(char *log)
{
	char *in = log, *out = log;

	while (*in) {
		size_t n = strcspn(in, "\n");
		char *text = memchr(in, ';', n);

		if (text && *in >= '0' && *in <= '9') {
			n -= text + 1 - in;
			in = text + 1;
		}
		memmove(out, in, n);
		out += n;
		in += n;
		if (*in)
			*out++ = *in++;
	}
	*out = '\0';
}

int host_open(struct host *h, const char *root)
{
	char path[PATH_LEN];
	struct stat st;

	*h = (struct host){ .root = root ? root : "" };
	if (root && stat(root, &st) < 0)
		return -errno;
	if (root && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (snprintf(path, sizeof(path), "%s/dev/kmsg", h->root) >= (int)sizeof(path))
		return -ENAMETOOLONG;

	h->log = read_path(path, !root);
	if (!h->log)
		h->log = strdup("");
	if (!h->log)
		return -ENOMEM;
	strip_records(h->log);
	return 0;
}

void host_close(struct host *h)
{
	free(h->log);
	h->log = NULL;
}

bool host_exists(const struct host *h, const char *fmt, ...)
{
	char path[PATH_LEN];

	return MAKE_PATH(h, path, fmt) &&
	       faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void chomp(char *s)
{
	size_t n = strlen(s);

	if (n && s[n - 1] == '\n')
		s[n - 1] = '\0';
}

char *host_read(const struct host *h, const char *fmt, ...)
{
	char path[PATH_LEN], *text;

	if (!MAKE_PATH(h, path, fmt))
		return NULL;
	text = read_path(path, false);
	if (text)
		chomp(text);
	return text;
}

bool host_get(const struct host *h, char *buf, size_t size, const char *fmt, ...)
{
	_cleanup_(freep) char *text = NULL;
	char path[PATH_LEN];

	buf[0] = '\0';
	if (!MAKE_PATH(h, path, fmt))
		return false;
	text = read_path(path, false);
	if (!text)
		return false;
	chomp(text);
	snprintf(buf, size, "%s", text);
	return true;
}

bool host_link(const struct host *h, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_LEN], target[PATH_LEN];
	const char *last;
	ssize_t n;

	buf[0] = '\0';
	if (!MAKE_PATH(h, path, fmt))
		return false;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	last = strrchr(target, '/');
	snprintf(buf, size, "%s", last ? last + 1 : target);
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int names_add(struct host_names *names, const char *name)
{
	char **more = realloc(names->name, (names->n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	names->name = more;
	names->name[names->n] = strdup(name);
	return names->name[names->n] ? (names->n++, 0) : -ENOMEM;
}

struct host_names host_list(const struct host *h, const char *fmt, ...)
{
	struct host_names names = { 0 };
	char path[PATH_LEN];
	struct dirent *de;
	DIR *dir;

	if (!MAKE_PATH(h, path, fmt))
		return names;
	dir = opendir(path);
	if (!dir)
		return names;
	while ((de = readdir(dir)))
		if (de->d_name[0] != '.' && names_add(&names, de->d_name) < 0)
			break;
	closedir(dir);
	if (names.n)
		qsort(names.name, names.n, sizeof(*names.name), compare_names);
	errno = 0;
	return names;
}

void host_names_done(struct host_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct host_names){ 0 };
}

bool host_log_line(const struct host *h, const char *part, char *buf, size_t size)
{
	const char *found = NULL, *at = h->log;

	while ((at = strstr(at, part)))
		found = at++;
	if (!found)
		return false;
	while (found > h->log && found[-1] != '\n')
		found--;
	snprintf(buf, size, "%.*s", (int)strcspn(found, "\n"), found);
	return true;
}

bool host_has_word(const char *text, const char *word, const char *more)
{
	char ends[16];
	size_t n;

	snprintf(ends, sizeof(ends), " \t\n%s", more);
	while (*text) {
		n = strcspn(text, ends);
		if (n == strlen(word) && !strncmp(text, word, n))
			return true;
		text += n;
		text += strspn(text, ends);
	}
	return false;
}
