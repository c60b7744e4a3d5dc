/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_CLI_H
#define IDXDCTL_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

/* One bit for each option that only some verbs take. */
enum cli_option {
	CLI_HOST_WQS = 1 << 0,
	CLI_TYPE = 1 << 1,
	CLI_PARENT = 1 << 2,
	CLI_UUID = 1 << 3,
	CLI_WQ = 1 << 4,
	CLI_DRY_RUN = 1 << 5,
	CLI_JSON = 1 << 6,
	CLI_POOL_MIN = 1 << 7,
	CLI_AUTO = 1 << 8,
	CLI_MANUAL = 1 << 9,
	CLI_LABEL = 1 << 10,
	CLI_PLACEMENT = 1 << 11,
	CLI_NUMA_NODE = 1 << 12,
	CLI_MIN_SIZE = 1 << 13,
	CLI_ROOT = 1 << 14,
	CLI_OUTPUT = 1 << 15,		/* -o json and jsonl set CLI_JSON too */
	CLI_WIDE = 1 << 16,		/* a verb that takes it has a wide table */
	CLI_YES = 1 << 17,
	CLI_WAIT = 1 << 18,
	CLI_FORCE = 1 << 19,
	CLI_PID = 1 << 20,
	CLI_PASID = 1 << 21,
	CLI_PRIORITY = 1 << 22,
	CLI_MAX_TRANSFER = 1 << 23,
	CLI_MAX_BATCH = 1 << 24,
};

#define CLI_MAX_LABELS 32

/* What the command line said; a string that was not given is NULL. */
struct cli_args {
	unsigned int given;		/* enum cli_option */
	const char *type, *parent, *uuid, *wq, *placement, *root, *complete;
	uint32_t host_wqs, pool_min, numa_node, min_size, pid, pasid;
	uint32_t priority, max_transfer, max_batch;
	uint64_t timeout_usec;
	int output;			/* enum cli_output */
	bool no_pager;
	bool no_password;		/* rather be refused than asked for one */
	char *labels[CLI_MAX_LABELS + 1];	/* ends in NULL */
	unsigned int n_labels;
	char **words;			/* the positional arguments after the verb */
	int n_words;
};

enum cli_output { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_JSONL };

struct cli_verb {
	const char *name;
	const char *words;		/* how the positional arguments are called in the help */
	int min, max;			/* how many of them; -1 is any number */
	unsigned int options;		/* enum cli_option */
	const char *help;
	int (*run)(struct client *c, const struct cli_args *args);	/* exit status */
};

int verb_adopt(struct client *c, const struct cli_args *args);
int verb_apply(struct client *c, const struct cli_args *args);
int verb_assert(struct client *c, const struct cli_args *args);
int verb_cancel(struct client *c, const struct cli_args *args);
int verb_capacity(struct client *c, const struct cli_args *args);
int verb_disable(struct client *c, const struct cli_args *args);
int verb_distrust(struct client *c, const struct cli_args *args);
int verb_create(struct client *c, const struct cli_args *args);
int verb_define(struct client *c, const struct cli_args *args);
int verb_destroy(struct client *c, const struct cli_args *args);
int verb_doctor(struct client *c, const struct cli_args *args);
int verb_drain(struct client *c, const struct cli_args *args);
int verb_enable(struct client *c, const struct cli_args *args);
int verb_export(struct client *c, const struct cli_args *args);
int verb_holders(struct client *c, const struct cli_args *args);
int verb_list(struct client *c, const struct cli_args *args);
int verb_metrics(struct client *c, const struct cli_args *args);
int verb_modify(struct client *c, const struct cli_args *args);
int verb_monitor(struct client *c, const struct cli_args *args);
int verb_plan(struct client *c, const struct cli_args *args);
int verb_release(struct client *c, const struct cli_args *args);
int verb_show(struct client *c, const struct cli_args *args);
int verb_start(struct client *c, const struct cli_args *args);
int verb_status(struct client *c, const struct cli_args *args);
int verb_stop(struct client *c, const struct cli_args *args);
int verb_trust(struct client *c, const struct cli_args *args);
int verb_types(struct client *c, const struct cli_args *args);
int verb_undefine(struct client *c, const struct cli_args *args);
int verb_why(struct client *c, const struct cli_args *args);
int verb_xml(struct client *c, const struct cli_args *args);

/* The names that may follow a verb, or an option that takes an accelerator, queue or type. */
int cli_complete(struct client *c, const char *word);
/* Without --type: a dedicated work queue, of the kind that the name of the parent asks for. */
const char *cli_default_type(const char *parent);
/*
 * client_act(), and with --wait again for as long as somebody has it open. With --force it says first,
 * on standard error, what will be done to whom.
 */
int cli_act(struct client *c, const char *method, const char *word, const struct cli_args *args,
	    char ***ret_plan);
/* Does @method to each UUID, whatever became of the ones before; the status is that of the first failure. */
int cli_each_uuid(struct client *c, const struct cli_args *args, const char *verb,
		  const char *method);

#endif
