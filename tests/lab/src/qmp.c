// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One command to a QEMU: prints what it returns, as JSON on one line; fails when it is an error.
 *
 *	qmp SOCKET COMMAND [ARGUMENTS]
 *
 * ARGUMENTS are a JSON object.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static FILE *in, *out;
static char *line;
static size_t room;

static bool says(const char *key)
{
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "{\"%s\":", key);
	return !strncmp(line, quoted, strlen(quoted));
}

/* Greeting and events are passed over. */
static bool answer(void)
{
	while (getline(&line, &room, in) > 0) {
		if (says("return") || says("error"))
			return says("return");
	}
	fprintf(stderr, "qmp: QEMU has ended\n");
	exit(2);
}

static bool connected(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return false;
	in = fdopen(fd, "r");
	out = fdopen(dup(fd), "w");
	return in && out;
}

int main(int argc, char **argv)
{
	bool good;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: qmp SOCKET COMMAND [ARGUMENTS]\n");
		return 2;
	}
	if (!connected(argv[1])) {
		perror("qmp");
		return 2;
	}
	fprintf(out, "{\"execute\":\"qmp_capabilities\"}\n");
	fflush(out);
	if (!answer())
		return 2;
	fprintf(out, "{\"execute\":\"%s\",\"arguments\":%s}\n", argv[2], argc > 3 ? argv[3] : "{}");
	fflush(out);
	good = answer();
	fputs(line, good ? stdout : stderr);
	return !good;
}
