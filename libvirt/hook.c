/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's qemu hook: see idxdvd-libvirt(7). libvirt calls it several times for each domain, whether
 * that has mdevs or not, and waits. So this part is linked with nothing but libc and ends at once if
 * there is nothing to do; idxdvd-libvirt-mdevs, beside it, reads XML and speaks D-Bus.
 *
 * An operation that is not known needs nothing of us: the answer is success, and silence where a
 * filter could speak.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "idxdvd/common/cleanup.h"
#include "libvirt/input.h"

#define WORKER "idxdvd-libvirt-mdevs"
#define PATH_LEN 4096

static const struct operation {
	const char *name, *sub;
	bool may_fail;			/* libvirt then gives up what it was about to do */
} operations[] = {
	{ "prepare", "begin", true },
	{ "release", "end", false },
};

/* What was read becomes standard input again. */
static int give_back(const char *text, size_t len)
{
	int fd = memfd_create("domain", 0);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0 ||
	    dup2(fd, STDIN_FILENO) < 0)
		return -errno;
	return fd == STDIN_FILENO ? 0 : close(fd);
}

static int run_worker(char **argv)
{
	char path[PATH_LEN];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(WORKER));
	char *slash;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -ENOENT;
	strcpy(slash + 1, WORKER);
	execv(path, argv);
	return -errno;
}

static int act(char **argv)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r;

	r = input_read(&text, &len);
	/* Without this word it has no mdev, in whatever way it is written. */
	if (r == 0 && !memmem(text, len, "mdev", 4))
		return 0;
	if (r == 0)
		r = give_back(text, len);
	if (r == 0)
		r = run_worker(argv);
	fprintf(stderr, "idxdvd: the domain's mdevs cannot be looked at: %s\n", strerror(-r));
	return r;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 3 && i < ARRAY_LEN(operations); i++) {
		const struct operation *op = &operations[i];

		if (!strcmp(argv[2], op->name) && !strcmp(argv[3], op->sub))
			return act(argv) < 0 && op->may_fail ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	return EXIT_SUCCESS;
}
