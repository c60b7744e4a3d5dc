/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* The place in the source helps nobody who reads the journal. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "idxdvd/common/message.h"

#define TEXT_LEN 2048
#define FIELD_LEN 160
#define MAX_FIELDS 7

static const char *const ids[] = {
#define MESSAGE_ID(kind, id) id,
	MESSAGES(MESSAGE_ID)
#undef MESSAGE_ID
};

struct fields {
	char text[MAX_FIELDS][FIELD_LEN];
	struct iovec list[MAX_FIELDS];
	int n;
};

static void add(struct fields *f, const char *name, const char *value)
{
	int n;

	if (!value || !*value)
		return;
	n = snprintf(f->text[f->n], FIELD_LEN, "%s=%s", name, value);
	f->list[f->n] = (struct iovec){ f->text[f->n], n < FIELD_LEN ? n : FIELD_LEN - 1 };
	f->n++;
}

/* JOURNAL_STREAM names the journal's end of a descriptor: it is inherited where that is not. */
static bool is_to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int send(const struct message *m, const char *line)
{
	struct fields f = { .n = 1 };
	char whole[TEXT_LEN + 16], level[8];

	f.list[0] = (struct iovec){ whole, snprintf(whole, sizeof(whole), "MESSAGE=%s", line) };
	snprintf(level, sizeof(level), "%d", m->level);
	add(&f, "PRIORITY", level);
	add(&f, "MESSAGE_ID", ids[m->kind]);
	add(&f, "IDXDVD_OPERATION", m->operation);
	add(&f, "IDXDVD_ACCELERATOR", m->accelerator);
	add(&f, "IDXDVD_MDEV", m->mdev);
	add(&f, "IDXDVD_USER", m->user);
	return sd_journal_sendv(f.list, f.n);
}

void message_log(const struct message *m, const char *fmt, ...)
{
	char line[TEXT_LEN];
	va_list ap;

	if (!log_is_shown(m->level))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);

	if (!is_to_journal() || send(m, line) < 0)
		log_print(m->level, "%s", line);
}
