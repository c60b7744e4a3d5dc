// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conflict-steps DEVICE STEPS SEED
 *
 * Opens and closes character devices of work queues from processes of its own, gives a queue to
 * dmaengine and takes it back, makes and removes mdevs, opens and closes them, at random; and after
 * each step asks idxdctl who has what. It knows itself what is held. A queue that is held and is said
 * to be free, or a process that has something open and is not named, is counted; so is the opposite.
 *
 * The device is dsaN with wqN.0 (dedicated) and wqN.1 (shared) of driver user; of the rest, which idxdvd
 * may have, dmaengine gets the last one, wqN.5, when that is free.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DSA	  "/sys/bus/dsa/"
#define MDEVS	  "/sys/bus/mdev/devices/"
#define MAX_HELD  6
#define MAX_MDEVS 4
#define KERNELS	  5
#define LINES	  64

struct process {
	pid_t pid;			/* 0: there is none */
	char wq[16];
};

struct mdev {
	char uuid[40], wq[16];		/* uuid "": there is none */
	pid_t pid;			/* of the one that has it open */
	bool device;			/* not only its group */
};

static unsigned int id;			/* N of dsaN */
static struct process openers[MAX_HELD];
static struct mdev mdevs[MAX_MDEVS];
static bool kernel_has;			/* KERNELS queue */

static unsigned long false_free, unnamed, false_held, wrong_class, n_opens, n_closes, n_creates,
	n_removes, n_refused, n_binds;

static void die(const char *what)
{
	printf("conflict-steps: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int store(const char *value, const char *fmt, ...)
{
	char path[256];
	va_list ap;
	ssize_t n;
	int fd;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

static void queue_name(char wq[16], unsigned int n)
{
	snprintf(wq, 16, "wq%u.%u", id, n);
}

/* --- holders --------------------------------------------------------------------------------- */

static bool open_vfio(const char *uuid, bool device)
{
	char path[256], link[256];
	int group, container;
	ssize_t n;

	snprintf(path, sizeof(path), MDEVS "%s/iommu_group", uuid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	group = open(path, O_RDWR);
	if (group < 0 || !device)
		return group >= 0;
	container = open("/dev/vfio/vfio", O_RDWR);
	return container >= 0 && !ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) &&
	       !ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) &&
	       ioctl(group, VFIO_GROUP_GET_DEVICE_FD, uuid) >= 0;
}

static bool open_cdev(const char *wq)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/dsa/%s", wq);
	return open(path, O_RDWR) >= 0;
}

/* A process that has it open until it is killed; 0: it was refused. */
static pid_t hold(const char *wq, const char *uuid, bool device)
{
	int fds[2];
	char c = 0;
	pid_t pid;

	if (pipe(fds) < 0)
		die("pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(fds[0]);
		if (wq ? open_cdev(wq) : open_vfio(uuid, device))
			c = 1;
		if (write(fds[1], &c, 1) != 1 || !c)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	if (read(fds[0], &c, 1) != 1)
		c = 0;
	close(fds[0]);
	if (c)
		return pid;
	waitpid(pid, NULL, 0);
	return 0;
}

static void let_go(pid_t *pid)
{
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
	n_closes++;
}

static struct process *opener_of(const char *wq)
{
	for (unsigned int i = 0; i < MAX_HELD; i++)
		if (openers[i].pid && (!wq || !strcmp(openers[i].wq, wq)))
			return &openers[i];
	return NULL;
}

/* --- steps ----------------------------------------------------------------------------------- */

static void step_cdev(void)
{
	struct process *p = &openers[rand() % MAX_HELD];
	char wq[16];

	if (p->pid) {
		let_go(&p->pid);
		return;
	}
	queue_name(wq, rand() % 2);
	p->pid = hold(wq, NULL, false);
	memcpy(p->wq, wq, sizeof(wq));
	n_opens += p->pid != 0;
	n_refused += !p->pid;
}

/* idxdvd has it, or is about to: a driver, or a type that is not "none". */
static bool is_taken(const char *wq)
{
	char path[128], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), DSA "devices/%s/type", wq);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die(path);
	close(fd);
	return strcmp(text, "none\n") != 0;
}

static int configure(const char *wq)
{
	static const char *const attrs[][2] = {
		{ "mode", "dedicated" }, { "priority", "10" }, { "type", "kernel" },
		{ "driver_name", "dmaengine" }, { "name", "steps" },
	};
	int r = 0;

	for (unsigned int i = 0; i < sizeof(attrs) / sizeof(attrs[0]) && r == 0; i++)
		r = store(attrs[i][1], DSA "devices/%s/%s", wq, attrs[i][0]);
	return r == 0 ? store(wq, DSA "drivers/dmaengine/bind") : r;
}

static void step_kernel(void)
{
	char wq[16];

	queue_name(wq, KERNELS);
	if (kernel_has) {
		if (store(wq, DSA "drivers/dmaengine/unbind") < 0)
			die("unbind");
	} else if (is_taken(wq) || configure(wq) < 0) {
		n_refused++;
		return;
	}
	kernel_has = !kernel_has;
	n_binds++;
}

static bool line_of(const char *command, char *line, int size)
{
	FILE *f = popen(command, "r");
	bool got;

	if (!f)
		die(command);
	got = fgets(line, size, f);
	line[strcspn(line, "\n")] = '\0';
	return pclose(f) == 0 && got;
}

static void read_wq(struct mdev *m)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), MDEVS "%s/wq", m->uuid);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, m->wq, sizeof(m->wq) - 1);
	if (n < 0)
		die(path);
	close(fd);
	m->wq[n] = '\0';
	m->wq[strcspn(m->wq, "\n")] = '\0';
}

static void destroy(struct mdev *m)
{
	char line[96];

	snprintf(line, sizeof(line), "idxdctl destroy %.36s", m->uuid);
	if (system(line))
		die(line);
	m->uuid[0] = '\0';
	n_removes++;
}

static void step_mdev(void)
{
	struct mdev *m = &mdevs[rand() % MAX_MDEVS];
	char line[96];

	if (!m->uuid[0]) {
		snprintf(line, sizeof(line), "idxdctl create --parent dsa%u 2>/dev/null", id);
		if (!line_of(line, m->uuid, sizeof(m->uuid))) {
			m->uuid[0] = '\0';
			n_refused++;
			return;
		}
		read_wq(m);
		n_creates++;
	} else if (m->pid) {
		let_go(&m->pid);
	} else if (rand() % 2) {
		m->device = rand() % 4;
		m->pid = hold(NULL, m->uuid, m->device);
		if (!m->pid)
			die("an mdev that nobody has open cannot be opened");
		n_opens++;
	} else {
		destroy(m);
	}
}

/* An open mdev cannot be destroyed. */
static void step_refused(void)
{
	char line[256];

	for (unsigned int i = 0; i < MAX_MDEVS; i++) {
		if (!mdevs[i].pid)
			continue;
		snprintf(line, sizeof(line), "idxdctl destroy %s >/dev/null 2>&1", mdevs[i].uuid);
		if (!system(line))
			die("an open mdev was destroyed");
		n_refused++;
		return;
	}
}

/* --- what idxdctl says ----------------------------------------------------------------------- */

static char said[LINES][256];
static unsigned int n_said;

static void ask(const char *command)
{
	FILE *f = popen(command, "r");

	n_said = 0;
	while (f && n_said < LINES && fgets(said[n_said], sizeof(said[0]), f))
		n_said++;
	if (!f || pclose(f))
		die(command);
}

static void complain(const char *what, const char *wq, const char *class, int pid)
{
	printf("conflict-steps: %s: %s (%s), process %d\n", what, wq, class, pid);
}

/* "" : it is held by none of us, and may be free or in the pool. */
static const char *class_wanted(const char *wq)
{
	char name[16];

	for (unsigned int i = 0; i < MAX_MDEVS; i++)
		if (mdevs[i].uuid[0] && !strcmp(mdevs[i].wq, wq))
			return mdevs[i].pid ? "mdev-in-use" : "mdev-idle";
	for (unsigned int i = 0; i < 2; i++) {
		queue_name(name, i);
		if (!strcmp(name, wq))
			return "host-user";
	}
	queue_name(name, KERNELS);
	return kernel_has && !strcmp(name, wq) ? "host-kernel" : "";
}

/* Lines "  wq0.1 16 dedicated 0 host-user ...". */
static void check_classes(void)
{
	char wq[16], class[32], rest[16];
	unsigned int size, seen = 0;
	const char *want;

	snprintf(rest, sizeof(rest), "wq%u.", id);
	for (unsigned int i = 0; i < n_said; i++) {
		bool free;

		if (sscanf(said[i], " %15s %u %*s %*s %31s", wq, &size, class) != 3 ||
		    strncmp(wq, rest, strlen(rest)))
			continue;
		seen++;
		want = class_wanted(wq);
		free = !strcmp(class, "free") || !strcmp(class, "pool");
		if (want[0] ? !strcmp(class, want) : free)
			continue;
		complain(want[0] && free ? "said to be free" : "of another class", wq, class, 0);
		false_free += want[0] && free;
		false_held += !want[0];
		wrong_class += want[0] && !free;
	}
	if (!seen)
		die("idxdctl list shows no queue");
}

static bool is_named(const char *wq, pid_t pid)
{
	char name[16];
	int p;

	for (unsigned int i = 0; i < n_said; i++) {
		const char *at = strstr(said[i], " pid ");

		if (at && sscanf(said[i], "%15s", name) == 1 && !strcmp(name, wq) &&
		    sscanf(at, " pid %d", &p) == 1 && p == pid)
			return true;
	}
	return false;
}

static void check_named(const char *wq, pid_t pid)
{
	if (!pid || is_named(wq, pid))
		return;
	complain("not named", wq, "", pid);
	unnamed++;
}

static bool is_ours(const char *wq, int pid)
{
	for (unsigned int i = 0; i < MAX_HELD; i++)
		if (openers[i].pid == pid && !strcmp(openers[i].wq, wq))
			return true;
	for (unsigned int i = 0; i < MAX_MDEVS; i++)
		if (mdevs[i].pid == pid && !strcmp(mdevs[i].wq, wq))
			return true;
	return false;
}

static void check_holders(void)
{
	char wq[16];
	int pid;

	for (unsigned int i = 0; i < MAX_HELD; i++)
		check_named(openers[i].wq, openers[i].pid);
	for (unsigned int i = 0; i < MAX_MDEVS; i++)
		check_named(mdevs[i].wq, mdevs[i].pid);
	for (unsigned int i = 0; i < n_said; i++) {
		const char *at = strstr(said[i], " pid ");

		if (!at || sscanf(said[i], "%15s", wq) != 1 || sscanf(at, " pid %d", &pid) != 1 ||
		    is_ours(wq, pid))
			continue;
		complain("named, but it holds nothing", wq, "", pid);
		false_held++;
	}
}

static void step(void)
{
	int n = rand() % 20;

	if (n < 9)
		step_cdev();
	else if (n < 18)
		step_mdev();
	else if (n < 19)
		step_kernel();
	else
		step_refused();
	ask("idxdctl list");
	check_classes();
	ask("idxdctl holders");
	check_holders();
}

/* All that is left is given back. */
static void end(void)
{
	struct process *p;

	while ((p = opener_of(NULL)))
		let_go(&p->pid);
	for (unsigned int i = 0; i < MAX_MDEVS; i++) {
		if (mdevs[i].pid)
			let_go(&mdevs[i].pid);
		if (mdevs[i].uuid[0])
			destroy(&mdevs[i]);
	}
	if (kernel_has)
		step_kernel();
}

int main(int argc, char **argv)
{
	unsigned long steps, n;

	if (argc != 4 || sscanf(argv[1], "dsa%u", &id) != 1)
		return 2;
	steps = strtoul(argv[2], NULL, 0);
	srand((unsigned int)strtoul(argv[3], NULL, 0));
	for (n = 0; n < steps; n++)
		step();
	end();
	printf("conflict-steps: %lu steps: %lu opens, %lu closes, %lu creates, %lu removes, %lu changes of the kernel's, %lu refused\n",
	       n, n_opens, n_closes, n_creates, n_removes, n_binds, n_refused);
	printf("conflict-steps: %lu said to be free that were held, %lu holders not named, %lu of another class, %lu said to be held that were not\n",
	       false_free, unnamed, wrong_class, false_held);
	return false_free || unnamed || wrong_class || false_held || !n_opens || !n_creates || !n_binds;
}
