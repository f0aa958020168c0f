// SPDX-License-Identifier: GPL-2.0-only
#include "capture.h"

#include <linux/cpu.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "clock.h"
#include "compat.h"
#include "consumer.h"
#include "emit.h"
#include "encode.h"
#include "fill.h"
#include "filter.h"
#include "ref.h"
#include "ring.h"
#include "stash.h"

static DEFINE_PER_CPU(struct kscap_scratch *, scratch);

/* ---- this CPU's scratch memory ------------------------------------------------------------- */

/* False: an interrupt came into a probe of this CPU. */
static __always_inline bool scratch_take(struct kscap_scratch **ret_s)
{
	struct kscap_scratch *s;

	kscap_probe_enter();
	s = this_cpu_read(scratch);
	if (unlikely(s->busy)) {
		s->n_nested++;
		kscap_probe_leave();
		return false;
	}
	s->busy = 1;
	barrier();
	*ret_s = s;
	return true;
}

static __always_inline void scratch_give(struct kscap_scratch *s)
{
	barrier();
	s->busy = 0;
	kscap_probe_leave();
}

int kscap_capture_alloc(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct kscap_scratch *s = vzalloc_node(sizeof(*s), cpu_to_node(cpu));

		if (!s) {
			kscap_capture_free();
			return -ENOMEM;
		}
		per_cpu(scratch, cpu) = s;
	}
	return 0;
}

void kscap_capture_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		vfree(per_cpu(scratch, cpu));
		per_cpu(scratch, cpu) = NULL;
	}
}

/* A consumer that is on its way out is still there until a grace period later. */
void kscap_capture_lead(struct kscap_consumer *only)
{
	int cpu;

	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu(scratch, cpu)->lead, only ? &only->rings[cpu] : NULL);
}

void kscap_capture_stats(struct scap_stats *stats)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct kscap_scratch *s = per_cpu(scratch, cpu);

		stats->n_nested_lost += READ_ONCE(s->n_nested);
		stats->n_clock_back += READ_ONCE(s->n_clock_back);
	}
}

/* ---- entry --------------------------------------------------------------------------------- */

/* Consumers that want this call, as far as that is known before its result. */
static u32 wanted_at_entry(const struct kscap_scratch *s, bool always)
{
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
	rec->pad = 0;
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

	kscap_fd_ref(s, 0, fd);
	if (s->slot)
		s->slot->args[0] = (u32)s->cookies;
	if (!(u32)s->cookies ||
	    (lead && !kscap_file_is_new(lead, &s->refs[0], kscap_now() >> SCAP_EPOCH_SHIFT)))
		return;
	kscap_rec_begin(s, 0, 0, SCAP_TALLY_KEY(SCAP_REC_FILE, 0, 0));
	mask = wanted_at_entry(s, false);
	if (mask)
		kscap_emit(s, mask);
}

static noinline void special_entry(struct pt_regs *regs, const struct kscap_row *row,
				   struct kscap_stash_slot *slot, unsigned int abi, int nr)
{
	struct kscap_scratch *s;

	if (!scratch_take(&s))
		return;
	s->row = row;
	s->slot = slot;
	s->abi = abi;
	s->nr = nr;
	if (row->flags & KSCAP_ROW_CLOSE) {
		kscap_arch_args(regs, abi, s->buf, 1);
		close_entry(s, s->buf[0]);
		kscap_fd_put(s);
	} else {
		mark_entry(s, regs);
	}
	scratch_give(s);
}

/* A task's first call, a clock that is a call, or a mark to be made: see below. */
static noinline void enter_slow(struct pt_regs *regs, int nr)
{
	struct kscap_stash_slot *slot = kscap_stash_claim(current);
	unsigned int abi = kscap_arch_abi(nr);
	const struct kscap_row *row = kscap_row(abi, nr);

	if (slot)
		kscap_stash_enter(slot, kscap_now(), nr, abi);
	if (row->flags & KSCAP_ROW_ENTRY)
		special_entry(regs, row, slot, abi, nr);
}

/* Without a call on the usual way, so that no register need be saved. */
void kscap_on_sys_enter(void *data, struct pt_regs *regs, long raw_nr)
{
	unsigned int abi = kscap_arch_abi_small();
	struct kscap_stash_slot *slot;
	int nr = raw_nr;

	kscap_probe_enter();
	slot = kscap_stash_find_first(current);
	if (unlikely(!slot || !kscap_clock_is_raw() || (u32)nr >= KSCAP_NR_ROWS ||
		     kscap_row_small(abi, nr)->flags & KSCAP_ROW_ENTRY))
		enter_slow(regs, nr);
	else
		kscap_stash_enter(slot, kscap_now_raw(), nr, abi);
	kscap_probe_leave();
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
	if (slot && slot->flags & KSCAP_STASH_FORKED && s->row->ret == SCAP_ROLE_RET_PID && !s->ret)
		s->flags |= SCAP_CALL_CHILD;
	else if (current->seccomp.mode != SECCOMP_MODE_DISABLED && s->ret == s->nr &&
		 sigismember(&current->pending.signal, SIGSYS))
		s->flags |= SCAP_CALL_TRAPPED;
	else if (slot && slot->flags & KSCAP_STASH_MIDCALL)
		s->more = SCAP_MORE_MIDCALL;
	else if (!slot)
		s->more = kscap_stash_is_full(current) ? SCAP_MORE_NO_STASH : SCAP_MORE_MIDCALL;
}

/*
 * Odd numbers, and exits whose entry the stash does not know. exec may have changed number and ABI,
 * sigreturn the number: then the entry tells.
 */
static noinline void view_odd_exit(struct kscap_scratch *s)
{
	const struct kscap_stash_slot *slot = s->slot;

	s->abi = kscap_arch_abi(s->nr);
	s->had_entry = slot && slot->time_ns &&
		       ((slot->nr == s->nr && slot->abi == s->abi) ||
			kscap_row(slot->abi, slot->nr)->flags &
			(KSCAP_ROW_EXEC | KSCAP_ROW_SIGRETURN));
	if (s->had_entry) {
		s->nr = slot->nr;
		s->abi = slot->abi;
		s->latency_ns = s->now - slot->time_ns;
	} else {
		s->latency_ns = U64_MAX;
	}
	s->row = kscap_row(s->abi, s->nr);
	if (!s->had_entry)
		classify_no_entry(s);
}

/* Number, ABI, result, latency of the call that ends. */
static __always_inline void view_exit(struct kscap_scratch *s, struct pt_regs *regs, long ret)
{
	struct kscap_stash_slot *slot = kscap_stash_find(current);
	int nr = syscall_get_nr(current, regs);
	unsigned int abi = kscap_arch_abi_small();

	s->slot = slot;
	s->flags = 0;
	s->more = 0;
	s->nr = nr;
	s->ret = kscap_arch_ret(ret, abi);
	if (likely(slot && slot->time_ns && slot->nr == nr && slot->abi == abi &&
		   (u32)nr < KSCAP_NR_ROWS)) {
		s->abi = abi;
		s->had_entry = true;
		s->latency_ns = s->now - slot->time_ns;
		s->row = kscap_row_small(abi, nr);
	} else {
		view_odd_exit(s);
	}
	if (unlikely((s64)s->latency_ns < 0) && s->had_entry) {
		s->latency_ns = 0;
		s->n_clock_back++;
	}
}

static noinline bool passes_filter(const struct kscap_scratch *s, const struct kscap_filter *f)
{
	if (!kscap_filter_task(f, current, s->slot ? s->slot->tree : 0))
		return false;
	return s->row->flags & KSCAP_ROW_EXEC || (kscap_filter_nr(f, s->abi, s->nr) &&
						  kscap_filter_result(f, s->ret, s->latency_ns));
}

static __always_inline bool wanted_by(const struct kscap_scratch *s, const struct kscap_ring *ring)
{
	if (unlikely(current->tgid == ring->owner_tgid))
		return false;
	return likely(!ring->filter_flags) || passes_filter(s, &ring->consumer->filter);
}

static u32 wanted_at_exit(const struct kscap_scratch *s)
{
	u32 active = smp_load_acquire(&kscap_active), mask = 0, todo;
	struct kscap_consumer *c;

	kscap_for_each_consumer(c, active, todo)
		if (wanted_by(s, &c->rings[smp_processor_id()]))
			mask |= todo & -todo;
	return mask;
}

/* Where the arguments are: in the registers, but for calls that rewrite those. */
static __always_inline void take_args(struct kscap_scratch *s, struct pt_regs *regs)
{
	kscap_arch_args(regs, s->abi, s->args, s->row->nargs);
	if (likely(!(s->row->flags & (KSCAP_ROW_EXEC | KSCAP_ROW_SIGRETURN))))
		return;
	if (s->had_entry)
		memcpy(s->args, s->slot->args, sizeof(s->slot->args));
	else
		s->more |= SCAP_MORE_ARGS_LOST;
}

/* The files that the call is about: see struct scap_rec_call. */
static __always_inline void take_files(struct kscap_scratch *s)
{
	const struct kscap_row *row = s->row;
	bool ok = s->ret >= 0 && !(s->flags & SCAP_CALL_TRAPPED);

	if (likely(!(row->flags & (KSCAP_ROW_RET_FD | KSCAP_ROW_EXEC | KSCAP_ROW_CLOSE)))) {
		if (row->fd_arg >= 0)
			kscap_fd_ref(s, 0, s->args[row->fd_arg]);
		return;
	}
	if (row->flags & KSCAP_ROW_CLOSE)
		return;
	if (ok && row->flags & KSCAP_ROW_RET_FD)
		kscap_fd_ref(s, 0, s->ret);
	else if (ok && row->flags & KSCAP_ROW_EXEC)
		kscap_exec_file(s);
	/* The second place even when the first stays empty: which is which must be told apart. */
	if (row->fd_arg >= 0)
		kscap_fd_ref(s, ok, s->args[row->fd_arg]);
}

/* The cookies of both files; of a close that of its entry, where it was introduced, too. */
static __always_inline u64 cookies(const struct kscap_scratch *s)
{
	if (unlikely(s->row->flags & KSCAP_ROW_CLOSE))
		return s->had_entry ? (u32)s->slot->args[0] : 0;
	return s->cookies;
}

/* Optional words that rarely are: values too wide for the fixed part. Returns the next word. */
static noinline u32 wide_words(struct kscap_scratch *s, u32 n)
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

/* Numbers without a row, and x32, whose rows are those of x86-64. */
static noinline u64 odd_shape(const struct kscap_scratch *s)
{
	return KSCAP_SHAPE_WORD(s->nr, SCAP_SHAPE(s->abi, s->row->nargs), 0);
}

/* A CALL at s->rec: its words in the order of abi.h, then blobs. The header comes last. */
static __always_inline void build_call(struct kscap_scratch *s, struct pt_regs *regs)
{
	const struct kscap_row *row = s->row;
	u64 *words = s->rec->words, shape = row->shape;
	u32 n = sizeof(struct scap_rec_call) / 8, at_cookies = 0;
	u8 row_flags = row->flags;

	if (unlikely((u32)s->nr >= KSCAP_NR_ROWS))
		shape = odd_shape(s);
	if (unlikely(s->ret != (s32)s->ret || s->latency_ns >= SCAP_LATENCY_UNKNOWN ||
		     (u32)s->nr > 0xffff))
		n = wide_words(s, n);
	if (row_flags & KSCAP_ROW_FILES)
		at_cookies = n++;
	s->args = &words[n];
	s->bytes = (n + row->nargs) * 8;
	s->io_bytes = 0;
	if (row->nargs)
		take_args(s, regs);
	if (at_cookies) {
		s->flags |= SCAP_CALL_COOKIES;
		take_files(s);
	}
	if (row_flags & KSCAP_ROW_BLOBS && likely(!(s->flags & SCAP_CALL_TRAPPED)))
		kscap_encode_call(s);
	if (at_cookies)
		words[at_cookies] = cookies(s);
	words[2] = KSCAP_TID_WORD(current->pid, s->latency_ns);
	words[3] = KSCAP_RET_WORD(s->ret) | shape | KSCAP_SHAPE_WORD(0, 0, s->more);
}

/* In scratch memory, for whoever wants it. */
static noinline void record_call(struct kscap_scratch *s, struct pt_regs *regs, u32 mask)
{
	kscap_rec_begin(s, 0, 0, SCAP_TALLY_KEY(SCAP_REC_CALL, s->abi, tally_nr(s->nr)));
	build_call(s, regs);
	s->rec->words[0] = KSCAP_HEAD_WORD(0, SCAP_REC_CALL, s->flags, 0);
	kscap_emit(s, mask);
	kscap_fd_put(s);
}

/* It is built, but not alone: introductions or a gap come first. */
static noinline void record_copied(struct kscap_scratch *s, struct pt_regs *regs,
				   struct kscap_ring *ring, u64 word)
{
	u32 mask = 1U << ring->consumer->id;

	memcpy(s->buf, s->rec, s->bytes);
	barrier();
	if (READ_ONCE(ring->core.word) != word) {
		kscap_fd_put(s);
		record_call(s, regs, mask);
		return;
	}
	s->rec = (union kscap_rec *)s->buf;
	s->rec->words[0] = KSCAP_HEAD_WORD(0, SCAP_REC_CALL, s->flags, 0);
	s->tally_key = SCAP_TALLY_KEY(SCAP_REC_CALL, s->abi, tally_nr(s->nr));
	kscap_emit(s, mask);
	kscap_fd_put(s);
}

/* For the only consumer, in its ring at once. */
static __always_inline void record_in_place(struct kscap_scratch *s, struct pt_regs *regs,
					    struct kscap_ring *ring, u64 word)
{
	u32 room8 = ring->room8;
	enum kscap_sent sent;

	if (unlikely(s->row->flags & KSCAP_ROW_EXEC || !ring_has_room(&ring->core, word, room8))) {
		record_call(s, regs, 1U << ring->consumer->id);
		return;
	}
	s->rec = ring_at(&ring->core, word);
	s->room = room8 * 8;
	build_call(s, regs);
	s->thread_key = kscap_intro_key(current);
	sent = kscap_emit_in_place(s, ring, word);
	if (unlikely(sent == KSCAP_MUST_COPY)) {
		record_copied(s, regs, ring, word);
		return;
	}
	if (s->row->flags & KSCAP_ROW_FILES)
		kscap_fd_put(s);
	if (unlikely(sent == KSCAP_MUST_REDO))
		record_call(s, regs, 1U << ring->consumer->id);
}

void kscap_on_sys_exit(void *data, struct pt_regs *regs, long ret)
{
	struct kscap_scratch *s;
	struct kscap_ring *lead;
	u64 word = 0;
	u32 mask;

	if (!scratch_take(&s))
		return;
	lead = READ_ONCE(s->lead);
	if (likely(lead))
		word = READ_ONCE(lead->core.word);
	barrier();
	s->now = kscap_now();
	view_exit(s, regs, ret);
	if (likely(lead)) {
		if (wanted_by(s, lead))
			record_in_place(s, regs, lead, word);
	} else {
		mask = wanted_at_exit(s);
		if (mask)
			record_call(s, regs, mask);
	}
	if (likely(s->slot)) {
		s->slot->time_ns = 0;
		s->slot->flags = 0;
	}
	scratch_give(s);
}

/* ---- for the events that are no calls --------------------------------------------------------- */

bool kscap_scratch_take(struct kscap_scratch **ret_s)
{
	return scratch_take(ret_s);
}

void kscap_scratch_give(struct kscap_scratch *s)
{
	scratch_give(s);
}

u32 kscap_event_begin(struct kscap_scratch *s, u8 type, u32 bytes)
{
	u32 mask;

	s->slot = kscap_stash_find(current);
	mask = wanted_at_entry(s, true);
	if (mask)
		kscap_rec_begin(s, type, bytes, SCAP_TALLY_KEY(type, 0, 0));
	return mask;
}

/* ---- pending gaps --------------------------------------------------------------------------- */

struct flush {
	struct kscap_consumer *c;
	bool again;
};

/* On the ring's CPU, from an interrupt: in the middle of a probe the tally is not ours. */
static void flush_here(struct kscap_ring *ring, struct flush *f, const struct kscap_scratch *s)
{
	u32 bytes = kscap_ring_gap_bytes(ring);
	u64 epoch = kscap_now() >> SCAP_EPOCH_SHIFT;
	struct ring_slot slot;
	int rc;

	if (s->busy) {
		f->again = true;
		return;
	}
	if (!bytes || !ring_has_room(&ring->core, (u32)ring->core.word, bytes / 8))
		return;
	do {
		rc = ring_reserve(&ring->core, bytes / 8, 1, epoch, SCAP_EPOCH_SHIFT, &slot);
		if (rc == RING_OK)
			kscap_ring_gap_write(ring, slot.rec, slot.seq, slot.time_ns);
		ring_leave(&ring->core);
		epoch = slot.time_ns >> SCAP_EPOCH_SHIFT;
	} while (rc == RING_EPOCH);
}

static void flush_on_cpu(void *arg)
{
	struct flush *f = arg;
	int cpu = smp_processor_id();

	flush_here(&f->c->rings[cpu], f, per_cpu(scratch, cpu));
}

int kscap_capture_flush(struct kscap_consumer *c)
{
	struct flush f = { .c = c };
	int cpu;

	cpus_read_lock();
	for_each_possible_cpu(cpu) {
		do {
			f.again = false;
			/* An offline CPU has no probe: nobody else writes its ring. */
			if (smp_call_function_single(cpu, flush_on_cpu, &f, 1))
				flush_here(&c->rings[cpu], &f, per_cpu(scratch, cpu));
			cond_resched();
		} while (f.again);
	}
	cpus_read_unlock();
	return 0;
}
