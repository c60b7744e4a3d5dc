# SPDX-License-Identifier: GPL-2.0-or-later
# What of idxdctl works without a bus.
cli_tests = tests/cli/doctor.py
TESTS += $(cli_tests)
EXTRA_DIST += $(cli_tests)
