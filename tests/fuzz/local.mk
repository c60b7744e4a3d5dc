# SPDX-License-Identifier: GPL-2.0-or-later
# The fuzzers of the core, without libFuzzer: from seeds, and over the corpus. The daemon's: daemon.mk.
check_LIBRARIES += libvdfuzz.a
libvdfuzz_a_SOURCES = \
	tests/fuzz/fuzz.h tests/fuzz/invariants.c tests/fuzz/main.c tests/fuzz/owner.c \
	tests/fuzz/steps.c
libvdfuzz_a_CPPFLAGS = $(core_cppflags)

fuzz_tests = tests/fuzz/bar0 tests/fuzz/config tests/fuzz/image
tests_fuzz_bar0_CPPFLAGS = $(core_cppflags)
tests_fuzz_bar0_LDADD = libvdfuzz.a libvdcore.a
tests_fuzz_config_CPPFLAGS = $(core_cppflags)
tests_fuzz_config_LDADD = libvdfuzz.a libvdcore.a
tests_fuzz_image_SOURCES = tests/fuzz/image.c tests/unit/core-image.h
tests_fuzz_image_CPPFLAGS = $(core_cppflags)
tests_fuzz_image_LDADD = libvdfuzz.a libvdcore.a

check_PROGRAMS += $(fuzz_tests)
TESTS += $(fuzz_tests) tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/replay.sh tests/fuzz/run
