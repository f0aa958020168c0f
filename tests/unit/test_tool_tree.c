/* SPDX-License-Identifier: MIT */
/* scap read --tree: who belongs to a process, also when ids are used again. */
#include <criterion/criterion.h>

#include "format/event.h"
#include "tools/opts.c"
#include "tools/tree.c"

static bool call(struct tree *t, uint32_t tid, uint32_t tgid, uint32_t ppid)
{
	struct scap__thread thread = { .tid = tid, .tgid = tgid, .ppid = ppid };
	struct scap_event ev = { .num = 1, .type = SCAP_REC_CALL, .tid = tid };

	ev.thread = tgid ? &thread : NULL;
	return tree_step(t, &ev);
}

static bool fork_of(struct tree *t, uint32_t tgid, uint32_t child)
{
	struct scap_event ev = { .num = 1, .type = SCAP_REC_FORK, .tid = tgid };

	ev.u.fork.tgid = tgid;
	ev.u.fork.child_tid = child;
	ev.u.fork.child_tgid = child;
	return tree_step(t, &ev);
}

Test(tool_tree, forks_and_introductions)
{
	struct tree t;

	cr_assert(tree_init(&t, 100));
	cr_assert(call(&t, 100, 100, 1));
	cr_assert(call(&t, 105, 100, 1), "a thread of the process");
	cr_assert(call(&t, 100, 0, 0), "not introduced: by its thread id");
	cr_assert_not(call(&t, 101, 101, 1));
	cr_assert(fork_of(&t, 100, 101));
	cr_assert(call(&t, 101, 101, 1), "a child, although its parent is gone by now");
	cr_assert(call(&t, 102, 102, 101), "a grandchild, by its introduction alone");
	cr_assert(call(&t, 103, 103, 102));
	cr_assert_not(call(&t, 200, 200, 1));
	tree_fini(&t);
}

Test(tool_tree, an_id_used_again_by_a_stranger)
{
	struct tree t;

	cr_assert(tree_init(&t, 100));
	fork_of(&t, 100, 101);
	cr_assert(call(&t, 101, 101, 100));
	cr_assert_not(fork_of(&t, 50, 101));
	cr_assert_not(call(&t, 101, 101, 50));
	tree_fini(&t);
}

/* The process that is asked for is born within the capture: by a process outside its tree. */
Test(tool_tree, the_birth_of_the_root)
{
	struct tree t;

	cr_assert(tree_init(&t, 100));
	cr_assert_not(call(&t, 50, 50, 1));
	cr_assert_not(fork_of(&t, 50, 100));
	cr_assert(tree_seen(&t));
	cr_assert(call(&t, 100, 100, 50));
	cr_assert(fork_of(&t, 100, 101));
	cr_assert(call(&t, 101, 101, 100));
	/* The first life it is; not another one of the same number, nor that one's children. */
	cr_assert_not(fork_of(&t, 51, 100));
	cr_assert_not(call(&t, 100, 100, 51));
	cr_assert_not(fork_of(&t, 100, 102));
	cr_assert_not(call(&t, 102, 102, 100));
	cr_assert(call(&t, 101, 101, 1));
	tree_fini(&t);
}

/* It lives when the capture begins: the life that begins later is another one. */
Test(tool_tree, the_root_born_before_the_capture)
{
	struct tree t;

	cr_assert(tree_init(&t, 100));
	cr_assert(call(&t, 100, 100, 1));
	cr_assert_not(fork_of(&t, 50, 100));
	cr_assert_not(call(&t, 100, 100, 50));
	tree_fini(&t);

	/* Silent itself, but a child names it. */
	cr_assert(tree_init(&t, 100));
	cr_assert(call(&t, 101, 101, 100));
	cr_assert_not(fork_of(&t, 50, 100));
	cr_assert_not(call(&t, 100, 100, 50));
	tree_fini(&t);
}

Test(tool_tree, a_root_never_seen)
{
	struct tree t;

	cr_assert(tree_init(&t, 100));
	cr_assert_not(call(&t, 50, 50, 1));
	cr_assert_not(fork_of(&t, 50, 99));
	cr_assert_not(tree_seen(&t));
	cr_assert(call(&t, 100, 100, 1));
	cr_assert(tree_seen(&t));
	tree_fini(&t);
}

/* Against a plain array: additions and removals in a table that grows and has collisions. */
Test(tool_tree, many)
{
	static bool model[5000];
	struct tree t;
	uint32_t x = 1;

	cr_assert(tree_init(&t, 1));
	model[1] = true;
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t parent, child;

		x = x * 1103515245 + 12345;
		parent = 1 + x / 7 % 4999;
		x = x * 1103515245 + 12345;
		child = 2 + x / 7 % 4998;
		if (child == parent)
			continue;
		cr_assert_eq(fork_of(&t, parent, child), model[parent]);
		model[child] = model[parent];
	}
	for (uint32_t pid = 1; pid < 5000; pid++)
		cr_assert_eq(has(&t, pid), model[pid], "%u", pid);
	tree_fini(&t);
}
