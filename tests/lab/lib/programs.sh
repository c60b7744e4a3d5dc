# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that tests need in the VM, compiled in the build root and kept; and files of this tree.

# C programs that a test wants: a line of its file programs is a NAME, made from src/NAME.c, or a
# NAME and its sources, relative to the lab's folder. Prints why when one fails.
test_programs()
{
	local p sources

	while read -r p sources; do
		# shellcheck disable=SC2086
		mapfile -t sources < <(cd "$LAB_DIR" && printf '%s\n' ${sources:-src/$p.c})
		program_make "$p" "${sources[@]}" || return 1
		OPT_PUTS+=("$CACHE/$PROGRAM:/root/test/$p")
	done < <(test_setting "$1" programs)
	test_files "$1"
	test_vmms "$1"
}

# A line of a test's file files: something in this tree, and where it goes in the VM.
test_files()
{
	local src dst

	while read -r src dst; do
		OPT_PUTS+=("$TOP/$src:$dst")
	done < <(test_setting "$1" files)
}

# program_make NAME SOURCE...: sets PROGRAM, its file in the cache.
program_make()
{
	local name=$1 key
	shift
	key=$(cd "$LAB_DIR" && { build_root_key; declare -f test_compile; \
		test_headers "$@" | xargs cat "$@"; } | sha256sum | cut -c1-24)
	PROGRAM=programs/$name-$key
	mkdir -p "$CACHE/programs"
	[ ! -e "$CACHE/$PROGRAM" ] || return 0
	test_compile "$PROGRAM" "$@" 2>"$CACHE/$PROGRAM.log" || {
		cat "$CACHE/$PROGRAM.log" >&2
		echo "$name does not compile ($*)"
		return 1
	}
}

# The headers beside sources.
test_headers()
{
	find "${@%/*}" -maxdepth 1 -name '*.h' | LC_ALL=C sort -u
}

# test_compile MADE SOURCE...: sources may include headers that lie beside them.
test_compile()
{
	local made=$1
	shift
	(cd "$LAB_DIR" && { printf '%s\n' "$@"; test_headers "$@"; } | tar -cf - -T -) |
		in_root "$CACHE/root" sh -ec '
			made=$1; shift
			dir=$(mktemp -d)
			trap "rm -rf $dir" EXIT
			tar -C "$dir" -xf -
			cd "$dir"
			gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static \
				-o "/lab/$made.$$" "$@"
			mv "/lab/$made.$$" "/lab/$made"' sh "$made" "$@"
}
