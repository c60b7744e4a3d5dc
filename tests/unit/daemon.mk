# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon's engine without hardware, bus or root.
check_LIBRARIES += libdaemontest.a
libdaemontest_a_SOURCES = tests/unit/daemon-test.c tests/unit/daemon-test.h

# What tests/unit/fs-points.c stands before.
fs_points_ldflags = -Wl,--wrap=access,--wrap=close,--wrap=fdopendir,--wrap=fsync \
	-Wl,--wrap=mkdirat,--wrap=openat,--wrap=read,--wrap=readdir,--wrap=renameat \
	-Wl,--wrap=unlinkat,--wrap=write

daemon_tests = tests/unit/daemon-accfgdoc tests/unit/daemon-alloc tests/unit/daemon-apply \
	tests/unit/daemon-capacity \
	tests/unit/daemon-crash tests/unit/daemon-define \
	tests/unit/daemon-fake tests/unit/daemon-hostdoc \
	tests/unit/daemon-manager tests/unit/daemon-place tests/unit/daemon-policy \
	tests/unit/daemon-revive tests/unit/daemon-scale tests/unit/daemon-share \
	tests/unit/daemon-store tests/unit/daemon-table
check_PROGRAMS += $(daemon_tests)
TESTS += $(daemon_tests)

tests_unit_daemon_apply_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_crash_SOURCES = tests/unit/daemon-crash.c \
	tests/unit/fs-points.c tests/unit/fs-points.h
tests_unit_daemon_crash_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_crash_LDFLAGS = $(AM_LDFLAGS) $(fs_points_ldflags)
tests_unit_daemon_alloc_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_fake_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_store_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_manager_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_define_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_capacity_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_hostdoc_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_place_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_policy_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_accfgdoc_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_table_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_scale_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_share_LDADD = libdaemontest.a $(idxdvd_libs)
tests_unit_daemon_revive_LDADD = libdaemontest.a $(idxdvd_libs)
