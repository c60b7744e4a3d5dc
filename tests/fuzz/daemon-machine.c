/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "idxdvd/backend.h"
#include "idxdvd/common/log.h"
#include "tests/fuzz/daemon.h"

static const char topology[] =
	"{ \"accelerators\": [ { \"wqs\": 4, \"engines\": 2, \"groups\": 2, \"size\": 64 },"
	"  { \"wqs\": 3 }, { \"kind\": \"iax\", \"wqs\": 2 } ] }";

static char dir[PATH_MAX];

void fuzz_die(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

char *fuzz_text(const uint8_t *data, size_t size, char **ret_rest)
{
	size_t n = strnlen((const char *)data, size);
	char *text = strndup((const char *)data, n);

	MUST(text);
	if (ret_rest) {
		*ret_rest = n < size ? strndup((const char *)data + n + 1, size - n - 1) : NULL;
		MUST(n == size || *ret_rest);
	}
	return text;
}

void outcome_done(void *userdata, int r, const struct manager_result *res)
{
	struct outcome *o = userdata;

	o->calls++;
	o->r = r;
	snprintf(o->plan, sizeof(o->plan), "%s", res->plan);
	o->refusal = res->refusal;
}

void must_be_whole(const struct refusal *r)
{
	MUST(r->kind > REFUSE_NONE && r->kind < REFUSE_KIND_COUNT);
	MUST(memchr(r->object, '\0', sizeof(r->object)) && memchr(r->reason, '\0', sizeof(r->reason)));
	MUST(memchr(r->holder, '\0', sizeof(r->holder)) && memchr(r->remedy, '\0', sizeof(r->remedy)));
	MUST(r->reason[0] && r->remedy[0]);
}

/* --- the machine ----------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return ftw->level ? remove(path) : 0;
}

static void empty_dir(void)
{
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_dir(void)
{
	empty_dir();
	rmdir(dir);
}

static void make_dir(void)
{
	if (dir[0]) {
		empty_dir();
		return;
	}
	snprintf(dir, sizeof(dir), "%s/idxdvd-fuzz.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir));
	atexit(remove_dir);
}

static struct backend *make_backend(void)
{
	char path[PATH_MAX + 16];
	struct backend *b;
	FILE *f;

	snprintf(path, sizeof(path), "%s/topology", dir);
	f = fopen(path, "w");
	MUST(f && fputs(topology, f) >= 0 && fclose(f) == 0);
	MUST(backend_fake_new(&b, path, NULL) >= 0);
	return b;
}

void machine_new(struct manager **ret, struct manager_observer observer)
{
	struct manager_config config = { .state_dir = dir, .observer = observer };
	struct define_request define = { .type = "idxd-dsa-1dwq-v1", .uuid = MACHINE_DEFINED,
					 .parent = "dsa0" };
	struct create_request create = { .type = "idxd-dsa-1dwq-v1", .uuid = MACHINE_RUNNING };
	struct outcome o = { 0 };
	struct manager *m;

	log_set_max_level(LOG_EMERG);
	make_dir();
	config.backend = make_backend();
	MUST(manager_new(ret, &config) >= 0);
	m = *ret;
	manager_start(m, outcome_done, &o);
	MUST(o.r >= 0);
	manager_adopt(m, "dsa0", NULL, outcome_done, &o);
	MUST(o.r >= 0);
	manager_define(m, &define, outcome_done, &o);
	MUST(o.r >= 0);
	manager_create_mdev(m, &create, outcome_done, &o);
	MUST(o.r >= 0 && o.calls == 4);
}

struct manager *machine_free(struct manager *m)
{
	MUST(manager_is_idle(m));
	return manager_free(m);
}
