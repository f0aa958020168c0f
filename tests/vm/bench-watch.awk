# SPDX-License-Identifier: MIT
# Makes the tables of bench-watch from lines "RECORDER WHAT NUMBER".

{ v[$1, $2] = $3; have[$1] = 1 }

# What the recorder runs per event of that load; all recorders get the same events.
function per_event(name, which)
{
	return v[name, which ".run"] / v["nothing", which ".events"]
}

function row(name, text)
{
	printf "%-50s %8d %8d %8d %8d\n", text, per_event(name, "bench"), per_event(name, "shop"),
		per_event(name, "bench") - per_event("file", "bench"),
		per_event(name, "shop") - per_event("file", "shop")
}

# Percent of a CPU that executes an instruction per nanosecond, all seconds of the load.
function percent(n)
{
	return n / v["base", "paced.took"] * 100
}

function share(name, text)
{
	added = v[name, "paced.cpu"] - v["base", "paced.cpu"]
	printf "%-50s %7.1f%% %7.1f%% %7.1f%%\n", text, percent(v[name, "paced.run"]), percent(added),
		percent(v[name, "paced.run"] + added)
	if (v[name, "paced.took"] > 1.05 * v["base", "paced.took"])
		print "NOT VALID: the load could not keep up beside " text
}

function window(name, which, text)
{
	bytes = v[name, which ".bytes"] / v[name, which ".events"]
	printf "%-50s %8.2f %8.1f M %8d s\n", text, bytes, 256 * 1048576 / bytes / 1e6,
		256 * 1048576 / bytes / 1e4
}

END {
	print "Instructions of the recorder per event, whenever it executes them:"
	printf "%-50s %8s %8s %17s\n", "", "calls", "shop", "more than a file"
	row("null", "record -o /dev/null: slices, no groups")
	row("file", "record -o FILE: groups, journals")
	row("nothing", "watch, no trigger, no signals")
	row("signals", "watch, signals")
	row("t10", "watch, 10 triggers")
	row("t100", "watch, 100 triggers")
	row("wide10", "watch, 10 triggers whose filter names no call")
	print ""
	printf "100,000 calls a second, percent of a CPU of 10^9 instructions a second:\n"
	printf "%-50s %8s %8s %8s\n", "", "recorder", "calls", "all"
	share("usual", "watch, signals, 10 triggers")
	if (have["sysdig"])
		share("sysdig", "sysdig -w")
	print ""
	print "256 MiB of ring hold, by bytes per event of this run:"
	printf "%-50s %8s %10s %10s\n", "", "bytes", "events", "at 10,000/s"
	window("nothing", "shop", "shop")
	window("nothing", "bench", "calls of all kinds, forks")
	window("usual", "paced", "calls of all kinds")
	print ""
	n = v["seals", "count"]
	printf "From a window's end to the sealed file, %d captures: mean %.3f s, most %.3f s\n", n,
		n ? v["seals", "sum"] / n : 0, v["seals", "max"]
	if (n != 20 || v["seals", "whole"] < 20)
		print "NOT VALID: 20 captures were asked for, " n " sealed, " v["seals", "whole"] " sound"
	for (name in have) {
		if (v[name, "lost"] > 0)
			print "NOT VALID: lost beside " name ": " v[name, "lost"]
		if (name != "seals" && v[name, "fired"] > 0)
			print "NOT VALID: fired beside " name ": " v[name, "fired"]
	}
}
