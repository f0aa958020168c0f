/* SPDX-License-Identifier: MIT */
/* What was picked out of a slice's rings, in the order of time. */
#include "monitor/monitor.h"

#include "core/bytes.h"
#include "filter/program.h"

/* ---- the order: that of format/merge.h ------------------------------------------------------- */

static bool before(const struct scap_monitor *m, uint32_t a, uint32_t b)
{
	const struct scap__pick *x = &m->picks[m->parts[a].pick];
	const struct scap__pick *y = &m->picks[m->parts[b].pick];

	return x->order_ns != y->order_ns ? x->order_ns < y->order_ns : a < b;
}

static void sift_down(struct scap_monitor *m, uint32_t i)
{
	uint32_t part = m->heap[i];

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= m->n_heap)
			break;
		if (child + 1 < m->n_heap && before(m, m->heap[child + 1], m->heap[child]))
			child++;
		if (!before(m, m->heap[child], part))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = part;
}

static void begin(struct scap_monitor *m, uint32_t n_parts)
{
	m->n_heap = 0;
	for (uint32_t i = 0; i < n_parts; i++)
		if (m->parts[i].pick < m->parts[i].end_pick)
			m->heap[m->n_heap++] = i;
	for (uint32_t i = m->n_heap / 2; i-- > 0; )
		sift_down(m, i);
}

static const struct scap__pick *next_pick(struct scap_monitor *m)
{
	struct scap__monitor_part *part;
	const struct scap__pick *pick;

	if (!m->n_heap)
		return NULL;
	part = &m->parts[m->heap[0]];
	pick = &m->picks[part->pick++];
	if (part->pick == part->end_pick)
		m->heap[0] = m->heap[--m->n_heap];
	if (m->n_heap)
		sift_down(m, 0);
	return pick;
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* Counts a part's events before a time, or up to it. Times only grow from one call to the next. */
static uint64_t count_to(struct scap__monitor_part *part, uint64_t ns, bool ties, uint64_t last_ns)
{
	while (part->p < part->end) {
		uint64_t t = scap__le64(part->p + offsetof(struct scap_rec, time_ns));

		if (t > last_ns)
			t = last_ns;
		if (t < part->order_ns)
			t = part->order_ns;
		if (t > ns || (t == ns && !ties))
			break;
		part->order_ns = t;
		part->n_counted += scap__rec_is_event(part->p[2]);
		part->p += scap__rec_bytes(part->p);
	}
	return part->n_counted;
}

/* How a reader of the whole would number it; in all parts its predecessors are counted for that. */
static uint64_t number_of(struct scap_monitor *m, const struct scap__pick *pick,
			  const struct scap_slice *s)
{
	uint64_t n = m->totals.n_events + pick->n_before + 1;

	for (uint32_t i = 0; i < s->n_parts; i++)
		if (i != pick->part)
			n += count_to(&m->parts[i], pick->order_ns, i < pick->part, s->end_ns - 1);
	return n;
}

/* ---- conditions ---------------------------------------------------------------------------- */

struct visit {
	struct scap_monitor *m;
	const struct scap_slice *s;
	const struct scap__pick *pick;
	bool decoded;
	bool numbered;
};

/* 0, SCAP_EDAMAGED. A type that is not known is no event. */
static int decode(struct visit *v)
{
	const struct scap__monitor_part *part = &v->m->parts[v->pick->part];
	struct scap_event *ev = &v->m->ev;
	const char *what;

	if (v->decoded)
		return 0;
	if (scap__event_decode(v->pick->p, scap__rec_bytes(v->pick->p), ev, &what))
		return SCAP_EDAMAGED;
	v->m->totals.n_decoded += !(v->pick->why & SCAP__PICK_NAME);
	v->decoded = true;
	ev->num = 0;
	ev->ring = part->ring;
	ev->cpu = part->ring / SCAP_LANES;
	ev->wall_ns = v->s->real_ns ? v->s->real_ns + (ev->raw_ns - v->s->clock_raw_ns) :
				      ev->raw_ns;
	return 0;
}

static void number(struct visit *v)
{
	if (!v->numbered)
		v->m->ev.num = number_of(v->m, v->pick, v->s);
	v->numbered = true;
}

static void satisfied(struct visit *v, uint32_t i)
{
	struct scap__conditions *c = v->m->conditions;

	if (!scap__condition_counts(&c->v[i], v->pick->order_ns))
		return;
	number(v);
	v->m->totals.n_fired++;
	c->fired(c->ctx, i, &v->m->ev);
}

static void match(struct visit *v, uint32_t i)
{
	const struct scap_filter *f = v->m->conditions->v[i].filter;

	if (!f || scap_filter_match(f, &v->m->ev))
		satisfied(v, i);
}

static void attach(struct visit *v)
{
	scap__intros_attach(&v->m->intros, &v->m->ev);
	if (v->m->conditions->numbers)
		number(v);
}

static void match_wanted(struct visit *v, uint32_t i)
{
	const struct scap__conditions *c = v->m->conditions;
	const struct scap_filter *f = c->v[i].filter;
	const uint32_t *entries = c->entries[v->pick->kind];

	if (scap__filter_match_from(f, entries ? entries[i] : f->entry, &v->m->ev))
		satisfied(v, i);
}

static int go_over_wanted(struct visit *v)
{
	struct scap__conditions *c = v->m->conditions;
	const uint64_t *bits;
	int rc = decode(v);

	if (rc)
		return rc;
	attach(v);
	bits = c->bits + (size_t)v->pick->kind * c->n_words;
	for (uint32_t word = 0; word < c->n_words; word++)
		for (uint64_t b = bits[word]; b; b &= b - 1)
			match_wanted(v, word * 64 + (uint32_t)__builtin_ctzll(b));
	return 0;
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static void count_latency(struct scap_signals *s, uint64_t ns)
{
	unsigned i = 0;

	while (i < SCAP_SIGNAL_BUCKETS && ns > scap_signal_bound(i))
		i++;
	s->http_latency[i]++;
	s->n_http_latency++;
	s->http_latency_ns += ns;
}

static void count_response(struct visit *v, struct scap__socket *sock,
			   const struct scap__http_found *found)
{
	uint64_t ns = v->pick->order_ns, began_ns = sock->request_ns;
	struct scap_signals *s;

	if (found->status)
		sock->request_ns = 0;
	if (!v->pick->program)
		return;
	s = &v->pick->program->s;
	s->http[1] += found->n_interim;
	if (!found->status)
		return;
	s->http[found->status < 600 ? found->status / 100 : 0]++;
	if (began_ns)
		count_latency(s, ns > began_ns ? ns - began_ns : 0);
}

static void go_over_5xx(struct visit *v)
{
	struct scap__conditions *c = v->m->conditions;

	if (!c->http)
		return;
	attach(v);
	for (uint32_t i = 0; i < c->n; i++)
		if (c->v[i].kind == SCAP_CONDITION_HTTP_5XX)
			match(v, i);
}

static int go_over_write(struct visit *v, struct scap__socket *sock)
{
	struct scap_event *ev = &v->m->ev;
	bool many = v->pick->io == SCAP__HTTP_WRITE_MANY;
	struct scap__http_found found;
	const struct scap__blob *blob;
	size_t n = 0, total;
	int rc = decode(v);

	if (rc)
		return rc;
	blob = scap__event_blob(ev, 1);
	if (blob && blob->state != SCAP_STATE_REDACTED)
		n = blob->bytes;
	/* sendmmsg(2) returns a number of messages. */
	total = ev->sc && ev->sc->ret_role == SCAP_ROLE_RET_SIZE ? (size_t)ev->ret :
		many ? SIZE_MAX : blob ? blob->orig_bytes : 1;
	scap__http_write(sock, blob ? blob->data : NULL, n < total ? n : total, total, &found);
	if (found.status || found.n_interim)
		count_response(v, sock, &found);
	if (found.status >= 500 && found.status < 600)
		go_over_5xx(v);
	return 0;
}

static int go_over_http(struct visit *v)
{
	struct scap__http_found found;
	struct scap__socket *sock;

	if (v->pick->io == SCAP__HTTP_CLOSE) {
		scap__sockets_close(&v->m->sockets, v->pick->cookie);
		return 0;
	}
	sock = scap__sockets_get(&v->m->sockets, v->pick->cookie);
	if (v->pick->io == SCAP__HTTP_READ)
		scap__http_read(sock, v->pick->order_ns);
	else if (!scap__http_waits(sock))
		return 0;
	else if (v->pick->io == SCAP__HTTP_UNSEEN)
		scap__http_write(sock, NULL, 0, 1, &found);
	else
		return go_over_write(v, sock);
	return 0;
}

/* ---- all ----------------------------------------------------------------------------------- */

static int go_over_name(struct visit *v)
{
	int rc = decode(v);

	return rc ? rc : scap__intros_add(&v->m->intros, &v->m->ev);
}

static int go_over(struct visit *v)
{
	unsigned why = v->pick->why;
	int rc = 0, http_rc = 0;

	if (why & SCAP__PICK_NAME)
		return go_over_name(v);
	if (why & SCAP__PICK_WANTED)
		rc = go_over_wanted(v);
	if (why & SCAP__PICK_HTTP)
		http_rc = go_over_http(v);
	return rc ? rc : http_rc;
}

int scap__monitor_order(struct scap_monitor *m, const struct scap_slice *s)
{
	const struct scap__pick *pick;
	int first = 0;

	begin(m, s->n_parts);
	while ((pick = next_pick(m))) {
		struct visit v = { .m = m, .s = s, .pick = pick };
		int rc;

		scap__intros_enter_epoch(&m->intros, pick->order_ns >> SCAP_EPOCH_SHIFT);
		rc = go_over(&v);
		if (rc && !first)
			first = rc;
	}
	return first;
}
