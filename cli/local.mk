# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += idxdctl
idxdctl_SOURCES = \
	cli/cli.h \
	cli/client.c cli/client.h cli/client-act.c cli/client-call.h cli/client-monitor.c cli/client-read.c \
	cli/client-record.c cli/client-record.h \
	cli/complete.c \
	cli/doctor/accfg.c cli/doctor/device.c cli/doctor/doctor.c cli/doctor/doctor.h \
	cli/doctor/host.c cli/doctor/host.h cli/doctor/machine.c cli/doctor/module.c \
	cli/doctor/queue.c cli/doctor/service.c \
	cli/find.c cli/find.h \
	cli/main.c \
	cli/print.c cli/print.h cli/print-json.c \
	cli/terminal.c cli/terminal.h \
	cli/verb-adopt.c cli/verb-apply.c cli/verb-capacity.c cli/verb-create.c cli/verb-define.c cli/verb-destroy.c \
	cli/verb-doctor.c cli/verb-list.c cli/verb-metrics.c cli/verb-modify.c cli/verb-monitor.c cli/verb-release.c cli/verb-show.c cli/verb-start.c cli/verb-status.c \
	cli/verb-trust.c cli/verb-types.c
idxdctl_LDADD = idxdvd/libcommon.a $(SYSTEMD_LIBS) $(JSON_LIBS)

schemadir = $(datadir)/idxdvd
dist_schema_DATA = cli/idxdctl.schema.json
