# SPDX-License-Identifier: GPL-2.0-or-later
# The virtual device's core outside of the kernel: the same files, the same rules.
core_sources = \
	kmod/core/bar0.c kmod/core/bar0.h kmod/core/cmd.c kmod/core/config.c \
	kmod/core/core.h kmod/core/env.h kmod/core/msix.c kmod/core/reg.c kmod/core/reg.h \
	kmod/core/reset.c kmod/core/swerr.c kmod/core/vd.h kmod/core/wq.c

core_cppflags = -I$(top_srcdir)/kmod/core
core_flags = -ffreestanding -mgeneral-regs-only

check_LIBRARIES += libvdcore.a libvdfake.a
libvdcore_a_SOURCES = $(core_sources)
libvdcore_a_CPPFLAGS = $(core_cppflags)
libvdcore_a_CFLAGS = $(AM_CFLAGS) $(core_flags)

libvdfake_a_SOURCES = tests/unit/core-fake.c tests/unit/core-fake.h
libvdfake_a_CPPFLAGS = $(core_cppflags)

core_tests = \
	tests/unit/core-reg

check_PROGRAMS += $(core_tests)
TESTS += $(core_tests) tests/unit/core-purity.sh

core_libs = libvdfake.a libvdcore.a
tests_unit_core_reg_CPPFLAGS = $(core_cppflags)
tests_unit_core_reg_LDADD = $(core_libs)

EXTRA_DIST += kmod/core/FILES tests/unit/core-purity.sh
