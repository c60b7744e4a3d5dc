# SPDX-License-Identifier: GPL-2.0-or-later
# The hook that libvirt calls when a domain starts and ends. In sbindir, because AppArmor's profile of
# libvirtd lets it run what is there; a link in libvirt's folder of hooks leads to it (debian/).
if BUILD_HOOK
sbin_PROGRAMS += idxdvd-libvirt-hook idxdvd-libvirt-mdevs
endif
EXTRA_PROGRAMS = idxdvd-libvirt-hook idxdvd-libvirt-mdevs
idxdvd_libvirt_hook_SOURCES = libvirt/hook.c libvirt/input.c libvirt/input.h

idxdvd_libvirt_mdevs_SOURCES = \
	libvirt/daemon.c libvirt/daemon.h \
	libvirt/domain.c libvirt/domain.h \
	libvirt/input.c libvirt/input.h \
	libvirt/mdevs.c
idxdvd_libvirt_mdevs_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS)
idxdvd_libvirt_mdevs_LDADD = idxdvd/libcommon.a $(SYSTEMD_LIBS) $(JSON_LIBS) $(XML_LIBS)
