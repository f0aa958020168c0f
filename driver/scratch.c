// SPDX-License-Identifier: GPL-2.0-only
/* Each CPU's scratch memory: made when the first consumer needs it, and what is done with all. */
#include <linux/cpu.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "capture.h"
#include "clock.h"
#include "consumer.h"
#include "ring.h"
#include "stash.h"

DEFINE_PER_CPU(struct kscap_scratch *, kscap_scratch);

int kscap_capture_alloc(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct kscap_scratch *s = vzalloc_node(sizeof(*s), cpu_to_node(cpu));

		if (!s) {
			kscap_capture_free();
			return -ENOMEM;
		}
		s->last_slot = kscap_stash.slots;
		per_cpu(kscap_scratch, cpu) = s;
	}
	return 0;
}

void kscap_capture_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		vfree(per_cpu(kscap_scratch, cpu));
		per_cpu(kscap_scratch, cpu) = NULL;
	}
}

void kscap_capture_lead(struct kscap_consumer *only)
{
	int cpu;

	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu(kscap_scratch, cpu)->lead,
			   only ? &only->rings[cpu * SCAP_LANES + SCAP_LANE_MAIN] : NULL);
}

void kscap_capture_stats(struct scap_stats *stats)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct kscap_scratch *s = per_cpu(kscap_scratch, cpu);

		stats->n_nested_lost += READ_ONCE(s->n_nested);
		stats->n_clock_back += READ_ONCE(s->n_clock_back);
	}
}

/* ---- tokens --------------------------------------------------------------------------------- */

/* Epochs lie below: two years of them. */
#define ROOTS_GEN_SHIFT	26
#define ROOTS_GEN_MASK	((1ULL << KSCAP_STAMP_SHIFT) - (1ULL << ROOTS_GEN_SHIFT))

u64 kscap_roots_gen;

void kscap_roots_changed(void)
{
	u64 old = READ_ONCE(kscap_roots_gen), seen;

	while ((seen = cmpxchg(&kscap_roots_gen, old,
			       (old + (1ULL << ROOTS_GEN_SHIFT)) & ROOTS_GEN_MASK)) != old)
		old = seen;
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

static void flush_cpu(struct flush *f, int cpu)
{
	int lane;

	for (lane = 0; lane < SCAP_LANES; lane++)
		flush_here(&f->c->rings[cpu * SCAP_LANES + lane], f, per_cpu(kscap_scratch, cpu));
}

static void flush_on_cpu(void *f)
{
	flush_cpu(f, smp_processor_id());
}

int kscap_capture_flush(struct kscap_consumer *c)
{
	struct flush f = { .c = c };
	int cpu;

	cpus_read_lock();
	for_each_possible_cpu(cpu) {
		do {
			f.again = false;
			/* An offline CPU has no probe: nobody else writes its rings. */
			if (smp_call_function_single(cpu, flush_on_cpu, &f, 1))
				flush_cpu(&f, cpu);
			cond_resched();
		} while (f.again);
	}
	cpus_read_unlock();
	return 0;
}
