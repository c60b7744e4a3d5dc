# SPDX-License-Identifier: GPL-2.0-or-later
# For suites that run in the host VM: . ./lib.sh
# Prints one row a sub-test; has all that tests have (wq_config, guest, skip, ...).
. /usr/lib/idxd-lab/lib.sh

# judge_with WHAT VERSION: what the table was made with.
judge_with()
{
	echo "judge: with $*"
}

judge_with "kernel" "$(uname -r)"
for deb in ${JUDGE_DEBS-}; do
	judge_with "$deb" "$(dpkg-query -W -f '${Version}' "$deb")"
done

# row RESULT SECONDS NAME REASON...: NAME is one word.
row()
{
	local result=$1 seconds=$2 name=$3
	shift 3
	LAB_CHECKS=$((LAB_CHECKS + 1))
	[ "$result" != FAIL ] || LAB_FAILED=$((LAB_FAILED + 1))
	echo "judge: $result $seconds $name $*"
}

now_ms()
{
	date +%s%3N
}

# seconds_since MS
seconds_since()
{
	local ms=$(($(now_ms) - $1))
	printf '%d.%03d' $((ms / 1000)) $((ms % 1000))
}

# sub_test NAME SECONDS COMMAND...: a row from the command's exit status: 0 passes, 77 skips
# (the reason is what it said last), all else fails. Its output is shown with "NAME: " before it.
sub_test()
{
	local name=$1 limit=$(($2 * ${LAB_SLOW:-1})) start rc out=/run/judge.out
	shift 2
	start=$(now_ms)
	timeout -k 5 "$limit" "$@" >"$out" 2>&1
	rc=$?
	sed "s|^|$name: |" "$out"
	case $rc in
	0) row pass "$(seconds_since "$start")" "$name" ;;
	77) row skip "$(seconds_since "$start")" "$name" "$(tail -n 1 "$out")" ;;
	124 | 137) row FAIL "$(seconds_since "$start")" "$name" "not finished after $limit s" ;;
	*) row FAIL "$(seconds_since "$start")" "$name" \
		"status $rc; $(grep -v '^ *$' "$out" | tail -n 1)" ;;
	esac
	return $rc
}
