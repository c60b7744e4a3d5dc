# SPDX-License-Identifier: GPL-2.0-or-later
# The real programs on a private bus with simulated hardware. Each file says what it covers.
dbus_tests = \
	tests/dbus/apply.py \
	tests/dbus/clients.py \
	tests/dbus/contract.py \
	tests/dbus/crash.py \
	tests/dbus/definitions.py \
	tests/dbus/faults.py \
	tests/dbus/force.py \
	tests/dbus/holders.py \
	tests/dbus/leases.py \
	tests/dbus/model.py \
	tests/dbus/orchestrator.py \
	tests/dbus/parallel.py \
	tests/dbus/policy.py tests/dbus/shared.py \
	tests/dbus/polkit.py \
	tests/dbus/reads.py \
	tests/dbus/refusals.py \
	tests/dbus/signals.py \
	tests/dbus/usage.py \
	tests/dbus/verbs.py
TESTS += $(dbus_tests)
if BUILD_HOOK
TESTS += tests/dbus/hook.py
endif
EXTRA_DIST += $(dbus_tests) tests/dbus/harness.py tests/dbus/hook.py

# Plays polkit for polkit.py.
check_PROGRAMS += tests/dbus/authority
tests_dbus_authority_LDADD = $(SYSTEMD_LIBS)
