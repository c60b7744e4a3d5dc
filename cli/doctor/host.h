/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_DOCTOR_HOST_H
#define IDXDCTL_DOCTOR_HOST_H

/* A host as its files show it: this one, or one of which a copy lies below another folder. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "idxdvd/common/cleanup.h"

#define HOST_NAME_LEN	64
#define HOST_TEXT_LEN	256

struct host {
	const char *root;		/* "" is this one */
	char *log;			/* the kernel's, a line each; "" if it may not be read */
};

/* Names in a folder, in the order of versions. */
struct host_names {
	char **name;
	size_t n;
};

int host_open(struct host *h, const char *root);
void host_close(struct host *h);

/* A link counts, wherever it leads: in a copy it may lead nowhere. */
bool host_exists(const struct host *h, const char *fmt, ...) _printf_(2, 3);
/* The whole file without its last newline; NULL with errno if it cannot be read or is too long. */
char *host_read(const struct host *h, const char *fmt, ...) _printf_(2, 3);
/* The same, cut to @size; "" and false if it cannot be read. */
bool host_get(const struct host *h, char *buf, size_t size, const char *fmt, ...) _printf_(4, 5);
/* The last component of a link's target; "" and false if it is none. */
bool host_link(const struct host *h, char *buf, size_t size, const char *fmt, ...) _printf_(4, 5);
/* A folder that is not there has no names; errno says why. */
struct host_names host_list(const struct host *h, const char *fmt, ...) _printf_(2, 3);
void host_names_done(struct host_names *names);

/* The kernel's last line that has @part, cut to @size; false if there is none. */
bool host_log_line(const struct host *h, const char *part, char *buf, size_t size);
/* Whether @word is one of the words of @text, which blanks and @more separate. */
bool host_has_word(const char *text, const char *word, const char *more);

#endif
