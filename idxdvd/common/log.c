/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/log.h"

#define LINE_MAX_LEN 2048

static int max_level = LOG_INFO;

void log_set_max_level(int level)
{
	max_level = level;
}

bool log_is_shown(int level)
{
	return level <= max_level;
}

void log_print(int level, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;

	if (!log_is_shown(level))
		return;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);

	/* A line of ours is one line of the journal, whatever a name from outside holds. */
	for (char *c = line; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';

	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", level, line);
	else
		fprintf(stderr, "%s\n", line);
}
