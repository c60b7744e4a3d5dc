# SPDX-License-Identifier: GPL-2.0-or-later
# Measured by hand: tests/bench/compare.py says how; in the lab: lab.
EXTRA_DIST += tests/bench/compare.py tests/bench/hook.py tests/bench/results
EXTRA_DIST += tests/bench/lab tests/bench/lib.sh tests/bench/registers docs/costs.md
check_PROGRAMS += tests/bench/roundtrip
tests_bench_roundtrip_LDADD = $(SYSTEMD_LIBS)
