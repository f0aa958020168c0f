#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes bad inputs of good captures: spoil.sh DIRECTORY
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
size=$(wc -c < whole.scapz)

# OFFSET: the section there, padding included.
section_bytes()
{
	stored=$(od -An -tu8 -j $(($1 + 24)) -N 8 whole.scapz | tr -d ' ')
	echo $((48 + (stored + 7) / 8 * 8))
}
schema=$(section_bytes $((64 + $(section_bytes 64))))
index=$(od -An -tu8 -j $((size - 32)) -N 8 whole.scapz | tr -d ' ')

: > empty.scapz
echo 'This is a text, not a capture at all; somebody has mixed up two files.' > text.scapz
mkdir dir.scapz
head -c $((schema + (size - schema - index) / 2)) whole.scapz > half.scapz
head -c 20 whole.scapz > head.scapz
# As sf_sample() of tests/unit/support_savefile.c makes it.
cp "$here/sample.scap" .
head -c 1200 sample.scap > half.scap
gzip -c text.scapz > text.gz

# OFFSET: that byte gets all its bits turned over.
flip()
{
	old=$(od -An -tu1 -j "$1" -N 1 flip.scapz | tr -d ' ')
	printf "\\$(printf %o $((255 - old)))" | dd of=flip.scapz bs=1 seek="$1" conv=notrunc status=none
}
cp whole.scapz flip.scapz
flip $((schema + 700))
cp whole.scapz nomagic.scapz
mv flip.scapz flip.keep
cp whole.scapz flip.scapz
flip 0
mv flip.scapz nomagic.scapz
mv flip.keep flip.scapz
