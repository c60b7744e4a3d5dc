# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += idxdvd/libcommon.a
idxdvd_libcommon_a_SOURCES = \
	idxdvd/common/api.h \
	idxdvd/common/cleanup.h \
	idxdvd/common/json.c idxdvd/common/json.h \
	idxdvd/common/log.c idxdvd/common/log.h \
	idxdvd/common/message.c idxdvd/common/message.h \
	idxdvd/common/parse.c idxdvd/common/parse.h \
	idxdvd/common/table.c idxdvd/common/table.h

# Everything but main.c and the D-Bus side; the unit tests link it too.
noinst_LIBRARIES += idxdvd/libidxdvd.a
idxdvd_libidxdvd_a_SOURCES = \
	idxdvd/accfgdoc.c idxdvd/accfgdoc.h \
	idxdvd/alloc.c idxdvd/alloc.h \
	idxdvd/apply.c idxdvd/apply.h \
	idxdvd/backend.h \
	idxdvd/backend-fake.c \
	idxdvd/backend-host.c \
	idxdvd/capacity.c idxdvd/capacity.h \
	idxdvd/definition.c idxdvd/definition.h \
	idxdvd/defstore.c idxdvd/defstore.h \
	idxdvd/device.c idxdvd/device.h \
	idxdvd/execute.c idxdvd/execute.h \
	idxdvd/fake-hw.c idxdvd/fake-hw.h \
	idxdvd/fake-kernel.c idxdvd/fake-kernel.h \
	idxdvd/fake-mdev.c \
	idxdvd/fs.c idxdvd/fs.h \
	idxdvd/holder.c idxdvd/holder.h \
	idxdvd/holding.c idxdvd/holding.h \
	idxdvd/hostdoc.c idxdvd/hostdoc.h \
	idxdvd/host-holder.c idxdvd/host-holder.h \
	idxdvd/host-mdev.c idxdvd/host-mdev.h \
	idxdvd/journal.c idxdvd/journal.h \
	idxdvd/layout.c \
	idxdvd/ledger.c idxdvd/ledger.h \
	idxdvd/ledger-change.c \
	idxdvd/ledger-definition.c idxdvd/ledger-seat.c \
	idxdvd/manager.c idxdvd/manager.h \
	idxdvd/manager-look.c \
	idxdvd/mdev.c idxdvd/mdev.h \
	idxdvd/monitor.c idxdvd/monitor.h \
	idxdvd/op.c idxdvd/op.h \
	idxdvd/op-apply.c \
	idxdvd/op-define.c \
	idxdvd/op-drain.c \
	idxdvd/op-force.c \
	idxdvd/op-holdings.c \
	idxdvd/op-plan.c \
	idxdvd/place.c idxdvd/place.h \
	idxdvd/plan.c idxdvd/plan.h \
	idxdvd/policy.c idxdvd/policy.h \
	idxdvd/quota.c idxdvd/quota.h \
	idxdvd/record.c idxdvd/record.h \
	idxdvd/refusal.c idxdvd/refusal.h \
	idxdvd/rescan.c \
	idxdvd/startup.c \
	idxdvd/steps.c idxdvd/steps.h \
	idxdvd/store.c idxdvd/store.h \
	idxdvd/sysfs.c idxdvd/sysfs.h \
	idxdvd/worker.c idxdvd/worker.h

idxdvd_libs = idxdvd/libidxdvd.a idxdvd/libcommon.a \
	$(SYSTEMD_LIBS) $(UDEV_LIBS) $(JSON_LIBS) $(ACCFG_LIBS) -lpthread

# The D-Bus side; a fuzzer links it too.
noinst_LIBRARIES += idxdvd/libidxdvdbus.a
idxdvd_libidxdvdbus_a_SOURCES = \
	idxdvd/bus-accelerator.c idxdvd/bus-accelerator.h \
	idxdvd/bus-authority.c idxdvd/bus-authority.h \
	idxdvd/bus-definition.c idxdvd/bus-definition.h \
	idxdvd/bus-fill.c idxdvd/bus-fill.h \
	idxdvd/bus-lease.c idxdvd/bus-lease.h \
	idxdvd/bus-manager.c idxdvd/bus-manager.h \
	idxdvd/bus-mdev.c idxdvd/bus-mdev.h \
	idxdvd/bus-request.c idxdvd/bus-request.h \
	idxdvd/bus-util.c idxdvd/bus-util.h \
	idxdvd/bus-workqueue.c idxdvd/bus-workqueue.h

libexec_PROGRAMS += idxdvd/idxdvd
idxdvd_idxdvd_SOURCES = \
	idxdvd/main.c \
	idxdvd/watch.c idxdvd/watch.h
idxdvd_idxdvd_LDADD = idxdvd/libidxdvdbus.a $(idxdvd_libs)
