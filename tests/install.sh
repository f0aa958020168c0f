#!/bin/sh
# SPDX-License-Identifier: MIT
# What make install puts down can be used by a program that knows nothing of this tree.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
${MAKE:-make} -s install B="$B" PREFIX="$dir/usr" DESTDIR=

cat > "$dir/user.c" <<'END'
#include <scap/scap.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	struct scap_error err;
	struct scap_reader *r;

	if (argc < 2 || scap_reader_open_path(argv[1], NULL, &r, &err) == 0)
		return 1;
	puts(err.text);
	return 0;
}
END
export PKG_CONFIG_PATH="$dir/usr/lib/pkgconfig"
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror -o "$dir/shared" "$dir/user.c" $(pkg-config --cflags --libs scap)
# shellcheck disable=SC2046
cc -o "$dir/static" -static "$dir/user.c" $(pkg-config --static --cflags --libs scap)
LD_LIBRARY_PATH="$dir/usr/lib" "$dir/shared" "$dir"
"$dir/static" "$dir"
readelf -d "$dir/shared" | grep -q 'NEEDED.*libscap.so.1'
"$dir/usr/bin/scap" --version
"$dir/usr/bin/scap" help > "$dir/help"

# A man page for each verb, named in scap.1.
for verb in $(sed -n 's/^  \([a-z]*\) .*/\1/p' "$dir/help"); do
	[ "$verb" != help ] || continue
	test -s "$dir/usr/share/man/man1/scap-$verb.1" || { echo "no man page for $verb"; exit 1; }
	grep -q "scap-$verb" "$dir/usr/share/man/man1/scap.1"
	# Each long option of the help text stands in the page.
	for o in $("$dir/usr/bin/scap" "$verb" --help | sed -n 's/^  .*--\([a-z-]*\).*/\1/p'); do
		[ "$o" != help ] || continue
		sed 's/\\-/-/g' "$dir/usr/share/man/man1/scap-$verb.1" | grep -q -e "--$o" ||
			{ echo "scap-$verb.1 does not mention --$o"; exit 1; }
	done
done
# scap finds scap-watch, and each key has its place in the page.
echo 'triggers: [{builtin: http-5xx, filter: proc.name=x, count: 2, within: 1s}]' |
	"$dir/usr/bin/scap" watch --print-config -c - > "$dir/config"
page=$dir/usr/share/man/man5/scap-watch.yaml.5
for key in $(sed -n 's/^[ -]*\([a-z-]*\):.*/\1/p' "$dir/config"); do
	sed 's/\\-/-/g' "$page" | grep -q "^\.BR* .*\<$key\>" ||
		{ echo "scap-watch.yaml.5 does not mention $key"; exit 1; }
done
# The library's page names each header; its example builds as it stands there.
page=$dir/usr/share/man/man3/libscap.3
for h in "$dir"/usr/include/scap/*.h; do
	case $h in */scap.h|*/error.h|*/abi_events.h) continue ;; esac
	grep -q "<scap/$(basename "$h")>" "$page" || { echo "libscap.3 does not mention $h"; exit 1; }
done
sed -n '/^\.RS 4$/,/^\.RE$/p' "$page" | sed '/^\.R[SE]/d; s/\\e/\\/g; s/\\-/-/g' > "$dir/page.c"
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror -o "$dir/page" "$dir/page.c" $(pkg-config --cflags --libs scap)
LD_LIBRARY_PATH="$dir/usr/lib" "$dir/page" "$dir" && { echo "a directory was read"; exit 1; }
if command -v man > /dev/null; then
	for page in "$dir"/usr/share/man/man?/*; do
		LC_ALL=C.UTF-8 man --warnings -l "$page" 2>&1 > /dev/null | grep . &&
			{ echo "warnings about $page"; exit 1; }
	done
fi
# The unit and its user, as systemd reads them: it says nothing of what it likes.
unit=$dir/usr/lib/systemd/system/scap-watch.service
grep -q "^ExecStart=$dir/usr/bin/scap watch " "$unit"
if command -v systemd-analyze > /dev/null; then
	systemd-analyze verify --man=no "$unit" 2>&1 | grep scap &&
		{ echo "systemd does not like scap-watch.service"; exit 1; }
fi
if command -v systemd-sysusers > /dev/null; then
	systemd-sysusers --dry-run "$dir/usr/lib/sysusers.d/scap.conf" > "$dir/sysusers" 2>&1 ||
		{ cat "$dir/sysusers"; exit 1; }
fi
# Installed below DESTDIR, the paths inside stay those of PREFIX.
${MAKE:-make} -s install B="$B" PREFIX=/usr DESTDIR="$dir/stage"
grep -q '^libdir=/usr/lib$' "$dir/stage/usr/lib/pkgconfig/scap.pc"
test -x "$dir/stage/usr/bin/scap"
