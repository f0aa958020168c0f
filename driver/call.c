// SPDX-License-Identifier: GPL-2.0-only
/*
 * The general way of a call: several consumers or one that filters by task or result, an
 * introduction or a gap to be told first, odd numbers and entries, the decisive lane.
 */
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>

#include "capture.h"
#include "clock.h"
#include "consumer.h"
#include "emit.h"
#include "encode.h"
#include "fill.h"
#include "filter.h"
#include "ref.h"
#include "ring.h"
#include "stash.h"

/* ---- entry --------------------------------------------------------------------------------- */

/* Consumers that want this call, as far as that is known before its result. */
static u32 wanted_at_entry(const struct kscap_scratch *s, bool always)
{
	/* Pairs with update_active(). */
	u32 active = smp_load_acquire(&kscap_active), mask = 0, todo;
	u8 tree = s->slot ? s->slot->tree : 0;
	struct kscap_consumer *c;

	kscap_for_each_consumer(c, active, todo)
		if (kscap_filter_task(&c->filter, current, tree) &&
		    (always || kscap_filter_nr(&c->filter, s->abi, s->nr)))
			mask |= todo & -todo;
	return mask;
}

/* A call that may never return: its mark. */
static void mark_entry(struct kscap_scratch *s, struct pt_regs *regs)
{
	const struct kscap_row *row = s->row;
	struct scap_rec_enter *rec;
	u32 mask;

	kscap_rec_begin(s, SCAP_REC_ENTER, sizeof(*rec) + row->nargs * 8,
			SCAP_TALLY_KEY(SCAP_REC_ENTER, s->abi, s->nr));
	s->args = &s->rec->words[sizeof(*rec) / 8];
	kscap_arch_args(regs, s->abi, s->args, 6);
	if (s->slot && row->flags & KSCAP_ROW_EXEC)
		memcpy(s->slot->args, s->args, sizeof(s->slot->args));
	mask = wanted_at_entry(s, true);
	if (!mask)
		return;
	rec = &s->rec->enter;
	rec->tid = current->pid;
	rec->nr = s->nr;
	rec->shape = SCAP_SHAPE(s->abi, row->nargs);
	rec->more = 0;
	if (row->flags & KSCAP_ROW_EXEC)
		kscap_exec_blobs_entry(s);
	kscap_emit(s, mask);
}

/*
 * close: its file is gone at the exit, so its cookie and introduction are taken here. Whoever asks
 * for nothing more than this process' calls has mostly seen the file already.
 */
static void close_entry(struct kscap_scratch *s, int fd)
{
	struct kscap_ring *lead = READ_ONCE(s->lead);
	u32 mask;

	s->flags = 0;
	kscap_fd_ref(s, 0, fd);
	if (s->slot)
		s->slot->args[0] = (u32)s->cookies | (u64)s->flags << 32;
	if (!(u32)s->cookies ||
	    (lead && !kscap_file_is_new(lead, &s->refs[0], kscap_now() >> SCAP_EPOCH_SHIFT)))
		return;
	kscap_rec_begin(s, 0, 0, SCAP_TALLY_KEY(SCAP_REC_FILE, 0, 0));
	s->lane = SCAP_LANE_MAIN;
	mask = wanted_at_entry(s, false);
	if (mask)
		kscap_emit(s, mask);
}

void kscap_call_entry(struct kscap_scratch *s, struct pt_regs *regs, int nr)
{
	s->abi = kscap_arch_abi(nr);
	s->nr = nr;
	s->row = kscap_row(s->abi, nr);
	s->slot = kscap_stash_find(current);
	if (s->row->flags & KSCAP_ROW_CLOSE) {
		kscap_arch_args(regs, s->abi, s->buf, 1);
		close_entry(s, s->buf[0]);
		kscap_fd_put(s);
	} else {
		mark_entry(s, regs);
	}
}

/* ---- exit ---------------------------------------------------------------------------------- */

/*
 * An exit without an entry: refused by seccomp, a child's first return, a program started by the
 * kernel, or a call begun before the probes were there. seccomp's TRAP and KILL roll the number
 * back into the result register, and their signal waits to be delivered.
 */
static noinline void classify_no_entry(struct kscap_scratch *s)
{
	const struct kscap_stash_slot *slot = s->slot;

	s->flags = SCAP_CALL_NO_ENTRY;
	if (slot && slot->call == KSCAP_STASH_FORKED && !s->ret)
		s->flags |= SCAP_CALL_CHILD;
	else if (current->seccomp.mode != SECCOMP_MODE_DISABLED && s->ret == s->nr &&
		 sigismember(&current->pending.signal, SIGSYS))
		s->flags |= SCAP_CALL_TRAPPED;
	else if (slot && slot->call == KSCAP_STASH_MIDCALL)
		s->more = SCAP_MORE_MIDCALL;
	else if (!slot)
		s->more = kscap_stash_is_full(current) ? SCAP_MORE_NO_STASH : SCAP_MORE_MIDCALL;
}

/*
 * Number, ABI, result, latency of the call that ends. exec may have changed number and ABI,
 * sigreturn the number: then the entry tells.
 */
static void view_exit(struct kscap_scratch *s, struct pt_regs *regs, long ret)
{
	const struct kscap_stash_slot *slot = kscap_stash_find(current);
	u64 call = slot ? kscap_stash_call(READ_ONCE(slot->call)) : 0;

	s->slot = (struct kscap_stash_slot *)slot;
	s->flags = 0;
	s->more = 0;
	s->nr = syscall_get_nr(current, regs);
	s->abi = kscap_arch_abi(s->nr);
	s->had_entry = KSCAP_CALL_IS(call) &&
		       (call == KSCAP_CALL(s->nr, s->abi) ||
			kscap_row(KSCAP_CALL_ABI(call), KSCAP_CALL_NR(call))->flags &
			(KSCAP_ROW_EXEC | KSCAP_ROW_SIGRETURN));
	s->latency_ns = U64_MAX;
	if (s->had_entry) {
		s->nr = KSCAP_CALL_NR(call);
		s->abi = KSCAP_CALL_ABI(call);
		s->latency_ns = s->now - slot->time_ns;
		if (unlikely((s64)s->latency_ns < 0)) {
			s->latency_ns = 0;
			s->n_clock_back++;
		}
	}
	s->ret = kscap_arch_ret(ret, s->abi);
	s->row = kscap_row(s->abi, s->nr);
	if (!s->had_entry)
		classify_no_entry(s);
}

static bool wanted_by(const struct kscap_scratch *s, const struct kscap_filter *f)
{
	if (!kscap_filter_task(f, current, s->slot ? s->slot->tree : 0))
		return false;
	return s->row->manners & KSCAP_CALL_PASS ||
	       (kscap_filter_nr(f, s->abi, s->nr) && kscap_filter_result(f, s->ret, s->latency_ns));
}

static u32 wanted_at_exit(const struct kscap_scratch *s)
{
	/* Pairs with update_active(). */
	u32 active = smp_load_acquire(&kscap_active), mask = 0, todo;
	struct kscap_consumer *c;

	kscap_for_each_consumer(c, active, todo)
		if (wanted_by(s, &c->filter))
			mask |= todo & -todo;
	return mask;
}

/* Where the arguments are: in the registers, but for calls that rewrite those. */
static void take_args(struct kscap_scratch *s, struct pt_regs *regs)
{
	u32 bytes = s->row->nargs * sizeof(s->args[0]);

	kscap_arch_args(regs, s->abi, s->args, s->row->nargs);
	if (likely(!(s->row->flags & (KSCAP_ROW_EXEC | KSCAP_ROW_SIGRETURN))))
		return;
	if (s->had_entry)
		memcpy(s->args, s->slot->args, bytes);
	else
		s->more |= SCAP_MORE_ARGS_LOST;
}

/* The files that the call is about: see struct scap_rec_call. */
static void take_files(struct kscap_scratch *s)
{
	const struct kscap_row *row = s->row;
	bool ok = s->ret >= 0 && !(s->flags & SCAP_CALL_TRAPPED);

	if (row->flags & KSCAP_ROW_CLOSE) {
		if (s->had_entry)
			s->flags |= s->slot->args[0] >> 32;
		return;
	}
	/* The second place even when the first stays empty: which is which must be told apart. */
	if (row->fd_arg2 >= 0)
		kscap_fd_ref(s, 1, s->args[row->fd_arg2]);
	if (ok && row->flags & KSCAP_ROW_RET_FD)
		kscap_fd_ref(s, 0, s->ret);
	else if (ok && row->flags & KSCAP_ROW_EXEC)
		kscap_exec_file(s);
	else
		ok = false;
	if (row->fd_arg >= 0)
		kscap_fd_ref(s, ok, s->args[row->fd_arg]);
}

/* The cookies of both files; of a close that of its entry, where it was introduced, too. */
static u64 cookies(const struct kscap_scratch *s)
{
	if (s->row->flags & KSCAP_ROW_CLOSE)
		return s->had_entry ? (u32)s->slot->args[0] : 0;
	return s->cookies;
}

/* Optional words, for values too wide for the fixed part. Returns the place of the next word. */
static u32 wide_words(struct kscap_scratch *s, u32 n)
{
	u64 *words = s->rec->words;

	if ((u32)s->nr > 0xffff) {
		s->flags |= SCAP_CALL_NR64;
		words[n++] = (s64)s->nr;
	}
	if (s->ret != (s32)s->ret) {
		s->flags |= SCAP_CALL_RET64;
		words[n++] = s->ret;
	}
	if (s->latency_ns >= SCAP_LATENCY_UNKNOWN && s->latency_ns != U64_MAX) {
		s->flags |= SCAP_CALL_LAT64;
		words[n++] = s->latency_ns;
	}
	return n;
}

static u32 tally_nr(int nr)
{
	return (u32)nr < 0xffff ? nr : 0xffff;
}

/* A CALL at s->rec: its words in the order of abi.h, then blobs. The header comes last. */
static void build_call(struct kscap_scratch *s, struct pt_regs *regs)
{
	const struct kscap_row *row = s->row;
	u32 n = wide_words(s, sizeof(struct scap_rec_call) / 8), at_cookies = 0;
	u64 *words = s->rec->words;

	if (row->flags & KSCAP_ROW_FILES)
		at_cookies = n++;
	s->args = &words[n];
	s->bytes = (n + row->nargs) * 8;
	s->io_class = SCAP_IO_OTHER;
	take_args(s, regs);
	if (at_cookies) {
		s->flags |= SCAP_CALL_COOKIES;
		take_files(s);
		if ((u32)s->cookies)
			s->io_class = kscap_io_class(file_inode(s->refs[0].file));
	}
	if (row->flags & KSCAP_ROW_BLOBS && !(s->flags & SCAP_CALL_TRAPPED)) {
		kscap_encode_blobs(s);
		if (row->flags & KSCAP_ROW_PATHS)
			kscap_base_dirs(s);
	}
	if (at_cookies)
		words[at_cookies] = cookies(s);
	words[2] = KSCAP_TID_WORD(current->pid, s->latency_ns);
	words[3] = KSCAP_RET_WORD(s->ret) |
		   KSCAP_SHAPE_WORD(s->nr, SCAP_SHAPE(s->abi, row->nargs), s->more);
}

static void record_call(struct kscap_scratch *s, struct pt_regs *regs, u32 mask)
{
	kscap_rec_begin(s, 0, 0, SCAP_TALLY_KEY(SCAP_REC_CALL, s->abi, tally_nr(s->nr)));
	s->lane = s->row->manners & KSCAP_CALL_LANE ? SCAP_LANE_DECISIVE : SCAP_LANE_MAIN;
	build_call(s, regs);
	s->rec->words[0] = KSCAP_HEAD_WORD(0, SCAP_REC_CALL, s->flags, 0);
	kscap_emit(s, mask);
	kscap_fd_put(s);
}

void kscap_call_exit(struct kscap_scratch *s, struct pt_regs *regs, long ret)
{
	u32 mask;

	s->now = kscap_now();
	view_exit(s, regs, ret);
	mask = wanted_at_exit(s);
	if (mask)
		record_call(s, regs, mask);
	if (likely(s->slot)) {
		s->slot->call = 0;
		/* It may have changed what the thread was introduced as. */
		if (s->row->manners & KSCAP_CALL_PASS)
			s->slot->seen = 0;
	}
}

u32 kscap_event_begin(struct kscap_scratch *s, u8 type, u32 bytes)
{
	u32 mask;

	s->slot = kscap_stash_find(current);
	mask = wanted_at_entry(s, true);
	if (mask) {
		kscap_rec_begin(s, type, bytes, SCAP_TALLY_KEY(type, 0, 0));
		memset(&s->buf[2], 0, bytes - sizeof(struct scap_rec));
	}
	return mask;
}
