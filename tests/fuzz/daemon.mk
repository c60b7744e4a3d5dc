# SPDX-License-Identifier: GPL-2.0-or-later
# The fuzzers of the daemon's parsers, without libFuzzer: over the corpus and near it.
check_LIBRARIES += libdaemonfuzz.a
libdaemonfuzz_a_SOURCES = \
	tests/fuzz/daemon.h tests/fuzz/daemon-machine.c tests/fuzz/daemon-main.c

daemon_fuzz_tests = tests/fuzz/daemon-accfg tests/fuzz/daemon-apply tests/fuzz/daemon-bus \
	tests/fuzz/daemon-definition tests/fuzz/daemon-policy tests/fuzz/daemon-sysfs
check_PROGRAMS += $(daemon_fuzz_tests)

tests_fuzz_daemon_accfg_LDADD = libdaemonfuzz.a $(idxdvd_libs)
tests_fuzz_daemon_apply_LDADD = libdaemonfuzz.a $(idxdvd_libs)
tests_fuzz_daemon_bus_LDADD = libdaemonfuzz.a idxdvd/libidxdvdbus.a $(idxdvd_libs)
tests_fuzz_daemon_definition_LDADD = libdaemonfuzz.a $(idxdvd_libs)
tests_fuzz_daemon_policy_LDADD = libdaemonfuzz.a $(idxdvd_libs)
# Its own sysfs.c comes before the daemon's in the archive.
tests_fuzz_daemon_sysfs_LDADD = libdaemonfuzz.a $(idxdvd_libs)
tests_fuzz_daemon_sysfs_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=opendir,--wrap=readdir,--wrap=closedir \
	-Wl,--wrap=dirfd,--wrap=realpath,--wrap=readlink,--wrap=readlinkat,--wrap=fs_read,--wrap=open

# The same of libvirt's hook.
if BUILD_HOOK
check_PROGRAMS += tests/fuzz/hook-domain
endif
EXTRA_PROGRAMS += tests/fuzz/hook-domain
tests_fuzz_hook_domain_SOURCES = tests/fuzz/hook-domain.c libvirt/domain.c libvirt/domain.h
tests_fuzz_hook_domain_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS)
tests_fuzz_hook_domain_LDADD = libdaemonfuzz.a $(idxdvd_libs) $(XML_LIBS)
