/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of verbs and options, and the reading of the command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/print.h"
#include "cli/terminal.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

#define USEC_PER_SEC 1000000u
#define DEFAULT_TIMEOUT_SEC 60
#define COMPLETE_TIMEOUT_SEC 2
#define ANY -1

static const struct cli_verb verbs[] = {
	{ "adopt", "DEVICE", 1, 1, CLI_HOST_WQS | CLI_POOL_MIN | CLI_DRY_RUN,
	  "put an accelerator under management and lay it out", verb_adopt },
	{ "release", "DEVICE", 1, 1, CLI_FORCE | CLI_DRY_RUN | CLI_YES | CLI_WAIT,
	  "undo adopt; refused while mdevs exist", verb_release },
	{ "trust", "DEVICE", 1, 1, CLI_DRY_RUN,
	  "give out an accelerator despite its erratum", verb_trust },
	{ "distrust", "DEVICE", 1, 1, CLI_DRY_RUN,
	  "undo trust; mdevs that exist stay", verb_distrust },
	{ "create", "", 0, 0, CLI_TYPE | CLI_PARENT | CLI_UUID | CLI_WQ | CLI_PLACEMENT |
	  CLI_NUMA_NODE | CLI_MIN_SIZE | CLI_PRIORITY | CLI_MAX_TRANSFER | CLI_MAX_BATCH | CLI_DRY_RUN,
	  "make an mdev and print its UUID", verb_create },
	{ "destroy", "UUID...", 1, ANY, CLI_FORCE | CLI_DRY_RUN | CLI_YES | CLI_WAIT,
	  "remove mdevs", verb_destroy },
	{ "define", "", 0, 0, CLI_TYPE | CLI_PARENT | CLI_UUID | CLI_WQ | CLI_AUTO | CLI_MANUAL |
	  CLI_LABEL | CLI_DRY_RUN, "write down an mdev that is to exist, and print its UUID",
	  verb_define },
	{ "modify", "UUID...", 1, ANY, CLI_TYPE | CLI_WQ | CLI_AUTO | CLI_MANUAL | CLI_LABEL |
	  CLI_DRY_RUN, "change definitions; what runs is not touched", verb_modify },
	{ "undefine", "UUID...", 1, ANY, CLI_DRY_RUN | CLI_YES,
	  "forget definitions; what runs is not touched", verb_undefine },
	{ "enable", "UUID...", 1, ANY, CLI_DRY_RUN,
	  "start what is defined whenever its parent appears", verb_enable },
	{ "disable", "UUID...", 1, ANY, CLI_DRY_RUN,
	  "start what is defined only when asked", verb_disable },
	{ "start", "UUID...", 1, ANY, CLI_DRY_RUN,
	  "make mdevs as they are defined", verb_start },
	{ "stop", "UUID...", 1, ANY, CLI_FORCE | CLI_DRY_RUN | CLI_YES | CLI_WAIT,
	  "remove mdevs; their definitions stay", verb_stop },
	{ "drain", "WQ|UUID...", 1, ANY, CLI_PID | CLI_PASID | CLI_DRY_RUN,
	  "wait until work queues or mdevs have nothing in flight", verb_drain },
	{ "list", "", 0, 0, CLI_JSON | CLI_OUTPUT | CLI_WIDE,
	  "show accelerators, work queues with their holders, and mdevs", verb_list },
	{ "show", "OBJECT", 1, 1, CLI_JSON | CLI_OUTPUT,
	  "show all of an accelerator, work queue, mdev or definition", verb_show },
	{ "types", "", 0, 0, CLI_JSON | CLI_OUTPUT,
	  "show the mdev types and how many of each can be made", verb_types },
	{ "capacity", "", 0, 0, CLI_JSON | CLI_OUTPUT,
	  "show where the work queues are: free, kept, held", verb_capacity },
	{ "holders", "[WQ]", 0, 1, CLI_JSON | CLI_OUTPUT,
	  "show who holds work queues: process, unit, container", verb_holders },
	{ "why", "WQ", 1, 1, 0,
	  "say why a work queue cannot be had, and what would free it", verb_why },
	{ "xml", "UUID", 1, 1, 0,
	  "print the element that gives an mdev to a domain of libvirt", verb_xml },
	{ "monitor", "", 0, 0, CLI_JSON | CLI_OUTPUT | CLI_WIDE,
	  "print what changes, as it does", verb_monitor },
	{ "metrics", "", 0, 0, 0,
	  "print the state as OpenMetrics text", verb_metrics },
	{ "export", "", 0, 0, 0,
	  "print all that is ours as a document", verb_export },
	{ "apply", "FILE", 1, 1, CLI_DRY_RUN,
	  "make it what a document says, all or nothing", verb_apply },
	{ "plan", "FILE", 1, 1, 0,
	  "print what apply would do", verb_plan },
	{ "cancel", "", 0, 0, 0,
	  "have an apply that is under way taken back", verb_cancel },
	{ "assert", "FILE", 1, 1, 0,
	  "fail, and say what differs, unless it is what a document says", verb_assert },
	{ "doctor", "", 0, 0, CLI_JSON | CLI_OUTPUT | CLI_ROOT,
	  "say what this host lacks for mdevs, and how to help it", verb_doctor },
	{ "status", "", 0, 0, CLI_JSON | CLI_OUTPUT,
	  "show the state of the daemon in short", verb_status },
};

/* Options above all characters have no short form. Those without a bit are taken by every verb. */
enum {
	OPT_VERSION = 256,
	OPT_LIST_VERBS,
	OPT_LIST_OPTIONS,
	OPT_COMPLETE,
	OPT_HOST_WQS,
	OPT_POOL_MIN,
	OPT_WQ,
	OPT_AUTO,
	OPT_MANUAL,
	OPT_LABEL,
	OPT_PLACEMENT,
	OPT_NUMA_NODE,
	OPT_MIN_SIZE,
	OPT_FORCE,
	OPT_PID,
	OPT_PASID,
	OPT_PRIORITY,
	OPT_MAX_TRANSFER,
	OPT_MAX_BATCH,
	OPT_DRY_RUN,
	OPT_JSON,
	OPT_ROOT,
	OPT_TIMEOUT,
	OPT_WAIT,
	OPT_NO_PAGER,
	OPT_NO_ASK_PASSWORD,
};

static const struct cli_option_row {
	const char *name;
	int key;
	const char *value;		/* NULL: takes none */
	unsigned int bit;
	const char *help;
} options[] = {
	{ "host-wqs", OPT_HOST_WQS, "N", CLI_HOST_WQS, "work queues kept for the host (adopt)" },
	{ "pool-min", OPT_POOL_MIN, "N", CLI_POOL_MIN, "work queues kept ready for mdevs (adopt)" },
	{ "type", 't', "TYPE", CLI_TYPE, "mdev type (create, define, modify)" },
	{ "parent", 'p', "DEVICE", CLI_PARENT, "make it on this accelerator (create, define)" },
	{ "uuid", 'u', "UUID", CLI_UUID, "give it this UUID (create, define)" },
	{ "wq", OPT_WQ, "WQ", CLI_WQ, "use this work queue; 'any' undoes it (modify)" },
	{ "placement", OPT_PLACEMENT, "POLICY", CLI_PLACEMENT,
	  "spread over engines, or pack onto devices (create)" },
	{ "numa-node", OPT_NUMA_NODE, "N", CLI_NUMA_NODE, "rather on this node (create)" },
	{ "min-size", OPT_MIN_SIZE, "N", CLI_MIN_SIZE, "a queue of N entries or more (create)" },
	{ "priority", OPT_PRIORITY, "N", CLI_PRIORITY, "of the queue, 1 to 15 (create)" },
	{ "max-transfer-size", OPT_MAX_TRANSFER, "N", CLI_MAX_TRANSFER, "in bytes (create)" },
	{ "max-batch-size", OPT_MAX_BATCH, "N", CLI_MAX_BATCH, "in descriptors (create)" },
	{ "auto", OPT_AUTO, NULL, CLI_AUTO, "start it whenever its parent appears" },
	{ "manual", OPT_MANUAL, NULL, CLI_MANUAL, "start it only when asked" },
	{ "label", OPT_LABEL, "KEY=VALUE", CLI_LABEL, "label it; no VALUE removes the label" },
	{ "force", OPT_FORCE, NULL, CLI_FORCE, "also what is open or others'; says whose (destroy, stop, release)" },
	{ "pid", OPT_PID, "PID", CLI_PID, "only what this process has in flight (drain)" },
	{ "pasid", OPT_PASID, "N", CLI_PASID, "only what this PASID has in flight (drain)" },
	{ "dry-run", OPT_DRY_RUN, NULL, CLI_DRY_RUN, "print the steps, change nothing" },
	{ "json", OPT_JSON, NULL, CLI_JSON, "the same as -o json" },
	{ "output", 'o', "FORMAT", CLI_OUTPUT, "table, wide, json or jsonl: a record a line" },
	{ "root", OPT_ROOT, "DIR", CLI_ROOT, "look at a copy of a host's files (doctor)" },
	{ "wait", OPT_WAIT, NULL, CLI_WAIT, "until it is no longer in use (destroy, stop, release)" },
	{ "yes", 'y', NULL, CLI_YES, "do not ask before something is taken away" },
	{ "no-pager", OPT_NO_PAGER, NULL, 0, "print it all at once" },
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0, "wait this long for an answer; 60 unless given" },
	{ "no-ask-password", OPT_NO_ASK_PASSWORD, NULL, 0, "fail where a password would be asked for" },
	{ "help", 'h', NULL, 0, "show this help" },
	{ "version", OPT_VERSION, NULL, 0, "show the version" },
	{ "list-verbs", OPT_LIST_VERBS, NULL, 0, "print the name of each verb" },
	{ "list-options", OPT_LIST_OPTIONS, NULL, 0, "print the name of each option" },
	{ "complete", OPT_COMPLETE, "VERB", 0, "print the names that may follow a verb" },
};

#define N_VERBS ARRAY_LEN(verbs)
#define N_OPTIONS ARRAY_LEN(options)

/* What to do instead of running a verb. */
enum action { RUN_VERB, SHOW_HELP, SHOW_VERSION, LIST_VERBS, LIST_OPTIONS, COMPLETE };

static void show_help(void)
{
	char left[64];
	size_t i;

	puts("Usage: idxdctl [OPTION...] VERB [ARGUMENT...]\n\n"
	     "Give slices of Intel DSA and IAA accelerators to virtual machines.\n\n"
	     "  idxdctl adopt dsa0\n"
	     "  idxdctl create --type idxd-dsa-1dwq-v1 --parent dsa0\n"
	     "  idxdctl list\n\n"
	     "Verbs:");
	for (i = 0; i < N_VERBS; i++) {
		snprintf(left, sizeof(left), "%s %s", verbs[i].name, verbs[i].words);
		printf("  %-16s %s\n", left, verbs[i].help);
	}

	puts("\nOptions:");
	for (i = 0; i < N_OPTIONS; i++) {
		snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
			 options[i].value ? " " : "", options[i].value ? options[i].value : "");
		printf("  %c%c %-18s %s\n", options[i].key < 256 ? '-' : ' ',
		       options[i].key < 256 ? options[i].key : ' ', left, options[i].help);
	}

	puts("\nExit status: 0 done, 1 failure, 2 usage, 3 not found or not adopted, 4 permission,\n"
	     "5 in use, 6 no capacity, 7 unsafe device refused, 124 timeout. See idxdctl(1).");
}

static int show(enum action action)
{
	size_t i;

	switch (action) {
	case SHOW_HELP:
		show_help();
		break;
	case SHOW_VERSION:
		puts("idxdctl " PACKAGE_VERSION);
		break;
	case LIST_VERBS:
		for (i = 0; i < N_VERBS; i++)
			puts(verbs[i].name);
		break;
	case LIST_OPTIONS:
		for (i = 0; i < N_OPTIONS; i++)
			printf("--%s\n", options[i].name);
		break;
	case COMPLETE:
	case RUN_VERB:
		break;
	}

	return API_EXIT_OK;
}

static int parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || n > max)
		return -ERANGE;

	*ret = n;
	return 0;
}

static int usage_number(const struct cli_option_row *o, const char *text, unsigned long min,
			unsigned long max)
{
	fprintf(stderr, "idxdctl: --%s: '%s' is not a number from %lu to %lu\n", o->name, text, min,
		max);
	return -EINVAL;
}

static const struct cli_option_row *find_option(int key)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (options[i].key == key)
			return &options[i];

	return NULL;
}

static int take_output(const char *text, struct cli_args *args)
{
	static const char *const names[] = {
		[OUTPUT_TABLE] = "table",
		[OUTPUT_WIDE] = "wide",
		[OUTPUT_JSON] = "json",
		[OUTPUT_JSONL] = "jsonl",
	};
	int i;

	for (i = 0; i < (int)ARRAY_LEN(names); i++) {
		if (strcmp(names[i], text))
			continue;
		args->output = i;
		if (i == OUTPUT_WIDE)
			args->given |= CLI_WIDE;
		if (i == OUTPUT_JSON || i == OUTPUT_JSONL)
			args->given |= CLI_JSON;
		return 0;
	}

	fprintf(stderr, "idxdctl: --output: '%s' is none of table, wide, json, jsonl\n", text);
	return -EINVAL;
}

/* Stores one option; a negative errno after saying why not. */
static int take_option(const struct cli_option_row *o, struct cli_args *args, enum action *action)
{
	unsigned long n;

	args->given |= o->bit;

	switch (o->key) {
	case 't':
		args->type = optarg;
		break;
	case 'p':
		args->parent = optarg;
		break;
	case 'u':
		args->uuid = optarg;
		break;
	case OPT_WQ:
		args->wq = optarg;
		break;
	case OPT_PLACEMENT:
		args->placement = optarg;
		break;
	case OPT_NUMA_NODE:
		if (parse_number(optarg, 1023, &n) < 0)
			return usage_number(o, optarg, 0, 1023);
		args->numa_node = n;
		break;
	case OPT_MIN_SIZE:
		if (parse_number(optarg, 65535, &n) < 0)
			return usage_number(o, optarg, 0, 65535);
		args->min_size = n;
		break;
	case OPT_PID:
		if (parse_number(optarg, 4194304, &n) < 0 || !n)
			return usage_number(o, optarg, 1, 4194304);
		args->pid = n;
		break;
	case OPT_PASID:
		if (parse_number(optarg, 1048575, &n) < 0 || !n)
			return usage_number(o, optarg, 1, 1048575);
		args->pasid = n;
		break;
	case OPT_PRIORITY:
		if (parse_number(optarg, 15, &n) < 0 || !n)
			return usage_number(o, optarg, 1, 15);
		args->priority = n;
		break;
	case OPT_MAX_TRANSFER:
		if (parse_number(optarg, 1u << 31, &n) < 0 || !n)
			return usage_number(o, optarg, 1, 1u << 31);
		args->max_transfer = n;
		break;
	case OPT_MAX_BATCH:
		if (parse_number(optarg, 65536, &n) < 0 || !n)
			return usage_number(o, optarg, 1, 65536);
		args->max_batch = n;
		break;
	case OPT_LABEL:
		if (args->n_labels == CLI_MAX_LABELS) {
			fprintf(stderr, "idxdctl: --label: %d are enough\n", CLI_MAX_LABELS);
			return -EINVAL;
		}
		args->labels[args->n_labels++] = optarg;
		break;
	case 'o':
		return take_output(optarg, args);
	case OPT_ROOT:
		args->root = optarg;
		break;
	case OPT_HOST_WQS:
		if (parse_number(optarg, 256, &n) < 0)
			return usage_number(o, optarg, 0, 256);
		args->host_wqs = n;
		break;
	case OPT_POOL_MIN:
		if (parse_number(optarg, 256, &n) < 0)
			return usage_number(o, optarg, 0, 256);
		args->pool_min = n;
		break;
	case OPT_TIMEOUT:
		if (parse_number(optarg, 86400, &n) < 0 || n == 0)
			return usage_number(o, optarg, 1, 86400);
		args->timeout_usec = n * (uint64_t)USEC_PER_SEC;
		break;
	case OPT_NO_PAGER:
		args->no_pager = true;
		break;
	case OPT_NO_ASK_PASSWORD:
		args->no_password = true;
		break;
	case 'h':
		*action = SHOW_HELP;
		break;
	case OPT_VERSION:
		*action = SHOW_VERSION;
		break;
	case OPT_LIST_VERBS:
		*action = LIST_VERBS;
		break;
	case OPT_LIST_OPTIONS:
		*action = LIST_OPTIONS;
		break;
	case OPT_COMPLETE:
		args->complete = optarg;
		*action = COMPLETE;
		break;
	}

	return 0;
}

static int parse_options(int argc, char **argv, struct cli_args *args, enum action *action)
{
	struct option longs[N_OPTIONS + 1] = { 0 };
	char shorts[2 * N_OPTIONS + 1], *p = shorts;
	int key, r;
	size_t i;

	for (i = 0; i < N_OPTIONS; i++) {
		longs[i] = (struct option){ .name = options[i].name, .val = options[i].key,
			.has_arg = options[i].value ? required_argument : no_argument };
		if (options[i].key >= 256)
			continue;
		*p++ = (char)options[i].key;
		if (options[i].value)
			*p++ = ':';
	}
	*p = '\0';

	while ((key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct cli_option_row *o = find_option(key);

		if (!o)
			return -EINVAL;		/* getopt has said why */
		r = take_option(o, args, action);
		if (r < 0)
			return r;
	}

	return 0;
}

static const struct cli_verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < N_VERBS; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];

	return NULL;
}

/* Whether what was given is what @v takes; says what is wrong if not. */
static int check_verb(const struct cli_verb *v, const struct cli_args *args)
{
	unsigned int surplus = args->given & ~v->options;
	size_t i;

	for (i = 0; i < N_OPTIONS; i++) {
		if (!(options[i].bit & surplus))
			continue;
		fprintf(stderr, "idxdctl: %s: does not take --%s\n", v->name, options[i].name);
		return -EINVAL;
	}

	if (surplus & CLI_WIDE) {
		fprintf(stderr, "idxdctl: %s: has no wide table\n", v->name);
		return -EINVAL;
	}
	if ((args->given & CLI_AUTO) && (args->given & CLI_MANUAL)) {
		fprintf(stderr, "idxdctl: %s: --auto or --manual, not both\n", v->name);
		return -EINVAL;
	}
	if (args->n_words < v->min) {
		fprintf(stderr, "idxdctl: %s: %s is missing\n", v->name, v->words);
		return -EINVAL;
	}
	if (v->max != ANY && args->n_words > v->max) {
		fprintf(stderr, "idxdctl: %s: '%s' is one argument too many\n", v->name,
			args->words[v->max]);
		return -EINVAL;
	}

	return 0;
}

/* Buffered output may only fail here, e.g. on a full disk: then the data is not complete. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;

	fprintf(stderr, "idxdctl: cannot write to standard output: %s\n", strerror(errno));
	return status ? status : API_EXIT_FAILURE;
}

static int complete(const char *word)
{
	_cleanup_(client_freep) struct client *c = NULL;

	if (client_new(COMPLETE_TIMEOUT_SEC * (uint64_t)USEC_PER_SEC, false, &c) < 0)
		return API_EXIT_FAILURE;
	client_start_nothing(c);
	return finish(cli_complete(c, word) ? API_EXIT_FAILURE : API_EXIT_OK);
}

int main(int argc, char **argv)
{
	struct cli_args args = { .timeout_usec = DEFAULT_TIMEOUT_SEC * (uint64_t)USEC_PER_SEC };
	_cleanup_(client_freep) struct client *c = NULL;
	enum action action = RUN_VERB;
	const struct cli_verb *v;
	int r;

	r = parse_options(argc, argv, &args, &action);
	if (r < 0)
		return API_EXIT_USAGE;
	if (action == COMPLETE)
		return complete(args.complete);
	if (action != RUN_VERB)
		return finish(show(action));

	if (optind == argc) {
		fprintf(stderr, "idxdctl: which verb? See 'idxdctl --help'\n");
		return API_EXIT_USAGE;
	}
	if (!strcmp(argv[optind], "help"))
		return finish(show(SHOW_HELP));

	v = find_verb(argv[optind]);
	if (!v) {
		fprintf(stderr, "idxdctl: '%s' is not a verb; see 'idxdctl --help'\n", argv[optind]);
		return API_EXIT_USAGE;
	}

	args.words = argv + optind + 1;
	args.n_words = argc - optind - 1;
	r = check_verb(v, &args);
	if (r < 0)
		return API_EXIT_USAGE;

	r = client_new(args.timeout_usec, !args.no_password, &c);
	if (r < 0) {
		fprintf(stderr, "idxdctl: %s\n", strerror(-r));
		return API_EXIT_FAILURE;
	}

	if ((v->options & CLI_YES) && !terminal_confirm(&args, v->name))
		return API_EXIT_FAILURE;
	print_set_lines(args.output == OUTPUT_JSONL);
	if ((v->options & CLI_OUTPUT) && v->run != verb_monitor && !args.no_pager)
		terminal_page();
	r = finish(v->run(c, &args));
	terminal_page_end();
	return r;
}
