/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDCTL_TERMINAL_H
#define IDXDCTL_TERMINAL_H

/* What is there only if a person looks on. */

#include <stdbool.h>

struct cli_args;

/* True without asking if nobody can be asked, or --yes was given, or nothing would be changed. */
bool terminal_confirm(const struct cli_args *args, const char *what);
/* Standard output goes through a pager if it is a terminal; not with SYSTEMD_PAGER or PAGER empty. */
void terminal_page(void);
/* Waits for the pager that terminal_page() has started, if it has. */
void terminal_page_end(void);

/* Before and behind what should be seen: nothing, unless standard output is a terminal with colours. */
enum terminal_style { STYLE_HEAD, STYLE_GOOD, STYLE_BAD, STYLE_WARN };
const char *terminal_on(enum terminal_style style);
const char *terminal_off(void);

#endif
