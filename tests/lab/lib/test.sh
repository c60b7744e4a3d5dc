# SPDX-License-Identifier: GPL-2.0-or-later
# One test on one kernel is one boot; jobs.sh runs them all, soak.sh keeps what they say.

TEST_DIR=$LAB_DIR/tests
TEST_SCRIPT=test
TEST_PREPARE=test_programs

test_names()
{
	local t

	for t in "$TEST_DIR"/*/"$TEST_SCRIPT"; do
		[ -e "$t" ] || continue
		t=${t%/*}
		echo "${t##*/}"
	done
}

# A test's file NAME without comments: kernels, timeout, debs, ...
test_setting()
{
	[ -e "$TEST_DIR/$1/$2" ] && sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$TEST_DIR/$1/$2"
}

# The kernels a test runs on: as asked for; else its file kernels; else both. The debug kernel
# has to be asked for; and so has, outside of a soak, the test on the kernels in its file soak.
test_kernels()
{
	local left=debug

	if [ -n "$TEST_KERNELS" ]; then
		echo "$TEST_KERNELS"
		return
	fi
	[ "${SOAK:-0}" = 1 ] || [ "$TEST_NAMED" = yes ] || left=$(echo debug; test_setting "$1" soak)
	{ test_setting "$1" kernels || printf 'stable\nbackports\n'; } | grep -vxF -e "$left"
}

verb_list()
{
	local t

	for t in $(test_names); do
		printf '%-24s %s\n' "$t" "$(sed -n '3s/^# *//p' "$TEST_DIR/$t/test")"
	done
}

# test_options ARGUMENTS...: sets TEST_LIST, TEST_KERNELS, JOBS, RESUME, RECORD and the output folder.
test_options()
{
	TEST_LIST=() TEST_KERNELS="" TEST_NAMED=yes RESUME=no RECORD=no JOBS=$(jobs_default)
	RESULTS=${IDXD_LAB_RESULTS:-$CACHE/results/$(date -u +%Y%m%d-%H%M%S)-$$}
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel | --results | --jobs)
			[ $# -ge 2 ] || die "$1 needs a value"
			;;
		esac
		case $1 in
		--kernel)
			TEST_KERNELS=$2
			shift
			;;
		--results)
			RESULTS=$2
			shift
			;;
		--jobs)
			[ "$2" -ge 1 ] 2>/dev/null || die "--jobs needs a number"
			JOBS=$2
			shift
			;;
		--resume) RESUME=yes ;;
		--record) RECORD=yes ;;
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
		TEST_NAMED=no
	fi
	[ ${#TEST_LIST[@]} -gt 0 ] || die "there are no tests in $TEST_DIR"
	mkdir -p "$RESULTS"
}

# Where the files of one boot begin; a kernel may be a path.
test_out()
{
	echo "$RESULTS/$1-${2##*/}"
}

# A test whose folder has the file boots is run in that many, each a new VM; it ends with the first
# that fails. Its kernel log is that of the last.
test_boots()
{
	local left rc

	left=$(test_setting "$1" boots || echo 1)
	[ "$SOAK" = 1 ] || left=$(((left + 19) / 20))
	while :; do
		run_booted
		rc=$?
		run_clean
		left=$((left - 1))
		[ $rc = 0 ] && [ $left -gt 0 ] || return $rc
	done
}

# test_one NAME KERNEL: one boot; sets TEST_RESULT (pass, FAIL, skip) and TEST_WHY.
test_one()
{
	local name=$1 out rc deb part

	out=$(test_out "$1" "$2")
	run_defaults
	OPT_KERNEL=$2
	OPT_KEEP_LOG=$out.kernel
	[ ! -e "$TEST_DIR/$name/hw" ] || OPT_HW=$TEST_DIR/$name/hw
	OPT_TIMEOUT=${TEST_TIMEOUT:-$(test_setting "$name" timeout || echo 600)}
	[ "$SOAK" = 0 ] || OPT_TIMEOUT=$((OPT_TIMEOUT * 20))
	while read -r deb; do
		OPT_DEBS+=("$deb")
	done < <(test_setting "$name" debs)
	while read -r part; do
		skip_part "$part"
	done < <(test_setting "$name" skip)
	[ ! -e "$TEST_DIR/$name/packaged" ] || run_packaged
	OPT_PUTS=("$TEST_DIR/$name:/root/test")
	MODE=run COMMAND="cd /root/test && sh ./$TEST_SCRIPT"
	( "$TEST_PREPARE" "$name" || exit 1; test_boots "$name" ) \
		>"$out.output" 2>"$out.lab" </dev/null
	rc=$?
	TEST_WHY=
	case $rc in
	0)
		TEST_RESULT=pass
		[ ! -e "$out.kernel.boot1" ] || TEST_WHY="(a boot got stuck before the test and was repeated)"
		! grep -q '^guest .*: stuck in its boot' "$out.output" ||
			TEST_WHY="(a guest's boot got stuck and was repeated)"
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

verb_test()
{
	local prefix

	SOAK=0
	test_options "$@"
	[ "$RESUME" = no ] || die "--resume is for lab soak"
	if [ "$RECORD" = no ]; then
		tests_run
	else
		prefix=${TEST_KERNELS##*/}
		soak_run "${prefix:-test}-"
	fi
}
