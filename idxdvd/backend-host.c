/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real machine. libaccel-config says which accelerators there are and what they can do; what
 * changes, and everything that is written, goes through sysfs directly: the library keeps what it
 * read once, refuses names that the kernel takes, and does not know our driver.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <accel-config/libaccel_config.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "idxdvd/holder.h"
#include "idxdvd/host-holder.h"
#include "idxdvd/host-mdev.h"
#include "idxdvd/sysfs.h"

#define DSA_DEVICES	"/sys/bus/dsa/devices"
#define DSA_DRIVERS	"/sys/bus/dsa/drivers"
#define PCI_DEVICES	"/sys/bus/pci/devices"
#define PARAMETERS	"/sys/module/idxd_mdev/parameters"

/* VT-d's extended capabilities: scalable mode, process address space ids. */
#define ECAP_SMTS	(UINT64_C(1) << 43)
#define ECAP_PASID	(UINT64_C(1) << 40)

/* Of the device's general capabilities: how much of an interrupt message store it has. */
#define GENCAP_IMS	(UINT64_C(0x3f) << 25)

struct host {
	struct backend backend;
	bool enqcmd;			/* what does not change as long as we run */
};

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static struct accfg_ctx *unref_ctx(struct accfg_ctx *ctx)
{
	return ctx ? accfg_unref(ctx) : NULL;
}

static void unref_ctxp(struct accfg_ctx **ctx)
{
	unref_ctx(*ctx);
}

/* --- attributes ------------------------------------------------------------------------------ */

#define UNSAFE_ATTR "idxd_mdev_unsafe"

/* One attribute is idxd_mdev's, on the PCI device above idxd's. */
static int attr_path(char path[SYSFS_PATH_LEN], const char *object, const char *attr)
{
	return sysfs_path(path, DSA_DEVICES "/%s/%s%s", object,
			  strcmp(attr, UNSAFE_ATTR) ? "" : "../", attr);
}

static int op_get(struct backend *b, const char *object, const char *attr, char *buf, size_t size)
{
	char path[SYSFS_PATH_LEN];
	bool link = !strcmp(attr, "driver");
	int r;

	r = attr_path(path, object, attr);
	if (r >= 0)
		r = link ? sysfs_read_link(path, buf, size) : sysfs_read(path, buf, size);
	if (r != -ENOENT && !(link && r == 0 && !buf[0]))
		return r;

	/* No such attribute, or no such object any more. */
	if (sysfs_path(path, DSA_DEVICES "/%s", object) == 0 && !sysfs_exists(path))
		r = -ENODEV;
	return r;
}

static int op_set(struct backend *b, const char *object, const char *attr, const char *value)
{
	char path[SYSFS_PATH_LEN];
	int r;

	r = attr_path(path, object, attr);
	return r < 0 ? r : sysfs_write(path, value);
}

static int op_bind(struct backend *b, const char *object, const char *driver)
{
	char path[SYSFS_PATH_LEN];
	int r;

	r = sysfs_path(path, DSA_DRIVERS "/%s/bind", driver);
	return r < 0 ? r : sysfs_write(path, object);
}

static int op_unbind(struct backend *b, const char *object, const char *driver)
{
	char path[SYSFS_PATH_LEN];
	int r;

	r = sysfs_path(path, DSA_DRIVERS "/%s/unbind", driver);
	return r < 0 ? r : sysfs_write(path, object);
}

/* The module's file; the device of the wq need not be served by it. */
static int op_drain(struct backend *b, const char *wq, int pid, unsigned int pasid)
{
	char line[64];

	if (pid)
		snprintf(line, sizeof(line), "%s pid=%d", wq, pid);
	else if (pasid)
		snprintf(line, sizeof(line), "%s %u", wq, pasid);
	else
		snprintf(line, sizeof(line), "%s", wq);
	return sysfs_write(DSA_DRIVERS "/mdev/drain", line);
}

/* --- accelerators ---------------------------------------------------------------------------- */

static enum object_state parse_state(const char *s)
{
	for (int i = STATE_DISABLED; i <= STATE_UNKNOWN; i++)
		if (!strcmp(object_state_name(i), s))
			return i;
	return STATE_UNKNOWN;
}

static enum wq_type parse_type(const char *s)
{
	if (!strcmp(s, "kernel"))
		return WQ_TYPE_KERNEL;
	return !strcmp(s, "user") ? WQ_TYPE_USER : WQ_TYPE_NONE;
}

/* An attribute that this kernel does not have reads as "". */
static int get_optional(struct backend *b, const char *object, const char *attr, char *buf,
			size_t size)
{
	int r = op_get(b, object, attr, buf, size);

	if (r != -ENOENT && r != -EOPNOTSUPP)
		return r;
	buf[0] = '\0';
	return 0;
}

static int get_uint(struct backend *b, const char *object, const char *attr, unsigned int *ret)
{
	char buf[LABEL_LEN];
	int r;

	r = get_optional(b, object, attr, buf, sizeof(buf));
	if (r < 0)
		return r;
	*ret = 0;
	return buf[0] ? parse_uint(buf, ret) : 0;
}

static int get_group(struct backend *b, const char *object, int *ret)
{
	char buf[LABEL_LEN];
	int r;

	r = op_get(b, object, "group_id", buf, sizeof(buf));
	return r < 0 ? r : parse_int(buf, ret);
}

/* 0 where the kernel shows none: an IAA has no batches. */
static int get_limit(struct backend *b, const char *object, const char *attr, unsigned int *ret)
{
	char buf[32];
	uint64_t v = 0;
	int r;

	r = get_optional(b, object, attr, buf, sizeof(buf));
	if (r >= 0 && buf[0])
		r = parse_u64(buf, 10, &v);
	*ret = v > UINT32_MAX ? UINT32_MAX : v;
	return r;
}

/* Opener of a user wq: file0/pid below that. */
static void read_opener(struct wq *w)
{
	_cleanup_(closedirp) DIR *files = NULL;
	char path[SYSFS_PATH_LEN], cdev[SYSFS_PATH_LEN];
	struct dirent *de;

	files = host_find_cdev(w->name, cdev) ? opendir(cdev) : NULL;
	while (files && (de = readdir(files))) {
		if (strncmp(de->d_name, "file", 4) ||
		    sysfs_path(path, "%s/%s/pid", cdev, de->d_name) < 0 ||
		    sysfs_read_int(path, &w->holder.pid) < 0)
			continue;
		holder_read_comm(&w->holder);
		return;
	}
}

static int read_wq(struct backend *b, struct wq *w)
{
	char state[NAME_LEN], type[NAME_LEN], mode[NAME_LEN];
	int r;

	memset(&w->holder, 0, sizeof(w->holder));
	if ((r = op_get(b, w->name, "state", state, sizeof(state))) < 0 ||
	    (r = op_get(b, w->name, "type", type, sizeof(type))) < 0 ||
	    (r = op_get(b, w->name, "mode", mode, sizeof(mode))) < 0 ||
	    (r = get_group(b, w->name, &w->group)) < 0 ||
	    (r = get_uint(b, w->name, "size", &w->size)) < 0 ||
	    (r = get_uint(b, w->name, "priority", &w->priority)) < 0 ||
	    (r = get_uint(b, w->name, "threshold", &w->threshold)) < 0 ||
	    (r = get_limit(b, w->name, "max_transfer_size", &w->max_transfer)) < 0 ||
	    (r = get_limit(b, w->name, "max_batch_size", &w->max_batch)) < 0 ||
	    (r = get_uint(b, w->name, "clients", &w->clients)) < 0 ||
	    (r = get_optional(b, w->name, "name", w->label, sizeof(w->label))) < 0 ||
	    (r = get_optional(b, w->name, "driver_name", w->driver_name,
			      sizeof(w->driver_name))) < 0 ||
	    (r = op_get(b, w->name, "driver", w->driver, sizeof(w->driver))) < 0)
		return r;

	w->state = parse_state(state);
	w->type = parse_type(type);
	w->dedicated = !strcmp(mode, "dedicated");
	if (!strcmp(w->driver, "user") && w->clients)
		read_opener(w);
	return 0;
}

/* What protects the host from a guest; the module is stricter and has the last word. */
static void read_isolation(struct accel *a)
{
	char path[SYSFS_PATH_LEN], text[32];
	uint64_t ecap;

	a->iommu = sysfs_path(path, PCI_DEVICES "/%s/iommu_group", a->bdf) == 0 &&
		   sysfs_exists(path);
	/* Where the IOMMU does not say what it can, the module is asked at the first bind. */
	a->pasid = a->iommu;
	if (sysfs_path(path, PCI_DEVICES "/%s/iommu/intel-iommu/ecap", a->bdf) == 0 &&
	    sysfs_read(path, text, sizeof(text)) == 0 && parse_u64(text, 16, &ecap) == 0)
		a->pasid = a->iommu && (ecap & ECAP_SMTS) && (ecap & ECAP_PASID);

	a->module = sysfs_exists(DSA_DRIVERS "/mdev");
	a->unsafe_allowed = sysfs_path(path, PCI_DEVICES "/%s/" UNSAFE_ATTR, a->bdf) == 0 &&
			    sysfs_read(path, text, sizeof(text)) == 0 &&
			    (!strcmp(text, "1") || !strcmp(text, "Y"));
}

/* What it takes to share a queue; here too the module has the last word. */
static void read_sharing(struct backend *b, struct accel *a)
{
	char text[32] = "";
	int enabled = 0, n = 0;
	uint64_t caps = 0;

	a->enqcmd = ((struct host *)b)->enqcmd;
	a->shared_mode = get_optional(b, a->name, "pasid_enabled", text, sizeof(text)) == 0 &&
			 parse_int(text, &enabled) == 0 && enabled;
	/* A kernel that does not show the capabilities says nothing against it. */
	a->ims = get_optional(b, a->name, "gen_cap", text, sizeof(text)) < 0 ||
		 parse_u64(text, 0, &caps) < 0 || (caps & GENCAP_IMS);
	if (sysfs_read(PARAMETERS "/irq_backend", text, sizeof(text)) == 0 && !strcmp(text, "msix"))
		a->ims = false;
	if (sysfs_read_int(PARAMETERS "/max_sharers", &n) < 0 || n < 0)
		n = 0;
	a->max_sharers = n;
}

static void read_cmd_status(struct backend *b, struct accel *a)
{
	char text[32];
	uint64_t v;

	a->cmd_status = 0;
	if (op_get(b, a->name, "cmd_status", text, sizeof(text)) == 0 &&
	    parse_u64(text, 0, &v) == 0)
		a->cmd_status = v;
}

static int op_refresh(struct backend *b, struct accel *a)
{
	char path[SYSFS_PATH_LEN], state[NAME_LEN];
	int r;

	r = sysfs_path(path, PCI_DEVICES "/%s/%s", a->bdf, a->name);
	if (r < 0)
		return r;
	/* Before the rest: what is read of a successor under this number is read again by its event. */
	r = sysfs_read_instance(path, &a->instance);
	if (r < 0)
		return r == -ENOENT ? -ENODEV : r;

	r = op_get(b, a->name, "state", state, sizeof(state));
	for (unsigned int i = 0; i < a->n_engines && r >= 0; i++)
		r = get_group(b, a->engines[i].name, &a->engines[i].group);
	for (unsigned int i = 0; i < a->n_wqs && r >= 0; i++)
		r = read_wq(b, &a->wqs[i]);
	if (r < 0)
		return r;

	a->state = parse_state(state);
	read_isolation(a);
	read_sharing(b, a);
	read_cmd_status(b, a);
	return 0;
}

static int read_pci_id(const char *bdf, const char *attr, uint16_t *ret)
{
	char path[SYSFS_PATH_LEN], text[16];
	uint64_t v;
	int r;

	r = sysfs_path(path, PCI_DEVICES "/%s/%s", bdf, attr);
	if (r >= 0)
		r = sysfs_read(path, text, sizeof(text));
	if (r >= 0)
		r = parse_u64(text, 0, &v);
	if (r < 0)
		return r;
	if (v > UINT16_MAX)
		return -ERANGE;
	*ret = v;
	return 0;
}

/* The PCI address is the name of the directory that holds the device's own. */
static int read_bdf(const char *name, char ret[NAME_LEN])
{
	_cleanup_(freep) char *real = NULL;
	char path[SYSFS_PATH_LEN];
	char *slash;
	int r;

	r = sysfs_path(path, DSA_DEVICES "/%s/..", name);
	if (r < 0)
		return r;
	real = realpath(path, NULL);
	if (!real)
		return -errno;
	slash = strrchr(real, '/');
	if (!slash || !string_is_pci_address(slash + 1))
		return -ENODEV;
	snprintf(ret, NAME_LEN, "%s", slash + 1);
	return 0;
}

/* CVE-2024-21823: Sapphire Rapids and those that share its ids. */
static bool is_unsafe(const struct accel *a)
{
	return a->pci_vendor == 0x8086 && (a->pci_device == 0x0b25 || a->pci_device == 0x0cfe);
}

static int read_accel(struct backend *b, struct accfg_device *dev, struct accel **ret)
{
	_cleanup_(accel_freep) struct accel *a = NULL;
	int r;

	r = accel_new(&a, accfg_device_get_max_work_queues(dev), accfg_device_get_max_engines(dev));
	if (r < 0)
		return r;
	snprintf(a->name, sizeof(a->name), "%s", accfg_device_get_devname(dev));
	a->kind = accfg_device_get_type(dev) == ACCFG_DEVICE_IAX ? ACCEL_IAX : ACCEL_DSA;
	a->id = accfg_device_get_id(dev);
	a->numa_node = accfg_device_get_numa_node(dev);
	a->max_groups = accfg_device_get_max_groups(dev);
	a->max_size = accfg_device_get_max_work_queues_size(dev);
	a->configurable = accfg_device_get_configurable(dev);
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		snprintf(a->wqs[i].name, sizeof(a->wqs[i].name), "wq%u.%u", a->id, i);
		a->wqs[i].id = i;
	}
	for (unsigned int i = 0; i < a->n_engines; i++)
		snprintf(a->engines[i].name, sizeof(a->engines[i].name), "engine%u.%u", a->id, i);

	r = read_bdf(a->name, a->bdf);
	if (r >= 0)
		r = get_limit(b, a->name, "max_transfer_size", &a->max_transfer);
	if (r >= 0)
		r = get_limit(b, a->name, "max_batch_size", &a->max_batch);
	if (r >= 0)
		r = read_pci_id(a->bdf, "vendor", &a->pci_vendor);
	if (r >= 0)
		r = read_pci_id(a->bdf, "device", &a->pci_device);
	if (r < 0)
		return r;
	a->unsafe = is_unsafe(a);
	r = op_refresh(b, a);
	if (r < 0)
		return r;
	*ret = TAKE(a);
	return 0;
}

static void free_accels(struct accel **accels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		accel_free(accels[i]);
	free(accels);
}

static bool is_listed(struct accfg_ctx *ctx, const char *name)
{
	struct accfg_device *dev;

	accfg_device_foreach(ctx, dev)
		if (!strcmp(accfg_device_get_devname(dev), name))
			return true;
	return false;
}

/* The library has no error for a list that it could not make: it must hold every dsaN and iaxN. */
static int check_list(struct accfg_ctx *ctx)
{
	_cleanup_(closedirp) DIR *dir = opendir(DSA_DEVICES);
	char path[SYSFS_PATH_LEN], kind;
	struct dirent *de;
	unsigned int id;
	int r = 0;

	if (!dir)
		return -errno;
	for (errno = 0; r == 0 && (de = readdir(dir)); errno = 0)
		if (sscanf(de->d_name, "dsa%u%c", &id, &kind) == 1 ||
		    sscanf(de->d_name, "iax%u%c", &id, &kind) == 1)
			r = is_listed(ctx, de->d_name) ||
			    sysfs_path(path, DSA_DEVICES "/%s", de->d_name) < 0 ||
			    !sysfs_exists(path) ? 0 : -EIO;
	return r < 0 ? r : -errno;
}

static int op_scan(struct backend *b, struct accel ***ret, size_t *ret_n)
{
	_cleanup_(unref_ctxp) struct accfg_ctx *ctx = NULL;
	struct accel **accels, **more;
	struct accfg_device *dev;
	size_t n = 0;
	int r;

	accels = calloc(1, sizeof(*accels));
	if (!accels)
		return -ENOMEM;
	/* Without idxd there is no such bus, and the library complains about that. */
	r = sysfs_exists(DSA_DEVICES) ? accfg_new(&ctx) : 0;
	if (ctx && r >= 0)
		r = check_list(ctx);
	for (dev = ctx && r >= 0 ? accfg_device_get_first(ctx) : NULL; dev && r >= 0;
	     dev = accfg_device_get_next(dev)) {
		more = realloc(accels, (n + 2) * sizeof(*accels));
		if (!more) {
			r = -ENOMEM;
			break;
		}
		accels = more;
		r = read_accel(b, dev, &accels[n]);
		if (r == 0)
			n++;
		/* It went away while we looked. */
		else if (r == -ENODEV || r == -ENOENT)
			r = 0;
	}
	if (r < 0) {
		free_accels(accels, n);
		return r;
	}
	*ret = accels;
	*ret_n = n;
	return 0;
}

/* --- holders --------------------------------------------------------------------------------- */

static int op_holdings(struct backend *b, struct holding **ret, size_t *ret_n)
{
	struct accel **accels = NULL;
	size_t n_accels = 0;
	int r;

	r = op_scan(b, &accels, &n_accels);
	if (r < 0)
		return r;
	r = host_list_holdings(accels, n_accels, ret, ret_n);
	free_accels(accels, n_accels);
	return r;
}

/* --- the rest -------------------------------------------------------------------------------- */

static int op_boot_id(struct backend *b, char ret[UUID_LEN])
{
	return sysfs_read("/proc/sys/kernel/random/boot_id", ret, UUID_LEN);
}

static void op_free(struct backend *b)
{
	free(b);
}

static const struct backend_ops host_ops = {
	.free = op_free,
	.boot_id = op_boot_id,
	.scan = op_scan,
	.refresh = op_refresh,
	.scan_mdevs = host_scan_mdevs,
	.read_mdev = host_read_mdev,
	.get = op_get,
	.set = op_set,
	.bind = op_bind,
	.unbind = op_unbind,
	.mdev_create = host_mdev_create,
	.mdev_remove = host_mdev_remove,
	.mdev_evict = host_mdev_evict,
	.drain = op_drain,
	.wq_mdev = host_wq_mdev,
	.holdings = op_holdings,
	.mdev_set_wq = host_mdev_set_wq,
};

/* All processors of a machine with accelerators are alike. */
static bool has_enqcmd(void)
{
	_cleanup_(fclosep) FILE *f = fopen("/proc/cpuinfo", "re");
	char line[8192];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "flags", 5))
			return strstr(line, " enqcmd ") || strstr(line, " enqcmd\n");
	return false;
}

int backend_host_new(struct backend **ret)
{
	struct host *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->backend.ops = &host_ops;
	h->enqcmd = has_enqcmd();
	*ret = &h->backend;
	return 0;
}
