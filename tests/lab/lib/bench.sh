# SPDX-License-Identifier: GPL-2.0-or-later
# Measurements in the host VM: each folder in tests/bench/ with a file run is one. They are built and
# run as judges are; lines "bench: ..." are the result.

BENCH_DIR=$TOP/tests/bench

# The lines of one boot take the place of its own.
bench_hook()
{
	local out

	out=$(test_out "$1" "$2")
	JOB_LINES[n]=$(printf '%s %s, kernel %s: %s %s\n' "$1" "${2##*/}" "$(soak_kernel "$out")" "$3" "$5"
		sed -n 's/^bench: /    /p' "$out.output")
}

# What was measured, with what it was measured on, in a dated file in the tree.
bench_record()
{
	local file=$BENCH_DIR/results/lab-$(date -u +%Y-%m-%d).txt

	mkdir -p "$BENCH_DIR/results"
	{
		echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) commit $BENCH_COMMIT"
		echo "with QEMU $(cat "$CACHE/qemu/version") (TCG) and our patches: times are good for ratios only"
		sed -e 's/ *$//' "$RESULTS/summary"
		echo
	} >>"$file"
	say "appended to $file"
}

verb_bench()
{
	local name kernel rest=()

	BENCH_RECORD=no SOAK=0 JUDGE_QUICK=0
	while [ $# -gt 0 ]; do
		case $1 in
		--record) BENCH_RECORD=yes ;;
		*) rest+=("$1") ;;
		esac
		shift
	done
	TEST_DIR=$BENCH_DIR JUDGE_DIR=$BENCH_DIR TEST_SCRIPT=run TEST_PREPARE=judge_prepare
	test_options "${rest[@]}"
	JOBS=1	# nothing else runs beside it
	lab_build
	say "results and kernel logs: $RESULTS"
	JOB_LIST=() JOB_RUN=test_one JOB_HOOK=bench_hook
	for name in "${TEST_LIST[@]}"; do
		for kernel in $(test_kernels "$name"); do
			JOB_LIST+=("$name $kernel")
		done
	done
	: >"$RESULTS/summary"
	BENCH_COMMIT=$(tree_commit)
	jobs_run
	[ "$BENCH_RECORD" = no ] || bench_record
	[ "$(jobs_count FAIL)" = 0 ]
}
