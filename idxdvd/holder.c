/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/holder.h"
#include "idxdvd/sysfs.h"

#define VFIO_GROUP_NODE "/dev/vfio/"

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

void holder_read_comm(struct holder *h)
{
	char path[SYSFS_PATH_LEN];

	if (sysfs_path(path, "/proc/%d/comm", h->pid) < 0 ||
	    sysfs_read(path, h->comm, sizeof(h->comm)) < 0)
		h->comm[0] = '\0';
}

static void note_group(struct mdev *mdevs, size_t n, int pid, int group)
{
	for (size_t i = 0; i < n; i++) {
		if (mdevs[i].iommu_group != group || mdevs[i].in_use)
			continue;
		mdevs[i].in_use = true;
		mdevs[i].holder.pid = pid;
		holder_read_comm(&mdevs[i].holder);
	}
}

static void search_process(struct mdev *mdevs, size_t n, int pid)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	char path[SYSFS_PATH_LEN], target[PATH_MAX];
	struct dirent *de;

	if (sysfs_path(path, "/proc/%d/fd", pid) < 0)
		return;
	dir = opendir(path);
	while (dir && (de = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), de->d_name, target, sizeof(target) - 1);
		int group;

		if (len < 0)
			continue;
		target[len] = '\0';
		if (!strncmp(target, VFIO_GROUP_NODE, strlen(VFIO_GROUP_NODE)) &&
		    parse_int(target + strlen(VFIO_GROUP_NODE), &group) == 0)
			note_group(mdevs, n, pid, group);
	}
}

void holder_find(struct mdev *mdevs, size_t n)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *de;
	int pid;

	for (size_t i = 0; i < n; i++) {
		mdevs[i].in_use = false;
		memset(&mdevs[i].holder, 0, sizeof(mdevs[i].holder));
	}
	dir = n ? opendir("/proc") : NULL;
	while (dir && (de = readdir(dir)))
		if (parse_int(de->d_name, &pid) == 0 && pid > 0)
			search_process(mdevs, n, pid);
}

int holder_probe_group(int group)
{
	_cleanup_(closep) int fd = -1;
	char path[SYSFS_PATH_LEN];

	if (group < 0 || sysfs_path(path, VFIO_GROUP_NODE "%d", group) < 0)
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 && errno == EBUSY ? -EBUSY : 0;
}
