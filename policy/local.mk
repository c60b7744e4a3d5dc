# SPDX-License-Identifier: GPL-2.0-or-later
# What other programs read: the bus, the service manager, authors of clients.

dbuspolicydir = $(dbusdatadir)/system.d
dist_dbuspolicy_DATA = policy/org.idxdvd1.conf

dbusservicesdir = $(dbusdatadir)/system-services
dist_dbusservices_DATA = policy/org.idxdvd1.service

dbusinterfacesdir = $(dbusdatadir)/interfaces
dist_dbusinterfaces_DATA = \
	policy/org.idxdvd1.Accelerator.xml \
	policy/org.idxdvd1.Definition.xml \
	policy/org.idxdvd1.Manager.xml \
	policy/org.idxdvd1.Mdev.xml \
	policy/org.idxdvd1.WorkQueue.xml

# polkit reads no other place than /usr/share/polkit-1/actions.
polkitactionsdir = $(datadir)/polkit-1/actions
dist_polkitactions_DATA = policy/org.idxdvd1.policy

# An example: who may do what is up to the administrator.
exampledir = $(docdir)/examples
dist_example_DATA = policy/idxdvd-operators.rules

systemdsystemunit_DATA = policy/idxdvd.service
EXTRA_DIST += policy/idxdvd.service.in
CLEANFILES += policy/idxdvd.service

policy/idxdvd.service: policy/idxdvd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) policy && \
	$(SED) -e 's|@libexecdir[@]|$(libexecdir)|g' $(top_srcdir)/policy/idxdvd.service.in >$@.tmp && \
	mv $@.tmp $@

dist_catalog_DATA = policy/idxdvd.catalog

# After those of mdevctl, which have 60.
udevrules_DATA = policy/61-idxdvd.rules
EXTRA_DIST += policy/61-idxdvd.rules.in
CLEANFILES += policy/61-idxdvd.rules

policy/61-idxdvd.rules: policy/61-idxdvd.rules.in Makefile
	$(AM_V_GEN)$(MKDIR_P) policy && \
	$(SED) -e 's|@localstatedir[@]|$(localstatedir)|g' $(top_srcdir)/policy/61-idxdvd.rules.in >$@.tmp && \
	mv $@.tmp $@
