/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "idxdvd/backend.h"
#include "idxdvd/definition.h"
#include "tests/unit/daemon-test.h"

static unsigned long n_checks, n_failed;
static char dir[PATH_MAX];
static pid_t dir_owner;

bool test_check(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	n_checks++;
	if (ok)
		return true;
	n_failed++;
	printf("%s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	return false;
}

int test_report(const char *what)
{
	printf("%s: %lu checks, %lu failed\n", what, n_checks, n_failed);
	return n_failed || !n_checks;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void test_remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_dir(void)
{
	if (getpid() == dir_owner)
		test_remove_tree(dir);
}

const char *test_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	if (dir[0])
		return dir;
	/* In memory where there is such a place: thousands of fsyncs keep a busy disk for minutes. */
	if (!tmp)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(dir, sizeof(dir), "%s/idxdvd-test.XXXXXX", tmp);
	if (!mkdtemp(dir)) {
		perror(dir);
		exit(99);
	}
	dir_owner = getpid();
	atexit(remove_dir);
	return dir;
}

static const char *count_part;
static int count;

static int count_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	count += type == FTW_F && strstr(path + ftw->base, count_part);
	return 0;
}

int test_count_files(const char *path, const char *part)
{
	count_part = part;
	count = 0;
	nftw(path, count_entry, 16, FTW_PHYS);
	return count;
}

void test_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(path);
		exit(99);
	}
}

struct manager *test_manager_new(const char *state_dir, const char *topology,
				 struct backend **ret_backend)
{
	struct manager_config config = { .state_dir = state_dir };
	struct manager *m;
	char path[4200];

	test_remove_tree(state_dir);
	snprintf(path, sizeof(path), "%s/topology", test_dir());
	test_write_file(path, topology);
	if (backend_fake_new(&config.backend, path, NULL) < 0 || manager_new(&m, &config) < 0)
		exit(99);
	if (ret_backend)
		*ret_backend = config.backend;
	return m;
}

void answer_done(void *userdata, int r, const struct manager_result *res)
{
	struct answer *a = userdata;

	a->calls++;
	a->r = r;
	memcpy(a->uuid, res->uuid, sizeof(a->uuid));
	snprintf(a->plan, sizeof(a->plan), "%s", res->plan);
	a->refusal = res->refusal;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void describe_accel(FILE *f, const struct accel *a)
{
	fprintf(f, "%s %s adopted=%d laid_out=%d host=%u pool=%u mdevs=%u trusted=%d\n",
		a->name, object_state_name(a->state), a->adopted, a->laid_out, a->host_wqs,
		a->n_pool, a->n_mdevs, a->unsafe_allowed);
	for (unsigned int i = 0; i < a->n_engines; i++)
		fprintf(f, "%s group=%d\n", a->engines[i].name, a->engines[i].group);
	for (unsigned int i = 0; i < a->n_wqs; i++) {
		const struct wq *w = &a->wqs[i];

		fprintf(f, "%s %s %s group=%d size=%u prio=%u thr=%u ded=%d type=%s name=%s dname=%s driver=%s ours=%d mdev=%s\n",
			w->name, wq_class_name(w->cls), object_state_name(w->state), w->group,
			w->size, w->priority, w->threshold, w->dedicated, wq_type_name(w->type),
			w->label, w->driver_name, w->driver, w->ours, w->mdev);
	}
}

void test_describe(const struct manager *m, char *buf, size_t size)
{
	FILE *f = fmemopen(buf, size, "w");
	char lines[64][256];
	size_t n = 0;

	for (size_t i = 0; i < manager_n_accels(m); i++)
		describe_accel(f, manager_accel(m, i));
	for (const struct mdev *d = manager_next_mdev(m, NULL); d && n < 64;
	     d = manager_next_mdev(m, d))
		snprintf(lines[n++], sizeof(lines[0]), "mdev %s %s wq=%s ours=%d lease=%s", d->uuid,
			 d->type, d->wq, d->ours, d->lease);
	for (const struct definition *d = manager_next_definition(m, NULL); d && n < 64;
	     d = manager_next_definition(m, d))
		snprintf(lines[n++], sizeof(lines[0]), "definition %s %s %s wq=%s auto=%d %s",
			 d->uuid, d->parent, d->type, d->wq, d->autostart,
			 d->n_labels ? d->labels[0] : "");
	qsort(lines, n, sizeof(lines[0]), compare_lines);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\n", lines[i]);
	fclose(f);
}

unsigned long test_n_calls;

int test_count_call(void *userdata, const char *call, bool after)
{
	test_n_calls += !after;
	return 0;
}

double test_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
