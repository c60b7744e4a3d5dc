/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks that a program counts and prints, a line each, and the wait for an eventfd. */
#ifndef CHECK_H
#define CHECK_H

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static int good, bad;

__attribute__((format(printf, 2, 3)))
static inline void check(bool ok, const char *fmt, ...)
{
	va_list ap;

	ok ? good++ : bad++;
	printf("%s - ", ok ? "ok" : "NOT OK");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* Whether the eventfd was signalled within MS milliseconds; its count is taken. */
static inline bool wait_event(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, ms) == 1 && read(fd, &n, sizeof(n)) == sizeof(n);
}

#endif
