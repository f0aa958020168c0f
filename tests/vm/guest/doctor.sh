# SPDX-License-Identifier: MIT
# Sourced by the cases of scap doctor, after case.sh.

# In front of scap: the program that makes somebody else of it.
as=
ko=/scap/kscap.ko

# says NAME WANTED: the finding of one check in what ask left
says()
{
	eq "$about: $1" "$(sed -n "s/^\([a-z]*\) *$1: .*/\1/p" said)" "$2"
}

# ask ABOUT [PROGRAM]: what doctor says, into the file said; its status in $said
ask()
{
	about=$1
	$as "${2:-scap}" doctor --module "$ko" >said
	said=$?
	$as "${2:-scap}" doctor --module "$ko" -j >said.json
	eq "$about: status with -j" $? $said
	eq "$about: numbers" \
		"$(jget get said.json ok) $(jget get said.json warn) $(jget get said.json fail)" \
		"$(grep -c ^ok said) $(grep -c ^warn said) $(grep -c ^fail said)"
	eq "$about: status and findings" $said "$(grep -q ^fail said && echo 1 || echo 0)"
}

# works: what was asked about can record, as doctor said, with rings of that size
works()
{
	eq "$about: doctor" $said 0
	rm -f x.scapz
	exits 0 $as scap record -o x.scapz -- true
	[ -s x.scapz ] || { fail "$about: no capture"; return; }
	sound x.scapz
	scap info -j x.scapz >x.json
	kib=$(sed -n 's/^[a-z]* *rings: \([0-9]*\) KiB.*/\1/p; s/^ok *rings: 8 MiB.*/8192/p' said)
	eq "$about: size of the rings" $(($(val x.json ring_bytes) / 1024)) "$kib"
}

# fails [PROGRAM]: it can't, as doctor said, and says why in the words that doctor had
fails()
{
	eq "$about: doctor" $said 1
	exits 2 $as "${1:-scap}" record -o y.scapz -- true
	one_sentence
	why=$(sed 's/^[^:]*: //' err)
	grep -qF "fail device: $why" said && pass ||
		fail "$about: recording fails for '$why', doctor says $(grep ^fail said)"
}

# loads yes|no: what insmod makes of the module
loads()
{
	insmod "$ko" 2>err && in=yes || in=no
	eq "$about: insmod" $in "$1"
}
