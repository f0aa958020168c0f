// SPDX-License-Identifier: GPL-2.0-only
#include "ring.h"

#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

static atomic_t n_stamps;

static void wake_reader(struct irq_work *work)
{
	wake_up_all(container_of(work, struct kscap_ring, wake)->wq);
}

static void free_pages_of(struct kscap_ring *ring)
{
	u32 i;

	for (i = 0; i < ring->n_pages; i++)
		__free_page(ring->pages[i]);
	kvfree(ring->pages);
	ring->pages = NULL;
	ring->n_pages = 0;
}

/* The page list names each page twice, so that kernel and reader map the ring twice in a row. */
static int alloc_pages_of(struct kscap_ring *ring, int cpu, u32 n)
{
	ring->pages = kvcalloc(2 * (size_t)n, sizeof(*ring->pages), GFP_KERNEL);
	if (!ring->pages)
		return -ENOMEM;
	for (; ring->n_pages < n; ring->n_pages++) {
		struct page *page = alloc_pages_node(cpu_to_node(cpu),
						     GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY |
						     __GFP_NOWARN, 0);

		if (!page)
			return -ENOMEM;
		ring->pages[ring->n_pages] = page;
		ring->pages[n + ring->n_pages] = page;
		cond_resched();
	}
	return 0;
}

int kscap_ring_init(struct kscap_ring *ring, int cpu, u64 bytes, u64 *head, const u32 *reader,
		    struct wait_queue_head *wq)
{
	u32 n = bytes >> PAGE_SHIFT;
	int rc;

	ring->wq = wq;
	init_irq_work(&ring->wake, wake_reader);
	rc = alloc_pages_of(ring, cpu, n);
	if (rc)
		goto fail;
	rc = -ENOMEM;
	ring->tally = vzalloc_node(sizeof(*ring->tally), cpu_to_node(cpu));
	ring->seen = vzalloc_node(sizeof(*ring->seen), cpu_to_node(cpu));
	ring->core.data = vmap(ring->pages, 2 * n, VM_MAP, PAGE_KERNEL);
	if (!ring->tally || !ring->seen || !ring->core.data)
		goto fail;
	ring->core.size8 = bytes / 8;
	ring->core.head = head;
	ring->core.reader = reader;
	ring->wake_pos = 1U << 30;
	ring->limit = U32_MAX;
	ring->stamp = (u64)atomic_inc_return(&n_stamps) << KSCAP_STAMP_SHIFT & ~KSCAP_STAMP_GAP;
	return 0;
fail:
	kscap_ring_fini(ring);
	return rc;
}

void kscap_ring_fini(struct kscap_ring *ring)
{
	if (!ring->wq)
		return;
	irq_work_sync(&ring->wake);
	if (ring->core.data)
		vunmap(ring->core.data);
	vfree(ring->seen);
	vfree(ring->tally);
	if (ring->pages)
		free_pages_of(ring);
	memset(ring, 0, sizeof(*ring));
}

int kscap_ring_map(struct kscap_ring *ring, struct vm_area_struct *vma)
{
	unsigned long n = 2UL * ring->n_pages;

	if (vma->vm_end - vma->vm_start != n << PAGE_SHIFT)
		return -EINVAL;
	return vm_insert_pages(vma, vma->vm_start, ring->pages, &n);
}

/* limit - pos stays far below 2^31: a ring has at most 2^27 units. */
bool kscap_ring_refresh_limit(struct kscap_ring *ring, u32 pos)
{
	if (!ring_has_room(&ring->core, pos, ring->room8))
		return false;
	ring->limit = ring->core.tail + ring->core.size8 - ring->room8;
	return true;
}

/* One key has one place; when all are taken, the last one collects the rest. */
static struct scap_tally *tally_kind(struct kscap_tally *t, u32 key)
{
	u32 i = hash_32(key, ilog2(KSCAP_TALLY_INDEX));

	for (; t->index[i]; i = (i + 1) % KSCAP_TALLY_INDEX)
		if (t->kind[t->index[i] - 1].key == key)
			return &t->kind[t->index[i] - 1];
	if (t->n_kinds == KSCAP_TALLY_KINDS)
		return &t->kind[KSCAP_TALLY_KINDS - 1];
	if (t->n_kinds == KSCAP_TALLY_KINDS - 1)
		key = SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 0xffff);
	t->kind[t->n_kinds].key = key;
	t->kind[t->n_kinds].count = 0;
	t->index[i] = ++t->n_kinds;
	return &t->kind[t->n_kinds - 1];
}

void kscap_ring_tally(struct kscap_ring *ring, u32 key, const struct ring_slot *slot)
{
	struct kscap_tally *t = ring->tally;

	if (!t->n_lost) {
		t->first_seq = slot->seq;
		t->first_ns = slot->time_ns;
	}
	ring->stamp |= KSCAP_STAMP_GAP;
	t->n_lost++;
	t->last_ns = slot->time_ns;
	tally_kind(t, key)->count++;
}

void kscap_ring_gap_write(struct kscap_ring *ring, struct scap_rec_gap *rec, u32 seq, u64 time_ns)
{
	struct kscap_tally *t = ring->tally;

	kscap_rec_head(&rec->h, kscap_ring_gap_bytes(ring), SCAP_REC_GAP, 0, seq, time_ns);
	rec->first_ns = t->first_ns;
	rec->last_ns = t->last_ns;
	rec->first_seq = t->first_seq;
	rec->n_lost = t->n_lost;
	rec->n_tally = t->n_kinds;
	rec->pad = 0;
	memcpy(rec + 1, t->kind, t->n_kinds * sizeof(t->kind[0]));
	memset(t->index, 0, sizeof(t->index));
	t->n_lost = 0;
	t->n_kinds = 0;
	ring->stamp &= ~KSCAP_STAMP_GAP;
}

/* Unlocked against the producer: at worst a wake-up comes late, and readers poll with a timeout. */
bool kscap_ring_poll(struct kscap_ring *ring)
{
	u32 pos = (u32)READ_ONCE(*ring->core.head);
	u32 tail = READ_ONCE(*ring->core.reader);
	u32 quarter = ring->core.size8 / 4;

	if (pos - tail >= quarter)
		return true;
	WRITE_ONCE(ring->wake_pos, tail + quarter);
	return false;
}
