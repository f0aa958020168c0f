#!/bin/sh
# SPDX-License-Identifier: MIT
# A capture made here is read by a machine of the other byte order: scap, built for s390x, runs under
# QEMU's user mode, and what it prints and writes is compared with what the native one does. The
# command-line cases run with it, too. Result lines go to standard output.
#	big-endian.sh [FILE...]		these captures instead
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
dir=$B/big-endian
root=$dir/root
packages="libc6-dev linux-libc-dev libgcc-12-dev libzstd-dev zlib1g-dev libsodium-dev libjansson-dev"
export TZ=UTC LC_ALL=C

skip() { echo "skip big-endian $*"; exit 0; }

# Debian's libraries for s390x, from apt directories of our own: the system's architectures stay.
get_root()
{
	[ "$(cat "$root/.whole" 2>/dev/null)" != "$packages" ] || return 0
	apt=$(realpath "$dir")/apt
	rm -rf "$root"
	mkdir -p "$root" "$apt/lists/partial" "$apt/archives/partial" || return 1
	: > "$apt/status"
	cat > "$apt/apt.conf" <<-END
		APT::Architecture "s390x";
		APT::Architectures { "s390x"; };
		Acquire::Languages "none";
		Dir::State "$apt";
		Dir::State::lists "$apt/lists";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt";
		Dir::Cache::archives "$apt/archives";
	END
	export APT_CONFIG="$apt/apt.conf"
	# shellcheck disable=SC2086
	apt-get -q update >&2 && (cd "$apt/archives" && apt-get -q download $packages >&2) || return 1
	for deb in "$apt"/archives/*.deb; do
		dpkg-deb -x "$deb" "$root" || return 1
	done
	rm -rf "$apt"
	echo "$packages" > "$root/.whole"
}

# Both on the same arguments: what they print, say and return, and the file $out, if they write it.
out=$dir/out
same()
{
	rm -f "$out"
	"$B/scap" "$@" > "$dir/native.out" 2> "$dir/native.err"
	echo $? >> "$dir/native.err"
	[ ! -e "$out" ] || mv "$out" "$dir/native.file"
	"$dir/run" "$@" > "$dir/other.out" 2> "$dir/other.err"
	echo $? >> "$dir/other.err"
	[ ! -e "$out" ] || cmp "$out" "$dir/native.file" >&2 || return 1
	cmp "$dir/native.out" "$dir/other.out" >&2 && cmp "$dir/native.err" "$dir/other.err" >&2
}

# Captures have an id of their own: what each wrote must read the same, on both.
same_copy()
{
	rm -f "$dir/first.out"
	for writer in "$B/scap" "$dir/run"; do
		rm -f "$out"
		"$writer" export --to scapz -o "$out" "$1" 2> "$dir/err"
		[ -e "$out" ] || continue	# it can't be read, which the others have compared
		mv "$out" "$dir/copy.scapz"
		same read -j "$dir/copy.scapz" || return 1
		[ -e "$dir/first.out" ] || cp "$dir/native.out" "$dir/first.out"
		cmp "$dir/first.out" "$dir/native.out" >&2 || return 1
	done
}

all_of()
{
	same info "$1" && same info -j "$1" && same verify "$1" && same verify -j "$1" || return 1
	# A million events are enough for these.
	[ "$(basename "$1")" != many.scapz ] || return 0
	same read "$1" && same read -j "$1" && same read -j "$1" evt.type=openat or fd.name exists &&
		same export --to csv "$1" && same export --to scap --plain -o "$out" "$1" &&
		same export --to scap --profile falco -o "$out" "$1" &&
		{ [ ! -e "$out" ] || cp "$out" "$dir/x.scap" && same read -j "$dir/x.scap"; } &&
		same_copy "$1"
}

compare()
{
	if all_of "$1"; then
		echo "ok big-endian/$(basename "$1")"
	else
		echo "FAIL big-endian/$(basename "$1") differs (see $B/log/big-endian.err)"
	fi
}

qemu=$(command -v qemu-s390x || command -v qemu-s390x-static) || skip "no qemu-user"
command -v s390x-linux-gnu-ld > /dev/null || skip "no binutils-s390x-linux-gnu"
command -v "${CLANG:-clang}" > /dev/null || skip "no clang"
mkdir -p "$dir"
get_root || skip "Debian's libraries for s390x can't be had"
${MAKE:-make} -s B="$dir" CC="${CLANG:-clang} --target=s390x-linux-gnu --sysroot=$(realpath "$root")" \
	"$dir/scap" >&2 || { echo "FAIL big-endian/build (see $B/log/big-endian.err)"; exit 1; }
printf '#!/bin/sh\nexec %s "%s/scap" "$@"\n' "$qemu" "$(realpath "$dir")" > "$dir/run"
chmod +x "$dir/run"

if [ $# = 0 ]; then
	rm -rf "$dir/files"
	mkdir "$dir/files"
	"$B/cli/gen" "$dir/files" >&2 || { echo "FAIL big-endian/gen"; exit 1; }
	sh tests/cli/spoil.sh "$dir/files" >&2
	for f in "$dir"/files/*.scapz "${SCAP_SAMPLES:-../shared/samples}"/*.scap*; do
		[ ! -f "$f" ] || compare "$f"
	done
	# scap-watch, whose libraries are not here, is for the machine that is traced; and an ioctl that
	# qemu does not know is none that a device refuses.
	# shellcheck disable=SC2046
	SCAP=$(realpath "$dir")/run GROUP=big-endian/cli B=$(realpath "$B") sh tests/cli/run.sh \
		$(cd tests/cli && ls -- *.cmd | grep -v -e '^watch' -e '^doctor-device' | sed 's/\.cmd$//')
else
	for f; do compare "$f"; done
fi
