# SPDX-License-Identifier: GPL-2.0-or-later
# Other people's tests of the emulated function: each folder in judge/ is a suite. See its README.

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
	TEST_DIR=$JUDGE_DIR TEST_SCRIPT=run TEST_PREPARE=judge_prepare
	test_options "${rest[@]}"
}

# The kernels of a suite: of its file quick in a quick run, which leaves out what has none.
judge_kernels()
{
	if [ "$JUDGE_QUICK" = 0 ]; then
		test_kernels "$1"
	elif [ -e "$JUDGE_DIR/$1/quick" ]; then
		echo "${TEST_KERNELS:-$(test_setting "$1" quick)}"
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
	mkdir -p "$CACHE/judge"
	exec 7>"$CACHE/judge/$1.lock"
	flock 7
	step "judge-$1" "$({ build_root_key; declare -f make_judge; } | key_of "$JUDGE_DIR/$1/build")" \
		make_judge >&2
	exec 7>&-
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
	pass) [ -n "$rows" ] || echo "FAIL 0 (run) no sub-test" ;;
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

# The rows of a boot that has ended take the place of its line.
judge_hook()
{
	local out seconds sub reason TEST_RESULT=$3 TEST_WHY=$5 result

	out=$(test_out "$1" "$2")
	JOB_LINES[n]=$(judge_rows "$out" | while read -r result seconds sub reason; do
		printf '%-5s %-14s %-10s %-42s %7.1f s  %s\n' "$result" "$1" "${2##*/}" "$sub" \
			"$seconds" "$reason"
	done)
}

verb_judge()
{
	local name kernel start=$SECONDS

	JUDGE_ARGS=$*
	judge_options "$@"
	lab_build
	say "results and kernel logs: $RESULTS"
	JOB_LIST=() JOB_RUN=test_one JOB_HOOK=judge_hook
	for name in "${TEST_LIST[@]}"; do
		for kernel in $(judge_kernels "$name"); do
			JOB_LIST+=("$name $kernel")
		done
	done
	: >"$RESULTS/summary"
	JUDGE_COMMIT=$(tree_commit)
	# Also when the run is stopped: what has ended is worth keeping.
	[ "$JUDGE_RECORD" = no ] || trap judge_record EXIT
	jobs_run
	say "${#JOB_LIST[@]} boots in $((SECONDS - start)) s"
	echo "lab: $(judge_summary)"
	[ "$(judge_count FAIL)" = 0 ] && [ "$(judge_count pass)" -gt 0 ]
}

judge_count()
{
	grep -c "^$1 " "$RESULTS/summary"
}

judge_summary()
{
	echo "$(judge_count pass) passed, $(judge_count FAIL) failed, $(judge_count skip) skipped"
}

# The table with what it was made with, in a dated file in the tree.
judge_record()
{
	local file commit

	commit=$(tree_commit)
	# Neither the old nor the new state is what ran when the tree changed meanwhile.
	[ "$commit" = "$JUDGE_COMMIT" ] || commit="${JUDGE_COMMIT%% *} with changes"
	file=$LAB_DIR/results/judge-$(date -u +%Y-%m-%d).txt
	mkdir -p "$LAB_DIR/results"
	{
		echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) commit $commit: lab judge $JUDGE_ARGS"
		echo "with QEMU $(cat "$CACHE/qemu/version") and our patches"
		sed -n 's/^judge: \(with .*\)/\1/p' "$RESULTS"/*.output | sort -u
		sed -e 's/ *$//' "$RESULTS/summary"
		[ "$JOB_SHOWN" = ${#JOB_LIST[@]} ] ||
			echo "stopped after $JOB_SHOWN of ${#JOB_LIST[@]} boots"
		judge_summary
		echo
	} >>"$file"
	say "appended to $file"
}
