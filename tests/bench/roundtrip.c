/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * roundtrip COUNT NAME PATH INTERFACE METHOD [STRING...]: calls it again and again on the system bus, one
 * call after the other, and prints the 50th, 99th and 99.9th percentile in microseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-bus.h>

#define WARM_UP 200

static int compare(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int call(sd_bus *bus, char **argv)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	int r;

	r = sd_bus_message_new_method_call(bus, &m, argv[0], argv[1], argv[2], argv[3]);
	for (int i = 4; argv[i] && r >= 0; i++)
		r = sd_bus_message_append(m, "s", argv[i]);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, &err, &reply);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[3], err.message ? err.message : strerror(-r));
	sd_bus_error_free(&err);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r;
}

int main(int argc, char **argv)
{
	int n = argc > 5 ? atoi(argv[1]) : 0;
	double *times = n > 0 ? calloc(n, sizeof(*times)) : NULL;
	sd_bus *bus = NULL;

	if (!times || sd_bus_open_system(&bus) < 0)
		return 2;
	for (int i = n < WARM_UP ? -n : -WARM_UP; i < n; i++) {
		double begin = now();

		if (call(bus, argv + 2) < 0)
			return 1;
		if (i >= 0)
			times[i] = now() - begin;
	}
	qsort(times, n, sizeof(*times), compare);
	printf("%.0f %.0f %.0f\n", times[n / 2], times[n * 99L / 100], times[n * 999L / 1000]);
	sd_bus_flush_close_unref(bus);
	free(times);
	return 0;
}
