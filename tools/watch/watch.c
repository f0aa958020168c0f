/* SPDX-License-Identifier: MIT */
#include "watch/watch.h"

#include "opts.h"
#include "watch_opts.h"

int watch_run(struct watch_config *c, int argc, char **argv)
{
	(void)c;
	(void)argc;
	(void)argv;
	tool_error("not possible yet");
	return WATCH_FAILED;
}
