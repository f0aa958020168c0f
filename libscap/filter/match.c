/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE	/* memmem */
#include "filter/program.h"

/*
 * The rule of missing values: a check on a field that the event does not have is false, for every
 * operator. The getters say so; nothing here is asked about a value that is not there.
 */

/* a - b for any ordered type, as -1, 0, 1. */
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static bool ordered(unsigned op, int order)
{
	switch (op) {
	case SCAP__OP_NE:
		return order != 0;
	case SCAP__OP_LT:
		return order < 0;
	case SCAP__OP_LE:
		return order <= 0;
	case SCAP__OP_GT:
		return order > 0;
	case SCAP__OP_GE:
		return order >= 0;
	default:	/* EQ, IN */
		return !order;
	}
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool equal_folded(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static bool contains_folded(const uint8_t *s, size_t n, const uint8_t *part, size_t n_part)
{
	for (size_t i = 0; i + n_part <= n; i++)
		if (equal_folded(s + i, part, n_part))
			return true;
	return false;
}

/* Byte order, as strcmp has it. */
static int compare_bytes(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b)
{
	int order = memcmp(a, b, n_a < n_b ? n_a : n_b);

	return order ? order : COMPARE(n_a, n_b);
}

static bool equal_bytes(const struct scap__value *v, const struct scap__constant *c)
{
	return v->s.n == c->n && !memcmp(v->s.p, c->p, c->n);
}

static bool match_string(unsigned op, const struct scap__value *v, const struct scap__constant *c)
{
	const uint8_t *s = v->s.p;
	size_t n = v->s.n;

	switch (op) {
	case SCAP__OP_EQ:
	case SCAP__OP_IN:
		return equal_bytes(v, c);
	case SCAP__OP_NE:
		return !equal_bytes(v, c);
	case SCAP__OP_CONTAINS:
		return !c->n || memmem(s, n, c->p, c->n);
	case SCAP__OP_ICONTAINS:
		return contains_folded(s, n, c->p, c->n);
	case SCAP__OP_STARTSWITH:
		return n >= c->n && !memcmp(s, c->p, c->n);
	case SCAP__OP_ENDSWITH:
		return n >= c->n && !memcmp(s + n - c->n, c->p, c->n);
	case SCAP__OP_GLOB:
	case SCAP__OP_IGLOB:
		return scap__glob(c->p, c->n, s, n, op == SCAP__OP_IGLOB);
	default:
		return ordered(op, compare_bytes(s, n, c->p, c->n));
	}
}

static bool same_addr(const struct scap__addr *a, const struct scap__addr *b)
{
	return a->v6 == b->v6 && !memcmp(a->bytes, b->bytes, a->v6 ? 16 : 4);
}

/* Either end will do; for != both must differ. */
static bool match_ends(const struct scap__check *check, const struct scap__value *v,
		       const struct scap__constant *c)
{
	bool port = check->field.def->type == SCAP__TYPE_PORT;
	bool all = check->op == SCAP__OP_NE;

	for (unsigned i = 0; i < v->n_ends; i++) {
		int order = port ? COMPARE(v->ends[i].port, c->u)
				 : !same_addr(&v->ends[i], &c->addr);

		if (ordered(check->op, order) != all)
			return !all;
	}
	return all;
}

static bool match_constant(const struct scap__check *check, const struct scap__value *v,
			   const struct scap__constant *c)
{
	switch (check->field.def->type) {
	case SCAP__TYPE_STRING:
	case SCAP__TYPE_BYTES:
		return match_string(check->op, v, c);
	case SCAP__TYPE_INT:
		return ordered(check->op, COMPARE(v->i, c->i));
	case SCAP__TYPE_BOOL:
		return ordered(check->op, v->b != c->b);
	case SCAP__TYPE_IP:
	case SCAP__TYPE_PORT:
		return match_ends(check, v, c);
	default:
		return ordered(check->op, COMPARE(v->u, c->u));
	}
}

static bool match_in(const struct scap__check *check, const struct scap_event *ev,
		     struct scap__scratch *s)
{
	struct scap__value v;

	if (!scap__field_get(&check->field, ev, s, &v))
		return false;
	if (check->op == SCAP__OP_EXISTS)
		return true;
	for (uint32_t i = 0; i < check->n_constants; i++)
		if (match_constant(check, &v, &check->constants[i]))
			return true;
	return false;
}

/* In a function of its own, so that only the fields that need so much stack take it. */
static __attribute__((noinline)) bool match_large(const struct scap__check *check,
						  const struct scap_event *ev)
{
	char buf[SCAP__SCRATCH_LARGE];
	struct scap__scratch s = { buf, sizeof(buf), 0 };

	return match_in(check, ev, &s);
}

bool scap__check_holds(const struct scap__check *check, const struct scap_event *ev)
{
	char buf[SCAP__SCRATCH_SMALL];
	struct scap__scratch s = { buf, sizeof(buf), 0 };

	return check->field.def->large ? match_large(check, ev) : match_in(check, ev, &s);
}

bool scap__filter_match_from(const struct scap_filter *f, uint32_t i, const struct scap_event *ev)
{
	char buf[SCAP__SCRATCH_SMALL];
	struct scap__scratch s = { buf, sizeof(buf), 0 };

	while (i < SCAP__REJECT) {
		const struct scap__check *check = &f->checks[i];
		bool holds = check->field.def->large ? match_large(check, ev)
						     : match_in(check, ev, &s);

		i = holds ? check->on_true : check->on_false;
	}
	return i == SCAP__ACCEPT;
}

bool scap_filter_match(const struct scap_filter *f, const struct scap_event *ev)
{
	return scap__filter_match_from(f, f->entry, ev);
}
