// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes every writable attribute of a claimed queue that idxd shows, over and over, as long as the
 * process PID lives:
 *
 *	attributes DIRECTORY PID
 *
 * Each write must be refused, and every attribute read afterwards as before. Prints what was
 * refused with which errors, then "attributes: N writes, N taken, N changes".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX 32

static const char *const values[] = { "0", "1", "-1", "7", "64", "4096", "shared", "dedicated",
				      "none", "kernel", "user", "other", "dmaengine", "\n", "" };

#define VALUES (sizeof(values) / sizeof(values[0]))

static struct attribute {
	char name[256];
	char before[256];
	unsigned long errors[134];
} attrs[MAX];

static unsigned int n_attrs;
static unsigned long writes, taken, changes;

static void read_at(int dir, const char *name, char *to, size_t size)
{
	int fd = openat(dir, name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, to, size - 1);

	if (n < 0)
		n = snprintf(to, size, "error %s", strerrorname_np(errno));
	to[n] = '\0';
	if (fd >= 0)
		close(fd);
}

/* What belongs to the driver core is no attribute of the queue. */
static void find(int dir)
{
	DIR *d = fdopendir(dup(dir));
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d))) {
		struct attribute *a = &attrs[n_attrs];

		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
		    !(st.st_mode & 0200) || !strcmp(e->d_name, "uevent") || n_attrs == MAX)
			continue;
		snprintf(a->name, sizeof(a->name), "%s", e->d_name);
		read_at(dir, a->name, a->before, sizeof(a->before));
		n_attrs++;
	}
	if (d)
		closedir(d);
}

static void compare(int dir, const char *after, const char *value)
{
	char now[256];

	for (unsigned int i = 0; i < n_attrs; i++) {
		read_at(dir, attrs[i].name, now, sizeof(now));
		if (!strcmp(now, attrs[i].before))
			continue;
		changes++;
		printf("%s is %s instead of %s after '%s' to %s\n", attrs[i].name, now,
		       attrs[i].before, value, after);
	}
}

/* The value that is there must be refused too. */
static void write_at(int dir, struct attribute *a, const char *value)
{
	int fd = openat(dir, a->name, O_WRONLY);
	ssize_t r;

	if (fd < 0)
		return;
	r = write(fd, value, *value ? strlen(value) : 1);
	writes++;
	if (r < 0) {
		a->errors[errno < 134 ? errno : 133]++;
	} else {
		taken++;
		if (taken < 20)
			printf("%s took '%s'\n", a->name, value);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned int turn = 0;
	int dir;

	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (dir < 0) {
		perror(argv[1]);
		return 1;
	}
	find(dir);
	while (!kill(atoi(argv[2]), 0)) {
		struct attribute *a = &attrs[turn % n_attrs];
		unsigned int v = turn / n_attrs % (VALUES + 1);

		write_at(dir, a, v < VALUES ? values[v] : a->before);
		if (turn++ % 8 == 0)
			compare(dir, a->name, v < VALUES ? values[v] : a->before);
	}
	compare(dir, "any", "anything");
	for (unsigned int i = 0; i < n_attrs; i++) {
		printf("%-20s", attrs[i].name);
		for (unsigned int e = 0; e < 134; e++)
			if (attrs[i].errors[e])
				printf(" %s %lu", strerrorname_np((int)e), attrs[i].errors[e]);
		printf("\n");
	}
	printf("attributes: %lu writes, %lu taken, %lu changes\n", writes, taken, changes);
	return taken || changes || !writes;
}
