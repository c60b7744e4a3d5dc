#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each message of the journal is in message.h, in the catalog and in the manual page, and none
# other is.
set -u
cd "${top_srcdir:-.}" || exit 1

ids='[0-9a-f]\{32\}'
sed -n "s/.*X([A-Z_]*, \"\($ids\)\").*/\1/p" idxdvd/common/message.h | sort >"${TMPDIR:-/tmp}/ids.$$"
trap 'rm -rf "${TMPDIR:-/tmp}/ids.$$"' EXIT
wanted=$(cat "${TMPDIR:-/tmp}/ids.$$")
[ "$(echo "$wanted" | wc -l)" -ge 7 ] || { echo "lint: no messages in message.h"; exit 1; }
[ "$wanted" = "$(echo "$wanted" | uniq)" ] || { echo "lint: two messages have one identifier"; exit 1; }

bad=0
compare()
{
	[ "$wanted" = "$2" ] && return
	echo "lint: $1 does not have the messages of message.h:"
	echo "$2" | diff "${TMPDIR:-/tmp}/ids.$$" -
	bad=1
}
compare policy/idxdvd.catalog "$(sed -n "s/^-- \($ids\)$/\1/p" policy/idxdvd.catalog | sort)"
compare man/idxdvd.rst "$(sed -n "s/^\($ids\)$/\1/p" man/idxdvd.rst | sort)"

# A field that is not sent would stay as it is in the text.
for field in $(grep -o '@[A-Z_]*@' policy/idxdvd.catalog | tr -d @ | sort -u); do
	grep -q "\"$field\"" idxdvd/common/message.c || { echo "lint: $field is never sent"; bad=1; }
	grep -q "\*$field\*" man/idxdvd.rst || { echo "lint: $field is not in idxdvd(8)"; bad=1; }
done
exit $bad
