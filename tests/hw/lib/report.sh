# SPDX-License-Identifier: GPL-2.0-or-later
# The report: one row per check, notes, files without personal data, text, JSON, archive.

# row RESULT PHASE SUBJECT WHAT DETAIL: RESULT is pass, fail, skip or note.
row()
{
	local result=$1 phase=$2 subject=$3 what=$4 detail=${5-}

	what=${what//[$'\t\n\r']/ } detail=${detail//[$'\t\n\r']/ }
	printf '%s\t%s\t%s\t%s\t%s\n' "$result" "$phase" "$subject" "$what" "${detail:0:600}" |
		redact >>"$OUT/rows"
	printf '%-4s  %-8s %s%s\n' "$result" "$subject" "$what" "${detail:+: ${detail:0:300}}" >&3
}

count_rows()
{
	awk -F '\t' -v r="$1" '$1 == r { n++ } END { print n + 0 }' "$OUT/rows"
}

# What nobody needs to answer a question about an accelerator: names of machines and folders, MAC
# addresses, long serial numbers.
redact()
{
	sed -E "${REDACT[@]}"
}

# quote_re TEXT: as an extended regular expression, also where a comma ends it.
quote_re()
{
	printf '%s' "$1" | sed -e 's/[][\.*^$+?(){}|,]/\\&/g'
}

redact_init()
{
	local name

	name=$(cat /proc/sys/kernel/hostname)
	name=${name%%.*}
	REDACT=(-e "s,$(quote_re "$OUT"),REPORT,g" -e "s,$(quote_re "$TOP"),TREE,g"
		-e 's/([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}/MAC/g'
		-e 's/([Ss]erial( [Nn]umber)?[:= ]+)[^ ]+/\1REMOVED/g')
	case ${HOME-} in
	'' | /) ;;
	*) REDACT+=(-e "s,$(quote_re "$HOME"),HOME,g") ;;
	esac
	case $name in
	'' | localhost | '(none)') ;;
	*)
		name=$(quote_re "$name")
		REDACT+=(-e "s,(^|[^A-Za-z0-9_.-])$name(\.[A-Za-z0-9.-]+)?([^A-Za-z0-9_-]|\$),\1HOSTNAME\3,g")
		;;
	esac
}

# collect FILE COMMAND...: its output, redacted, becomes a file of the report.
collect()
{
	local file=$OUT/$1
	shift
	mkdir -p "$(dirname "$file")"
	"$@" 2>&1 | redact >"$file"
}

# json_table NAME FILE KEY...: the tab-separated FILE as an array of objects.
json_table()
{
	local name=$1 file=$2
	shift 2
	[ -e "$file" ] || file=/dev/null
	awk -F '\t' -v name="$name" -v keys="$*" '
		BEGIN { n = split(keys, key, " "); printf ",\n  \"%s\": [", name }
		{
			printf "%s\n    {", (NR > 1 ? "," : "")
			for (i = 1; i <= n; i++) {
				gsub(/\\/, "\\\\&", $i)
				gsub(/"/, "\\\\&", $i)
				gsub(/[^ -~]/, "?", $i)
				printf "%s\"%s\": \"%s\"", (i > 1 ? ", " : ""), key[i], $i
			}
			printf "}"
		}
		END { printf "\n  ]" }' "$file"
}

report_json()
{
	printf '{\n  "format": 1,\n  "kernel": "%s",\n  "tree": "%s",\n' "$(uname -r)" "$TREE_VERSION"
	printf '  "passed": %s,\n  "failed": %s,\n  "skipped": %s' "$PASSED" "$FAILED" "$SKIPPED"
	json_table rows "$OUT/rows" result phase subject what detail
	json_table model "$OUT/model" result subject profile fact hardware model
	json_table choices "$OUT/choices" result subject place choice answer
	printf '\n}\n'
}

tree_version()
{
	git -C "$TOP" describe --always --dirty 2>/dev/null ||
		sed -n 's/^AC_INIT(\[[^]]*\], *\[\([^]]*\)\].*/\1/p' "$TOP/configure.ac"
}

# report_rows RESULT TITLE
report_rows()
{
	[ "$(count_rows "$1")" != 0 ] || return 0
	printf '\n%s\n' "$2"
	awk -F '\t' -v r="$1" '$1 == r { printf "  %-8s %s%s\n", $3, $4, ($5 != "" ? ": " $5 : "") }' \
		"$OUT/rows"
}

report_model()
{
	[ -s "$OUT/model" ] || return 0
	printf '\nWhat the lab says of such a device, and what this one says\n'
	awk -F '\t' '
		$2 "\t" $3 != last { last = $2 "\t" $3; printf "  %s, against %s\n", $2, $3 }
		{ printf "    %-7s %-28s hardware %-22s model %s\n", $1, $4, $5, $6 }' "$OUT/model"
}

report_choices()
{
	[ -s "$OUT/choices" ] || return 0
	printf '\nWhat the lab had to guess (marked unverified: in its source)\n'
	awk -F '\t' '{ printf "  %-10s %-6s %s: %s\n             %s\n", $1, $2, $3, $4, $5 }' "$OUT/choices"
}

report_text()
{
	printf 'Report of tests/hw/run, tree %s\nkernel %s\n' "$TREE_VERSION" "$(uname -r)"
	report_rows note "Notes"
	report_rows fail "Failed"
	report_rows skip "Skipped"
	report_rows pass "Passed"
	report_model
	report_choices
	printf '\nRemoved from the files: host name, MAC addresses, serial numbers, home folder.\n'
	printf '%s passed, %s failed, %s skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
}

# Writes summary.txt, summary.json and the archive; prints where they are.
report_end()
{
	PASSED=$(count_rows pass) FAILED=$(count_rows fail) SKIPPED=$(count_rows skip)
	TREE_VERSION=$(tree_version)
	report_text >"$OUT/summary.txt"
	report_json >"$OUT/summary.json"
	(cd "$OUT" && find . -type f | sed 's,^\./,,' | LC_ALL=C sort) >"$WORK/files"
	tar -C "$(dirname "$OUT")" -czf "$OUT.tar.gz" --owner=0 --group=0 "$(basename "$OUT")" 2>/dev/null ||
		tar -C "$(dirname "$OUT")" -czf "$OUT.tar.gz" "$(basename "$OUT")"
	{
		printf '\nThe report is %s\nand as one file %s.tar.gz, with these files:\n' "$OUT" "$OUT"
		sed 's/^/  /' "$WORK/files"
		printf 'Host name, MAC addresses and serial numbers are removed. Look through it, then attach the\n'
		printf '.tar.gz to an issue of the project that you have this tree from.\n'
		report_rows skip "Skipped, and why"
		printf '\n%s passed, %s failed, %s skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
	} >&3
}
