/* SPDX-License-Identifier: MIT */
/* scap-watch: what `scap watch` executes. */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "watch/config.h"
#include "watch/options.h"
#include "watch/watch.h"
#include "watch_opts.h"

static int run(int argc, char **argv)
{
	struct watch_options o;
	struct watch_config c;
	int rc = TOOL_OK;

	if (!options_read(argc, argv, &o, &c))
		return TOOL_USAGE;
	if (o.print) {
		config_print(&c, stdout);
	} else if (o.check) {
		char name[1024];

		printf("%s: ok, %u trigger%s\n",
		       tool_shown(options_file(&o), name, sizeof(name)), c.n_triggers,
		       c.n_triggers == 1 ? "" : "s");
	} else {
		rc = watch_run(&c, argc, argv);
	}
	config_fini(&c);
	return rc;
}

/* Or a capture would become standard error, and get the messages. */
static void hold_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct verb verb = WATCH_VERB(run);
	int rc = TOOL_OK;

	hold_standard_files();
	/*
	 * Large memory stays apart from small and goes back when it is freed, and threads share: so
	 * that what is resident after days is what was after minutes.
	 */
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_ARENA_MAX, 2);
	/* A reader that closed the pipe ends us quietly, also if we inherited "ignored". */
	signal(SIGPIPE, SIG_DFL);
	tool_set_verb(verb.name);
	if (wants_help(argc, argv))
		verb_help(&verb);
	else
		rc = verb.run(argc, argv);
	if (!fflush(stdout) && !ferror(stdout))
		return rc;
	tool_error("writing to standard output failed");
	return rc ? rc : TOOL_FAILED;
}
