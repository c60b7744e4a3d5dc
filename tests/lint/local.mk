# SPDX-License-Identifier: GPL-2.0-or-later
lint_tests = \
	tests/lint/includes.sh \
	tests/lint/spdx.sh \
	tests/lint/headers.sh \
	tests/lint/catalog.sh \
	tests/lint/unit.sh

TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests) tests/setup tests/packages tests/check.sh tests/coverage.sh tests/demo tests/demo-session
