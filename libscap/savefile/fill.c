/* SPDX-License-Identifier: MIT */
/* From an event's parameters to a call's arguments, result and blobs. */
#include <endian.h>
#include <string.h>

#include "savefile/call.h"

#define NS_PER_S	1000000000ull
#define POLLFD_BYTES	8u
#define POLLS_MAX	64u
#define ARGV_MAX	768u		/* of what is put together here */
#define NOT_READ	"<NA>"		/* what recorders wrote for what they could not read */
#define NULL_STRING	"(NULL)"

void scap__sf_collect(struct scap__sf_value *v, const struct scap__sf_event *ev)
{
	const struct scap__sf_type *type = scap__sf_type_of(ev->type);
	uint32_t n = type ? type->n_params : 0;

	if (ev->n_params < n)
		n = ev->n_params;
	for (uint32_t i = 0; i < n; i++) {
		const struct scap__sf_place_of *at = &type->params[i];

		/* Without bytes it is not known, except where it is bytes. */
		if (at->place && (ev->params[i].n || at->form == SCAP__SF_BYTES))
			v[at->place] = (struct scap__sf_value){ ev->params[i].p, ev->params[i].n,
								at->form, at->conv };
	}
}

static uint64_t get_uint(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = n; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

bool scap__sf_number(const struct scap__sf_value *v, uint64_t *ret)
{
	static const uint8_t sizes[] = {
		[SCAP__SF_U8] = 1, [SCAP__SF_U16] = 2, [SCAP__SF_U32] = 4, [SCAP__SF_U64] = 8,
		[SCAP__SF_I8] = 1, [SCAP__SF_I16] = 2, [SCAP__SF_I32] = 4, [SCAP__SF_I64] = 8,
	};
	unsigned size = v->form < sizeof(sizes) ? sizes[v->form] : 0;
	uint64_t sign;

	if (!v->p || !size || v->n < size)
		return false;
	*ret = get_uint(v->p, size);
	if (v->form >= SCAP__SF_I8 && size < 8) {
		sign = 1ull << (8 * size - 1);
		*ret = (*ret ^ sign) - sign;
	}
	return scap__sf_translate(v->conv, ret);
}

uint64_t scap__sf_number_or(const struct scap__sf_value *v, uint64_t otherwise)
{
	uint64_t n;

	return scap__sf_number(v, &n) ? n : otherwise;
}

struct scap__sf_text scap__sf_string(const struct scap__sf_value *v)
{
	if (!v->p)
		return (struct scap__sf_text){ NULL, 0 };
	return (struct scap__sf_text){ (char *)v->p, (uint32_t)strnlen((const char *)v->p, v->n) };
}

/* ---- blobs ---------------------------------------------------------------------------------- */

void *scap__sf_scratch(struct scap__sf_call *c, size_t n)
{
	void *p = c->scratch + c->n_scratch;

	n = (n + 7) & ~(size_t)7;
	if (n > sizeof(c->scratch) - c->n_scratch)
		return NULL;
	c->n_scratch += n;
	return p;
}

void scap__sf_set_blob(struct scap__sf_call *c, unsigned slot, const void *p, size_t n)
{
	c->blobs[slot] = (struct scap__sf_blob){
		.p = p, .n = (uint32_t)n, .orig = (uint32_t)n, .any = true,
	};
}

static void set_unreadable(struct scap__sf_call *c, unsigned slot)
{
	c->blobs[slot] = (struct scap__sf_blob){
		.state = SCAP_STATE_UNREADABLE, .orig = SCAP_LEN_UNKNOWN, .any = true,
	};
}

int scap__sf_find_arg(const struct scap__syscall *sc, unsigned role)
{
	for (unsigned i = 0; sc && i < sc->nargs; i++)
		if (sc->args[i].role == role)
			return (int)i;
	return -1;
}

static unsigned slot_of(const struct scap__sf_call *c, unsigned i)
{
	return c->sc->args[i].role == SCAP_ROLE_EXEC_PATH ? SCAP_SLOT_FILENAME : i;
}

static void fill_string(struct scap__sf_call *c, unsigned slot, const struct scap__sf_value *v)
{
	struct scap__sf_text s = scap__sf_string(v);

	if (s.n == sizeof(NOT_READ) - 1 && !memcmp(s.p, NOT_READ, s.n))
		return;
	if (s.n == sizeof(NULL_STRING) - 1 && !memcmp(s.p, NULL_STRING, s.n)) {
		if (slot < 6)
			c->known |= 1u << slot;
		return;
	}
	scap__sf_set_blob(c, slot, s.p, s.n);
}

/* How many bytes the program moved: what it asked for, or what it got. */
static uint64_t moved_bytes(const struct scap__sf_call *c, unsigned i)
{
	uint64_t size = scap__sf_number_or(&c->v[SCAP__SF_SIZE], UINT64_MAX);

	switch (c->sc->args[i].role) {
	case SCAP_ROLE_BUF_IN:
	case SCAP_ROLE_DATA_IN:
		return c->known >> (i + 1) & 1 ? c->args[i + 1] : UINT64_MAX;
	case SCAP_ROLE_IOV_IN:
	case SCAP_ROLE_MSG_IN:
		return size;
	default:
		return c->has_ret && c->ret >= 0 ? (uint64_t)c->ret : UINT64_MAX;
	}
}

/* Nothing that came in where the call failed. */
static void fill_bytes(struct scap__sf_call *c, unsigned i, const struct scap__sf_value *v)
{
	unsigned role = c->sc->args[i].role;
	bool out = role == SCAP_ROLE_BUF_OUT || role == SCAP_ROLE_IOV_OUT ||
		   role == SCAP_ROLE_MSG_OUT;
	uint64_t orig = moved_bytes(c, i);
	struct scap__sf_blob *b = &c->blobs[i];

	if (out && c->has_ret && c->ret < 0)
		return;
	scap__sf_set_blob(c, i, v->p, v->n);
	if (orig != UINT64_MAX && orig > v->n) {
		b->state = SCAP_STATE_TRUNCATED;
		b->orig = orig < SCAP_LEN_UNKNOWN ? (uint32_t)orig : SCAP_LEN_UNKNOWN;
	}
}

static void fill_timespec(struct scap__sf_call *c, unsigned slot, uint64_t ns, unsigned unit)
{
	uint64_t *ts = scap__sf_scratch(c, 16);

	if (!ts)
		return;
	ts[0] = htole64(ns / NS_PER_S);
	ts[1] = htole64(ns % NS_PER_S / unit);
	scap__sf_set_blob(c, slot, ts, 16);
}

/* A list of descriptors with flags: how many there are, and of these that are shown. */
struct polls {
	const uint8_t *p;
	unsigned n, shown;
};

static struct polls get_polls(const struct scap__sf_value *v)
{
	unsigned n = v->n < 2 ? 0 : (unsigned)get_uint(v->p, 2);
	unsigned max = POLLS_MAX;

	if (v->n < 2 || n > (v->n - 2) / 10)
		return (struct polls){ NULL, 0, 0 };
	return (struct polls){ v->p + 2, n, n < max ? n : max };
}

static void put_poll(uint8_t *to, const uint8_t *from, bool events)
{
	uint64_t flags = get_uint(from + 8, 2);

	scap__sf_translate(SCAP__SF_POLL, &flags);
	memcpy(to, from, 4);
	to[events ? 4 : 6] = (uint8_t)flags;
	to[events ? 5 : 7] = (uint8_t)(flags >> 8);
}

/*
 * At the entry they are what is waited for, at the exit what has happened, of the same descriptors
 * or only some.
 */
static void fill_polls(struct scap__sf_call *c, unsigned slot, const struct scap__sf_value *v)
{
	bool at_exit = scap__sf_type_of(c->ev->type)->what == SCAP__SF_EXIT;
	struct polls wanted = get_polls(at_exit ? &c->v[SCAP__SF_WANTED] : v);
	struct polls came = get_polls(at_exit ? v : &c->v[SCAP__SF_WANTED]);
	uint8_t *to = scap__sf_scratch(c, POLLS_MAX * POLLFD_BYTES);
	unsigned n = wanted.shown, at;

	if (!to || (!wanted.p && !came.p))
		return;
	memset(to, 0, POLLS_MAX * POLLFD_BYTES);
	for (unsigned i = 0; i < wanted.shown; i++)
		put_poll(to + i * POLLFD_BYTES, wanted.p + 10 * i, true);
	for (unsigned i = 0; i < came.shown; i++) {
		for (at = 0; at < n && memcmp(to + at * POLLFD_BYTES, came.p + 10 * i, 4); at++)
			;
		if (at == POLLS_MAX)
			continue;
		n += at == n;
		put_poll(to + at * POLLFD_BYTES, came.p + 10 * i, false);
	}
	scap__sf_set_blob(c, slot, to, n * POLLFD_BYTES);
	if (wanted.shown < wanted.n || came.shown < came.n) {
		c->blobs[slot].state = SCAP_STATE_TRUNCATED;
		c->blobs[slot].orig = (wanted.n > came.n ? wanted.n : came.n) * POLLFD_BYTES;
	}
}

static void fill_blob(struct scap__sf_call *c, unsigned i)
{
	const struct scap__sf_value *v = &c->v[SCAP__SF_S0 + i];
	uint8_t *addr;
	uint64_t n;

	switch (v->form) {
	case SCAP__SF_STR:
		fill_string(c, slot_of(c, i), v);
		break;
	case SCAP__SF_BYTES:
		fill_bytes(c, i, v);
		break;
	case SCAP__SF_ADDR:
		addr = scap__sf_scratch(c, SCAP__SF_SOCKADDR_MAX);
		n = addr ? scap__sf_sockaddr(v->p, v->n, addr) : 0;
		if (n)
			scap__sf_set_blob(c, i, addr, n);
		break;
	case SCAP__SF_FDLIST:
		fill_polls(c, i, v);
		break;
	case SCAP__SF_TIMESPEC:
		if (v->n >= 8)
			fill_timespec(c, i, get_uint(v->p, 8), 1);
		break;
	default:
		if (v->n <= 8 && scap__sf_number(v, &n))
			scap__sf_set_blob(c, i, v->p, v->n);
	}
}

/* ---- what is put together from several parameters ------------------------------------------ */

static void fill_words(struct scap__sf_call *c, unsigned slot, unsigned first, unsigned n,
		       unsigned size)
{
	uint8_t *to = scap__sf_scratch(c, n * 8);

	if (!to)
		return;
	for (unsigned i = 0; i < n; i++) {
		uint64_t v;

		if (!scap__sf_number(&c->v[first + i], &v))
			return;
		v = htole64(v);
		memcpy(to + i * size, &v, size);
	}
	scap__sf_set_blob(c, slot, to, n * size);
}

/* Both without limit may mean that there was no structure. */
static void fill_limits(struct scap__sf_call *c, unsigned slot, unsigned first)
{
	if (scap__sf_number_or(&c->v[first], UINT64_MAX) != UINT64_MAX ||
	    scap__sf_number_or(&c->v[first + 1], UINT64_MAX) != UINT64_MAX)
		fill_words(c, slot, first, 2, 8);
}

static void fill_option(struct scap__sf_call *c)
{
	const struct scap__sf_value *v = &c->v[SCAP__SF_DYN3];
	unsigned n = v->n ? v->n - 1 : 0;
	uint32_t *error;

	switch (v->n ? v->p[0] : UINT8_MAX) {
	case 0:
		scap__sf_set_blob(c, 3, v->p + 1, n);
		break;
	case 1:
		error = scap__sf_scratch(c, 4);
		if (n < 8 || !error)
			break;
		*error = htole32((uint32_t)-get_uint(v->p + 1, 8));
		scap__sf_set_blob(c, 3, error, 4);
		break;
	case 2:
	case 3:
		if (n >= (v->p[0] == 2 ? 4 : 8))
			scap__sf_set_blob(c, 3, v->p + 1, v->p[0] == 2 ? 4 : 8);
		break;
	case 4:
		if (n >= 8)
			fill_timespec(c, 3, get_uint(v->p + 1, 8), 1000);
		break;
	}
}

static void fill_dyn_arg(struct scap__sf_call *c, unsigned i, const struct scap__sf_value *v)
{
	if (v->n < 2)
		return;
	c->args[i] = get_uint(v->p + 1, v->n - 1 < 8 ? v->n - 1 : 8);
	c->known |= 1u << i;
}

/* Low words of the three sets, then the high ones. */
static void fill_caps(struct scap__sf_call *c)
{
	static const uint8_t places[] = { SCAP__SF_CAP_E, SCAP__SF_CAP_P, SCAP__SF_CAP_I };
	uint32_t *to = scap__sf_scratch(c, 6 * 4);

	for (unsigned i = 0; i < 3 && to; i++) {
		uint64_t set = scap__sf_number_or(&c->v[places[i]], 0);

		to[i] = htole32((uint32_t)set);
		to[3 + i] = htole32((uint32_t)(set >> 32));
	}
	if (to)
		scap__sf_set_blob(c, 1, to, 6 * 4);
}

static void fill_pair(struct scap__sf_call *c)
{
	int i = scap__sf_find_arg(c->sc, SCAP_ROLE_FD_PAIR);

	if (i >= 0 && c->has_ret && !c->ret)
		fill_words(c, (unsigned)i, SCAP__SF_FD1, 2, 4);
}

static void cut_blob(struct scap__sf_call *c, unsigned slot, uint32_t orig)
{
	if (c->blobs[slot].any) {
		c->blobs[slot].state = SCAP_STATE_TRUNCATED;
		c->blobs[slot].orig = orig;
	}
}

static void fill_address(struct scap__sf_call *c)
{
	bool in = c->sc->ret_role == SCAP_ROLE_RET_SIZE &&
		  (scap__sf_find_arg(c->sc, SCAP_ROLE_BUF_OUT) >= 0 ||
		   scap__sf_find_arg(c->sc, SCAP_ROLE_MSG_OUT) >= 0);
	int at = scap__sf_find_arg(c->sc, in ? SCAP_ROLE_SOCKADDR_OUT : SCAP_ROLE_SOCKADDR_IN);
	const struct scap__sf_value *v = &c->v[SCAP__SF_TUPLE];
	uint8_t *addr = scap__sf_scratch(c, SCAP__SF_SOCKADDR_MAX);
	size_t n = addr ? scap__sf_tuple_sockaddr(v->p, v->n, in, addr) : 0;

	/* Of a connected socket it is where that leads to: nobody passed it. */
	if (n && at == 1 && !c->blobs[at].any)
		scap__sf_set_blob(c, 1, addr, n);
	if (!n || (c->file && c->file->sock.remote_port))
		return;
	if (scap__sf_find_arg(c->sc, SCAP_ROLE_MSG_IN) >= 0 ||
	    scap__sf_find_arg(c->sc, SCAP_ROLE_MSG_OUT) >= 0)
		scap__sf_set_blob(c, SCAP_SLOT_NAME, addr, n);
	else if (at >= 4)
		scap__sf_set_blob(c, (unsigned)at, addr, n);
}

/* What a program was to be executed with that was not. */
static void fill_asked_argv(struct scap__sf_call *c, unsigned slot)
{
	struct scap__sf_text exe = scap__sf_string(&c->v[SCAP__SF_EXE]);
	const struct scap__sf_value *args = &c->v[SCAP__SF_ARGV];
	size_t n = exe.n + 1 + args->n, cut = n < ARGV_MAX ? n : ARGV_MAX;
	uint8_t *to = scap__sf_scratch(c, cut);

	if (!to || exe.n + 1 > cut)
		return;
	memcpy(to, exe.p, exe.n);
	to[exe.n] = 0;
	if (args->n)
		memcpy(to + exe.n + 1, args->p, cut - exe.n - 1);
	scap__sf_set_blob(c, slot, to, cut);
	if (cut < n) {
		c->blobs[slot].state = SCAP_STATE_TRUNCATED;
		c->blobs[slot].orig = (uint32_t)n;
	}
}

static void fill_argv(struct scap__sf_call *c)
{
	int i = scap__sf_find_arg(c->sc, SCAP_ROLE_ARGV);

	if (c->v[SCAP__SF_FILENAME].p)
		fill_string(c, SCAP_SLOT_FILENAME, &c->v[SCAP__SF_FILENAME]);
	if (i < 0 || !c->has_ret || !c->t)
		return;
	if (!c->ret && c->t->argv.n)
		scap__sf_set_blob(c, (unsigned)i, c->t->argv.p, c->t->argv.n);
	else if (c->ret && c->v[SCAP__SF_EXE].n > 1)
		fill_asked_argv(c, (unsigned)i);
}

static bool has(const struct scap__sf_call *c, enum scap__sf_place place)
{
	return c->v[place].p;
}

static void fill_special(struct scap__sf_call *c)
{
	bool old = scap__sf_find_arg(c->sc, SCAP_ROLE_RLIMIT64_OUT) >= 0;
	bool failed = c->has_ret && c->ret < 0;

	if (has(c, SCAP__SF_FD1))
		fill_pair(c);
	if (has(c, SCAP__SF_SOCK_FLAGS))
		c->args[1] |= scap__sf_number_or(&c->v[SCAP__SF_SOCK_FLAGS], 0);
	if (has(c, SCAP__SF_OPEN_FLAGS))
		fill_words(c, 2, SCAP__SF_OPEN_FLAGS, 3, 8);
	if (has(c, SCAP__SF_CUR) && (old || !failed || c->nr != 97))
		fill_limits(c, old ? 2 : 1, SCAP__SF_CUR);
	if (has(c, SCAP__SF_OLDCUR) && !failed)
		fill_limits(c, 3, SCAP__SF_OLDCUR);
	if (has(c, SCAP__SF_DYN2)) {
		fill_dyn_arg(c, 2, &c->v[SCAP__SF_DYN2]);
		fill_dyn_arg(c, 3, &c->v[SCAP__SF_DYN3]);
	} else if (has(c, SCAP__SF_DYN3)) {
		fill_option(c);
	}
	if (has(c, SCAP__SF_IOU0)) {
		fill_words(c, 1, SCAP__SF_IOU0, 6, 4);
		cut_blob(c, 1, 28);
	}
	if (has(c, SCAP__SF_TUPLE))
		fill_address(c);
	if (scap__sf_find_arg(c->sc, SCAP_ROLE_EXEC_PATH) >= 0)
		fill_argv(c);
	else if (has(c, SCAP__SF_CAP_E))
		fill_caps(c);
	if (has(c, SCAP__SF_CLONE_FLAGS) &&
	    scap__sf_find_arg(c->sc, SCAP_ROLE_CLONE_FLAGS) == 0) {
		c->args[0] = scap__sf_number_or(&c->v[SCAP__SF_CLONE_FLAGS], 0);
		c->known |= 1;
	} else if (has(c, SCAP__SF_CLONE_FLAGS) &&
		   scap__sf_find_arg(c->sc, SCAP_ROLE_CLONE_ARGS) == 0) {
		fill_words(c, 0, SCAP__SF_CLONE_FLAGS, 1, 8);
		cut_blob(c, 0, SCAP_LEN_UNKNOWN);
	}
}

/* ---- all ------------------------------------------------------------------------------------ */

static void fill_ret(struct scap__sf_call *c)
{
	const struct scap__sf_value *dyn = &c->v[SCAP__SF_DYN_RET];
	uint64_t v;

	c->has_ret = scap__sf_number(&c->v[SCAP__SF_RET], &v);
	if (c->has_ret) {
		c->ret = (int64_t)v;
	} else if (dyn->p && dyn->n >= 9) {
		c->has_ret = true;
		c->ret = (int64_t)get_uint(dyn->p + 1, 8);
	}
}

void scap__sf_fill_words(struct scap__sf_call *c)
{
	fill_ret(c);
	for (unsigned i = 0; i < 6; i++)
		if (scap__sf_number(&c->v[SCAP__SF_A0 + i], &c->args[i]))
			c->known |= 1u << i;
}

void scap__sf_fill_blobs(struct scap__sf_call *c)
{
	if (!c->sc)
		return;
	for (unsigned i = 0; i < 6; i++)
		if (has(c, SCAP__SF_S0 + i))
			fill_blob(c, i);
	fill_special(c);
}

/* How many arguments there are something to say of; those before them are marked as not known. */
unsigned scap__sf_mark_unknown(struct scap__sf_call *c)
{
	unsigned n = 0;

	for (unsigned i = 0; c->sc && i < c->sc->nargs; i++)
		if (c->known >> i & 1 || c->blobs[slot_of(c, i)].any)
			n = i + 1;
	for (unsigned i = 0; i < n; i++)
		if (!(c->known >> i & 1) && !c->blobs[slot_of(c, i)].any)
			set_unreadable(c, slot_of(c, i));
	return n;
}
