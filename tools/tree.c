/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include "opts.h"

#include <stdlib.h>

/* Open addressing with linear probing; at most half full. */
static unsigned slot_of(const struct tree *t, uint32_t pid)
{
	unsigned i = (pid * 2654435761u) & (t->cap - 1);

	while (t->slots[i] && t->slots[i] != pid)
		i = (i + 1) & (t->cap - 1);
	return i;
}

static bool has(const struct tree *t, uint32_t pid)
{
	return pid && t->slots[slot_of(t, pid)] == pid;
}

static bool grow(struct tree *t)
{
	struct tree bigger = *t;

	bigger.cap = t->cap * 2;
	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots) {
		tool_error("not enough memory");
		t->failed = true;
		return false;
	}
	for (unsigned i = 0; i < t->cap; i++)
		if (t->slots[i])
			bigger.slots[slot_of(&bigger, t->slots[i])] = t->slots[i];
	free(t->slots);
	*t = bigger;
	return true;
}

static void add(struct tree *t, uint32_t pid)
{
	if (!pid || has(t, pid) || (t->n * 2 >= t->cap && !grow(t)))
		return;
	t->slots[slot_of(t, pid)] = pid;
	t->n++;
}

static void drop(struct tree *t, uint32_t pid)
{
	unsigned hole = slot_of(t, pid);

	if (!t->slots[hole])
		return;
	t->slots[hole] = 0;
	t->n--;
	/* Those behind the hole may have been pushed there by what is gone. */
	for (unsigned i = (hole + 1) & (t->cap - 1); t->slots[i]; i = (i + 1) & (t->cap - 1)) {
		uint32_t moved = t->slots[i];

		t->slots[i] = 0;
		t->slots[slot_of(t, moved)] = moved;
	}
}

bool tree_init(struct tree *t, uint32_t root)
{
	*t = (struct tree){ .cap = 64, .slots = calloc(64, sizeof(*t->slots)), .root = root };
	if (!t->slots) {
		tool_error("not enough memory");
		return false;
	}
	add(t, root);
	return true;
}

void tree_fini(struct tree *t)
{
	free(t->slots);
	t->slots = NULL;
}

bool tree_seen(const struct tree *t)
{
	return t->seen;
}

/* Somebody outside the tree makes a process: the root itself, or a stranger with a used number. */
static void foreign_birth(struct tree *t, uint32_t child_pid)
{
	if (child_pid == t->root && !t->seen)
		t->seen = true;
	else
		drop(t, child_pid);
}

bool tree_step(struct tree *t, const struct scap_event *ev)
{
	uint32_t pid = scap_event_tgid(ev), ppid = scap_event_ppid(ev), child_tid, child_pid;
	bool member;

	if (!pid)	/* not introduced: the leader's thread id is its process id */
		pid = scap_event_tid(ev);
	if (pid == t->root || ppid == t->root)
		t->seen = true;
	member = has(t, pid);
	if (!member && has(t, ppid)) {
		add(t, pid);
		member = true;
	}
	if (scap_event_child(ev, &child_tid, &child_pid) == 0 && child_pid != pid) {
		if (member)
			add(t, child_pid);
		else
			foreign_birth(t, child_pid);
	}
	return member;
}
