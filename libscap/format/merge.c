/* SPDX-License-Identifier: MIT */
#include "format/merge.h"

#include <scap/abi.h>
#include <scap/error.h>

#include "core/bytes.h"

void scap__merge_init(struct scap__merge *m, struct scap__budget *budget)
{
	*m = (struct scap__merge){ .budget = budget };
}

void scap__merge_fini(struct scap__merge *m)
{
	scap__free(m->budget, m->heap, m->cap * sizeof(*m->heap));
	scap__merge_init(m, m->budget);
}

int scap__merge_begin(struct scap__merge *m, uint32_t n_parts, uint64_t start_ns, uint64_t end_ns)
{
	void *p;
	int rc;

	m->start_ns = start_ns;
	m->end_ns = end_ns;
	m->n = 0;
	if (n_parts <= m->cap)
		return 0;
	scap__merge_fini(m);
	rc = scap__alloc_zeroed(m->budget, n_parts * sizeof(*m->heap), &p);
	if (rc)
		return rc;
	m->heap = p;
	m->cap = n_parts;
	m->start_ns = start_ns;
	m->end_ns = end_ns;
	return 0;
}

static bool before(const struct scap__cursor *a, const struct scap__cursor *b)
{
	return a->order_ns != b->order_ns ? a->order_ns < b->order_ns : a->ring < b->ring;
}

static void sift_down(struct scap__merge *m, uint32_t i)
{
	struct scap__cursor c = m->heap[i];

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= m->n)
			break;
		if (child + 1 < m->n && before(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (!before(&m->heap[child], &c))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = c;
}

static void sift_up(struct scap__merge *m, uint32_t i)
{
	while (i && before(&m->heap[i], &m->heap[(i - 1) / 2])) {
		struct scap__cursor c = m->heap[i];

		m->heap[i] = m->heap[(i - 1) / 2];
		m->heap[(i - 1) / 2] = c;
		i = (i - 1) / 2;
	}
}

/* Looks at the record at c->p: 1 there is one, 0 the part ends here as promised, or damage. */
static int look(const struct scap__merge *m, struct scap__cursor *c)
{
	size_t left = (size_t)(c->end - c->p), n;
	uint64_t ns;

	if (!left)
		return c->n_left ? SCAP_EDAMAGED : 0;
	if (left < sizeof(struct scap_rec) || !c->n_left)
		return SCAP_EDAMAGED;
	n = (size_t)scap__le16(c->p) * 8;
	if (n < sizeof(struct scap_rec) || n > left)
		return SCAP_EDAMAGED;
	c->bytes = (uint32_t)n;
	ns = scap__le64(c->p + offsetof(struct scap_rec, time_ns));
	if (ns >= m->end_ns)
		ns = m->end_ns - 1;
	if (ns > c->order_ns)
		c->order_ns = ns;
	return 1;
}

int scap__merge_add(struct scap__merge *m, uint32_t ring, const uint8_t *rows, size_t bytes,
		    uint32_t n_records)
{
	struct scap__cursor *c = &m->heap[m->n];
	int rc;

	/* Where nothing was unpacked there may be no rows at all. */
	*c = (struct scap__cursor){ .p = rows, .end = bytes ? rows + bytes : rows, .ring = ring,
				    .order_ns = m->start_ns, .n_left = n_records };
	rc = look(m, c);
	if (rc <= 0)
		return rc;
	sift_up(m, m->n++);
	return 0;
}

const struct scap__cursor *scap__merge_top(const struct scap__merge *m)
{
	return m->n ? &m->heap[0] : NULL;
}

int scap__merge_advance(struct scap__merge *m)
{
	struct scap__cursor *c = &m->heap[0];
	int rc;

	c->p += c->bytes;
	c->n_left--;
	rc = look(m, c);
	if (rc <= 0)
		m->heap[0] = m->heap[--m->n];
	if (m->n)
		sift_down(m, 0);
	return rc < 0 ? rc : 0;
}
