/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "cli/find.h"
#include "cli/print.h"
#include "cli/terminal.h"
#include "idxdvd/common/cleanup.h"

void print_plan(char *const *plan)
{
	for (; plan && *plan; plan++)
		puts(*plan);
}

static const char *or_dash(const char *s)
{
	return *s ? s : "-";
}

static void print_accelerator(const struct client_accelerator *a)
{
	printf("%s%s%s  %s  %s  %s  %s%s%s%s", terminal_on(STYLE_HEAD), a->name, terminal_off(), a->pci,
	       a->device_id, a->state, a->adopted ? "adopted" : "not adopted", terminal_on(STYLE_BAD),
	       a->unsafe ? "  UNSAFE" : "", terminal_off());
	if (a->unsafe && *a->erratum)
		printf(" (%s)", a->erratum);
	if (a->numa_node >= 0)
		printf("  node %" PRId32, a->numa_node);
	putchar('\n');
}

static void print_work_queue(const struct client_work_queue *q)
{
	char group[16] = "-";

	if (q->group >= 0)
		snprintf(group, sizeof(group), "%" PRId32, q->group);

	printf("  %-7s %4" PRIu32 " %-9s %5s %-11s %s\n", q->name, q->size, or_dash(q->mode), group,
	       q->class, or_dash(q->holder));
}

static void print_work_queues(const struct client_snapshot *s, const struct client_accelerator *a)
{
	const struct client_work_queue *q = s->work_queues.items;
	size_t i, n = 0;

	for (i = 0; i < s->work_queues.n; i++) {
		if (strcmp(q[i].accelerator, a->path))
			continue;
		if (!n++)
			printf("  %-7s %4s %-9s %5s %-11s %s\n", "WQ", "SIZE", "MODE", "GROUP",
			       "CLASS", "HOLDER");
		print_work_queue(&q[i]);
	}
}

/* What does not fit 80 columns. */
static void print_mdevs_wide(const struct client_snapshot *s)
{
	const struct client_mdev *d = s->mdevs.items;
	size_t i;

	printf("\n%-36s %-17s %-7s %-12s %-7s %-7s %5s %6s %s\n", "UUID", "TYPE", "DEVICE", "PARENT",
	       "WQ", "STATE", "GROUP", "OWNER", "HOLDER");
	for (i = 0; i < s->mdevs.n; i++)
		printf("%-36s %-17s %-7s %-12s %-7s %-7s %5" PRId32 " %6" PRIu32 " %s\n", d[i].uuid,
		       d[i].type, or_dash(client_snapshot_name(s, d[i].accelerator)), d[i].parent,
		       or_dash(client_snapshot_name(s, d[i].work_queue)), d[i].state, d[i].iommu_group,
		       d[i].owner, or_dash(d[i].holder));
}

static void print_mdevs(const struct client_snapshot *s, bool wide)
{
	const struct client_mdev *d = s->mdevs.items;
	size_t i;

	if (!s->mdevs.n)
		return;
	if (wide) {
		print_mdevs_wide(s);
		return;
	}

	printf("\n%-36s %-16s %-6s %-7s %s\n", "UUID", "TYPE", "DEVICE", "WQ", "STATE");
	for (i = 0; i < s->mdevs.n; i++)
		printf("%-36s %-16s %-6s %-7s %s\n", d[i].uuid, d[i].type,
		       or_dash(client_snapshot_name(s, d[i].accelerator)),
		       or_dash(client_snapshot_name(s, d[i].work_queue)), d[i].state);
}

/* Lines as one: the last newline goes, the others become commas. */
static void print_lines(const char *lines)
{
	for (; *lines; lines++)
		if (*lines != '\n')
			putchar(*lines);
		else if (lines[1])
			putchar(',');
}

static void print_definitions(const struct client_snapshot *s)
{
	const struct client_definition *d = s->definitions.items;
	size_t i;

	if (!s->definitions.n)
		return;

	printf("\n%-36s %-16s %-7s %-6s %s\n", "DEFINITION", "TYPE", "WQ", "START", "LABELS");
	for (i = 0; i < s->definitions.n; i++) {
		printf("%-36s %-16s %-7s %-6s ", d[i].uuid, d[i].type,
		       *d[i].work_queue ? d[i].work_queue : "any",
		       d[i].autostart ? "auto" : "manual");
		print_lines(*d[i].labels ? d[i].labels : "-");
		putchar('\n');
	}
}

void print_tree(const struct client_snapshot *s, bool wide)
{
	const struct client_accelerator *a = s->accelerators.items;
	size_t i;

	for (i = 0; i < s->accelerators.n; i++) {
		if (i)
			putchar('\n');
		print_accelerator(&a[i]);
		print_work_queues(s, &a[i]);
	}

	print_mdevs(s, wide);
	print_definitions(s);
}

static void print_field(const struct client_snapshot *s, const struct client_field *f,
			const void *record)
{
	const void *place = (const char *)record + f->offset;

	printf("  %-17s ", f->key);
	switch (f->type) {
	case 'b':
		puts(*(const bool *)place ? "yes" : "no");
		break;
	case 'u':
		printf("%" PRIu32 "\n", *(const uint32_t *)place);
		break;
	case 't':
		printf("%" PRIu64 "\n", *(const uint64_t *)place);
		break;
	case 'i':
		printf("%" PRId32 "\n", *(const int32_t *)place);
		break;
	case 'o':
		puts(or_dash(client_snapshot_name(s, *(char *const *)place)));
		break;
	default:
		print_lines(or_dash(*(char *const *)place));
		putchar('\n');
	}
}

void print_objects(const struct client_snapshot *s, const struct find_match *found, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		printf("%s%s\n", i ? "\n" : "",
		       found[i].class == &client_accelerator_class ? "accelerator" :
		       found[i].class == &client_work_queue_class ? "work queue" :
		       found[i].class == &client_mdev_class ? "mdev" : "definition");
		for (k = 0; k < found[i].class->n_fields; k++)
			if (found[i].class->fields[k].key)
				print_field(s, &found[i].class->fields[k], found[i].record);
	}
}

void print_types(const struct client_list *types)
{
	const struct client_type *t = types->items;
	size_t i;

	if (!types->n)
		return;

	printf("%-7s %-12s %-17s %-15s %9s %9s\n", "DEVICE", "PARENT", "TYPE", "NAME", "AVAILABLE",
	       "CREATABLE");
	for (i = 0; i < types->n; i++)
		printf("%-7s %-12s %-17s %-15s %9" PRIu32 " %9" PRIu32 "\n", t[i].device,
		       t[i].parent, t[i].type, or_dash(t[i].name), t[i].available, t[i].creatable);
}

void print_capacity(const struct client_list *capacity)
{
	const struct client_capacity *c = capacity->items;
	size_t i;

	if (!capacity->n)
		return;

	printf("%-6s %-17s %5s %4s %6s %5s %5s %5s %6s %4s %7s %5s %5s\n", "DEVICE", "TYPE", "TOTAL",
	       "FREE", "CREATE", "RESVD", "HOST", "MDEVS", "IN-USE", "EXCL", "FOREIGN", "OTHER",
	       "ROOM");
	for (i = 0; i < capacity->n; i++)
		printf("%-6s %-17s %5u %4u %6u %5u %5u %5u %6u %4u %7u %5u %5u\n", c[i].device,
		       c[i].type, c[i].total, c[i].free_now, c[i].creatable, c[i].reserved,
		       c[i].host, c[i].mdevs, c[i].in_use, c[i].exclusive, c[i].foreign,
		       c[i].unusable, c[i].room);
	if (c->quota_left >= 0)
		printf("Your quota leaves you %d more.\n", c->quota_left);
}

static void print_part(const char *name, const char *value)
{
	if (*value)
		printf("  %s %s", name, value);
}

static void print_since(uint64_t usec)
{
	time_t t = usec / 1000000;
	char text[32];
	struct tm tm;

	if (usec && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&t, &tm)))
		printf("  since %s", text);
}

void print_holders(const struct client_list *holders)
{
	const struct client_holder *h = holders->items;
	size_t i;

	for (i = 0; i < holders->n; i++) {
		printf("%-8s %-6s", *h[i].device ? h[i].device : h[i].wq, h[i].kind);
		if (*h[i].device)
			printf("  %s", *h[i].driver ? h[i].driver : "no driver");
		else if (*h[i].driver)
			printf("  %s, %" PRIu32 " clients", h[i].driver, h[i].clients);
		print_part("channel", h[i].channel);
		print_part("client", h[i].client);
		print_part("named", h[i].label);
		if (h[i].pid)
			printf("  pid %" PRIu32 " (%s)", h[i].pid, h[i].command);
		else if (!strcmp(h[i].kind, "cdev"))
			printf("  not open");
		print_part("exe", h[i].exe);
		print_part("unit", h[i].unit);
		print_part("container", h[i].container);
		print_part("domain", h[i].domain);
		print_part("mdev", h[i].mdev);
		print_since(h[i].since);
		putchar('\n');
	}
}

static unsigned int count_class(const struct client_snapshot *s, const char *class)
{
	const struct client_work_queue *q = s->work_queues.items;
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < s->work_queues.n; i++)
		n += !strcmp(q[i].class, class);

	return n;
}

void print_status(const struct client_manager *m, const struct client_snapshot *s)
{
	static const char *const classes[] = {
		"free", "host-kernel", "host-user", "pool", "mdev-idle", "mdev-in-use", "foreign",
	};
	const struct client_accelerator *a = s->accelerators.items;
	const char *sep = "";
	unsigned int n;
	size_t i;

	printf("idxdvd        %s%s\n", m->version, m->simulated ? " (simulated hardware)" : "");
	printf("idxd_mdev     %s\n", m->module_loaded ? "loaded" : "not loaded");
	printf("accelerators  %" PRIu32 ", %" PRIu32 " adopted\n", m->n_accelerators, m->n_adopted);

	printf("work queues   %" PRIu32, m->n_work_queues);
	for (i = 0; i < ARRAY_LEN(classes); i++) {
		n = count_class(s, classes[i]);
		if (!n)
			continue;
		printf("%s%u %s", *sep ? sep : " (", n, classes[i]);
		sep = ", ";
	}
	printf("%s\n", *sep ? ")" : "");

	printf("mdevs         %" PRIu32 ", %" PRIu32 " defined\n", m->n_mdevs, m->n_definitions);
	for (const char *line = m->bad_files; *line; line += strcspn(line, "\n") + 1)
		printf("bad file      %.*s\n", (int)strcspn(line, "\n"), line);
	for (i = 0; i < s->accelerators.n; i++)
		if (a[i].unsafe)
			printf("unsafe        %s %s: %s\n", a[i].name, a[i].pci,
			       *a[i].erratum ? a[i].erratum : "erratum");
}
