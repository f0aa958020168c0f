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
#include "encode.h"
#include "fill.h"
#include "filter.h"
#include "intro.h"
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

/* ---- a record into a consumer's ring ------------------------------------------------------- */

/* What is reserved together, in the order in which it is written. */
struct plan {
	u32 gap;
	u32 intro;
	u32 file[2];
	u32 rec;
	u32 total;
	u32 n_seq;
};

static __always_inline struct kscap_seen *seen_thread(struct kscap_ring *ring, u32 tid)
{
	return &ring->seen->threads[tid % KSCAP_SEEN_THREADS];
}

static __always_inline struct kscap_seen *seen_file(struct kscap_ring *ring, u32 cookie)
{
	return &ring->seen->files[cookie % KSCAP_SEEN_FILES];
}

static __always_inline bool is_new(const struct kscap_seen *seen, u64 key, u64 epoch)
{
	return seen->key != key || seen->epoch != epoch;
}

static __always_inline u32 round8(u32 n)
{
	return (n + 7) & ~7U;
}

/* How much less a consumer with this snaplen takes. */
static __always_inline u32 io_excess(const struct kscap_scratch *s, u32 snaplen)
{
	return likely(s->io_bytes <= snaplen) ? 0 : round8(s->io_bytes) - round8(snaplen);
}

static u32 plan_file(struct kscap_scratch *s, struct kscap_ring *ring, int i, u64 epoch)
{
	struct kscap_file_ref *ref = &s->file[i];

	if (!ref->cookie || !is_new(seen_file(ring, ref->cookie), ref->key, epoch))
		return 0;
	if (!ref->bytes)
		kscap_file_fill(s, ref);
	return ref->bytes;
}

static __always_inline void make_plan(struct kscap_scratch *s, struct kscap_consumer *c,
				      struct kscap_ring *ring, u64 epoch, struct plan *p)
{
	p->gap = kscap_ring_gap_bytes(ring);
	p->intro = is_new(seen_thread(ring, current->pid), s->thread_key, epoch) ?
		   sizeof(struct scap_rec_intro) : 0;
	p->file[0] = plan_file(s, ring, 0, epoch);
	p->file[1] = s->file[1].cookie == s->file[0].cookie ? 0 : plan_file(s, ring, 1, epoch);
	p->rec = s->type ? s->rec_bytes + s->blob_bytes - io_excess(s, c->snaplen) : 0;
	p->total = p->gap + p->intro + p->file[0] + p->file[1] + p->rec;
	p->n_seq = !!p->gap + !!p->intro + !!p->file[0] + !!p->file[1] + !!p->rec;
}

static void write_intro(struct kscap_scratch *s, struct kscap_ring *ring, void *at, u32 seq,
			u64 now)
{
	struct kscap_seen *seen = seen_thread(ring, current->pid);

	kscap_rec_head(at, sizeof(struct scap_rec_intro), SCAP_REC_INTRO, 0, seq, now);
	kscap_intro_fill(at, current);
	seen->key = s->thread_key;
	seen->epoch = now >> SCAP_EPOCH_SHIFT;
}

static void write_file(struct kscap_ring *ring, struct kscap_file_ref *ref, void *at, u32 seq,
		       u64 now)
{
	struct kscap_seen *seen = seen_file(ring, ref->cookie);

	memcpy(at, &ref->rec, ref->bytes);
	kscap_rec_head(at, ref->bytes, SCAP_REC_FILE, ref->rec.h.flags, seq, now);
	seen->key = ref->key;
	seen->epoch = now >> SCAP_EPOCH_SHIFT;
}

/* The blobs with the I/O data cut to what this consumer wants. */
static void write_blobs_cut(const struct kscap_scratch *s, u8 *at, u32 snaplen)
{
	const u8 *blobs = (const u8 *)s->blobs;
	struct scap_blob *io = (struct scap_blob *)(at + s->io_at);
	u32 head = s->io_at + sizeof(*io), kept = round8(snaplen);
	u32 behind = head + round8(s->io_bytes);

	memcpy(at, blobs, head + snaplen);
	memset(at + head + snaplen, 0, kept - snaplen);
	io->meta = SCAP_BLOB_META(SCAP_BLOB_SLOT(io->meta), SCAP_STATE_TRUNCATED, snaplen);
	memcpy(at + head + kept, blobs + behind, s->blob_bytes - behind);
}

static __always_inline void copy_words(u64 *to, const u64 *from, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes / 8; i++)
		to[i] = from[i];
}

static __always_inline void write_rec(const struct kscap_scratch *s, struct kscap_consumer *c,
				      u8 *at, u32 bytes, u32 seq, u64 now)
{
	kscap_rec_head((struct scap_rec *)at, bytes, s->type, s->flags, seq, now);
	copy_words((u64 *)at + 2, s->rec.words + 2, s->rec_bytes - sizeof(struct scap_rec));
	at += s->rec_bytes;
	if (unlikely(io_excess(s, c->snaplen)))
		write_blobs_cut(s, at, c->snaplen);
	else if (s->blob_bytes <= 256)
		copy_words((u64 *)at, s->blobs, s->blob_bytes);
	else
		memcpy(at, s->blobs, s->blob_bytes);
}

static __always_inline void write_plan(struct kscap_scratch *s, struct kscap_consumer *c,
				       struct kscap_ring *ring, const struct plan *p,
				       const struct ring_slot *slot)
{
	u8 *at = slot->rec;
	u32 seq = slot->seq;
	int i;

	if (unlikely(p->gap)) {
		kscap_ring_gap_write(ring, (void *)at, seq++, slot->time_ns);
		at += p->gap;
	}
	if (unlikely(p->intro)) {
		write_intro(s, ring, at, seq++, slot->time_ns);
		at += p->intro;
	}
	for (i = 0; i < 2; i++) {
		if (likely(!p->file[i]))
			continue;
		write_file(ring, &s->file[i], at, seq++, slot->time_ns);
		at += p->file[i];
	}
	if (likely(p->rec))
		write_rec(s, c, at, p->rec, seq, slot->time_ns);
}

/* s->type 0: introductions alone. An epoch that ends between plan and reservation: plan anew. */
static __always_inline void emit(struct kscap_scratch *s, struct kscap_consumer *c, u64 now)
{
	struct kscap_ring *ring = &c->rings[smp_processor_id()];
	u64 epoch = now >> SCAP_EPOCH_SHIFT;
	struct ring_slot slot;
	struct plan p;
	int rc;

	for (;;) {
		make_plan(s, c, ring, epoch, &p);
		if (unlikely(!p.rec && !p.intro && !p.file[0] && !p.file[1]))
			return;
		rc = ring_reserve(&ring->core, p.total / 8, p.n_seq, epoch, SCAP_EPOCH_SHIFT, &slot);
		if (likely(rc != RING_EPOCH))
			break;
		ring_leave(&ring->core);
		epoch = slot.time_ns >> SCAP_EPOCH_SHIFT;
	}
	if (likely(rc == RING_OK))
		write_plan(s, c, ring, &p, &slot);
	else
		kscap_ring_tally(ring, s->tally_key, &slot);
	ring_leave(&ring->core);
	kscap_ring_wake(ring);
}

static __always_inline void emit_all(struct kscap_scratch *s, u32 mask, u64 now)
{
	struct kscap_consumer *c;
	u32 todo;

	s->thread_key = kscap_intro_key(current);
	kscap_for_each_consumer(c, mask, todo)
		emit(s, c, now);
}

static __always_inline void begin_record(struct kscap_scratch *s, u8 type, u32 tally_key)
{
	s->type = type;
	s->flags = 0;
	s->tally_key = tally_key;
	s->blob_bytes = 0;
	s->io_bytes = 0;
}

/* ---- entry --------------------------------------------------------------------------------- */

/* Consumers that want this call, as far as that is known before its result. */
static u32 wanted_at_entry(const struct kscap_stash_slot *slot, unsigned int abi, int nr, bool always)
{
	u32 active = smp_load_acquire(&kscap_active), mask = 0, todo;
	struct kscap_consumer *c;

	kscap_for_each_consumer(c, active, todo)
		if (kscap_filter_task(&c->filter, current, slot ? slot->tree : 0) &&
		    (always || kscap_filter_nr(&c->filter, abi, nr)))
			mask |= todo & -todo;
	return mask;
}

/* A call that may never return: its mark. */
static void mark_entry(struct kscap_scratch *s, u32 mask, u64 now)
{
	struct scap_rec_enter *rec = &s->rec.enter;
	u32 nargs = s->row->nargs;

	begin_record(s, SCAP_REC_ENTER, SCAP_TALLY_KEY(SCAP_REC_ENTER, s->abi, s->nr));
	rec->tid = current->pid;
	rec->nr = s->nr;
	rec->shape = SCAP_SHAPE(s->abi, nargs);
	rec->pad = 0;
	memcpy(&s->rec.words[sizeof(*rec) / 8], s->args, nargs * 8);
	s->rec_bytes = sizeof(*rec) + nargs * 8;
	if (s->row->flags & KSCAP_ROW_EXEC)
		kscap_exec_blobs_entry(s);
	emit_all(s, mask, now);
}

/* close: its file is gone at the exit, so its cookie and introduction are taken here. */
static void note_close(struct kscap_scratch *s, struct kscap_stash_slot *slot, u32 mask, u64 now)
{
	begin_record(s, 0, SCAP_TALLY_KEY(SCAP_REC_FILE, 0, 0));
	if (mask)
		kscap_fd_ref(s, 0, s->args[0]);
	if (slot)
		slot->args[0] = s->file[0].cookie;
	if (s->file[0].cookie)
		emit_all(s, mask, now);
	kscap_fd_put(s);
}

static noinline void special_entry(struct kscap_stash_slot *slot, struct pt_regs *regs,
				   const struct kscap_row *row, unsigned int abi, int nr, u64 now)
{
	struct kscap_scratch *s = scratch_take();
	u32 mask;

	if (!s)
		return;
	s->row = row;
	s->abi = abi;
	s->nr = nr;
	kscap_arch_args(regs, abi, s->args);
	if (slot && row->flags & KSCAP_ROW_EXEC)
		memcpy(slot->args, s->args, sizeof(slot->args));
	mask = wanted_at_entry(slot, abi, nr, !(row->flags & KSCAP_ROW_CLOSE));
	if (row->flags & KSCAP_ROW_CLOSE)
		note_close(s, slot, mask, now);
	else if (mask)
		mark_entry(s, mask, now);
	scratch_give(s);
}

void kscap_on_sys_enter(void *data, struct pt_regs *regs, long raw_nr)
{
	int nr = raw_nr;
	unsigned int abi = kscap_arch_abi(nr);
	const struct kscap_row *row = kscap_row(abi, nr);
	struct kscap_stash_slot *slot;
	u64 now;

	preempt_disable_notrace();
	slot = kscap_stash_find(current);
	if (unlikely(!slot))
		slot = kscap_stash_claim(current);
	now = kscap_now();
	if (likely(slot)) {
		slot->time_ns = now;
		slot->nr = nr;
		slot->abi = abi;
		slot->flags = 0;
	}
	if (unlikely(row->flags & KSCAP_ROW_ENTRY))
		special_entry(slot, regs, row, abi, nr, now);
	preempt_enable_notrace();
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

struct exit_view {
	struct kscap_stash_slot *slot;
	u64 now;
	u64 latency_ns;		/* U64_MAX unknown */
	u8 flags;
	u8 more;
	bool had_entry;
};

/*
 * An exit without an entry: refused by seccomp, a child's first return, a program started by the
 * kernel, or a call begun before the probes were there. seccomp's TRAP and KILL roll the number
 * back into the result register.
 */
static noinline void classify_no_entry(const struct kscap_scratch *s, struct exit_view *v)
{
	const struct kscap_stash_slot *slot = v->slot;

	v->flags |= SCAP_CALL_NO_ENTRY;
	if (slot && slot->flags & KSCAP_STASH_FORKED && s->row->ret == SCAP_ROLE_RET_PID && !s->ret)
		v->flags |= SCAP_CALL_CHILD;
	else if (current->seccomp.mode == SECCOMP_MODE_FILTER && s->ret == s->nr &&
		 (slot || sigismember(&current->pending.signal, SIGSYS)))
		v->flags |= SCAP_CALL_TRAPPED;
	else if (!slot)
		v->more |= kscap_stash_is_full(current) ? SCAP_MORE_NO_STASH : SCAP_MORE_MIDCALL;
}

/* Where the arguments are: in the registers, but for calls that rewrite those. */
static __always_inline void take_args(struct kscap_scratch *s, struct pt_regs *regs,
				      struct exit_view *v)
{
	if (likely(!(s->row->flags & (KSCAP_ROW_EXEC | KSCAP_ROW_SIGRETURN)))) {
		kscap_arch_args(regs, s->abi, s->args);
	} else if (v->had_entry) {
		memcpy(s->args, v->slot->args, sizeof(v->slot->args));
	} else {
		kscap_arch_args(regs, s->abi, s->args);
		v->more |= SCAP_MORE_ARGS_LOST;
	}
}

/* The files that the call is about: see struct scap_rec_call. */
static __always_inline void take_files(struct kscap_scratch *s, const struct exit_view *v)
{
	const struct kscap_row *row = s->row;
	bool ok = s->ret >= 0;

	if (likely(!(row->flags & (KSCAP_ROW_RET_FD | KSCAP_ROW_EXEC | KSCAP_ROW_CLOSE)))) {
		if (row->fd_arg >= 0)
			kscap_fd_ref(s, 0, s->args[row->fd_arg]);
		return;
	}
	if (row->flags & KSCAP_ROW_CLOSE) {
		s->file[0].cookie = v->had_entry ? v->slot->args[0] : 0;
		s->file[0].key = 0;
		return;
	}
	if (ok && row->flags & KSCAP_ROW_RET_FD)
		kscap_fd_ref(s, 0, s->ret);
	else if (ok && row->flags & KSCAP_ROW_EXEC)
		kscap_exec_file(s);
	if (row->fd_arg >= 0)
		kscap_fd_ref(s, s->file[0].cookie ? 1 : 0, s->args[row->fd_arg]);
}

/* Header words and optional words of a CALL, in the order of abi.h. */
static __always_inline void fill_call(struct kscap_scratch *s, const struct exit_view *v)
{
	struct scap_rec_call *rec = &s->rec.call;
	u32 nargs = s->row->nargs, i, n = sizeof(*rec) / 8;

	s->flags = v->flags | s->fd_shared;
	rec->tid = current->pid;
	rec->latency_ns = v->latency_ns;
	rec->ret = s->ret;
	rec->nr = s->nr;
	rec->shape = SCAP_SHAPE(s->abi, nargs);
	rec->more = v->more;
	if (unlikely((u32)s->nr > 0xffff)) {
		s->flags |= SCAP_CALL_NR64;
		s->rec.words[n++] = (s64)s->nr;
	}
	if (unlikely(s->ret != (s32)s->ret)) {
		s->flags |= SCAP_CALL_RET64;
		s->rec.words[n++] = s->ret;
	}
	if (unlikely(v->latency_ns >= SCAP_LATENCY_UNKNOWN && v->latency_ns != U64_MAX)) {
		s->flags |= SCAP_CALL_LAT64;
		s->rec.words[n++] = v->latency_ns;
	}
	if (s->file[0].cookie | s->file[1].cookie) {
		s->flags |= SCAP_CALL_COOKIES;
		s->rec.words[n++] = s->file[0].cookie | (u64)s->file[1].cookie << 32;
	}
	for (i = 0; i < nargs; i++)
		s->rec.words[n++] = s->args[i];
	s->rec_bytes = n * 8;
}

static u32 tally_nr(int nr)
{
	return (u32)nr < 0xffff ? nr : 0xffff;
}

static __always_inline void record_call(struct kscap_scratch *s, struct pt_regs *regs, u32 mask,
					struct exit_view *v)
{
	begin_record(s, SCAP_REC_CALL, SCAP_TALLY_KEY(SCAP_REC_CALL, s->abi, tally_nr(s->nr)));
	s->fd_shared = 0;
	take_args(s, regs, v);
	take_files(s, v);
	if (s->row->flags & (KSCAP_ROW_BLOBS | KSCAP_ROW_EXEC))
		kscap_encode_blobs(s);
	fill_call(s, v);
	/* The file of a close was introduced at its entry, and is no longer there. */
	if (unlikely(s->row->flags & KSCAP_ROW_CLOSE))
		s->file[0].cookie = 0;
	emit_all(s, mask, v->now);
	kscap_fd_put(s);
}

static __always_inline u32 wanted_at_exit(const struct kscap_scratch *s, const struct exit_view *v)
{
	u32 active = smp_load_acquire(&kscap_active), mask = 0, todo;
	u8 tree = v->slot ? v->slot->tree : 0;
	struct kscap_consumer *c;

	kscap_for_each_consumer(c, active, todo) {
		const struct kscap_filter *f = &c->filter;

		if (!kscap_filter_task(f, current, tree))
			continue;
		if (likely(!(s->row->flags & KSCAP_ROW_EXEC)) &&
		    (!kscap_filter_nr(f, s->abi, s->nr) ||
		     !kscap_filter_result(f, s->ret, v->latency_ns)))
			continue;
		mask |= todo & -todo;
	}
	return mask;
}

static __always_inline void view_exit(struct kscap_scratch *s, struct pt_regs *regs, long ret,
				      struct exit_view *v)
{
	int nr = syscall_get_nr(current, regs);
	unsigned int abi = kscap_arch_abi(nr);
	struct kscap_stash_slot *slot = kscap_stash_find(current);

	v->now = kscap_now();
	v->slot = slot;
	v->latency_ns = U64_MAX;
	v->flags = 0;
	v->more = 0;
	v->had_entry = slot && slot->time_ns && entry_matches(slot, abi, nr);
	if (likely(v->had_entry)) {
		nr = slot->nr;
		abi = slot->abi;
		v->latency_ns = v->now - slot->time_ns;
		if (unlikely((s64)v->latency_ns < 0)) {
			v->latency_ns = 0;
			s->n_clock_back++;
		}
	}
	s->nr = nr;
	s->abi = abi;
	s->ret = kscap_arch_ret(ret, abi);
	s->row = kscap_row(abi, nr);
	if (unlikely(!v->had_entry))
		classify_no_entry(s, v);
}

void kscap_on_sys_exit(void *data, struct pt_regs *regs, long ret)
{
	struct kscap_scratch *s = scratch_take();
	struct exit_view v;
	u32 mask;

	if (!s)
		return;
	view_exit(s, regs, ret, &v);
	mask = wanted_at_exit(s, &v);
	if (mask)
		record_call(s, regs, mask, &v);
	if (likely(v.slot)) {
		v.slot->time_ns = 0;
		v.slot->flags = 0;
	}
	scratch_give(s);
}

/* ---- processes ------------------------------------------------------------------------------ */

/* Consumers among whose processes current is: these events pass all other filters. */
static u32 wanted_always(void)
{
	return wanted_at_entry(kscap_stash_find(current), 0, 0, true);
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
	mask = wanted_always();
	if (mask) {
		begin_record(s, SCAP_REC_FORK, SCAP_TALLY_KEY(SCAP_REC_FORK, 0, 0));
		rec = &s->rec.fork;
		rec->tid = parent->pid;
		rec->tgid = parent->tgid;
		rec->child_tid = child->pid;
		rec->child_tgid = child->tgid;
		rec->child_start_ns = child->start_boottime;
		rec->child_vtid = child->thread_pid->numbers[child->thread_pid->level].nr;
		rec->pad = 0;
		s->rec_bytes = sizeof(*rec);
		emit_all(s, mask, kscap_now());
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
	mask = wanted_always();
	if (mask) {
		begin_record(s, SCAP_REC_EXEC, SCAP_TALLY_KEY(SCAP_REC_EXEC, 0, 0));
		kscap_exec_file(s);
		rec = &s->rec.exec;
		rec->tid = task->pid;
		rec->old_tid = old_pid;
		rec->cookie = s->file[0].cookie;
		rec->pad = 0;
		s->rec_bytes = sizeof(*rec);
		kscap_exec_blobs_done(s, bprm);
		emit_all(s, mask, kscap_now());
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
	mask = wanted_always();
	if (mask) {
		begin_record(s, SCAP_REC_EXIT, SCAP_TALLY_KEY(SCAP_REC_EXIT, 0, 0));
		rec = &s->rec.exit;
		rec->tid = task->pid;
		rec->status = task->exit_code;
		rec->start_ns = task->start_boottime;
		rec->group_dead = !atomic_read(&task->signal->live);
		rec->pad = 0;
		s->rec_bytes = sizeof(*rec);
		emit_all(s, mask, kscap_now());
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
