/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state as OpenMetrics text, of a kind that older readers of Prometheus' format take too. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

struct state {
	struct client_manager m;
	struct client_snapshot s;
	struct client_list capacity;
};

static void head(const char *name, const char *help)
{
	printf("# TYPE idxdvd_%s gauge\n# HELP idxdvd_%s %s\n", name, name, help);
}

/* A value of a label: quotes, backslashes and newlines are escaped. */
static void label(const char *before, const char *key, const char *value)
{
	printf("%s%s=\"", before, key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			putchar('\\');
		if (*value == '\n')
			fputs("\\n", stdout);
		else
			putchar(*value);
	}
	putchar('"');
}

static void print_manager(const struct state *x)
{
	const struct {
		const char *name, *help;
		unsigned int value;
	} rows[] = {
		{ "module_loaded", "whether the kernel module idxd_mdev is there", x->m.module_loaded },
		{ "definitions", "mdevs that are written down", x->m.n_definitions },
	};
	unsigned int bad = 0;

	head("build_info", "1, with the version of the daemon");
	label("idxdvd_build_info{", "version", x->m.version);
	label(",", "simulated", x->m.simulated ? "yes" : "no");
	puts("} 1");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		head(rows[i].name, rows[i].help);
		printf("idxdvd_%s %u\n", rows[i].name, rows[i].value);
	}
	for (const char *p = x->m.bad_files; *p; p++)
		bad += *p == '\n' || !p[1];
	head("bad_files", "files that cannot be used");
	printf("idxdvd_bad_files %u\n", bad);
}

static void print_accelerators(const struct state *x)
{
	const struct client_accelerator *a = x->s.accelerators.items;

	head("accelerator_adopted", "whether it is under management");
	for (size_t i = 0; i < x->s.accelerators.n; i++) {
		label("idxdvd_accelerator_adopted{", "device", a[i].name);
		label(",", "pci_address", a[i].pci);
		label(",", "device_id", a[i].device_id);
		printf("} %d\n", a[i].adopted);
	}
	head("accelerator_halted", "whether it has to be reset");
	for (size_t i = 0; i < x->s.accelerators.n; i++) {
		label("idxdvd_accelerator_halted{", "device", a[i].name);
		printf("} %d\n", !strcmp(a[i].state, "halted"));
	}
}

/* One class of queues of one accelerator. */
static void print_class(const struct state *x, const struct client_accelerator *a, const char *class)
{
	const struct client_work_queue *q = x->s.work_queues.items;
	unsigned int n = 0;

	for (size_t i = 0; i < x->s.work_queues.n; i++)
		n += !strcmp(q[i].accelerator, a->path) && !strcmp(q[i].class, class);
	label("idxdvd_work_queues{", "device", a->name);
	label(",", "class", class);
	printf("} %u\n", n);
}

static void print_work_queues(const struct state *x)
{
	static const char *const classes[] = {
		"free", "host-kernel", "host-user", "pool", "mdev-idle", "mdev-in-use", "foreign",
	};
	const struct client_accelerator *a = x->s.accelerators.items;

	head("work_queues", "work queues by whom they belong to");
	for (size_t i = 0; i < x->s.accelerators.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(classes); k++)
			print_class(x, &a[i], classes[k]);
}

static void print_capacity(const struct state *x)
{
	const struct client_capacity *c = x->capacity.items;

	head("capacity", "work queues by what they are good for, and room for mdevs; see idxdctl capacity");
	for (size_t i = 0; i < x->capacity.n; i++) {
		const struct {
			const char *name;
			unsigned int n;
		} parts[] = {
			{ "total", c[i].total }, { "free", c[i].free_now },
			{ "creatable", c[i].creatable }, { "reserved", c[i].reserved },
			{ "host", c[i].host }, { "mdevs", c[i].mdevs }, { "in-use", c[i].in_use },
			{ "exclusive", c[i].exclusive }, { "foreign", c[i].foreign },
			{ "unusable", c[i].unusable }, { "room", c[i].room },
		};

		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			label("idxdvd_capacity{", "device", c[i].device);
			label(",", "type", c[i].type);
			label(",", "part", parts[k].name);
			printf("} %u\n", parts[k].n);
		}
	}
}

static void print_mdevs(const struct state *x)
{
	const struct client_mdev *m = x->s.mdevs.items;

	head("mdev_in_use", "whether somebody has it open");
	for (size_t i = 0; i < x->s.mdevs.n; i++) {
		label("idxdvd_mdev_in_use{", "uuid", m[i].uuid);
		label(",", "type", m[i].type);
		label(",", "device", client_snapshot_name(&x->s, m[i].accelerator));
		label(",", "wq", client_snapshot_name(&x->s, m[i].work_queue));
		printf("} %d\n", !strcmp(m[i].state, "in-use"));
	}
}

int verb_metrics(struct client *c, const struct cli_args *args)
{
	_cleanup_(client_list_done) struct client_list capacity = { .class = &client_capacity_class };
	_cleanup_(client_snapshot_done) struct client_snapshot s = { 0 };
	_cleanup_(client_manager_done) struct client_manager m = { 0 };
	struct state x;
	int r;

	r = client_refresh(c);
	if (r >= 0)
		r = client_get_manager(c, &m);
	if (r >= 0)
		r = client_get_snapshot(c, &s);
	if (r >= 0)
		r = client_get_capacity(c, &capacity);
	if (r < 0)
		return client_complain(c, "metrics", r);

	x = (struct state){ m, s, capacity };
	print_manager(&x);
	print_accelerators(&x);
	print_work_queues(&x);
	print_capacity(&x);
	print_mdevs(&x);
	puts("# EOF");
	return API_EXIT_OK;
}
