/* SPDX-License-Identifier: MIT */
/* scap watch: hands over to scap-watch, which is a program of its own for its libraries' sake. */
#include "opts.h"
#include "watch_opts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where scap itself is, with no '/' at the end. False: the message was printed. */
static bool own_directory(char *dir, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", dir, cap);
	char *slash;

	if (n <= 0 || (size_t)n >= cap) {
		tool_error("cannot find out where scap itself lies: %s",
			   n < 0 ? strerror(errno) : "its path is too long");
		return false;
	}
	dir[n] = 0;
	slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
	return true;
}

/* As built, or as make install puts them down: seen from scap, so that both may be moved. */
static int watch_exec(int argc, char **argv)
{
	static const char *const places[] = { "scap-watch", "../libexec/scap/scap-watch" };
	char dir[PATH_MAX], path[PATH_MAX + 32];

	(void)argc;
	if (!own_directory(dir, sizeof(dir)))
		return TOOL_FAILED;
	for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, places[i]);
		argv[0] = "scap-watch";
		execv(path, argv);
		if (errno != ENOENT) {
			tool_error("cannot run %s: %s", path, strerror(errno));
			return TOOL_FAILED;
		}
	}
	tool_error("the program scap-watch is missing: it is neither in %s nor in "
		   "%s/../libexec/scap", dir, dir);
	return TOOL_FAILED;
}

const struct verb verb_watch = WATCH_VERB(watch_exec);
