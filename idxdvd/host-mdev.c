/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mdevs of the real machine, as the mdev bus shows them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/holder.h"
#include "idxdvd/host-mdev.h"
#include "idxdvd/sysfs.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define MDEV_DEVICES	"/sys/bus/mdev/devices"

/* Without a holder a removal takes milliseconds. */
#define REMOVE_TIMEOUT_MS	5000
/* With one it takes what a guest needs to give a device back. */
#define EVICT_TIMEOUT_MS	30000

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Our module says who opened it; "" and others: /proc has to be searched. */
static void read_opener(struct mdev *m)
{
	char path[SYSFS_PATH_LEN], text[2 * NAME_LEN];

	m->in_use = sysfs_path(path, MDEV_DEVICES "/%s/opener", m->uuid) == 0 &&
		    sysfs_read(path, text, sizeof(text)) == 0 && holder_parse(&m->holder, text) == 0;
}

static int read_mdev(const char *uuid, struct mdev *ret)
{
	char path[SYSFS_PATH_LEN], group[NAME_LEN];
	_cleanup_(freep) char *real = NULL;
	char *slash;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = parse_uuid(uuid, ret->uuid);
	if (r < 0)
		return r;
	r = sysfs_path(path, MDEV_DEVICES "/%s", ret->uuid);
	if (r < 0)
		return r;
	real = realpath(path, NULL);
	if (!real)
		return -errno;
	slash = strrchr(real, '/');
	*slash = '\0';
	slash = strrchr(real, '/');
	if (!slash || !string_is_pci_address(slash + 1))
		return -ENOENT;
	snprintf(ret->parent, sizeof(ret->parent), "%s", slash + 1);

	r = sysfs_path(path, MDEV_DEVICES "/%s/mdev_type", ret->uuid);
	if (r >= 0)
		r = sysfs_read_link(path, ret->type, sizeof(ret->type));
	if (r == -ENAMETOOLONG)		/* no type of ours */
		return -ENOENT;
	if (r >= 0)
		r = sysfs_path(path, MDEV_DEVICES "/%s/wq", ret->uuid);
	if (r < 0)
		return r;
	r = sysfs_read(path, ret->wq, sizeof(ret->wq));
	if (r == -ENOENT || r == -ENODEV)	/* others have no such attribute */
		ret->wq[0] = '\0';
	else if (r < 0)
		return r;

	ret->iommu_group = -1;
	if ((r = sysfs_path(path, MDEV_DEVICES "/%s/iommu_group", ret->uuid)) < 0 ||
	    (r = sysfs_read_link(path, group, sizeof(group))) < 0)
		return r;
	if (group[0] && parse_int(group, &ret->iommu_group) < 0)
		ret->iommu_group = -1;
	read_opener(ret);
	return 0;
}

int host_read_mdev(struct backend *b, const char *uuid, struct mdev *ret)
{
	int r = read_mdev(uuid, ret);

	if (r == 0)
		holder_find(ret, 1);
	return r;
}

static bool is_ours_by_type(const struct mdev *m)
{
	return !strncmp(m->type, "idxd-", 5);
}

/* 1: there is a next one, which may be none of ours; 0: there is none. */
static int next_mdev(DIR *dir, struct mdev *ret)
{
	char uuid[UUID_LEN];
	struct dirent *de;
	int r;

	do {
		errno = 0;
		de = readdir(dir);
		if (!de)
			return -errno;
	} while (parse_uuid(de->d_name, uuid) < 0);

	r = read_mdev(uuid, ret);
	/* It went away while we looked, or is of no PCI device. */
	if (r == -ENODEV || r == -ENOENT)
		ret->type[0] = '\0';
	else if (r < 0)
		return r;
	return 1;
}

/* Whoever asks forgets what is not in the answer: it is all that there is, or an error. */
int host_scan_mdevs(struct backend *b, struct mdev **ret, size_t *ret_n)
{
	_cleanup_(freep) struct mdev *list = NULL;
	_cleanup_(closedirp) DIR *dir = NULL;
	struct mdev *more;
	size_t n = 0;
	int r;

	list = calloc(1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	dir = opendir(MDEV_DEVICES);
	if (!dir && errno != ENOENT)
		return -errno;
	while (dir && (r = next_mdev(dir, &list[n])) != 0) {
		if (r < 0)
			return r;
		n += is_ours_by_type(&list[n]);
		more = realloc(list, (n + 1) * sizeof(*list));
		if (!more)
			return -ENOMEM;
		list = more;
	}
	holder_find(list, n);
	*ret = TAKE(list);
	*ret_n = n;
	return 0;
}

int host_mdev_create(struct backend *b, const char *parent, const char *type,   const char *uuid)
{
	char path[SYSFS_PATH_LEN];
	int r;

	r = sysfs_path(path, PCI_DEVICES "/%s/mdev_supported_types/%s/create", parent, type);
	return r < 0 ? r : sysfs_write(path, uuid);
}

int host_mdev_remove(struct backend *b, const char *uuid)
{
	char path[SYSFS_PATH_LEN];
	struct mdev m;
	int r;

	r = read_mdev(uuid, &m);
	if (r < 0)
		return r;
	/* The removal sleeps until a VMM lets go; a process may be hidden from /proc. */
	r = holder_probe_group(m.iommu_group);
	if (r < 0)
		return r;
	/* And one may open it just now. */
	r = sysfs_path(path, MDEV_DEVICES "/%s/remove", m.uuid);
	return r < 0 ? r : sysfs_write_bounded(path, "1", REMOVE_TIMEOUT_MS);
}

/* vfio asks the VMM, again and again, for as long as the removal waits. */
int host_mdev_evict(struct backend *b, const char *uuid)
{
	char path[SYSFS_PATH_LEN];
	struct mdev m;
	int r;

	r = read_mdev(uuid, &m);
	if (r >= 0)
		r = sysfs_path(path, MDEV_DEVICES "/%s/remove", m.uuid);
	return r < 0 ? r : sysfs_write_bounded(path, "1", EVICT_TIMEOUT_MS);
}

int host_wq_mdev(struct backend *b, const char *parent, const char *wq, char ret[UUID_LEN])
{
	char path[SYSFS_PATH_LEN], text[NAME_LEN], uuid[UUID_LEN];
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *de;
	int r;

	ret[0] = '\0';
	r = sysfs_path(path, PCI_DEVICES "/%s", parent);
	if (r < 0)
		return r;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ENODEV : -errno;
	while ((de = readdir(dir))) {
		if (parse_uuid(de->d_name, uuid) < 0 ||
		    sysfs_path(path, MDEV_DEVICES "/%s/wq", uuid) < 0 ||
		    sysfs_read(path, text, sizeof(text)) < 0 || strcmp(text, wq))
			continue;
		memcpy(ret, uuid, sizeof(uuid));
		break;
	}
	return 0;
}

int host_mdev_set_wq(struct backend *b, const char *uuid, const char *wq)
{
	char path[SYSFS_PATH_LEN];
	int r;

	r = sysfs_path(path, MDEV_DEVICES "/%s/wq", uuid);
	return r < 0 ? r : sysfs_write(path, wq);
}
