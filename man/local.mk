# SPDX-License-Identifier: GPL-2.0-or-later
man_sources = \
	man/idxd_mdev.rst \
	man/idxdctl.rst \
	man/idxdvd.rst \
	man/idxdvd-libvirt.rst \
	man/org.idxdvd1.rst
EXTRA_DIST += $(man_sources)

man_pages = man/idxd_mdev.4 man/idxdctl.1 man/idxdvd.8 man/idxdvd-libvirt.7 man/org.idxdvd1.5
CLEANFILES += $(man_pages)

if BUILD_MAN
man_MANS += $(man_pages)
endif

SUFFIXES = .rst .1 .4 .5 .7 .8
man_rule = $(AM_V_GEN)$(MKDIR_P) man && $(RST2MAN) --halt=warning $< >$@.tmp && mv $@.tmp $@
.rst.1:
	$(man_rule)
.rst.4:
	$(man_rule)
.rst.5:
	$(man_rule)
.rst.7:
	$(man_rule)
.rst.8:
	$(man_rule)
