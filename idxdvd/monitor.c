/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libudev.h>
#include <systemd/sd-event.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/manager.h"
#include "idxdvd/monitor.h"

/* Enough for the events of some thousand mdevs at once. */
#define RECEIVE_BUFFER (8 * 1024 * 1024)

/* Kernel's own broadcasts: they need no udevd, and do not wait until its rules have run. */
#define SOURCE "kernel"

static const char *const subsystems[] = { "dsa", "drivers", "mdev", "pci" };

struct monitor {
	struct udev *udev;
	struct udev_monitor *udev_monitor;
	sd_event_source *source;
	struct manager *manager;
};

struct monitor *monitor_free(struct monitor *mon)
{
	if (!mon)
		return NULL;
	sd_event_source_disable_unref(mon->source);
	udev_monitor_unref(mon->udev_monitor);
	udev_unref(mon->udev);
	free(mon);
	return NULL;
}

static void monitor_freep(struct monitor **mon)
{
	monitor_free(*mon);
}

/*
 * "fileN" comes and goes when a process opens or closes a queue's character device; the queue is in the
 * path, which is all that is left of what is gone: .../dsa0/wq0.1/dsa!wq0.1/file3.
 */
static const char *object_of(struct udev_device *dev, char buf[NAME_LEN])
{
	const char *name = udev_device_get_sysname(dev), *path = udev_device_get_devpath(dev);
	const char *wq;

	if (strncmp(name, "file", 4) || !path)
		return name;
	wq = strstr(path, "/wq");
	if (!wq)
		return name;
	snprintf(buf, NAME_LEN, "%.*s", (int)strcspn(wq + 1, "/"), wq + 1);
	return buf;
}

static int on_event(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct monitor *mon = userdata;
	struct udev_device *dev;
	char name[NAME_LEN];

	errno = 0;
	dev = udev_monitor_receive_device(mon->udev_monitor);
	if (!dev) {
		/* A filtered message leaves EAGAIN; an overflow means that events are lost. */
		if (errno == ENOBUFS) {
			log_warning("kernel events were lost, reading everything again");
			manager_rescan(mon->manager, NULL, NULL);
		}
		return 0;
	}

	log_debug("event: %s %s %s", udev_device_get_action(dev), udev_device_get_subsystem(dev),
		  udev_device_get_sysname(dev));
	manager_rescan(mon->manager, udev_device_get_subsystem(dev), object_of(dev, name));
	udev_device_unref(dev);
	return 0;
}

int monitor_new(struct monitor **ret, sd_event *event, struct manager *m)
{
	_cleanup_(monitor_freep) struct monitor *mon = NULL;
	int r;

	mon = calloc(1, sizeof(*mon));
	if (!mon)
		return -ENOMEM;
	mon->manager = m;

	mon->udev = udev_new();
	if (!mon->udev)
		return -ENOMEM;
	mon->udev_monitor = udev_monitor_new_from_netlink(mon->udev, SOURCE);
	if (!mon->udev_monitor)
		return errno ? -errno : -ENOMEM;

	for (size_t i = 0; i < ARRAY_LEN(subsystems); i++) {
		r = udev_monitor_filter_add_match_subsystem_devtype(mon->udev_monitor,
								    subsystems[i], NULL);
		if (r < 0)
			return r;
	}
	r = udev_monitor_set_receive_buffer_size(mon->udev_monitor, RECEIVE_BUFFER);
	if (r < 0)
		log_debug("receive buffer of kernel events stays small: %s", strerror(-r));
	r = udev_monitor_enable_receiving(mon->udev_monitor);
	if (r < 0)
		return r;

	r = sd_event_add_io(event, &mon->source, udev_monitor_get_fd(mon->udev_monitor), EPOLLIN,
			    on_event, mon);
	if (r < 0)
		return r;
	*ret = TAKE(mon);
	return 0;
}
