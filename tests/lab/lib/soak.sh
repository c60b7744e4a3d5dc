# SPDX-License-Identifier: GPL-2.0-or-later
# Full counts. The result of each test goes to a dated file in the tree as soon as it is known, with
# the commit and the kernel that it is about; so a soak that is stopped can go on later.

SOAK_DIR=$LAB_DIR/results

# The commit of this tree. Results do not make it a changed one.
tree_commit()
{
	local commit

	commit=$(git -C "$TOP" rev-parse HEAD 2>/dev/null) || { echo unknown; return; }
	[ -z "$(git -C "$TOP" status --porcelain -- . ':!tests/lab/results' 2>/dev/null)" ] ||
		commit="$commit with changes"
	echo "$commit"
}

# tree_same COMMIT: this tree differs from it in results at most.
tree_same()
{
	git -C "$TOP" cat-file -e "$1^{commit}" 2>/dev/null &&
		git -C "$TOP" diff --quiet "$1" HEAD -- . ':!tests/lab/results'
}

# The version that a kernel log begins with.
soak_kernel()
{
	sed -n 's/.*Linux version \([^ ]*\) .*/\1/p' "$1.kernel" 2>/dev/null | head -n 1
}

# One line, and under it the counts that the test reported.
soak_record()
{
	local out commit kernel

	out=$(test_out "$1" "$2")
	commit=$(tree_commit)
	# Neither the old nor the new state is what ran when the tree changed meanwhile.
	[ "$commit" = "$SOAK_COMMIT" ] || commit="${SOAK_COMMIT%% *} with changes"
	kernel=$(soak_kernel "$out")
	{
		echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $3 $1 ${2##*/} ${kernel:-unknown} $4 s commit $commit $5" |
			sed 's/ *$//'
		sed -nE 's/^([a-zA-Z0-9_-]+\| )?(.*[0-9]+ (of [0-9]+ )?copies.*[0-9]+ (failures|wrong).*)/\2/p' \
			"$out.output" 2>/dev/null | uniq -c | sed -E 's/^ *([0-9]+) /    \1 x /'
	} >"$out.record"
	cat "$out.record" >>"$SOAK_FILE"
}

# soak_done NAME KERNEL: a recorded pass of it on the same kernel and tree, without changes.
soak_done()
{
	local version commit

	version=$(kernel_version "$2")
	[ -n "$version" ] || return 1
	while read -r commit; do
		if tree_same "$commit"; then
			say "$1 on $2 passed already"
			return 0
		fi
	done < <(cat "$SOAK_DIR"/20*.txt 2>/dev/null | awk -v name="$1" -v kernel="$2" -v version="$version" '
		$2 == "pass" && $3 == name && $4 == kernel && $5 == version && $8 == "commit" && $10 != "with" {
			print $9
		}' | sort -u)
	return 1
}

verb_soak()
{
	SOAK=1
	test_options "$@"
	[ "$RECORD" = no ] || die "lab soak records always"
	soak_run ""
}

# soak_run PREFIX: the tests, each recorded in results/PREFIX and the date.
soak_run()
{
	local rc

	SOAK_FILE=$SOAK_DIR/$1$(date -u +%Y-%m-%d).txt
	mkdir -p "$SOAK_DIR"
	SOAK_COMMIT=$(tree_commit)
	if [ "$RESUME" = yes ]; then
		case $SOAK_COMMIT in
		unknown) die "--resume: $TOP is not a git clone, so nobody knows what was tested" ;;
		*' with changes') die "--resume: this tree has changes; a result belongs to a commit" ;;
		esac
		TEST_DONE=soak_done
	fi
	JOB_HOOK=soak_record
	tests_run
	rc=$?
	[ "$TESTS_KNOWN" = 0 ] || TEST_SUMMARY+=", $TESTS_KNOWN passed before"
	printf '%s of %s boots: %s\n\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		$((${#JOB_LIST[@]} + TESTS_KNOWN)) "$TEST_SUMMARY" >>"$SOAK_FILE"
	say "appended to $SOAK_FILE"
	return $rc
}
