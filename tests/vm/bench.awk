# SPDX-License-Identifier: MIT
# Makes the table of bench-kernel from lines "COLUMN OPERATION INSTRUCTIONS".

BEGIN {
	n = split("getppid pread-64 pread-4096 write-64 open+close fstat stat pipe-write+read", rows, " ")
	split("1 1 1 1 2 1 1 2", calls, " ")
	# What recording may add, kernel and a consumer that discards together.
	split("250 500 500 500 1700 400 570 900", bound, " ")
	bound_sum = 5320
	bound_fork = 8000
	bound_refused = 40
	# sysdig 0.29.3 with its module, writing a file, as measured before.
	split("1010 3598 9739 3598 17519 3372 4722 7651", was, " ")
	was_sum = 51209
}

{ v[$1, $2] = $3; have[$1] = 1 }

function cell(col, op)
{
	if (!((col, op) in v))
		return "missing"
	return v[col, op] - v["base", op]
}

function share(col)
{
	return v[col, "made"] ? v[col, "recorder"] / v[col, "made"] : 0
}

function line(name, base, f0, idle, refused, k, bound, e, sysdig)
{
	printf "%-17s %8s %6s %6s %8s %8s %8s %8s %10s%s\n", name, base, f0, idle, refused, k,
		bound, e, sysdig, k != "K" && k != "" && bound != "" && (k > bound) ? "  K TOO MUCH" : ""
}

# Of an odd or even number of values the lower middle one.
function median(a, m,    i, j, t)
{
	for (i = 2; i <= m; i++)
		for (j = i; j > 1 && a[j - 1] > a[j]; j--) {
			t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
		}
	return a[int((m + 1) / 2)]
}

END {
	print "Instructions per operation; all columns but base: what is added."
	print "K: recording, events thrown away; E: recording into a compressed file on tmpfs, as far"
	print "as it falls into the same time."
	print "sysdig: " (have["sysdig"] ? "measured in this boot" : "not installed, from an earlier measurement")
	print ""
	line("operation", "base", "F0", "idle", "refused", "K", "K bound", "E", "sysdig")
	for (i = 1; i <= n; i++) {
		op = rows[i]
		s = have["sysdig"] ? cell("sysdig", op) : was[i]
		line(op, v["base", op], cell("f0", op), cell("idle", op), cell("refused", op),
		     cell("k", op), bound[i], cell("e", op), s)
		sb += v["base", op]; sf += cell("f0", op); si += cell("idle", op)
		sr += cell("refused", op); sk += cell("k", op)
		se += cell("e", op); ss += s
		beyond[i] = (cell("refused", op) - cell("f0", op)) / calls[i]
	}
	line("sum", sb, sf, si, sr, sk, bound_sum, se, ss)
	op = "fork+exit+wait"
	line(op, v["base", op], cell("f0", op), cell("idle", op), cell("refused", op), cell("k", op),
	     bound_fork, cell("e", op), have["sysdig"] ? cell("sysdig", op) : 123000)
	print ""
	m = median(beyond, n)
	printf "A refused call beyond two empty probes, median of the rows: %d, bound %d: %s\n", m,
		bound_refused, m <= bound_refused ? "kept" : "TOO MUCH"
	# Ten calls make the sum. K holds what the kernel adds; to it comes all that the recorder does.
	share_k = share("k")
	share_e = share("e")
	whole = sk + 10 * share_e
	printf "The recorder's own work, whenever it does it: K %d, E %d instructions per call\n",
		share_k, share_e
	printf "E sum with all of it (K sum + 10 calls): %d, bound %d (half of sysdig's %d): %s\n", whole,
		was_sum / 2, was_sum, whole <= was_sum / 2 ? "kept" : "TOO MUCH"
	if (have["sysdig"])
		printf "which is %.2f of sysdig's sum in this boot\n", ss ? whole / ss : 0
}
