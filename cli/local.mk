# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += idxdctl
idxdctl_SOURCES = \
	cli/cli.h \
	cli/client.c cli/client.h cli/client-act.c cli/client-call.h cli/client-read.c \
	cli/client-record.c cli/client-record.h \
	cli/main.c \
	cli/print.c cli/print.h cli/print-json.c \
	cli/verb-adopt.c cli/verb-apply.c cli/verb-capacity.c cli/verb-create.c cli/verb-define.c cli/verb-destroy.c \
	cli/verb-list.c cli/verb-modify.c cli/verb-release.c cli/verb-start.c cli/verb-status.c \
	cli/verb-trust.c cli/verb-types.c
idxdctl_LDADD = $(SYSTEMD_LIBS) $(JSON_LIBS)
