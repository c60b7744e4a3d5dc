/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command line, event loop, readiness. Builds a manager, puts it on the bus and runs. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "idxdvd/backend.h"
#include "idxdvd/bus-lease.h"
#include "idxdvd/bus-manager.h"
#include "idxdvd/bus-request.h"
#include "idxdvd/bus-util.h"
#include "idxdvd/common/api.h"
#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/log.h"
#include "idxdvd/common/message.h"
#include "idxdvd/manager.h"
#include "idxdvd/monitor.h"
#include "idxdvd/policy.h"
#include "idxdvd/watch.h"

#define DEFAULT_STATE_DIR LOCALSTATEDIR "/lib/idxdvd"
#define MDEVCTL_DIR "/etc/mdevctl.d"		/* mdevctl knows no other */
#define DEFINITION_DIR SYSCONFDIR "/idxdvd/mdev.d"
#define POLICY_FILE SYSCONFDIR "/idxdvd/policy.json"
#define SIMULATED_STATE "simulated-hardware.json"

struct daemon {
	const char *simulate;		/* topology file, or NULL for the real hardware */
	const char *state_dir;
	const char *policy_file;	/* NULL: POLICY_FILE, or beside the state when simulating */
	sd_event *event;
	struct policy *policy;
	struct manager *manager;
	struct monitor *monitor;
	struct watch *watch;
	struct bus bus;
};

static void show_help(void)
{
	puts("Usage: idxdvd [OPTION...]\n\n"
	     "Hands out slices of Intel DSA and IAA accelerators; normally started by systemd.\n\n"
	     "     --simulate FILE   no hardware: play the accelerators that FILE describes\n"
	     "     --state-dir DIR   keep the journal in DIR; $STATE_DIRECTORY or\n"
	     "                       " DEFAULT_STATE_DIR " unless given\n"
	     "     --policy FILE     the policy; " POLICY_FILE "\n"
	     "                       unless given\n"
	     "     --debug           log more\n"
	     "  -h --help            show this help\n"
	     "     --version         show the version\n\n"
	     "The bus is the system bus, or that of $DBUS_SYSTEM_BUS_ADDRESS. See idxdvd(8).");
}

/* 1 to go on, 0 when done, a negative errno on a usage error that has been reported. */
static int parse_args(struct daemon *d, int argc, char **argv)
{
	enum { OPT_VERSION = 256, OPT_SIMULATE, OPT_STATE_DIR, OPT_POLICY,
	       OPT_DEBUG };
	static const struct option longs[] = {
		{ "simulate", required_argument, NULL, OPT_SIMULATE },
		{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
		{ "policy", required_argument, NULL, OPT_POLICY },
		{ "debug", no_argument, NULL, OPT_DEBUG },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ 0 }
	};
	int key;

	while ((key = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (key) {
		case OPT_SIMULATE:
			d->simulate = optarg;
			break;
		case OPT_STATE_DIR:
			d->state_dir = optarg;
			break;
		case OPT_POLICY:
			d->policy_file = optarg;
			break;
		case OPT_DEBUG:
			log_set_max_level(LOG_DEBUG);
			break;
		case 'h':
			show_help();
			return 0;
		case OPT_VERSION:
			puts("idxdvd " PACKAGE_VERSION);
			return 0;
		default:
			return -EINVAL;
		}
	}

	if (optind < argc) {
		fprintf(stderr, "idxdvd: '%s': it takes options only\n", argv[optind]);
		return -EINVAL;
	}

	return 1;
}

/* The simulated machine keeps its state beside the journal, so that it outlives us as a real one. */
static int simulation_new(const struct daemon *d, struct backend **ret)
{
	char state[4096];
	int n, r;

	n = snprintf(state, sizeof(state), "%s/" SIMULATED_STATE, d->state_dir);
	if (n < 0 || (size_t)n >= sizeof(state)) {
		log_error("%.64s...: the name of the state directory is too long", d->state_dir);
		return -ENAMETOOLONG;
	}
	if (mkdir(d->state_dir, 0700) < 0 && errno != EEXIST) {
		r = -errno;
		log_error("%s: cannot be made: %s", d->state_dir, strerror(-r));
		return r;
	}

	r = backend_fake_new(ret, d->simulate, state);
	if (r < 0)
		log_error("%s: cannot play this hardware, with its state in %s: %s", d->simulate,
			  state, strerror(-r));
	return r;
}

static int backend_new(const struct daemon *d, struct backend **ret)
{
	int r;

	if (d->simulate)
		return simulation_new(d, ret);

	r = backend_host_new(ret);
	if (r < 0)
		log_error("accelerators cannot be looked for: %s", strerror(-r));
	return r;
}

/*
 * A signal ends the daemon, never what it manages: the hardware stays as it is. The manager goes
 * while the bus is still there, because it answers what is queued; the end of the loop closes the bus.
 */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct daemon *d = userdata;

	sd_notify(0, "STOPPING=1\nSTATUS=Stopping; mdevs stay as they are");
	d->monitor = monitor_free(d->monitor);
	d->watch = watch_free(d->watch);
	bus_drop_requests(&d->bus);
	bus_lease_done(&d->bus);
	d->manager = manager_free(d->manager);
	return sd_event_exit(d->event, EXIT_SUCCESS);
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *err)
{
	struct daemon *d = userdata;
	const sd_bus_error *e = sd_bus_message_get_error(reply);
	uint32_t code;
	int r;

	if (e) {
		log_error("%s: the bus refuses the name: %s; is its policy file installed?",
			  API_BUS_NAME, e->message);
		return sd_event_exit(d->event, EXIT_FAILURE);
	}

	r = sd_bus_message_read(reply, "u", &code);
	if (r < 0 || code != 1) {		/* 1: we are the primary owner */
		log_error("%s: the name is taken; another idxdvd is running", API_BUS_NAME);
		return sd_event_exit(d->event, EXIT_FAILURE);
	}

	sd_notifyf(0, "READY=1\nSTATUS=%zu accelerators, %zu mdevs", manager_n_accels(d->manager),
		   manager_n_mdevs(d->manager));
	message_log(&(struct message){ .kind = MESSAGE_READY, .level = LOG_INFO },
		    "ready: %zu accelerators, %zu mdevs", manager_n_accels(d->manager),
		    manager_n_mdevs(d->manager));
	return 1;
}

/* The first reconcile is over: only now may a client find us. */
static void on_started(void *userdata, int r, const struct manager_result *res)
{
	struct daemon *d = userdata;
	char text[2048];

	if (r < 0) {
		refusal_format(&res->refusal, text, sizeof(text));
		log_error("cannot start: %s", text);
		sd_event_exit(d->event, EXIT_FAILURE);
		return;
	}

	bus_lease_look_all(&d->bus);
	r = sd_bus_request_name_async(d->bus.bus, NULL, API_BUS_NAME, 0, on_name, d);
	if (r < 0) {
		log_error("%s: cannot ask for the name: %s", API_BUS_NAME, strerror(-r));
		sd_event_exit(d->event, EXIT_FAILURE);
	}
}

static int setup_event(struct daemon *d)
{
	static const int signals[] = { SIGTERM, SIGINT };
	sigset_t set;
	size_t i;
	int r;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;

	r = sd_event_default(&d->event);
	if (r < 0)
		return r;
	for (i = 0; i < ARRAY_LEN(signals); i++) {
		r = sd_event_add_signal(d->event, NULL, signals[i], on_signal, d);
		if (r < 0)
			return r;
	}

	return sd_event_set_watchdog(d->event, 1);
}

static int setup_bus(struct daemon *d)
{
	int r;

	r = sd_bus_open_system(&d->bus.bus);
	if (r < 0)
		return r;
	/* A bus that goes away takes our clients along; the service manager starts us again. */
	r = sd_bus_set_exit_on_disconnect(d->bus.bus, 1);
	if (r < 0)
		return r;
	r = sd_bus_attach_event(d->bus.bus, d->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;

	return bus_export(&d->bus);
}

/* What it forbids would be handed out without it: one that cannot be used ends the start. */
static int setup_policy(struct daemon *d)
{
	char simulated[4096], why[POLICY_WHY_LEN] = "";
	const char *path = d->policy_file;
	int r;

	snprintf(simulated, sizeof(simulated), "%s/policy.json", d->state_dir);
	if (!path)
		path = d->simulate ? simulated : POLICY_FILE;
	r = policy_read(&d->policy, path, why);
	if (r < 0)
		log_error("%s: %s", path, why);
	return r;
}

static int setup_manager(struct daemon *d)
{
	struct manager_config config = {
		.event = d->event,
		.state_dir = d->state_dir,
		.mdevctl_dir = d->simulate ? NULL : MDEVCTL_DIR,
		.definition_dir = d->simulate ? NULL : DEFINITION_DIR,
		.policy = d->policy,
		.observer = bus_observer(&d->bus),
	};
	int r;

	r = backend_new(d, &config.backend);
	if (r < 0)
		return r;
	r = manager_new(&d->manager, &config);
	if (r < 0) {
		backend_free(config.backend);
		return r;
	}

	d->bus.manager = d->manager;
	d->bus.simulated = d->simulate;
	return 0;
}

/* Before the first reconcile, so that what happens during it is not missed. */
static int setup_monitor(struct daemon *d)
{
	if (d->simulate)
		return 0;

	return monitor_new(&d->monitor, d->event, d->manager);
}

/* Definitions of a simulated machine are below the state directory. */
static int setup_watch(struct daemon *d)
{
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/mdevctl.d", d->state_dir);
	return watch_new(&d->watch, d->event, d->manager, d->simulate ? dir : MDEVCTL_DIR);
}

static int run(struct daemon *d)
{
	static const struct {
		const char *what;
		int (*setup)(struct daemon *d);
		const char *remedy;
	} steps[] = {
		{ "the event loop", setup_event, "see the limits of the service" },
		{ "the bus", setup_bus,
		  "see that dbus.service runs, or what DBUS_SYSTEM_BUS_ADDRESS says" },
		{ "the policy", setup_policy, "mend the file, or remove it" },
		{ "the manager", setup_manager,
		  "see what is logged before this, and the limits of the service" },
		{ "the monitor of kernel events", setup_monitor,
		  "see that the service may open netlink sockets" },
		{ "the watch on definitions", setup_watch,
		  "see the limits of inotify, and that " MDEVCTL_DIR " can be read" },
	};
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(steps); i++) {
		r = steps[i].setup(d);
		if (r < 0) {
			log_error("cannot set up %s: %s; %s", steps[i].what, strerror(-r),
				  steps[i].remedy);
			return r;
		}
	}

	sd_notify(0, "STATUS=Comparing journal, store and hardware");
	manager_start(d->manager, on_started, d);

	return sd_event_loop(d->event);
}

static void daemon_done(struct daemon *d)
{
	monitor_free(d->monitor);
	watch_free(d->watch);
	bus_drop_requests(&d->bus);
	bus_lease_done(&d->bus);
	manager_free(d->manager);
	policy_free(d->policy);
	sd_bus_flush_close_unref(d->bus.bus);
	sd_event_unref(d->event);
}

int main(int argc, char **argv)
{
	_cleanup_(daemon_done) struct daemon d = { 0 };
	int r;

	d.state_dir = getenv("STATE_DIRECTORY");
	if (!d.state_dir)
		d.state_dir = DEFAULT_STATE_DIR;

	r = parse_args(&d, argc, argv);
	if (r <= 0)
		return r < 0 ? 2 : EXIT_SUCCESS;

	return run(&d) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
