/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands between this host and a working mdev, in order, and what to do first. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/doctor/doctor.h"
#include "cli/print.h"
#include "cli/terminal.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"

/* Wraps @text at 80 columns, of which @indent are taken on each line. */
static void print_wrapped(const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int n = strcspn(text, " ");

		if (column > indent && column + 1 + n > 80) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		column += printf("%.*s", n, text);
		text += n;
		text += *text == ' ';
	}
	putchar('\n');
}

static void print_findings(const struct doctor *d)
{
	const struct doctor_finding *first = NULL;
	static const enum terminal_style styles[] = {
		[DOCTOR_OK] = STYLE_GOOD,
		[DOCTOR_WARN] = STYLE_WARN,
		[DOCTOR_FAIL] = STYLE_BAD,
		[DOCTOR_UNKNOWN] = STYLE_BAD,
		[DOCTOR_SKIPPED] = STYLE_HEAD,
	};
	enum { INDENT = 29 };

	for (size_t i = 0; i < d->n; i++) {
		const struct doctor_finding *f = &d->findings[i];

		printf("%s%-7s%s %-20s ", terminal_on(styles[f->result]), doctor_result_name(f->result),
		       terminal_off(), f->check);
		print_wrapped(f->evidence, INDENT);
		if (*f->fix) {
			printf("%*sfix: ", INDENT - 5, "");
			print_wrapped(f->fix, INDENT);
		}
		if (!first && (f->result == DOCTOR_FAIL || f->result == DOCTOR_UNKNOWN))
			first = f;
	}

	putchar('\n');
	if (first)
		printf("An mdev cannot be made here yet. First: %s.\n", first->check);
	else
		printf("An mdev can be made here.\n");
}

int verb_doctor(struct client *c, const struct cli_args *args)
{
	_cleanup_(doctor_done) struct doctor d = { 0 };
	int r;

	r = doctor_run(&d, args->root);
	if (r >= 0 && (args->given & CLI_JSON))
		r = print_doctor_json(&d);
	else if (r >= 0)
		print_findings(&d);
	if (r < 0) {
		fprintf(stderr, "idxdctl: doctor: %s%s%s\n", args->root ? args->root : "",
			args->root ? ": " : "", strerror(-r));
		return API_EXIT_FAILURE;
	}
	return doctor_is_ready(&d) ? API_EXIT_OK : API_EXIT_FAILURE;
}
