/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/holding.h"

static const char *const kind_names[HOLDING_KIND_COUNT] = {
	[HOLDING_KERNEL] = "kernel",
	[HOLDING_CDEV] = "cdev",
	[HOLDING_VFIO] = "vfio",
	[HOLDING_DEVICE] = "device",
	[HOLDING_CONFIG] = "config",
};

const char *holding_kind_name(enum holding_kind kind)
{
	return kind_names[kind];
}

#define ID_LEN 64

/* How those who run containers and machines call their cgroups. */
static const struct {
	const char *prefix, *suffix;
	bool is_domain;
} makers[] = {
	{ "docker-", ".scope", false },
	{ "libpod-", ".scope", false },
	{ "cri-containerd-", ".scope", false },
	{ "crio-", ".scope", false },
	{ "lxc.payload.", "", false },
	{ "systemd-nspawn@", ".service", false },
	{ "machine-qemu-", ".scope", true },
	{ "machine-", ".scope", false },
};

/* systemd writes "\\x2d" for a "-" that is part of a name. */
static void unescape(char *s)
{
	char *out = s, digits[3] = "";

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] == 'x' && s[2] && s[3]) {
			memcpy(digits, s + 2, 2);
			*out++ = strtoul(digits, NULL, 16);
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && !strcmp(s + n - k, suffix);
}

/* Without systemd the cgroup of a container is its id alone: /docker/ID, /kubepods/POD/ID. */
static bool is_id(const char *part)
{
	return strlen(part) == ID_LEN && strspn(part, "0123456789abcdef") == ID_LEN;
}

static void parse_maker(struct holding *h, const char *part)
{
	if (is_id(part))
		snprintf(h->container, sizeof(h->container), "%s", part);
	for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
		size_t n = strlen(makers[i].prefix);
		char name[sizeof(h->container)];

		if (strncmp(part, makers[i].prefix, n) || !has_suffix(part, makers[i].suffix))
			continue;
		snprintf(name, sizeof(name), "%s", part + n);
		if (strlen(part) - n < sizeof(name))
			name[strlen(name) - strlen(makers[i].suffix)] = '\0';
		/* libvirt puts the number of the domain before its name. */
		if (makers[i].is_domain)
			snprintf(h->domain, sizeof(h->domain), "%s",
				 name + strspn(name, "0123456789") +
				 (name[strspn(name, "0123456789")] == '-'));
		else
			snprintf(h->container, sizeof(h->container), "%s", name);
		return;
	}
}

/* "0::/a.slice/b.scope/c": the unit is the first part that is no slice. */
static void parse_path(struct holding *h, char *path)
{
	char *part, *rest;

	for (part = strtok_r(path, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
		bool is_unit = has_suffix(part, ".service") || has_suffix(part, ".scope");

		if (is_unit && !h->unit[0])
			snprintf(h->unit, sizeof(h->unit), "%s", part);
		unescape(part);
		if (!h->container[0] && !h->domain[0])
			parse_maker(h, part);
	}
}

void holding_parse_cgroup(struct holding *h, const char *text)
{
	const char *line = strstr(text, "0::");
	char path[1024];

	h->unit[0] = h->container[0] = h->domain[0] = '\0';
	if (!line || (line != text && line[-1] != '\n'))
		return;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	parse_path(h, path);
}

/* "guest=web,debug-threads=on" or "web,process=x"; QEMU writes ",," for a comma. */
static void copy_name(struct holding *h, const char *value)
{
	static const char key[] = "guest=";
	size_t n = 0;

	if (!strncmp(value, key, strlen(key)))
		value += strlen(key);
	for (; *value && n < sizeof(h->domain) - 1; value++) {
		if (*value == ',' && *++value != ',')
			break;
		h->domain[n++] = *value;
	}
	h->domain[n] = '\0';
}

static bool is_qemu(const char *program)
{
	const char *slash = strrchr(program, '/');

	program = slash ? slash + 1 : program;
	return !strncmp(program, "qemu", 4) || !strcmp(program, "kvm");
}

void holding_parse_cmdline(struct holding *h, const char *args, size_t size)
{
	const char *end = args + size, *arg = args, *next;

	if (h->domain[0] || !size || end[-1] != '\0' || !is_qemu(args))
		return;
	for (; arg < end; arg = next) {
		next = arg + strlen(arg) + 1;
		if (next < end && (!strcmp(arg, "-name") || !strcmp(arg, "--name"))) {
			copy_name(h, next);
			return;
		}
	}
}

int holder_parse(struct holder *h, const char *text)
{
	int pid, n = 0;

	if (sscanf(text, "%d %n", &pid, &n) < 1 || !n || pid <= 0)
		return -EINVAL;
	h->pid = pid;
	snprintf(h->comm, sizeof(h->comm), "%s", text + n);
	return 0;
}
