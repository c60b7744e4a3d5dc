# SPDX-License-Identifier: GPL-2.0-or-later
# Other people's tests of the emulated function: each folder in judge/ is a suite. See judge/README.md.

JUDGE_DIR=$LAB_DIR/judge

# judge_options ARGUMENTS...: sets JUDGE_RECORD and JUDGE_QUICK; the rest as for tests.
judge_options()
{
	local rest=()

	JUDGE_RECORD=no JUDGE_QUICK=0 SOAK=0
	while [ $# -gt 0 ]; do
		case $1 in
		--record) JUDGE_RECORD=yes ;;
		--quick) JUDGE_QUICK=1 ;;
		*) rest+=("$1") ;;
		esac
		shift
	done
	TEST_DIR=$JUDGE_DIR TEST_SCRIPT=run TEST_PREPARE=judge_prepare TEST_KERNELS=
	test_options "${rest[@]}"
}

# The kernels a suite runs on: as asked for; else its file quick or kernels; else both.
# A quick run leaves out a suite that has no file quick.
judge_kernels()
{
	if [ "$JUDGE_QUICK" = 1 ]; then
		[ -e "$JUDGE_DIR/$1/quick" ] || return 0
		[ -n "$TEST_KERNELS" ] || { test_setting "$1" quick; return; }
	fi
	if [ -n "$TEST_KERNELS" ]; then
		echo "$TEST_KERNELS"
	else
		test_setting "$1" kernels || echo "stable backports"
	fi
}

# What lies beside run in the VM: programs of src/, lib.sh, and what the suite's build made.
judge_prepare()
{
	local built

	test_programs "$1" || return 1
	OPT_PUTS+=("$JUDGE_DIR/lib.sh:/root/test/lib.sh")
	OPT_ENV+=("JUDGE_QUICK=$JUDGE_QUICK" "JUDGE_DEBS=$(test_setting "$1" debs | paste -sd' ')")
	[ -e "$JUDGE_DIR/$1/build" ] || return 0
	JUDGE_NAME=$1
	built=$CACHE/judge/$1
	step "judge-$1" "$({ build_root_key; declare -f make_judge; } | key_of "$JUDGE_DIR/$1/build")" \
		make_judge >&2
	OPT_PUTS+=("$built/out:/root/test/out")
}

# A suite's script build runs in the lab's build root, in an empty folder; what it leaves in out/
# is kept.
make_judge()
{
	local dir=$CACHE/judge/$JUDGE_NAME

	rm -rf "$dir"
	mkdir -p "$dir/out"
	cp "$JUDGE_DIR/$JUDGE_NAME/build" "$dir/"
	in_root "$CACHE/root" apt-get update -q
	in_root "$CACHE/root" sh -ec 'cd "$1" && exec sh -e ./build' sh "/lab/judge/$JUDGE_NAME"
	find "$dir" -mindepth 1 -maxdepth 1 ! -name out -exec rm -rf {} +
}

# judge_rows OUT: the rows of one boot: RESULT SECONDS SUB-TEST REASON. What went wrong outside
# every sub-test is a row of its own, so that nothing that failed is missing from the table.
judge_rows()
{
	local rows

	rows=$(sed -n 's/^judge: \(pass\|FAIL\|skip\) /\1 /p' "$1.output")
	[ -z "$rows" ] || printf '%s\n' "$rows"
	case $TEST_RESULT in
	skip) echo "skip 0 (all) $TEST_WHY" ;;
	FAIL)
		if [ -e "$1.bad" ]; then
			echo "FAIL 0 (kernel-log) $(head -n 1 "$1.bad")"
		elif ! printf '%s\n' "$rows" | grep -q '^FAIL' || grep -q '^NOT OK' "$1.output" ||
			! tail -n 1 "$1.output" | grep -q '^checks: '; then
			echo "FAIL 0 (run) $TEST_WHY"
		fi
		;;
	esac
}

verb_judge()
{
	local name kernel result seconds sub reason passed=0 failed=0 skipped=0

	judge_options "$@"
	lab_build
	say "results and kernel logs: $RESULTS"
	: >"$RESULTS/table"
	: >"$RESULTS/with"
	for name in "${TEST_LIST[@]}"; do
		for kernel in $(judge_kernels "$name"); do
			test_one "$name" "$kernel"
			sed -n 's/^judge: with //p' "$RESULTS/$name-$kernel.output" >>"$RESULTS/with"
			while read -r result seconds sub reason; do
				printf '%-5s %-14s %-10s %-42s %7.1f s  %s\n' "$result" "$name" \
					"$kernel" "$sub" "$seconds" "$reason" | tee -a "$RESULTS/table"
				case $result in
				pass) passed=$((passed + 1)) ;;
				skip) skipped=$((skipped + 1)) ;;
				*) failed=$((failed + 1)) ;;
				esac
			done < <(judge_rows "$RESULTS/$name-$kernel")
		done
	done
	TEST_SUMMARY="$passed passed, $failed failed, $skipped skipped"
	[ "$JUDGE_RECORD" = no ] || judge_record
	echo "lab: $TEST_SUMMARY"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# The table with what it was made with, in a dated file in the tree.
judge_record()
{
	local file

	file=$LAB_DIR/results/judge-$(date -u +%Y-%m-%d).txt
	mkdir -p "$LAB_DIR/results"
	{
		echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) commit $(tree_commit)"
		echo "with QEMU $(cat "$CACHE/qemu/version") and our patches"
		sort -u "$RESULTS/with" | sed 's/^/with /'
		sed -e 's/ *$//' "$RESULTS/table"
		echo "$TEST_SUMMARY"
		echo
	} >>"$file"
	say "appended to $file"
}
