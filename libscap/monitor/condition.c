/* SPDX-License-Identifier: MIT */
#include "monitor/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "filter/program.h"

#define MAX_CONDITIONS	1024
#define MAX_COUNT	65536
#define X32_BIT		0x40000000
#define NR_NAMELESS	0x7ffffff1	/* no ABI has a row for it */

/* ---- compiling ----------------------------------------------------------------------------- */

static int bad_condition(struct scap_error *err, const char *what)
{
	return scap__fail(err, -EINVAL, SCAP_NO_OFFSET, "the condition %s", what);
}

static int check_condition(const struct scap_condition *from, struct scap_error *err)
{
	if (from->kind > SCAP_CONDITION_HTTP_5XX)
		return bad_condition(err, "is of a kind that is not known");
	if (from->kind == SCAP_CONDITION_FILTER && !from->filter)
		return bad_condition(err, "has no filter");
	if (from->count > MAX_COUNT)
		return bad_condition(err, "counts more than 65536 events");
	if (from->count > 1 && !from->window_ns)
		return bad_condition(err, "counts events, but within no time");
	return 0;
}

static int init_condition(struct scap__condition *c, const struct scap_condition *from,
			  struct scap_error *err)
{
	int rc = check_condition(from, err);

	c->kind = from->kind;
	c->count = from->count;
	c->window_ns = from->window_ns;
	if (!rc && from->filter)
		rc = scap_filter_compile(from->filter, &c->filter, err);
	if (rc || c->count <= 1)
		return rc;
	c->times = calloc(c->count, sizeof(*c->times));
	return c->times ? 0 : scap__fail(err, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
}

static bool asks_number(const struct scap_filter *f)
{
	for (uint32_t i = 0; f && i < f->n_checks; i++)
		if (!strcmp(f->checks[i].field.def->name, "evt.num"))
			return true;
	return false;
}

static int init_all(struct scap__conditions *c, const struct scap_monitor_options *opt,
		    uint32_t *ret_condition, struct scap_error *err)
{
	for (uint32_t i = 0; i < opt->n_conditions; i++) {
		int rc = init_condition(&c->v[i], &opt->conditions[i], err);

		if (rc) {
			if (ret_condition)
				*ret_condition = i;
			return rc;
		}
		c->http |= c->v[i].kind == SCAP_CONDITION_HTTP_5XX;
		c->numbers |= asks_number(c->v[i].filter);
	}
	return 0;
}

static int alloc_all(struct scap__conditions *c, uint32_t n)
{
	c->n = n;
	c->n_words = (n + 63) / 64;
	c->v = calloc(n + 1, sizeof(*c->v));
	c->bits = calloc((size_t)c->n_words * SCAP__KINDS + 1, sizeof(*c->bits));
	return c->v && c->bits ? 0 : -ENOMEM;
}

int scap__conditions_new(const struct scap_monitor_options *opt, struct scap__conditions **ret_c,
			 uint32_t *ret_condition, struct scap_error *err)
{
	struct scap__conditions *c;
	int rc;

	if (opt->n_conditions > MAX_CONDITIONS)
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET, "more than 1024 conditions");
	if (opt->n_conditions && (!opt->conditions || !opt->fired))
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET, "conditions that tell nobody");
	c = calloc(1, sizeof(*c));
	if (!c || alloc_all(c, opt->n_conditions)) {
		scap__conditions_free(c);
		return scap__fail(err, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
	}
	c->fired = opt->fired;
	c->ctx = opt->ctx;
	rc = init_all(c, opt, ret_condition, err);
	if (rc) {
		scap__conditions_free(c);
		return rc;
	}
	*ret_c = c;
	return 0;
}

void scap__conditions_free(struct scap__conditions *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; c->v && i < c->n; i++) {
		scap_filter_free(c->v[i].filter);
		free(c->v[i].times);
	}
	for (uint32_t i = 0; i < SCAP__KINDS; i++)
		free(c->entries[i]);
	free(c->v);
	free(c->bits);
	free(c);
}

/* ---- kinds --------------------------------------------------------------------------------- */

/* A check that may hold for the name of one call without a row, and not for that of another. */
static bool tells_nameless(const struct scap__check *check)
{
	static const char prefix[] = "syscall_";
	size_t n = sizeof(prefix) - 1;

	if (check->field.def->part != SCAP__PART_KIND)
		return false;
	if (check->op != SCAP__OP_EQ && check->op != SCAP__OP_NE && check->op != SCAP__OP_IN)
		return check->op != SCAP__OP_EXISTS;
	for (uint32_t i = 0; i < check->n_constants; i++)
		if (check->constants[i].n > n && !memcmp(check->constants[i].p, prefix, n))
			return true;
	return false;
}

/* All calls whose numbers are too large are one kind. */
static bool may_want_other(const struct scap_filter *f, unsigned type)
{
	for (uint32_t i = 0; i < f->n_checks; i++)
		if (tells_nameless(&f->checks[i]))
			return true;
	return scap__filter_may_end(f, type, SCAP_ABI_X86_64, NR_NAMELESS, SCAP__ACCEPT);
}

struct kind {
	unsigned type, abi;
	int64_t nr;
};

static struct kind kind_at(uint32_t kind)
{
	uint32_t i = kind - SCAP__KIND_CALLS;
	unsigned abi = i / SCAP__NRS % SCAP_ABIS;
	int64_t nr = i % SCAP__NRS;

	if (kind < SCAP__KIND_CALLS)
		return (struct kind){ kind, 0, INT64_MIN };
	return (struct kind){ i / (SCAP__NRS * SCAP_ABIS) + SCAP_REC_CALL, abi,
			      abi == SCAP_ABI_X32 ? nr | X32_BIT : nr };
}

static bool may_want(const struct scap_filter *f, uint32_t kind)
{
	struct kind k = kind_at(kind);

	if (kind >= SCAP__KIND_OTHER)
		return may_want_other(f, kind - SCAP__KIND_OTHER + SCAP_REC_CALL);
	return scap__filter_may_end(f, k.type, k.abi, k.nr, SCAP__ACCEPT);
}

/* Calls for which the roles of their arguments don't say it. */
static const struct {
	const char *row;
	uint8_t io;
} named_io[] = {
	{ "sendfile", SCAP__IO_SENDFILE }, { "sendfile64", SCAP__IO_SENDFILE },
	{ "splice", SCAP__IO_MOVE }, { "copy_file_range", SCAP__IO_MOVE },
	{ "connect", SCAP__IO_CONNECT }, { "socketcall", SCAP__IO_SOCKETCALL },
	{ "close", SCAP__IO_CLOSE },
};

static uint8_t io_of(const struct scap__syscall *sc)
{
	for (size_t i = 0; i < sizeof(named_io) / sizeof(named_io[0]); i++)
		if (!strcmp(named_io[i].row, sc->row))
			return named_io[i].io;
	if (sc->args[0].role != SCAP_ROLE_FD)
		return SCAP__IO_NONE;
	switch (sc->args[1].role) {
	case SCAP_ROLE_BUF_IN:
	case SCAP_ROLE_IOV_IN:
	case SCAP_ROLE_MSG_IN:
		return SCAP__IO_OUT;
	case SCAP_ROLE_BUF_OUT:
	case SCAP_ROLE_IOV_OUT:
	case SCAP_ROLE_MSG_OUT:
		return SCAP__IO_IN;
	case SCAP_ROLE_MMSG_IN:
		return SCAP__IO_OUT_MANY;
	case SCAP_ROLE_MMSG_OUT:
		return SCAP__IO_IN_MANY;
	default:
		return SCAP__IO_NONE;
	}
}

/* The flags of a call that receives. */
static uint8_t msg_flags_of(const struct scap__syscall *sc, unsigned io)
{
	for (uint8_t i = 1; i < sc->nargs; i++)
		if (sc->args[i].role == SCAP_ROLE_MSG_FLAGS)
			return io == SCAP__IO_IN || io == SCAP__IO_IN_MANY ? i : 0;
	return 0;
}

/* What a kind decides is not asked of its records; calls that share a kind have other names. */
static void find_entries(struct scap__conditions *c, uint32_t kind)
{
	struct kind k = kind_at(kind);
	uint32_t *entries;

	if (kind >= SCAP__KIND_OTHER)
		return;
	entries = c->entries[kind] = calloc(c->n, sizeof(*entries));
	for (uint32_t i = 0; entries && i < c->n; i++)
		if (c->v[i].kind == SCAP_CONDITION_FILTER)
			entries[i] = scap__filter_entry(c->v[i].filter, k.type, k.abi, k.nr);
}

void scap__conditions_learn(struct scap__conditions *c, uint32_t kind)
{
	struct scap__monitor_kind *k = &c->kinds[kind];
	uint64_t *bits = c->bits + (size_t)kind * c->n_words;
	uint32_t i = kind - SCAP__KIND_CALLS;

	k->known = SCAP__KNOWN_UNWANTED;
	if (kind >= SCAP__KIND_CALLS && i < SCAP_ABIS * SCAP__NRS) {
		const struct scap__syscall *sc = scap__syscall_lookup(i / SCAP__NRS, i % SCAP__NRS);

		k->io = sc ? io_of(sc) : SCAP__IO_NONE;
		k->msg_flags = sc ? msg_flags_of(sc, k->io) : 0;
		k->no_result = sc && sc->ret_role == SCAP_ROLE_RET_NONE;
	}
	for (i = 0; i < c->n; i++) {
		if (c->v[i].kind != SCAP_CONDITION_FILTER || !may_want(c->v[i].filter, kind))
			continue;
		bits[i / 64] |= 1ull << i % 64;
		if (k->known != SCAP__KNOWN_WANTED)
			find_entries(c, kind);
		k->known = SCAP__KNOWN_WANTED;
	}
}

/* ---- counting ------------------------------------------------------------------------------ */

bool scap__condition_counts(struct scap__condition *c, uint64_t ns)
{
	if (!c->times)
		return true;
	c->times[c->at] = ns;
	c->at = c->at + 1 == c->count ? 0 : c->at + 1;
	c->n += c->n < c->count;
	/* When it is full the next place is that of the oldest. */
	if (c->n < c->count || ns - c->times[c->at] > c->window_ns)
		return false;
	c->n = 0;
	return true;
}
