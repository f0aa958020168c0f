#!/bin/sh
# SPDX-License-Identifier: MIT
# The programs of docs/examples, built as the comment at the top of each says, with nothing but what
# make install puts down; what they print is compared with NAME.out here. A result line for each.
#	run.sh --record		takes what comes as what is expected
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
B=${B:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
log=$dir/log
{ mkdir "$dir/files" && ${MAKE:-make} -s install B="$B" PREFIX="$dir/usr" DESTDIR= &&
	"$B/cli/gen" "$dir/files"; } > "$log" 2>&1 ||
	{ cat "$log" >&2; echo "FAIL examples make install, or gen"; exit 1; }
cp docs/examples/*.c "$dir"
export PKG_CONFIG_PATH="$dir/usr/lib/pkgconfig" LD_LIBRARY_PATH="$dir/usr/lib" TZ=UTC LC_ALL=C
scap=$dir/usr/bin/scap

run()
{
	case $1 in
	failed_opens) ./failed_opens files/noend.scapz; echo "status $?"; ./failed_opens files/story.scapz ;;
	count_calls) ./count_calls < files/story.scapz; ./count_calls < files/hole.scapz ;;
	bytes_read)
		for f in story bytes hole noend; do
			./bytes_read "files/$f.scapz"
			echo "status $?"
		done ;;
	write_rows)
		printf 'one\ntwo "quoted"\n' | ./write_rows > made.scapz
		"$scap" read made.scapz && "$scap" verify made.scapz ;;
	*) echo "there is no such case" ;;
	esac 2>&1
}

rc=0
for f in docs/examples/*.c; do
	name=$(basename "$f" .c)
	cc=$(sed -n 's/^ \*	cc /cc -Wall -Wextra -Werror /p' "$f")
	# What is described is what is run.
	if ! (cd "$dir" && eval "${cc:-false}" > "$log" 2>&1 && run "$name" > "$name.out"); then
		cat "$log" >&2
		echo "FAIL examples/$name does not build, or fails"
		rc=1
	elif [ "${1:-}" = --record ]; then
		cp "$dir/$name.out" "$here/$name.out"
	elif diff -u "$here/$name.out" "$dir/$name.out" >&2; then
		echo "ok examples/$name"
	else
		echo "FAIL examples/$name prints something else"
		rc=1
	fi
done
exit $rc
