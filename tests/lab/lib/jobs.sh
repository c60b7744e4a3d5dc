# SPDX-License-Identifier: GPL-2.0-or-later
# Runs tests, several VMs side by side; what they say is printed in the order of the list.

# A VM has two processors but uses one much of the time, and its 3 GiB of memory in part.
jobs_default()
{
	local free cores

	cores=$(nproc)
	free=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
	[ "$cores" -le $((free / 3)) ] || cores=$((free / 3))
	echo $((cores > 1 ? cores : 1))
}

# job FILE WORD...: one boot in a process of its own; its last act is FILE.
job()
{
	local start=$SECONDS file=$1
	shift
	set +m
	"$JOB_RUN" "$@"
	printf '%s %d %s\n' "$TEST_RESULT" $((SECONDS - start)) "$TEST_WHY" >"$file.new"
	mv "$file.new" "$file"
}

# job_start NUMBER: each job is a process group, so that it can be stopped with its VM.
job_start()
{
	local file=$RESULTS/job-$1

	rm -f "$file"
	set -m
	# shellcheck disable=SC2086
	job "$file" ${JOB_LIST[$1]} </dev/null &
	set +m
	JOB_PIDS[$!]=$1
}

jobs_stop()
{
	local pid

	for pid in "${!JOB_PIDS[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null
	done
	wait 2>/dev/null
}

# job_end PID: reads what the job left, and lets JOB_HOOK see it: NAME KERNEL RESULT SECONDS WHY.
job_end()
{
	local n=${JOB_PIDS[$1]} name kernel rest result seconds why

	unset "JOB_PIDS[$1]"
	read -r name kernel rest <<<"${JOB_LIST[$n]}"
	if [ -e "$RESULTS/job-$n" ]; then
		read -r result seconds why <"$RESULTS/job-$n"
	else
		result=FAIL seconds=0 why="the run ended without a result"
	fi
	rm -f "$RESULTS/job-$n"
	JOB_LINES[n]=$(printf '%-5s %-24s %-10s %s%4d s  %s' "$result" "$name" "${kernel##*/}" \
		"${rest:+$(printf '%-18s' "$rest")}" "$seconds" "$why")
	JOB_RESULTS[n]=$result
	"${JOB_HOOK:-:}" "$name" "$kernel" "$result" "$seconds" "$why"
}

# Lines of the tests up to the first that still runs.
jobs_print()
{
	while [ -n "${JOB_LINES[$JOB_SHOWN]-}" ]; do
		echo "${JOB_LINES[$JOB_SHOWN]}" | tee -a "$RESULTS/summary"
		JOB_SHOWN=$((JOB_SHOWN + 1))
	done
}

# Nested guests on oversubscribed processors lose their way now and then, so a test whose folder has
# the file alone has the machine to itself.
job_is_alone()
{
	local name rest

	read -r name rest <<<"${JOB_LIST[$1]}"
	[ -e "$TEST_DIR/${name##*/}/alone" ]
}

# job_may_start NUMBER
job_may_start()
{
	[ ${#JOB_PIDS[@]} -gt 0 ] || return 0
	[ ${#JOB_PIDS[@]} -lt "$JOBS" ] && ! job_is_alone "$1" && ! job_is_alone "${JOB_PIDS[@]:0:1}"
}

# jobs_run: runs JOB_LIST ("NAME KERNEL [MORE]" each) with the function JOB_RUN, JOBS at a time.
jobs_run()
{
	local next=0 pid

	JOB_PIDS=() JOB_LINES=() JOB_RESULTS=() JOB_SHOWN=0
	trap 'jobs_stop; exit 130' INT TERM
	while [ $next -lt ${#JOB_LIST[@]} ] || [ ${#JOB_PIDS[@]} -gt 0 ]; do
		while [ $next -lt ${#JOB_LIST[@]} ] && job_may_start $next; do
			job_start $next
			next=$((next + 1))
		done
		sleep 0.2
		for pid in "${!JOB_PIDS[@]}"; do
			kill -0 "$pid" 2>/dev/null || job_end "$pid"
		done
		jobs_print
	done
	trap - INT TERM
}

# jobs_count RESULT
jobs_count()
{
	printf '%s\n' "${JOB_RESULTS[@]}" | grep -cx "$1"
}

# Each of TEST_LIST on its kernels, without those that the function TEST_DONE (if set) knows.
tests_run()
{
	local name kernel start=$SECONDS

	lab_build
	say "results and kernel logs: $RESULTS"
	JOB_LIST=() TESTS_KNOWN=0
	for name in "${TEST_LIST[@]}"; do
		for kernel in $(test_kernels "$name"); do
			if [ -n "${TEST_DONE-}" ] && "$TEST_DONE" "$name" "$kernel"; then
				TESTS_KNOWN=$((TESTS_KNOWN + 1))
			else
				JOB_LIST+=("$name $kernel")
			fi
		done
	done
	[ "$JOBS" -le 1 ] || say "${#JOB_LIST[@]} boots, $JOBS at a time"
	JOB_RUN=test_one
	jobs_run
	TEST_SUMMARY="$(jobs_count pass) passed, $(jobs_count FAIL) failed, $(jobs_count skip) skipped"
	say "${#JOB_LIST[@]} boots in $((SECONDS - start)) s"
	echo "lab: $TEST_SUMMARY"
	[ "$(jobs_count FAIL)" = 0 ]
}
