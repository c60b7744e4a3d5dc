/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libvirt's hook has to do for a domain with mdevs: makes them before it starts, and takes away
 * what it has made when the domain is gone.
 *
 * What it has made is a file below STATE, named by the mdev, that names the domain: an mdev that was
 * there before, or that somebody else has made, is never removed. The file is written before the
 * mdev is made, so that none is forgotten.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "idxdvd/common/cleanup.h"
#include "libvirt/daemon.h"
#include "libvirt/domain.h"
#include "libvirt/input.h"

#define STATE	"/run/idxdvd-libvirt"
#define MDEVS	"/sys/bus/mdev/devices"
#define PATH_LEN 512

static int make_path(char path[PATH_LEN], const char *folder, const char *uuid)
{
	const char *root = getenv("IDXDVD_HOOK_ROOT");	/* for tests, which have no mdev bus */

	return snprintf(path, PATH_LEN, "%s%s/%s", root ? root : "", folder, uuid) < PATH_LEN ?
	       0 : -ENAMETOOLONG;
}

static bool exists(const char *uuid)
{
	char path[PATH_LEN];

	return make_path(path, MDEVS, uuid) == 0 && access(path, F_OK) == 0;
}

/* --- what we have made ----------------------------------------------------------------------- */

/* The domain for which @uuid was made, "" if we have not made it. */
static void made_for(const char *uuid, char ret[DOMAIN_UUID_LEN])
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_LEN];

	memset(ret, 0, DOMAIN_UUID_LEN);
	if (make_path(path, STATE, uuid) < 0)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && read(fd, ret, DOMAIN_UUID_LEN - 1) < 0)
		ret[0] = '\0';
}

static int note_made(const char *uuid, const char *domain)
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_LEN];
	ssize_t n = strlen(domain);

	if (make_path(path, STATE, "") < 0 || (mkdir(path, 0700) < 0 && errno != EEXIST) ||
	    make_path(path, STATE, uuid) < 0)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	return write(fd, domain, n) == n ? 0 : -EIO;
}

static void forget_made(const char *uuid)
{
	char path[PATH_LEN];

	if (make_path(path, STATE, uuid) == 0)
		unlink(path);
}

/* --- operations ------------------------------------------------------------------------------ */

static int release_one(const struct domain *d, const char *uuid)
{
	char domain[DOMAIN_UUID_LEN];
	int r;

	made_for(uuid, domain);
	if (strcmp(domain, d->uuid))
		return 0;
	r = daemon_stop(uuid);
	if (r >= 0)
		forget_made(uuid);
	return r;
}

static int note(const struct domain *d, const char *uuid)
{
	int r = note_made(uuid, d->uuid);

	if (r < 0)
		fprintf(stderr, "idxdvd: mdev %s: cannot write " STATE ": %s\n", uuid, strerror(-r));
	return r;
}

static int prepare_one(const struct domain *d, const struct domain_mdev *m)
{
	char domain[DOMAIN_UUID_LEN];
	int r;

	if (exists(m->uuid))
		return 0;
	made_for(m->uuid, domain);
	/* The note of another domain is either true, or of one whose end we have not seen. */
	r = *domain ? 0 : note(d, m->uuid);
	if (r < 0)
		return r;
	r = daemon_start(m);
	if (r == 1 && strcmp(domain, d->uuid))
		return note(d, m->uuid);
	/* Not made, nor by a call that may still be carried out. */
	if (r <= 0 && r != -ETIMEDOUT && !*domain)
		forget_made(m->uuid);
	return r;
}

static int prepare(const struct domain *d)
{
	int r = 0;

	for (size_t i = 0; i < d->n_mdevs && r >= 0; i++) {
		r = prepare_one(d, &d->mdevs[i]);
		/* libvirt calls release after a failed start; a domain that is not started has nothing. */
		for (size_t k = 0; k <= i && r < 0; k++)
			release_one(d, d->mdevs[k].uuid);
	}
	return r;
}

/* There is nobody who would try again: one that fails does not keep the others. */
static int release(const struct domain *d)
{
	for (size_t i = 0; i < d->n_mdevs; i++)
		release_one(d, d->mdevs[i].uuid);
	return 0;
}

static int run(int (*operation)(const struct domain *d))
{
	_cleanup_(freep) char *text = NULL;
	char why[DOMAIN_WHY_LEN];
	struct domain d;
	size_t len = 0;
	int r;

	r = input_read(&text, &len);
	if (r < 0) {
		fprintf(stderr, "idxdvd: the domain cannot be read: %s\n", strerror(-r));
		return r;
	}
	r = domain_parse(&d, text, len, why);
	if (r < 0) {
		fprintf(stderr, "idxdvd: the domain cannot be used: %s\n", why);
		return r;
	}
	r = operation(&d);
	daemon_close();
	return r;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[2], "prepare"))
		return run(prepare) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (argc > 2 && !strcmp(argv[2], "release"))
		run(release);
	return EXIT_SUCCESS;
}
