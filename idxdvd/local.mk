# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += idxdvd/libcommon.a
idxdvd_libcommon_a_SOURCES = \
	idxdvd/common/cleanup.h \
	idxdvd/common/log.c idxdvd/common/log.h \
	idxdvd/common/parse.c idxdvd/common/parse.h

noinst_LIBRARIES += idxdvd/libidxdvd.a
idxdvd_libidxdvd_a_SOURCES = \
	idxdvd/backend.h \
	idxdvd/device.h \
	idxdvd/manager.h \
	idxdvd/mdev.h \
	idxdvd/refusal.c idxdvd/refusal.h
