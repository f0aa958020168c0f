// SPDX-License-Identifier: GPL-2.0-only
#include "capture.h"

#include <linux/binfmts.h>
#include <linux/cpu.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "clock.h"
#include "consumer.h"
#include "emit.h"
#include "encode.h"
#include "fill.h"
#include "filter.h"
#include "ring.h"
#include "stash.h"

static DEFINE_PER_CPU(struct kscap_scratch *, scratch);

/* ---- this CPU's scratch memory ------------------------------------------------------------- */

/*
 * Preemption is off already in the kernels whose probes run so; later ones leave it to us. NULL:
 * an interrupt came into a probe of this CPU.
 */
static __always_inline struct kscap_scratch *scratch_take(void)
{
	struct kscap_scratch *s;

	preempt_disable_notrace();
	s = this_cpu_read(scratch);
	if (unlikely(s->busy)) {
		s->n_nested++;
		preempt_enable_notrace();
		return NULL;
	}
	s->busy = 1;
	barrier();
	return s;
}

static __always_inline void scratch_give(struct kscap_scratch *s)
{
	barrier();
	s->busy = 0;
	preempt_enable_notrace();
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
static u32 wanted_at_entry(const struct kscap_scratch *s, u32 active, bool always)
{
	u8 tree = s->slot ? s->slot->tree : 0;
	struct kscap_consumer *c;
	u32 mask = 0, todo;

	kscap_for_each_consumer(c, active, todo)
		if (kscap_filter_task(&c->filter, current, tree) &&
		    (always || kscap_filter_nr(&c->filter, s->abi, s->nr)))
			mask |= todo & -todo;
	return mask;
}

/* A call that may never return: its mark. */
static void mark_entry(struct kscap_scratch *s, u32 mask)
{
	struct scap_rec_enter *rec = &s->rec.enter;
	u32 nargs = s->row->nargs;

	rec->tid = current->pid;
	rec->nr = s->nr;
	rec->shape = SCAP_SHAPE(s->abi, nargs);
	rec->pad = 0;
	if (s->row->flags & KSCAP_ROW_EXEC)
		kscap_exec_blobs_entry(s);
	kscap_emit_all(s, mask);
}

/* close: its file is gone at the exit, so its cookie and introduction are taken here. */
static void note_close(struct kscap_scratch *s, u32 mask)
{
	int fd = s->args[0];

	s->bytes = 0;
	s->tally_key = SCAP_TALLY_KEY(SCAP_REC_FILE, 0, 0);
	if (mask)
		kscap_fd_ref(s, 0, fd);
	if (s->slot)
		s->slot->args[0] = s->file[0] ? s->file[0]->cookie : 0;
	if (s->file[0])
		kscap_emit_all(s, mask);
	kscap_fd_put(s);
}

static noinline void special_entry(struct kscap_scratch *s, struct pt_regs *regs, u32 active)
{
	const struct kscap_row *row = s->row;
	struct kscap_stash_slot *slot = s->slot;
	u32 mask;

	kscap_rec_begin(s, SCAP_REC_ENTER, sizeof(struct scap_rec_enter) + row->nargs * 8,
			SCAP_TALLY_KEY(SCAP_REC_ENTER, s->abi, s->nr));
	s->args = &s->rec.words[sizeof(struct scap_rec_enter) / 8];
	kscap_arch_args(regs, s->abi, s->args);
	if (slot && row->flags & KSCAP_ROW_EXEC)
		memcpy(slot->args, s->args, sizeof(slot->args));
	mask = wanted_at_entry(s, active, !(row->flags & KSCAP_ROW_CLOSE));
	if (row->flags & KSCAP_ROW_CLOSE)
		note_close(s, mask);
	else if (mask)
		mark_entry(s, mask);
}

void kscap_on_sys_enter(void *data, struct pt_regs *regs, long raw_nr)
{
	struct kscap_scratch *s = scratch_take();
	u32 active = smp_load_acquire(&kscap_active);
	struct kscap_stash_slot *slot;
	int nr = raw_nr;
	unsigned int abi;

	if (unlikely(!s))
		return;
	abi = kscap_arch_abi(nr);
	slot = kscap_stash_find(current);
	if (unlikely(!slot))
		slot = kscap_stash_claim(current);
	kscap_take_time(s, active);
	if (likely(slot)) {
		slot->time_ns = s->now;
		slot->nr = nr;
		slot->abi = abi;
		slot->flags = 0;
	}
	s->row = kscap_row(abi, nr);
	if (unlikely(s->row->flags & KSCAP_ROW_ENTRY)) {
		s->slot = slot;
		s->nr = nr;
		s->abi = abi;
		special_entry(s, regs, active);
	}
	scratch_give(s);
}

/* ---- exit ---------------------------------------------------------------------------------- */

/* Does the stash tell of the call that ends here? exec may change the ABI, sigreturn the number. */
static __always_inline bool entry_matches(const struct kscap_stash_slot *slot, unsigned int abi,
					  int nr)
{
	if (likely(slot->nr == nr && slot->abi == abi))
		return true;
	return kscap_row(slot->abi, slot->nr)->flags & (KSCAP_ROW_EXEC | KSCAP_ROW_SIGRETURN);
}

/*
 * An exit without an entry: refused by seccomp, a child's first return, a program started by the
 * kernel, or a call begun before the probes were there. seccomp's TRAP and KILL roll the number
 * back into the result register.
 */
static noinline void classify_no_entry(struct kscap_scratch *s)
{
	const struct kscap_stash_slot *slot = s->slot;

	s->flags = SCAP_CALL_NO_ENTRY;
	if (slot && slot->flags & KSCAP_STASH_FORKED && s->row->ret == SCAP_ROLE_RET_PID && !s->ret)
		s->flags |= SCAP_CALL_CHILD;
	else if (current->seccomp.mode == SECCOMP_MODE_FILTER && s->ret == s->nr &&
		 (slot || sigismember(&current->pending.signal, SIGSYS)))
		s->flags |= SCAP_CALL_TRAPPED;
	else if (!slot)
		s->more = kscap_stash_is_full(current) ? SCAP_MORE_NO_STASH : SCAP_MORE_MIDCALL;
}

/* Number, ABI, result, latency of the call that ends. */
static __always_inline void view_exit(struct kscap_scratch *s, struct pt_regs *regs, long ret)
{
	struct kscap_stash_slot *slot = kscap_stash_find(current);
	int nr = syscall_get_nr(current, regs);
	unsigned int abi = kscap_arch_abi(nr);

	s->slot = slot;
	s->flags = 0;
	s->more = 0;
	s->had_entry = slot && slot->time_ns && entry_matches(slot, abi, nr);
	if (likely(s->had_entry)) {
		nr = slot->nr;
		abi = slot->abi;
		s->latency_ns = s->now - slot->time_ns;
		if (unlikely((s64)s->latency_ns < 0)) {
			s->latency_ns = 0;
			s->n_clock_back++;
		}
	}
	s->nr = nr;
	s->abi = abi;
	s->ret = kscap_arch_ret(ret, abi);
	s->row = kscap_row(abi, nr);
	if (unlikely(!s->had_entry)) {
		s->latency_ns = U64_MAX;
		classify_no_entry(s);
	}
}

static __always_inline u32 wanted_at_exit(const struct kscap_scratch *s, u32 active)
{
	struct kscap_consumer *c;
	u32 mask = 0, todo;

	kscap_for_each_consumer(c, active, todo) {
		const struct kscap_filter *f = &c->filter;

		if (unlikely(current->tgid == f->owner_tgid))
			continue;
		if (unlikely(f->flags) &&
		    (!kscap_filter_task(f, current, s->slot ? s->slot->tree : 0) ||
		     (!(s->row->flags & KSCAP_ROW_EXEC) &&
		      (!kscap_filter_nr(f, s->abi, s->nr) ||
		       !kscap_filter_result(f, s->ret, s->latency_ns)))))
			continue;
		mask |= todo & -todo;
	}
	return mask;
}

/* Where the arguments are: in the registers, but for calls that rewrite those. */
static __always_inline void take_args(struct kscap_scratch *s, struct pt_regs *regs)
{
	kscap_arch_args(regs, s->abi, s->args);
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
	bool ok = s->ret >= 0;

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
	if (row->fd_arg >= 0)
		kscap_fd_ref(s, s->file[0] ? 1 : 0, s->args[row->fd_arg]);
}

/* The cookies of both files; of a close that of its entry, where it was introduced, too. */
static __always_inline u64 cookies(const struct kscap_scratch *s)
{
	if (unlikely(s->row->flags & KSCAP_ROW_CLOSE))
		return s->had_entry ? (u32)s->slot->args[0] : 0;
	return (s->file[0] ? s->file[0]->cookie : 0) |
	       (s->file[1] ? (u64)s->file[1]->cookie << 32 : 0);
}

/* Optional words that rarely are: values too wide for the fixed part. Returns the next word. */
static noinline u32 wide_words(struct kscap_scratch *s, u32 n)
{
	if ((u32)s->nr > 0xffff) {
		s->flags |= SCAP_CALL_NR64;
		s->rec.words[n++] = (s64)s->nr;
	}
	if (s->ret != (s32)s->ret) {
		s->flags |= SCAP_CALL_RET64;
		s->rec.words[n++] = s->ret;
	}
	if (s->latency_ns >= SCAP_LATENCY_UNKNOWN && s->latency_ns != U64_MAX) {
		s->flags |= SCAP_CALL_LAT64;
		s->rec.words[n++] = s->latency_ns;
	}
	return n;
}

static __always_inline u32 tally_nr(int nr)
{
	return (u32)nr < 0xffff ? nr : 0xffff;
}

/* A CALL: its words in the order of abi.h, then blobs. */
static __always_inline void record_call(struct kscap_scratch *s, struct pt_regs *regs, u32 mask)
{
	const struct kscap_row *row = s->row;
	struct scap_rec_call *rec = &s->rec.call;
	u32 n = sizeof(*rec) / 8, at_cookies = 0;

	kscap_rec_begin(s, SCAP_REC_CALL, 0, SCAP_TALLY_KEY(SCAP_REC_CALL, s->abi, tally_nr(s->nr)));
	if (unlikely((u32)s->nr > 0xffff || s->ret != (s32)s->ret ||
		     s->latency_ns >= SCAP_LATENCY_UNKNOWN))
		n = wide_words(s, n);
	if (row->flags & KSCAP_ROW_FILES)
		at_cookies = n++;
	s->args = &s->rec.words[n];
	s->bytes = (n + row->nargs) * 8;
	take_args(s, regs);
	if (row->flags & KSCAP_ROW_FILES)
		take_files(s);
	if (row->flags & (KSCAP_ROW_BLOBS | KSCAP_ROW_EXEC))
		kscap_encode_blobs(s);
	if (at_cookies) {
		s->rec.words[at_cookies] = cookies(s);
		s->flags |= SCAP_CALL_COOKIES;
	}
	rec->h.flags = s->flags;
	rec->tid = current->pid;
	rec->latency_ns = s->latency_ns;
	rec->ret = s->ret;
	rec->nr = s->nr;
	rec->shape = SCAP_SHAPE(s->abi, row->nargs);
	rec->more = s->more;
	kscap_emit_all(s, mask);
	if (row->flags & KSCAP_ROW_FILES)
		kscap_fd_put(s);
}

void kscap_on_sys_exit(void *data, struct pt_regs *regs, long ret)
{
	struct kscap_scratch *s = scratch_take();
	u32 active = smp_load_acquire(&kscap_active), mask;

	if (unlikely(!s))
		return;
	kscap_take_time(s, active);
	view_exit(s, regs, ret);
	mask = wanted_at_exit(s, active);
	if (likely(mask))
		record_call(s, regs, mask);
	if (likely(s->slot)) {
		s->slot->time_ns = 0;
		s->slot->flags = 0;
	}
	scratch_give(s);
}

/* ---- processes ------------------------------------------------------------------------------ */

/* Consumers among whose processes current is: these events pass all other filters. */
static u32 wanted_always(struct kscap_scratch *s)
{
	u32 active = smp_load_acquire(&kscap_active);

	kscap_take_time(s, active);
	s->slot = kscap_stash_find(current);
	return wanted_at_entry(s, active, true);
}

/* Before the child can run: it inherits its parent's trees, whoever is started by now. */
void kscap_on_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	struct kscap_scratch *s = scratch_take();
	struct kscap_stash_slot *from, *to;
	struct scap_rec_fork *rec;
	u32 mask;

	if (!s)
		return;
	from = kscap_stash_find(current);
	to = kscap_stash_claim(child);
	if (to) {
		to->flags = KSCAP_STASH_FORKED;
		if (from && from->tree)
			kscap_stash_tree_set(to, from->tree);
	}
	mask = wanted_always(s);
	if (mask) {
		kscap_rec_begin(s, SCAP_REC_FORK, sizeof(*rec), SCAP_TALLY_KEY(SCAP_REC_FORK, 0, 0));
		rec = &s->rec.fork;
		rec->tid = parent->pid;
		rec->tgid = parent->tgid;
		rec->child_tid = child->pid;
		rec->child_tgid = child->tgid;
		rec->child_start_ns = child->start_boottime;
		rec->child_vtid = child->thread_pid->numbers[child->thread_pid->level].nr;
		rec->pad = 0;
		kscap_emit_all(s, mask);
	}
	scratch_give(s);
}

void kscap_on_exec(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct kscap_scratch *s = scratch_take();
	struct scap_rec_exec *rec;
	u32 mask;

	if (!s)
		return;
	mask = wanted_always(s);
	if (mask) {
		kscap_rec_begin(s, SCAP_REC_EXEC, sizeof(*rec), SCAP_TALLY_KEY(SCAP_REC_EXEC, 0, 0));
		kscap_exec_file(s);
		rec = &s->rec.exec;
		rec->tid = task->pid;
		rec->old_tid = old_pid;
		rec->cookie = s->file[0] ? s->file[0]->cookie : 0;
		rec->pad = 0;
		kscap_exec_blobs_done(s, bprm);
		kscap_emit_all(s, mask);
		kscap_fd_put(s);
	}
	scratch_give(s);
}

void kscap_on_exit(void *data, struct task_struct *task)
{
	struct kscap_scratch *s = scratch_take();
	struct scap_rec_exit *rec;
	u32 mask;

	if (!s)
		return;
	mask = wanted_always(s);
	if (mask) {
		kscap_rec_begin(s, SCAP_REC_EXIT, sizeof(*rec), SCAP_TALLY_KEY(SCAP_REC_EXIT, 0, 0));
		rec = &s->rec.exit;
		rec->tid = task->pid;
		rec->status = task->exit_code;
		rec->start_ns = task->start_boottime;
		rec->group_dead = !atomic_read(&task->signal->live);
		rec->pad = 0;
		kscap_emit_all(s, mask);
	}
	kscap_stash_release(task);
	scratch_give(s);
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
