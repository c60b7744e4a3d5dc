#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Everything that CI runs, and that you run before sending a change: installs what it needs, then the
# suites below, each printed with its own result. The last line is "N passed, N failed[, N skipped]".
#
#   tests/check.sh              all suites
#   tests/check.sh NAME...      only the suites named (see the table at the end)
#
# CHECK_DIR (default: a temporary directory) keeps the build directories and one log per suite.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
export LC_ALL=C.UTF-8 TZ=UTC
passed=0 failed=0 skipped=0
skips=()

if [ -n "${CHECK_DIR-}" ]; then
	dir=$CHECK_DIR
	mkdir -p "$dir"
else
	dir=$(mktemp -d "${TMPDIR:-/var/tmp}/idxdvd-check.XXXXXX")
fi

# configured NAME ARGS...: a fresh VPATH build directory.
configured()
{
	local name=$1
	shift
	rm -rf "$dir/$name" && mkdir -p "$dir/$name" && cd "$dir/$name" || return 1
	"$top/configure" --enable-werror "$@"
}

# Automake's own summary of each "make check" in the log says what passed; fail closed without one.
count_automake()
{
	local log=$1 p f e s
	p=$(sed -n 's/^# PASS: *//p' "$log" | awk '{n += $1} END {print n + 0}')
	f=$(sed -n 's/^# FAIL: *//p; s/^# XPASS: *//p' "$log" | awk '{n += $1} END {print n + 0}')
	e=$(sed -n 's/^# ERROR: *//p' "$log" | awk '{n += $1} END {print n + 0}')
	s=$(sed -n 's/^# SKIP: *//p' "$log" | awk '{n += $1} END {print n + 0}')
	echo "$p $((f + e)) $s"
}

# The lab ends with "lab: N passed, N failed, N skipped".
count_lab()
{
	sed -n 's/^lab: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$1" | tail -n 1
}

# One suite = one check: its exit status.
count_status()
{
	[ "$2" = 0 ] && echo 1 0 0 || echo 0 1 0
}

suite_gcc()
{
	configured gcc CC=gcc && make -j"$(nproc)" && make -j"$(nproc)" check
}

suite_clang()
{
	configured clang CC=clang && make -j"$(nproc)" && make -j"$(nproc)" check
}

suite_sanitizers()
{
	configured sanitizers CC=gcc --enable-asan --enable-ubsan && make -j"$(nproc)" && make -j"$(nproc)" check
}

# The daemon has two threads; these tests keep both busy.
suite_threads()
{
	configured threads CC=gcc --enable-tsan && make -j"$(nproc)" && make -j"$(nproc)" check \
		TESTS="tests/dbus/faults.py tests/dbus/holders.py tests/dbus/leases.py tests/dbus/model.py tests/dbus/parallel.py tests/dbus/signals.py"
}

suite_distcheck()
{
	configured distcheck CC=gcc && make distcheck
}

suite_packages()
{
	"$top/tests/packages" "$dir/packages"
}

suite_coverage()
{
	configured coverage CC=gcc --enable-coverage && make -j"$(nproc)" && make -j"$(nproc)" check &&
		"$top/tests/coverage.sh" "$dir/coverage"
}

suite_lab_build()
{
	"$top/tests/lab/lab" build
}

# Userspace under both compilers on Debian 13, in the lab's build root.
suite_debian13()
{
	"$top/tests/lab/lab" userspace gcc && "$top/tests/lab/lab" userspace clang
}

suite_lab_test()
{
	"$top/tests/lab/lab" test
}

# Other people's tests of the emulated accelerators, in their short form: one count per sub-test.
suite_lab_judge()
{
	"$top/tests/lab/lab" judge --quick
}

# name          how its log is counted
table='
gcc             automake
clang           automake
sanitizers      automake
threads         automake
coverage        automake
distcheck       status
packages        status
lab_build       status
debian13        automake
lab_test        lab
lab_judge       lab
'

run_suite()
{
	local name=$1 kind=$2 log=$dir/$1.log start rc counts p f s
	start=$SECONDS
	echo "== $name"
	# Long suites show their progress; the others only their result.
	case $name in
	lab_*)
		("suite_$name") 2>&1 </dev/null | tee "$log"
		rc=${PIPESTATUS[0]}
		;;
	*)
		("suite_$name") >"$log" 2>&1 </dev/null
		rc=$?
		;;
	esac
	counts=$("count_$kind" "$log" "$rc")
	read -r p f s <<<"${counts:-0 0 0}"
	# A suite that broke off, or that ran nothing, has failed whatever its counts say.
	if [ "$rc" != 0 ] && [ "$f" = 0 ] || [ $((p + f + s)) = 0 ]; then
		f=$((f + 1))
	fi
	if [ "$rc" != 0 ] || [ "$f" != 0 ]; then
		tail -n 60 "$log"
	elif [ "$name" = coverage ]; then
		sed -n '/^coverage:/,$p' "$log"
	fi
	while read -r line; do
		skips+=("$name: $line")
	done < <(grep -E '^(SKIP:|skipped:|skip )' "$log" | sort -u)
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	echo "== $name: $p passed, $f failed, $s skipped ($((SECONDS - start)) s)"
}

"$top/tests/setup" || exit 1
(cd "$top" && autoreconf -i) || exit 1

want=("$@")
for name in "${want[@]+"${want[@]}"}"; do
	if ! grep -q "^$name " <<<"$table"; then
		echo "check.sh: there is no suite '$name'; the table in $0 lists them" >&2
		exit 2
	fi
done
ran=0
while read -r name kind; do
	[ -n "$name" ] || continue
	if [ ${#want[@]} -gt 0 ]; then
		case " ${want[*]} " in
		*" $name "*) ;;
		*) continue ;;
		esac
	fi
	run_suite "$name" "$kind"
	ran=$((ran + 1))
done <<<"$table"
expected=${#want[@]}
[ "$expected" != 0 ] || expected=$(grep -c . <<<"$table")
if [ "$ran" != "$expected" ]; then
	echo "check.sh: $ran suites ran instead of $expected"
	failed=$((failed + 1))
fi

for line in "${skips[@]+"${skips[@]}"}"; do
	echo "skipped in $line"
done
[ -n "${CHECK_DIR-}" ] || [ "$failed" != 0 ] || rm -rf "$dir"
summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
