/* SPDX-License-Identifier: MIT */
/* Which of strace's calls an event is: the next one of its thread. */
#ifndef TESTS_KERNEL_TRACED_H
#define TESTS_KERNEL_TRACED_H

#include "capture.h"
#include "strace.h"

/* What a traced thread makes is traced, whether strace has ever shown it or not. */
static void note_fork(const struct scap_event *ev)
{
	struct thread *parent = find_thread(ev->tid);

	if (parent && (parent->begun || !parent->is_root))
		get_thread(ev->u.fork.child_tid);
}

/*
 * NULL: the event is no call of a traced thread. What strace's child does before its exec, strace
 * itself doesn't show; nor the return of a clone in the child.
 */
static struct call *traced_call(const struct scap_event *ev)
{
	struct thread *t;
	struct call *c;

	if (ev->type == SCAP_REC_FORK)
		note_fork(ev);
	if (!is_made_call(ev) || (is_call(ev) && ev->flags & SCAP_CALL_CHILD))
		return NULL;
	t = find_thread(ev->tid);
	if (!t)
		return NULL;
	t->begun |= !t->is_root || !strcmp(scap_event_name(ev), "execve");
	if (!t->begun)
		return NULL;
	c = t->next;
	if (!c) {
		printf("FAIL thread %u: %s, event %llu, is not in strace's output\n", ev->tid,
		       scap_event_name(ev), (unsigned long long)scap_event_num(ev));
		n_fails++;
		return NULL;
	}
	t->next = c->next;
	c->done = true;
	return c;
}

static void not_recorded(void)
{
	for (unsigned i = 0; i < 1024; i++)
		for (struct thread *t = threads[i]; t; t = t->chain)
			for (struct call *c = t->next; c && n_fails < 20; c = c->next) {
				printf("FAIL thread %u: %s(%.80s) = %lld was not recorded\n",
				       c->tid, c->name, c->args, c->ret);
				n_fails++;
			}
}

#endif
