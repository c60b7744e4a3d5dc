/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "idxdvd/common/parse.h"
#include "idxdvd/sysfs.h"

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
	return access(path, F_OK) == 0;
}

int sysfs_read_instance(const char *path, uint64_t *ret)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	*ret = st.st_ino;
	return 0;
}

int sysfs_read(const char *path, char *buf, size_t size)
{
	_cleanup_(closep) int fd = -1;
	ssize_t n;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int sysfs_read_int(const char *path, int *ret)
{
	char buf[32];
	int r;

	r = sysfs_read(path, buf, sizeof(buf));
	if (r < 0)
		return r;
	return parse_int(buf, ret);
}

int sysfs_write(const char *path, const char *value)
{
	_cleanup_(closep) int fd = -1;
	char line[LINE_MAX];
	ssize_t n;
	int len;

	len = snprintf(line, sizeof(line), "%s\n", value);
	if (len >= (int)sizeof(line))
		return -E2BIG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	/* An interrupted store may have been carried out: no second try here, apply reads back. */
	n = write(fd, line, len);
	if (n < 0)
		return -errno;
	return n == len ? 0 : -EIO;
}

/*
 * Two steps away from us, so that nobody has to wait for its end; it keeps nothing of ours open. Only
 * calls that are safe between fork and exec of a program with threads.
 */
static void write_elsewhere(const char *path, const char *line, size_t len, int report)
{
	sigset_t none;
	ssize_t n;
	int fd, error = 0;

	if (fork() != 0)
		_exit(0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(report, STDIN_FILENO) < 0)
		_exit(1);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : write(fd, line, len);
	if (n < 0)
		error = errno;
	else if ((size_t)n != len)
		error = EIO;
	n = write(STDIN_FILENO, &error, sizeof(error));
	_exit(n < 0);
}

int sysfs_write_bounded(const char *path, const char *value, int timeout_ms)
{
	_cleanup_(closep) int reader = -1, writer = -1;
	struct pollfd poll_fd;
	char line[LINE_MAX];
	int fds[2], error, len, r;
	pid_t pid;

	len = snprintf(line, sizeof(line), "%s\n", value);
	if (len >= (int)sizeof(line))
		return -E2BIG;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	reader = fds[0];
	writer = fds[1];

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		write_elsewhere(path, line, len, writer);
	waitpid(pid, NULL, 0);
	close(TAKE_FD(writer));

	poll_fd = (struct pollfd) { .fd = reader, .events = POLLIN };
	r = poll(&poll_fd, 1, timeout_ms);
	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	return read(reader, &error, sizeof(error)) == sizeof(error) ? -error : -EIO;
}

int sysfs_read_link(const char *path, char *buf, size_t size)
{
	char target[PATH_MAX];
	const char *name;
	ssize_t n;

	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0 && errno == ENOENT) {
		buf[0] = '\0';
		return 0;
	}
	if (n < 0)
		return -errno;
	target[n] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	strcpy(buf, name);
	return 0;
}
