# SPDX-License-Identifier: GPL-2.0-only
# Turns pahole's listing into structures that hold only the wanted fields, each
# at its BTF offset and with its BTF type, and asserts every one of them again
# in C. First file: layout.list, second: pahole's output.

function fail(text)
{
	print "idxd_mdev: error: " text " in idxd.ko of " kver > "/dev/stderr"
	failed = 1
	exit 1
}

# "type name[..];" or "type (*name)(..);" -> name
function field_name(decl,	s)
{
	s = decl
	if (s ~ /\(\*/) {
		sub(/^.*\(\*/, "", s)
		sub(/\).*$/, "", s)
		return s
	}
	sub(/;.*$/, "", s)
	sub(/\[.*$/, "", s)
	sub(/:[0-9]+$/, "", s)
	sub(/ *$/, "", s)
	sub(/^.*[ *]/, "", s)
	return s
}

# "16: 0  4" -> 4
function last_word(s)
{
	sub(/^.*[ :]/, "", s)
	return s
}

function pad(from, to, name)
{
	if (to + 0 > from + 0)
		printf "\tchar __%s_%d[%d];\n", name, from, to - from
}

function emit_struct(s,		n, f, i, want, pos, opt, key, order, k, j, t)
{
	if (!(s in size))
		fail("struct " s " does not exist")
	n = split(fields[s], want, " ")
	k = 0
	for (i = 1; i <= n; i++) {
		f = want[i]
		opt = sub(/^\?/, "", f)
		key = s SUBSEP f
		if (!(key in off)) {
			if (opt)
				continue
			fail(s "." f " does not exist")
		}
		if (bits[key])
			fail(s "." f " is a bit-field")
		if (opt)
			printf "#define LAYOUT_HAS_%s_%s 1\n", toupper(s), toupper(f)
		order[++k] = f
	}
	for (i = 2; i <= k; i++)
		for (j = i; j > 1 && off[s, order[j]] + 0 < off[s, order[j - 1]] + 0; j--) {
			t = order[j]
			order[j] = order[j - 1]
			order[j - 1] = t
		}
	printf "struct %s {\n", s
	pos = 0
	for (i = 1; i <= k; i++) {
		f = order[i]
		pad(pos, off[s, f], "pad")
		printf "\t%s\n", decl[s, f]
		pos = off[s, f] + len[s, f]
	}
	pad(pos, size[s], "tail")
	print "};"
	printf "static_assert(sizeof(struct %s) == %d);\n", s, size[s]
	for (i = 1; i <= k; i++) {
		f = order[i]
		printf "static_assert(offsetof(struct %s, %s) == %d);\n", s, f, off[s, f]
		printf "static_assert(sizeof_field(struct %s, %s) == %d);\n", s, f, len[s, f]
	}
	print ""
}

# the list
FNR == NR {
	if ($1 == "enum") {
		want_kind[++wanted] = "enum"
		want_name[wanted] = $2
	} else if ($1 == "struct") {
		name = $2
		sub(/:$/, "", name)
		want_kind[++wanted] = "struct"
		want_name[wanted] = name
		line = $0
		sub(/^[^:]*:/, "", line)
		fields[name] = line
	}
	next
}

# the dump: whole enumerations
/^enum [a-z_0-9]+ \{/ {
	in_enum = $2
	body[in_enum] = ""
	next
}
in_enum != "" {
	if ($0 ~ /^}/)
		in_enum = ""
	else
		body[in_enum] = body[in_enum] $0 "\n"
	next
}

# the dump: structures; only direct members count
/^struct [a-z_0-9]+ \{/ {
	cur = $2
	depth = 1
	next
}
cur == "" { next }
/^\t\/\* size: / {
	line = $0
	sub(/^.*size: /, "", line)
	sub(/,.*$/, "", line)
	size[cur] = line + 0
	next
}
/^}/ {
	cur = ""
	next
}
/\{$/ {
	depth++
	next
}
/^\t+}/ {
	depth--
	next
}
depth == 1 && /;.*\/\* +[0-9]+(:[ 0-9]+)? +[0-9]+ \*\/$/ {
	text = $0
	where = $0
	sub(/^.*\/\* */, "", where)
	sub(/ *\*\/$/, "", where)
	sub(/ *\/\*[^*]*\*\/$/, "", text)
	gsub(/[ \t]+/, " ", text)
	sub(/^ /, "", text)
	sub(/ \*\/$/, "", text)
	name = field_name(text)
	# a union in one piece: its bytes, aligned by the pad before it
	if (text ~ /^union [a-z_0-9]+ [a-z_0-9]+;/)
		text = "unsigned char " name "[" last_word(where) "];"
	count = split(where, part, /[: ]+/)
	off[cur, name] = part[1] + 0
	len[cur, name] = part[count] + 0
	bits[cur, name] = count > 2
	decl[cur, name] = text
}

END {
	if (failed)
		exit 1
	print "/* SPDX-License-Identifier: GPL-2.0-only */"
	print "/* Made by layout.sh from the BTF of " kver "; do not edit. */"
	print "#ifndef IDXD_MDEV_LAYOUT_H"
	print "#define IDXD_MDEV_LAYOUT_H"
	print ""
	print "#include <linux/completion.h>"
	print "#include <linux/device.h>"
	print "#include <linux/iommu.h>"
	print "#include <linux/module.h>"
	print "#include <linux/mutex.h>"
	print "#include <linux/pci.h>"
	print "#include <linux/spinlock.h>"
	print "#include <linux/wait.h>"
	print "#include <linux/xarray.h>"
	print ""
	print "union wqcfg;"
	print ""
	for (i = 1; i <= wanted; i++) {
		if (want_kind[i] == "struct") {
			emit_struct(want_name[i])
			continue
		}
		if (!(want_name[i] in body))
			fail("enum " want_name[i] " does not exist")
		printf "enum %s {\n%s};\n\n", want_name[i], body[want_name[i]]
	}
	print "#endif"
}
