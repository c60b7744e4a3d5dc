# SPDX-License-Identifier: GPL-2.0-or-later
# Would the suites notice? Each mistake of the table in bugs is made while its suites run.

BUG_TABLE=$LAB_DIR/bugs

bug_rows()
{
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$BUG_TABLE"
}

bug_options()
{
	BUG_LIST=() BUG_RECORD=no JOBS=$(jobs_default)
	RESULTS=$CACHE/results/bugs-$(date -u +%Y%m%d-%H%M%S)-$$
	while [ $# -gt 0 ]; do
		case $1 in
		--jobs | --results) [ $# -ge 2 ] || die "$1 needs a value" ;;
		esac
		case $1 in
		--jobs) JOBS=$2; shift ;;
		--results) RESULTS=$2; shift ;;
		--record) BUG_RECORD=yes ;;
		-*) die "unknown option $1 (see lab help)" ;;
		*)
			bug_rows | awk -v b="$1" '$1 == b { n++ } END { exit !n }' || die "no bug '$1' in $BUG_TABLE"
			BUG_LIST+=("$1")
			;;
		esac
		shift
	done
	[ ${#BUG_LIST[@]} -gt 0 ] || mapfile -t BUG_LIST < <(bug_rows | awk '!seen[$1]++ { print $1 }')
	mkdir -p "$RESULTS"
}

# The rows of the bugs asked for.
bug_selected()
{
	local bug

	for bug in "${BUG_LIST[@]}"; do
		bug_rows | awk -v b="$bug" '$1 == b'
	done
}

# bug_one SUITE KERNEL BUG: sets TEST_RESULT to pass or FAIL (BUG is none), caught or missed; FAIL also
# when the suite never ran. A dropped interrupt may stop everything, so time is short: three times what
# the suite took without a bug, if that is known.
bug_one()
{
	local suite=$1 kernel=$2 bug=$3 name=${1#*/} out took="" start=$SECONDS
	local file=$RESULTS/none/${1#*/}-${2##*/}.seconds

	RESULTS=$RESULTS/$bug
	mkdir -p "$RESULTS"
	SOAK=0 JUDGE_QUICK=1
	case $suite in
	judge/*) TEST_DIR=$JUDGE_DIR TEST_SCRIPT=run TEST_PREPARE=judge_prepare ;;
	esac
	if [ "$bug" != none ]; then
		HW_BUG=$bug
		[ ! -e "$file" ] || took=$(cat "$file")
		[ -z "$took" ] || TEST_TIMEOUT=$((took > 60 ? 3 * took : 180))
	fi
	test_one "$name" "$kernel"
	[ "$bug" != none ] || echo $((SECONDS - start)) >"$file"
	out=$(test_out "$name" "$kernel")
	case $TEST_RESULT in
	FAIL) TEST_WHY=$(sed -n '/^judge: FAIL/{s/^judge: //p;q}' "$out.output" | grep . || echo "$TEST_WHY") ;;
	skip) TEST_RESULT=FAIL TEST_WHY="skipped: $TEST_WHY" ;;
	esac
	[ "$bug" != none ] || return 0
	if ! grep -qs 'lab: command starts after' "$out.kernel"; then
		TEST_RESULT=FAIL TEST_WHY="the suite did not run: $TEST_WHY"
	elif [ "$TEST_RESULT" = pass ]; then
		TEST_RESULT=missed
	elif [ "${TEST_WHY#skipped}" = "$TEST_WHY" ]; then
		TEST_RESULT=caught
	fi
}

# Bug by bug: who caught it. Fails when nobody did.
bug_summary()
{
	local bug suite kernel rest whose n stock own missed bad=0 lonely=0

	for bug in "${BUG_LIST[@]}"; do
		stock="" own="" missed=""
		for n in "${!JOB_LIST[@]}"; do
			read -r suite kernel rest <<<"${JOB_LIST[$n]}"
			[ "$rest" = "$bug" ] || continue
			whose=$(bug_rows | awk -v b="$bug" -v s="$suite" -v k="$kernel" \
				'$1 == b && $2 == s && $3 == k { print $4 }')
			case ${JOB_RESULTS[$n]}:$whose in
			caught:stock) stock+=" $suite" ;;
			caught:*) own+=" $suite" ;;
			*) missed+=" $suite" ;;
			esac
		done
		printf '%-18s %-38s %-30s %s\n' "$bug" "stock:${stock:- -}" "own:${own:- -}" "not:${missed:- -}"
		[ -n "$stock" ] || lonely=$((lonely + 1))
		[ -n "$stock$own" ] || bad=$((bad + 1))
	done
	echo "bugs: $((${#BUG_LIST[@]} - bad)) of ${#BUG_LIST[@]} caught," \
		"$((${#BUG_LIST[@]} - lonely)) by software of others"
	[ $bad = 0 ]
}

verb_bugs()
{
	local rc

	bug_options "$@"
	lab_build
	say "results and kernel logs: $RESULTS"
	mapfile -t JOB_LIST < <(bug_selected | awk '!seen[$2, $3]++ { print $2, $3, "none" }'
		bug_selected | awk '{ print $2, $3, $1 }')
	JOB_RUN=bug_one
	jobs_run
	bug_summary >"$RESULTS/bugs"
	rc=$?
	cat "$RESULTS/bugs"
	if [ "$(jobs_count FAIL)" != 0 ]; then
		echo "bugs: a suite that fails without a bug, or does not run, shows nothing"
		rc=1
	fi
	[ "$BUG_RECORD" = no ] || {
		echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) commit $(tree_commit)"
		sed 's/ *$//' "$RESULTS/summary" "$RESULTS/bugs"
		echo
	} >>"$SOAK_DIR/bugs-$(date -u +%Y-%m-%d).txt"
	return $rc
}
