// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO migration, version 2: STOP, STOP_COPY, RESUMING, RUNNING. A stopped device has
 * no portal, no enabled queue and nothing in flight, so its image is the core's and
 * nothing else. Memory that the device wrote is not tracked.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "migration.h"
#include "record.h"
#include "slice.h"
#include "vdev.h"

/* One image on its way. The file may outlive the device, or the state it was made for. */
struct mig_data {
	struct mutex lock;
	struct vdev *v;			/* until it has ended */
	bool ended;
	size_t len;			/* of what is there */
	size_t pos;			/* of the reader */
	u8 image[VD_IMAGE_SIZE];
};

/* ---- the file --------------------------------------------------------------- */

/* An image that is read never changes. The lock is not held where a user can make us wait. */
static ssize_t mig_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	struct mig_data *m = file->private_data;
	size_t pos, n;
	bool ended;

	mutex_lock(&m->lock);
	ended = m->ended;
	pos = m->pos;
	n = min(count, m->len - pos);
	m->pos = pos + n;
	mutex_unlock(&m->lock);
	if (ended)
		return -ENODEV;
	return copy_to_user(buf, m->image + pos, n) ? -EFAULT : n;
}

static void mig_report(const struct vdev *v, size_t len, int r)
{
	if (r < 0)
		dev_err_ratelimited(v->vfio.dev, "migration image of %zu bytes refused: %d\n",
				    len, r);
}

/*
 * m->lock. A VMM can still call a migration off while it writes an image; later, when it
 * starts the guest, QEMU no longer can.
 */
static int mig_check(const struct mig_data *m)
{
	struct vd *spare = kmalloc(sizeof(*spare), GFP_KERNEL);
	int r;

	if (!spare)
		return -ENOMEM;
	mutex_lock(&m->v->lock);
	r = vd_image_check(&m->v->vd, spare, m->image, m->len);
	mutex_unlock(&m->v->lock);
	kfree(spare);
	mig_report(m->v, m->len, r);
	return r;
}

static ssize_t mig_write(struct file *file, const char __user *buf, size_t count, loff_t *ppos)
{
	struct mig_data *m = file->private_data;
	ssize_t r = count;
	void *data;
	int bad;

	if (count > sizeof(m->image))
		return -EFBIG;
	data = memdup_user(buf, count);
	if (IS_ERR(data))
		return PTR_ERR(data);
	mutex_lock(&m->lock);
	if (m->ended) {
		r = -ENODEV;
	} else if (count > sizeof(m->image) - m->len) {
		r = -EFBIG;
	} else {
		memcpy(m->image + m->len, data, count);
		m->len += count;
		bad = m->len == sizeof(m->image) ? mig_check(m) : 0;
		if (bad < 0)
			r = bad;
	}
	mutex_unlock(&m->lock);
	kfree(data);
	return r;
}

static int mig_release(struct inode *inode, struct file *file)
{
	struct mig_data *m = file->private_data;

	mutex_destroy(&m->lock);
	kfree(m);
	return 0;
}

static const struct file_operations mig_save_fops = {
	.owner = THIS_MODULE,
	.read = mig_read,
	.release = mig_release,
};

static const struct file_operations mig_load_fops = {
	.owner = THIS_MODULE,
	.write = mig_write,
	.release = mig_release,
};

static struct file *mig_file(struct vdev *v, const struct file_operations *fops, int flags)
{
	struct mig_data *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct file *file;

	if (!m)
		return ERR_PTR(-ENOMEM);
	mutex_init(&m->lock);
	m->v = v;
	file = anon_inode_getfile("idxd-migration", fops, m, flags);
	if (IS_ERR(file)) {
		kfree(m);
		return file;
	}
	stream_open(file_inode(file), file);
	return file;
}

/* mig_lock. Whoever still has the file reads an error from now on. */
static void mig_end(struct vdev *v)
{
	struct mig_data *m;

	if (!v->mig_file)
		return;
	m = v->mig_file->private_data;
	mutex_lock(&m->lock);
	m->ended = true;
	mutex_unlock(&m->lock);
	fput(v->mig_file);
	v->mig_file = NULL;
}

/* ---- from one state to the next --------------------------------------------- */

/*
 * A command in flight ends first, then all that the queue had accepted; what both
 * have to say to the guest is in the core when this returns.
 */
static struct file *mig_stop(struct vdev *v)
{
	mutex_lock(&v->lock);
	vd_pause(&v->vd, true);
	mutex_unlock(&v->lock);
	flush_work(&v->work);
	slice_disable(v->slice, SLICE_ALL_WQS, false);
	record_deliver(v);
	flush_work(&v->work);
	return NULL;
}

/* The guest's queue @wq is enabled again, unless a reset came in between. */
static int mig_run_wq(struct vdev *v, unsigned int wq)
{
	struct hwq_limits limits;
	bool on;
	int r;

	mutex_lock(&v->lock);
	on = vd_wq_state(&v->vd, wq) == VD_ENABLED;
	vdev_limits(v, wq, &limits);
	mutex_unlock(&v->lock);
	if (!on)
		return 0;
	r = slice_enable(v->slice, wq, &limits);
	if (r < 0)
		return r;
	mutex_lock(&v->lock);
	if (vd_wq_state(&v->vd, wq) != VD_ENABLED) {
		v->stop = true;
		queue_work(vdev_workers, &v->work);
	}
	mutex_unlock(&v->lock);
	return 0;
}

static struct file *mig_run(struct vdev *v)
{
	unsigned int wq;
	int r;

	for (wq = 0; wq < vd_wqs(&v->vd); wq++) {
		r = mig_run_wq(v, wq);
		if (r < 0)
			return ERR_PTR(r);
	}
	mutex_lock(&v->lock);
	vd_pause(&v->vd, false);
	mutex_unlock(&v->lock);
	return NULL;
}

static struct file *mig_save(struct vdev *v)
{
	struct file *file = mig_file(v, &mig_save_fops, O_RDONLY);
	struct mig_data *m;
	int r;

	if (IS_ERR(file))
		return file;
	m = file->private_data;
	mutex_lock(&v->lock);
	r = vd_save(&v->vd, m->image);
	mutex_unlock(&v->lock);
	if (r < 0) {
		fput(file);
		return ERR_PTR(r);
	}
	m->len = VD_IMAGE_SIZE;
	v->mig_file = get_file(file);
	return file;
}

static struct file *mig_expect(struct vdev *v)
{
	struct file *file = mig_file(v, &mig_load_fops, O_WRONLY);

	if (!IS_ERR(file))
		v->mig_file = get_file(file);
	return file;
}

/* An image that is refused leaves the device as it was, and in this state. */
static struct file *mig_load(struct vdev *v)
{
	struct mig_data *m = v->mig_file->private_data;
	struct vd *spare = kmalloc(sizeof(*spare), GFP_KERNEL);
	size_t len;
	int r;

	if (!spare)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&m->lock);
	len = m->len;
	mutex_lock(&v->lock);
	r = vd_restore(&v->vd, spare, m->image, len);
	mutex_unlock(&v->lock);
	mutex_unlock(&m->lock);
	kfree(spare);
	mig_report(v, len, r);
	if (r < 0)
		return ERR_PTR(r);
	mig_end(v);
	return NULL;
}

static struct file *mig_saved(struct vdev *v)
{
	mig_end(v);
	return NULL;
}

static const struct {
	enum vfio_device_mig_state from, to;
	struct file *(*step)(struct vdev *v);
} mig_steps[] = {
	{ VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_STOP, mig_stop },
	{ VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING, mig_run },
	{ VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY, mig_save },
	{ VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_STOP, mig_saved },
	{ VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RESUMING, mig_expect },
	{ VFIO_DEVICE_STATE_RESUMING, VFIO_DEVICE_STATE_STOP, mig_load },
};

static struct file *mig_step(struct vdev *v, enum vfio_device_mig_state to)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mig_steps); i++)
		if (mig_steps[i].from == v->mig_state && mig_steps[i].to == to)
			return mig_steps[i].step(v);
	return ERR_PTR(-EINVAL);
}

/* ---- what VFIO asks ----------------------------------------------------------- */

static struct file *mig_set_state(struct vfio_device *vfio, enum vfio_device_mig_state to)
{
	struct vdev *v = to_vdev(vfio);
	enum vfio_device_mig_state next;
	struct file *file = NULL;
	int r;

	mutex_lock(&v->mig_lock);
	while (v->mig_state != to) {
		r = vfio_mig_get_next_state(vfio, v->mig_state, to, &next);
		file = r < 0 ? ERR_PTR(r) : mig_step(v, next);
		if (IS_ERR(file))
			break;
		v->mig_state = next;
	}
	mutex_unlock(&v->mig_lock);
	return file;
}

static int mig_get_state(struct vfio_device *vfio, enum vfio_device_mig_state *ret_state)
{
	struct vdev *v = to_vdev(vfio);

	mutex_lock(&v->mig_lock);
	*ret_state = v->mig_state;
	mutex_unlock(&v->mig_lock);
	return 0;
}

static int mig_get_data_size(struct vfio_device *vfio, unsigned long *ret_size)
{
	*ret_size = VD_IMAGE_SIZE;
	return 0;
}

static const struct vfio_migration_ops mig_ops = {
	.migration_set_state = mig_set_state,
	.migration_get_state = mig_get_state,
	.migration_get_data_size = mig_get_data_size,
};

void migration_init(struct vdev *v)
{
	mutex_init(&v->mig_lock);
	v->vfio.migration_flags = VFIO_MIGRATION_STOP_COPY;
	v->vfio.mig_ops = &mig_ops;
}

void migration_open(struct vdev *v)
{
	mutex_lock(&v->mig_lock);
	v->mig_state = VFIO_DEVICE_STATE_RUNNING;
	mutex_unlock(&v->mig_lock);
}

void migration_close(struct vdev *v)
{
	mutex_lock(&v->mig_lock);
	mig_end(v);
	mutex_unlock(&v->mig_lock);
}

void migration_reset(struct vdev *v)
{
	mutex_lock(&v->mig_lock);
	mig_end(v);
	v->mig_state = VFIO_DEVICE_STATE_RUNNING;
	mutex_lock(&v->lock);
	vd_pause(&v->vd, false);
	mutex_unlock(&v->lock);
	mutex_unlock(&v->mig_lock);
}
