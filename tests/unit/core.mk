# SPDX-License-Identifier: GPL-2.0-or-later
# The virtual device's core outside of the kernel: the same files, the same rules.
core_sources = \
	kmod/core/bar0.c kmod/core/bar0.h kmod/core/cmd.c kmod/core/config.c \
	kmod/core/core.h kmod/core/desc.c kmod/core/desc.h kmod/core/env.h kmod/core/image.c kmod/core/msix.c kmod/core/reg.c kmod/core/reg.h \
	kmod/core/reset.c kmod/core/swerr.c kmod/core/vd.h kmod/core/wq.c

core_cppflags = -I$(top_srcdir)/kmod/core
core_libs = libvdfake.a libvdcore.a

check_LIBRARIES += libvdcore.a libvdfake.a
libvdcore_a_SOURCES = $(core_sources)
libvdcore_a_CPPFLAGS = $(core_cppflags)
libvdcore_a_CFLAGS = $(AM_CFLAGS) -ffreestanding -mgeneral-regs-only

libvdfake_a_SOURCES = tests/unit/core-fake.c tests/unit/core-fake.h
libvdfake_a_CPPFLAGS = $(core_cppflags)

core_tests = \
	tests/unit/core-cmd tests/unit/core-config tests/unit/core-desc tests/unit/core-image \
	tests/unit/core-linux tests/unit/core-msix tests/unit/core-reg \
	tests/unit/core-reset tests/unit/core-swerr

tests_unit_core_cmd_CPPFLAGS = $(core_cppflags)
tests_unit_core_cmd_LDADD = $(core_libs)
tests_unit_core_config_CPPFLAGS = $(core_cppflags)
tests_unit_core_config_LDADD = $(core_libs)
tests_unit_core_desc_CPPFLAGS = $(core_cppflags)
tests_unit_core_desc_LDADD = $(core_libs)
tests_unit_core_image_SOURCES = tests/unit/core-image.c tests/unit/core-image.h
tests_unit_core_image_CPPFLAGS = $(core_cppflags)
tests_unit_core_image_LDADD = $(core_libs)
tests_unit_core_linux_CPPFLAGS = $(core_cppflags)
tests_unit_core_linux_LDADD = $(core_libs)
tests_unit_core_msix_CPPFLAGS = $(core_cppflags)
tests_unit_core_msix_LDADD = $(core_libs)
tests_unit_core_reg_CPPFLAGS = $(core_cppflags)
tests_unit_core_reg_LDADD = $(core_libs)
tests_unit_core_reset_CPPFLAGS = $(core_cppflags)
tests_unit_core_reset_LDADD = $(core_libs)
tests_unit_core_swerr_CPPFLAGS = $(core_cppflags)
tests_unit_core_swerr_LDADD = $(core_libs)

check_PROGRAMS += $(core_tests)
TESTS += $(core_tests) tests/unit/core-purity.sh
EXTRA_DIST += kmod/core/FILES tests/unit/core-purity.sh
