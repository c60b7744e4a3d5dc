/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/terminal.h"

static pid_t pager;
static int colours = -1;

bool terminal_confirm(const struct cli_args *args, const char *what)
{
	char answer[16];

	if ((args->given & (CLI_YES | CLI_DRY_RUN)) || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return true;

	fprintf(stderr, "idxdctl: %s:", what);
	for (int i = 0; i < args->n_words; i++)
		fprintf(stderr, " %s", args->words[i]);
	fprintf(stderr, "? [y/N] ");
	return fgets(answer, sizeof(answer), stdin) && (!strcasecmp(answer, "y\n") ||
							!strcasecmp(answer, "yes\n"));
}

/* --- colours --------------------------------------------------------------------------------- */

static bool has_colours(void)
{
	const char *wanted = getenv("SYSTEMD_COLORS"), *never = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (colours < 0) {
		if (wanted)
			colours = strcmp(wanted, "0") && strcasecmp(wanted, "no");
		else
			colours = !(never && *never) && isatty(STDOUT_FILENO) && term &&
				  strcmp(term, "dumb");
	}
	return colours;
}

const char *terminal_on(enum terminal_style style)
{
	static const char *const codes[] = {
		[STYLE_HEAD] = "\033[1m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_BAD] = "\033[1;31m",
		[STYLE_WARN] = "\033[33m",
	};

	return has_colours() ? codes[style] : "";
}

const char *terminal_off(void)
{
	return has_colours() ? "\033[0m" : "";
}

/* --- the pager ------------------------------------------------------------------------------- */

void terminal_page(void)
{
	const char *command = getenv("SYSTEMD_PAGER");
	int fds[2];

	if (!isatty(STDOUT_FILENO))
		return;
	if (!command)
		command = getenv("PAGER");
	if (!command)
		command = "less";
	if (!*command || !strcmp(command, "cat"))
		return;

	has_colours();			/* as the terminal has them, not the pipe */
	fflush(stdout);
	if (pipe(fds) < 0)
		return;
	pager = fork();
	if (pager == 0) {
		dup2(fds[0], STDIN_FILENO);
		close(fds[0]);
		close(fds[1]);
		/* less ends at once if it all fits, leaves it on the screen, and passes colours on. */
		setenv("LESS", "FRSXMK", 0);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	if (pager > 0)
		dup2(fds[1], STDOUT_FILENO);
	close(fds[0]);
	close(fds[1]);
}

void terminal_page_end(void)
{
	if (pager <= 0)
		return;
	fflush(stdout);
	close(STDOUT_FILENO);
	while (waitpid(pager, NULL, 0) < 0)
		;
	pager = 0;
}
