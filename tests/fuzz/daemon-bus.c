/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of clients: the daemon's own objects at one end of a socket, and at the other a client that
 * sends what the input says: which method, and arguments of any type. Every call is answered once,
 * and a refusal has a name and a text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-bus.h>

#include "idxdvd/bus-manager.h"
#include "idxdvd/bus-request.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "tests/fuzz/daemon.h"

#define CALLS_MAX 8
#define DEPTH_MAX 3

static const uint8_t *input, *input_end;

static uint8_t byte(void)
{
	return input < input_end ? *input++ : 0;
}

/* A length, then that many bytes that D-Bus lets pass as a string. */
static const char *text(void)
{
	static const char *const known[] = {
		"dsa0", "dsa1", "0000:6a:01.0", "wq0.1", "idxd-dsa-1dwq-v1", MACHINE_DEFINED,
		MACHINE_RUNNING, "vm=a", "spread", "any", "", "iax2",
	};
	static char buf[8][256];
	static unsigned int turn;
	uint8_t n = byte();
	char *s;

	if (n < ARRAY_LEN(known))
		return known[n];
	s = buf[turn++ % 8];
	for (uint8_t i = 0; i < n; i++)
		s[i] = (byte() & 0x7f) ?: '0';
	s[n] = '\0';
	return s;
}

static int append_strings(sd_bus_message *m)
{
	int r = sd_bus_message_open_container(m, 'a', "s");

	for (uint8_t n = byte() % 40; n && r >= 0; n--)
		r = sd_bus_message_append(m, "s", text());
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_variant(sd_bus_message *m, unsigned int depth)
{
	static const char *const types[] = { "s", "u", "b", "i", "as", "t", "y", "v", "x", "o" };
	const char *type = types[byte() % ARRAY_LEN(types)];
	int r;

	if (*type == 'v' && depth >= DEPTH_MAX)
		type = "y";
	r = sd_bus_message_open_container(m, 'v', type);
	if (r < 0)
		return r;
	switch (*type) {
	case 's':
		r = sd_bus_message_append(m, "s", text());
		break;
	case 'a':
		r = append_strings(m);
		break;
	case 'b':
		r = sd_bus_message_append(m, "b", byte() & 1);
		break;
	case 'u':
	case 'i':
		r = sd_bus_message_append(m, type, (uint32_t)byte() * (byte() & 1 ? 1 : 0x01010101));
		break;
	case 't':
	case 'x':
		r = sd_bus_message_append(m, type, (uint64_t)byte());
		break;
	case 'y':
		r = sd_bus_message_append(m, "y", byte());
		break;
	case 'o':
		r = sd_bus_message_append(m, "o", "/");
		break;
	case 'v':
		r = append_variant(m, depth + 1);
		break;
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_options(sd_bus_message *m)
{
	static const char *const names[] = {
		"host-wqs", "pool-min", "parent", "uuid", "wq", "type", "autostart", "labels",
		"placement", "numa-node", "min-size", "lease", "dry-run", "force", "",
	};
	int r = sd_bus_message_open_container(m, 'a', "{sv}");

	for (uint8_t n = byte() % 6; n && r >= 0; n--) {
		uint8_t which = byte();

		r = sd_bus_message_open_container(m, 'e', "sv");
		if (r >= 0)
			r = sd_bus_message_append(m, "s", which < 240 ?
						  names[which % ARRAY_LEN(names)] : text());
		if (r >= 0)
			r = append_variant(m, 0);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_arguments(sd_bus_message *m)
{
	int r = 0;

	switch (byte() % 8) {
	case 0:
		return append_variant(m, 0);
	case 1:
		return 0;
	case 2:
		return sd_bus_message_append(m, "s", text());
	case 3:
		return append_strings(m);
	default:
		r = sd_bus_message_append(m, "s", text());
		return r < 0 ? r : append_options(m);
	}
}

/* --- the two ends ---------------------------------------------------------------------------- */

static unsigned int n_sent, n_answered;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);

	n_answered++;
	if (e) {
		MUST(e->name && strchr(e->name, '.'));
		MUST(e->message && e->message[0]);
		/* Nothing that happens to arguments may be called an error of the program. */
		MUST(strcmp(e->name, "org.freedesktop.DBus.Error.NoReply"));
	}
	return 0;
}

static int send_call(sd_bus *client)
{
	static const char *const members[] = {
		"Adopt", "Release", "AllowUnsafe", "ForbidUnsafe", "CreateMdev", "DestroyMdev",
		"Define", "Modify", "Undefine", "Start", "Stop", "Apply", "ListHolders", "Explain",
		"Refresh", "ListTypes", "Export", "GetCapacity", "Drain", "CancelApply",
		"NoSuchMethod",
	};
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	uint8_t which = byte();
	int r;

	if (which < 240)
		r = sd_bus_message_new_method_call(client, &m, NULL, API_ROOT, API_IFACE_MANAGER,
						   members[which % ARRAY_LEN(members)]);
	else
		r = sd_bus_message_new_method_call(client, &m, NULL, API_PREFIX_WORKQUEUE "/wq0_2e0",
						   "org.freedesktop.DBus.Properties",
						   which & 1 ? "Get" : "GetAll");
	MUST(r >= 0);
	r = append_arguments(m);
	if (r < 0)		/* sd-bus itself sends no such string */
		return 0;
	r = sd_bus_call_async(client, NULL, m, on_answer, NULL, 0);
	n_sent += r >= 0;
	return r;
}

static void run_both(sd_bus *a, sd_bus *b)
{
	int idle = 0;

	while (idle < 2) {
		int r = sd_bus_process(a, NULL), q = sd_bus_process(b, NULL);

		MUST(r >= 0 && q >= 0);
		idle = r || q ? 0 : idle + 1;
	}
}

static sd_bus *new_end(int fd, bool server)
{
	sd_id128_t id = SD_ID128_MAKE(1d, cd, 01, 02, 03, 04, 45, 06, 87, 08, 09, 0a, 0b, 0c, 0d, 0e);
	sd_bus *bus;

	MUST(sd_bus_new(&bus) >= 0);
	MUST(sd_bus_set_fd(bus, fd, fd) >= 0);
	if (server)
		MUST(sd_bus_set_server(bus, 1, id) >= 0);
	MUST(sd_bus_start(bus) >= 0);
	return bus;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus b = { .simulated = true };
	sd_bus *client;
	int fds[2];

	input = data;
	input_end = data + size;
	n_sent = n_answered = 0;
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	b.bus = new_end(fds[0], true);
	client = new_end(fds[1], false);
	machine_new(&b.manager, bus_observer(&b));
	MUST(bus_export(&b) >= 0);

	for (int i = 0; i < CALLS_MAX && input < input_end; i++) {
		MUST(send_call(client) >= 0);
		run_both(client, b.bus);
	}
	MUST(n_answered == n_sent);
	MUST(!b.requests);

	b.manager = machine_free(b.manager);
	sd_bus_close_unref(client);
	sd_bus_close_unref(b.bus);
	return 0;
}
