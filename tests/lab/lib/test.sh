# SPDX-License-Identifier: GPL-2.0-or-later
# The test runner: each folder in tests/ is booted on each kernel.

TEST_DIR=$LAB_DIR/tests
TEST_SCRIPT=test
TEST_PREPARE=test_programs
TEST_KERNELS="stable backports"

test_names()
{
	local t

	for t in "$TEST_DIR"/*/"$TEST_SCRIPT"; do
		[ -e "$t" ] || continue
		t=${t%/*}
		echo "${t##*/}"
	done
}

# A test's file NAME, one value: kernels, timeout, debs.
test_setting()
{
	[ -e "$TEST_DIR/$1/$2" ] && sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$TEST_DIR/$1/$2"
}

verb_list()
{
	local t

	for t in $(test_names); do
		printf '%-24s %s\n' "$t" "$(sed -n '3s/^# *//p' "$TEST_DIR/$t/test")"
	done
}

# test_options ARGUMENTS...: sets TEST_LIST, TEST_KERNELS and the output folder.
test_options()
{
	TEST_LIST=()
	RESULTS=${IDXD_LAB_RESULTS:-$CACHE/results/$(date -u +%Y%m%d-%H%M%S)-$$}
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel)
			[ $# -ge 2 ] || die "--kernel needs a value"
			TEST_KERNELS=$2
			shift
			;;
		--results)
			[ $# -ge 2 ] || die "--results needs a folder"
			RESULTS=$2
			shift
			;;
		-*) die "unknown option $1 (see lab help)" ;;
		*)
			[ -e "$TEST_DIR/$1/$TEST_SCRIPT" ] || die "no test '$1' (see lab list)"
			TEST_LIST+=("$1")
			;;
		esac
		shift
	done
	if [ ${#TEST_LIST[@]} -eq 0 ]; then
		mapfile -t TEST_LIST < <(test_names)
	fi
	[ ${#TEST_LIST[@]} -gt 0 ] || die "there are no tests in $TEST_DIR"
	mkdir -p "$RESULTS"
}

# test_one NAME KERNEL: one boot; sets TEST_RESULT (pass, FAIL, skip) and TEST_WHY.
test_one()
{
	local name=$1 out=$RESULTS/$1-$2 rc deb part

	run_defaults
	OPT_KERNEL=$2
	OPT_KEEP_LOG=$out.kernel
	[ ! -e "$TEST_DIR/$name/hw" ] || OPT_HW=$TEST_DIR/$name/hw
	OPT_TIMEOUT=$(test_setting "$name" timeout || echo 600)
	[ "$SOAK" = 0 ] || OPT_TIMEOUT=$((OPT_TIMEOUT * 20))
	while read -r deb; do
		OPT_DEBS+=("$deb")
	done < <(test_setting "$name" debs)
	while read -r part; do
		skip_part "$part"
	done < <(test_setting "$name" skip)
	OPT_PUTS=("$TEST_DIR/$name:/root/test")
	MODE=run COMMAND="cd /root/test && sh ./$TEST_SCRIPT"
	( "$TEST_PREPARE" "$name" || exit 1; run_booted; rc=$?; run_clean; exit $rc ) \
		>"$out.output" 2>"$out.lab" </dev/null
	rc=$?
	TEST_WHY=
	case $rc in
	0)
		TEST_RESULT=pass
		[ ! -e "$out.kernel.boot1" ] || TEST_WHY="(a boot got stuck before the test and was repeated)"
		;;
	77)
		TEST_RESULT=skip
		TEST_WHY=$(sed -n 's/^skip: //p' "$out.output" | tail -n 1)
		;;
	*)
		TEST_RESULT=FAIL
		TEST_WHY="status $rc; $(grep -m 1 '^NOT OK' "$out.output" ||
			tail -n 1 "$out.output" | grep . || tail -n 1 "$out.lab")"
		;;
	esac
	test_logs "$out" >"$out.logs"
	if ! klog_check "$out.logs" "$TEST_DIR/$name/expected-log" \
		"$(klog_expected)" >"$out.bad"; then
		TEST_RESULT=FAIL
		TEST_WHY="kernel log: $(head -n 1 "$out.bad")"
	else
		rm -f "$out.bad"
	fi
	rm -f "$out.logs"
}

# The host's kernel log and the consoles of its guests, which the test prints as "NAME| LINE".
test_logs()
{
	[ ! -e "$1.kernel" ] || cat "$1.kernel"
	sed -n 's/^[a-zA-Z0-9_-]*| \(\[ *[0-9]*\.[0-9]*\] \)/\1/p' "$1.output"
}

# C programs that a test wants: its file programs names sources in src/. Prints why when one fails.
test_programs()
{
	local p key made

	while read -r p; do
		key=$({ build_root_key; cat "$LAB_DIR/src/$p.c"; } | sha256sum | cut -c1-24)
		made=programs/$p-$key
		mkdir -p "$CACHE/programs"
		if [ ! -e "$CACHE/$made" ]; then
			in_root "$CACHE/root" sh -c 'gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static \
				-x c -o "/lab/$1.new" - && mv "/lab/$1.new" "/lab/$1"' sh "$made" \
				<"$LAB_DIR/src/$p.c" 2>"$CACHE/$made.log" || {
					cat "$CACHE/$made.log" >&2
					echo "src/$p.c does not compile"
					return 1
				}
		fi
		OPT_PUTS+=("$CACHE/$made:/root/test/$p")
	done < <(test_setting "$1" programs)
}

run_tests()
{
	local name kernel start list passed=0 failed=0 skipped=0

	lab_build
	say "results and kernel logs: $RESULTS"
	for name in "${TEST_LIST[@]}"; do
		list=$TEST_KERNELS
		for kernel in $list; do
			start=$SECONDS
			test_one "$name" "$kernel"
			printf '%-5s %-24s %-10s %4d s  %s\n' "$TEST_RESULT" "$name" "$kernel" \
				$((SECONDS - start)) "$TEST_WHY" | tee -a "$RESULTS/summary"
			case $TEST_RESULT in
			pass) passed=$((passed + 1)) ;;
			skip) skipped=$((skipped + 1)) ;;
			*) failed=$((failed + 1)) ;;
			esac
		done
	done
	TEST_SUMMARY="$passed passed, $failed failed, $skipped skipped"
	echo "lab: $TEST_SUMMARY"
	[ "$failed" = 0 ]
}

verb_test()
{
	SOAK=0
	test_options "$@"
	run_tests
}

# The commit that a run tests.
tree_commit()
{
	local commit

	commit=$(git -C "$TOP" rev-parse HEAD 2>/dev/null || echo unknown)
	[ -z "$(git -C "$TOP" status --porcelain 2>/dev/null)" ] || commit="$commit with changes"
	echo "$commit"
}

# Full counts; each round is appended to a dated file in the tree with the commit it tested.
verb_soak()
{
	local file rc commit

	SOAK=1
	test_options "$@"
	file=$LAB_DIR/results/$(date -u +%Y-%m-%d).txt
	mkdir -p "$LAB_DIR/results"
	commit=$(tree_commit)
	run_tests
	rc=$?
	soak_record "$commit" >>"$file"
	say "appended to $file"
	return $rc
}

# The summary, and under each test the counts that it reported.
soak_record()
{
	local result name kernel rest

	echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) commit $1"
	while read -r result name kernel rest; do
		echo "$result $name $kernel $rest"
		sed -nE 's/^([a-zA-Z0-9_-]+\| )?(.*[0-9]+ (of [0-9]+ )?copies.*[0-9]+ (failures|wrong).*)/\2/p' \
			"$RESULTS/$name-$kernel.output" | uniq -c | sed -E 's/^ *([0-9]+) /    \1 x /'
	done <"$RESULTS/summary"
	echo "$TEST_SUMMARY"
	echo
}
