# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += idxdvd/libcommon.a
idxdvd_libcommon_a_SOURCES = \
	idxdvd/common/cleanup.h \
	idxdvd/common/json.c idxdvd/common/json.h \
	idxdvd/common/log.c idxdvd/common/log.h \
	idxdvd/common/parse.c idxdvd/common/parse.h

noinst_LIBRARIES += idxdvd/libidxdvd.a
idxdvd_libidxdvd_a_SOURCES = \
	idxdvd/alloc.c idxdvd/alloc.h \
	idxdvd/apply.c idxdvd/apply.h \
	idxdvd/backend.h \
	idxdvd/device.c idxdvd/device.h \
	idxdvd/fs.c idxdvd/fs.h \
	idxdvd/journal.c idxdvd/journal.h \
	idxdvd/manager.h \
	idxdvd/mdev.c idxdvd/mdev.h \
	idxdvd/monitor.c idxdvd/monitor.h \
	idxdvd/plan.c idxdvd/plan.h \
	idxdvd/record.c idxdvd/record.h \
	idxdvd/refusal.c idxdvd/refusal.h \
	idxdvd/store.c idxdvd/store.h
