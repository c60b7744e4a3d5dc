/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/fs.h"
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

/* Calls @found for each VFIO group that the process has open. */
static void search_process(int pid, void (*found)(void *userdata, int pid, int group),
			   void *userdata)
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
			found(userdata, pid, group);
	}
}

static void search_all(void (*found)(void *userdata, int pid, int group), void *userdata)
{
	_cleanup_(closedirp) DIR *dir = opendir("/proc");
	struct dirent *de;
	int pid;

	while (dir && (de = readdir(dir)))
		if (parse_int(de->d_name, &pid) == 0 && pid > 0)
			search_process(pid, found, userdata);
}

/* --- whether somebody does ------------------------------------------------------------------- */

struct finding {
	struct mdev *mdevs;
	size_t n;
};

static void note_holder(void *userdata, int pid, int group)
{
	struct finding *f = userdata;

	for (size_t i = 0; i < f->n; i++) {
		struct mdev *m = &f->mdevs[i];

		if (m->iommu_group != group || m->in_use)
			continue;
		m->in_use = true;
		m->holder.pid = pid;
		holder_read_comm(&m->holder);
	}
}

void holder_find(struct mdev *mdevs, size_t n)
{
	struct finding f = { mdevs, n };

	for (size_t i = 0; i < n; i++)
		if (!mdevs[i].in_use) {
			search_all(note_holder, &f);
			return;
		}
}

/* --- everybody who does ---------------------------------------------------------------------- */

int holding_grow(struct holding **list, size_t *n, struct holding **ret)
{
	struct holding *more = reallocarray(*list, *n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	*ret = memset(&more[(*n)++], 0, sizeof(*more));
	return 0;
}

static void read_exe(struct holding *h)
{
	char path[SYSFS_PATH_LEN];
	ssize_t n;

	if (sysfs_path(path, "/proc/%d/exe", h->pid) < 0)
		return;
	n = readlink(path, h->exe, sizeof(h->exe) - 1);
	h->exe[n < 0 ? 0 : n] = '\0';
}

/* Field 22 of stat counts ticks since the boot; the name before it may hold anything but a newline. */
static void read_start(struct holding *h)
{
	struct timespec now, boot;
	char path[SYSFS_PATH_LEN], text[1024];
	unsigned long long ticks;
	const char *s;

	if (sysfs_path(path, "/proc/%d/stat", h->pid) < 0 ||
	    sysfs_read(path, text, sizeof(text)) < 0)
		return;
	s = strrchr(text, ')');
	for (int field = 2; s && field < 22; field++) {
		s = strchr(s, ' ');
		s = s ? s + 1 : NULL;
	}
	if (!s || sscanf(s, "%llu", &ticks) != 1)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	h->since_usec = (now.tv_sec - boot.tv_sec) * UINT64_C(1000000) +
			ticks * UINT64_C(1000000) / sysconf(_SC_CLK_TCK);
}

/* It is cut where it is too long; QEMU's name comes early. */
static void read_cmdline(struct holding *h)
{
	char path[SYSFS_PATH_LEN], args[4096];
	ssize_t n;
	int fd;

	if (sysfs_path(path, "/proc/%d/cmdline", h->pid) < 0)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, args, sizeof(args) - 1);
	close(fd);
	if (n <= 0)
		return;
	args[n] = '\0';
	holding_parse_cmdline(h, args, args[n - 1] ? n + 1 : n);
}

void holder_describe(struct holding *h)
{
	_cleanup_(freep) char *cgroup = NULL;
	struct holder who = { .pid = h->pid };
	char path[SYSFS_PATH_LEN];

	if (!h->pid)
		return;
	holder_read_comm(&who);
	/* One that has ended meanwhile keeps the name that it was known by. */
	if (who.comm[0])
		memcpy(h->comm, who.comm, sizeof(h->comm));
	read_exe(h);
	read_start(h);
	if (sysfs_path(path, "/proc/%d/cgroup", h->pid) == 0 &&
	    fs_read(AT_FDCWD, path, 64 * 1024, &cgroup) == 0)
		holding_parse_cgroup(h, cgroup);
	read_cmdline(h);
}

struct listing {
	struct holder_group *groups;
	size_t n;
	struct holding **list;
	size_t *n_list;
	int error;
};

static void list_holder(void *userdata, int pid, int group)
{
	struct listing *l = userdata;
	struct holding *h;

	for (size_t i = 0; i < l->n; i++) {
		struct holder_group *g = &l->groups[i];

		if (g->group != group)
			continue;
		g->found = true;
		if (*l->n_list && (*l->list)[*l->n_list - 1].pid == pid &&
		    !strcmp((*l->list)[*l->n_list - 1].mdev, g->as.mdev) &&
		    !strcmp((*l->list)[*l->n_list - 1].device, g->as.device))
			continue;	/* twice in one process */
		if (holding_grow(l->list, l->n_list, &h) < 0) {
			l->error = -ENOMEM;
			return;
		}
		*h = g->as;
		h->pid = pid;
		holder_describe(h);
	}
}

int holder_list_groups(struct holder_group *groups, size_t n, struct holding **list,
		       size_t *n_list)
{
	struct listing l = { groups, n, list, n_list, 0 };

	if (n)
		search_all(list_holder, &l);
	return l.error;
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
