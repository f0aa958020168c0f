/* SPDX-License-Identifier: MIT */
/* A program that is started, held back before its first instruction, and waited for. */
#ifndef SCAP_TOOLS_COMMAND_H
#define SCAP_TOOLS_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct command {
	pid_t pid;		/* 0: none */
	int go_fd;		/* a byte here lets it go; closed without one, it ends */
	int error_fd;		/* gives errno if the program could not be executed */
	bool running;
	int status;		/* as of wait(2), once it is not running */
};

/*
 * Makes the process; argv[0] is looked up in PATH now. The program will have the signal mask
 * given, and with to_stderr its standard output there. False: the message was printed.
 */
bool command_hold(struct command *c, char **argv, const sigset_t *mask, bool to_stderr);
/* Lets it execute. False: it could not, and the message was printed. */
bool command_go(struct command *c, const char *name);
/* Whether it has ended; does not wait. */
bool command_ended(struct command *c);
/* A held process ends; one that runs is left alone. */
void command_fini(struct command *c);

#endif
