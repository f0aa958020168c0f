/* SPDX-License-Identifier: MIT */
/* Parameters of theirs, out of an event of ours. */
#include "savefile/out.h"

#include <string.h>

#include "filter/value.h"

/* ---- bytes --------------------------------------------------------------------------------- */

void scap__export_more(struct scap__export_params *p, const void *data, size_t n)
{
	if (!p->n)
		return;
	if (n > SCAP__EXPORT_DATA_MAX - p->used) {
		n = SCAP__EXPORT_DATA_MAX - p->used;
		p->cut = true;
	}
	if (n)
		memcpy(p->data + p->used, data, n);
	p->used += (uint32_t)n;
	p->lens[p->n - 1] += (uint16_t)n;
}

void scap__export_put(struct scap__export_params *p, const void *data, size_t n)
{
	if (p->n == SCAP__EXPORT_PARAMS_MAX)
		return;
	p->lens[p->n++] = 0;
	scap__export_more(p, data, n);
}

void scap__export_put_u8(struct scap__export_params *p, uint8_t v)
{
	scap__export_put(p, &v, sizeof(v));
}

void scap__export_put_u16(struct scap__export_params *p, uint16_t v)
{
	v = htole16(v);
	scap__export_put(p, &v, sizeof(v));
}

void scap__export_put_u32(struct scap__export_params *p, uint32_t v)
{
	v = htole32(v);
	scap__export_put(p, &v, sizeof(v));
}

void scap__export_put_u64(struct scap__export_params *p, uint64_t v)
{
	v = htole64(v);
	scap__export_put(p, &v, sizeof(v));
}

void scap__export_put_text(struct scap__export_params *p, const void *s, size_t n, size_t max)
{
	/* The NUL must fit, whatever stands before. */
	if (max > SCAP__EXPORT_DATA_MAX - p->used)
		max = SCAP__EXPORT_DATA_MAX - p->used;
	if (!max) {
		scap__export_put(p, NULL, 0);
		p->cut = true;
		return;
	}
	if (n > max - 1) {
		n = max - 1;
		p->cut = true;
	}
	scap__export_put(p, s, strnlen(n ? s : "", n));
	scap__export_more(p, "", 1);
}

/* A string that was not recorded. sysdig reads up to a NUL even where the length is 0. */
static void put_unknown(struct scap_export *x)
{
	if (x->profile == SCAP_EXPORT_SYSDIG)
		scap__export_put(&x->params, "<NA>", 5);
	else
		scap__export_put(&x->params, NULL, 0);
}

#define TEXT_MAX 32768u

static void put_blob_text(struct scap_export *x, const struct scap__blob *b)
{
	if (b)
		scap__export_put_text(&x->params, b->data, b->bytes, TEXT_MAX);
	else
		put_unknown(x);
}

/* ---- numbers in memory --------------------------------------------------------------------- */

/* The nth word of a blob of 32-bit or 64-bit words, n_words in all. */
static bool blob_word(const struct scap__blob *b, unsigned nth, unsigned n_words, uint64_t *ret)
{
	if (!b)
		return false;
	if (b->bytes >= n_words * 8)
		*ret = scap__le64(b->data + nth * 8);
	else if (b->bytes >= n_words * 4)
		*ret = (uint64_t)(int32_t)scap__le32(b->data + nth * 4);
	else
		return false;
	return true;
}

static void put_got(struct scap_export *x, const struct scap__blob *b, bool wide)
{
	uint64_t v = 0;

	if (b && b->bytes >= 2 && b->bytes < 4)		/* a user id of 16 bits */
		v = scap__le16(b->data);
	else
		blob_word(b, 0, 1, &v);
	if (wide)
		scap__export_put_u64(&x->params, v);
	else
		scap__export_put_u32(&x->params, (uint32_t)v);
}

static uint64_t timespec_ns(const struct scap_event *ev, unsigned slot)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);
	uint64_t s, ns;

	if (!b && !scap_event_arg(ev, slot))
		return UINT64_MAX;	/* no limit */
	if (!blob_word(b, 0, 2, &s) || !blob_word(b, 1, 2, &ns))
		return 0;
	return s * 1000000000u + ns;
}

static void put_limit(struct scap_export *x, const struct scap_event *ev, unsigned arg)
{
	uint64_t v = UINT64_MAX;

	blob_word(scap__event_blob(ev, arg >> 1), arg & 1, 2, &v);
	scap__export_put_u64(&x->params, v);
}

static void put_pair(struct scap_export *x, const struct scap_event *ev, unsigned slot,
		     unsigned nth)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);
	int64_t fd = -1;

	if (b && b->bytes >= 8)
		fd = (int32_t)scap__le32(b->data + nth * 4);
	scap__export_put_u64(&x->params, (uint64_t)fd);
}

#define POLLFD_BYTES 8

static void put_pollfds(struct scap_export *x, const struct scap_event *ev, unsigned slot,
			unsigned at)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);
	uint16_t n = b ? (uint16_t)(b->bytes / POLLFD_BYTES) : 0;

	scap__export_put_u16(&x->params, n);
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *p = b->data + i * POLLFD_BYTES;
		uint64_t fd = htole64((uint64_t)(int32_t)scap__le32(p));
		uint16_t events = htole16((uint16_t)scap__export_flags(SCAP__EXPORT_D_POLL,
								       scap__le16(p + at)));

		scap__export_more(&x->params, &fd, sizeof(fd));
		scap__export_more(&x->params, &events, sizeof(events));
	}
}

#define HOW_WORDS 3

static void put_how(struct scap_export *x, const struct scap_event *ev, unsigned field)
{
	const struct scap__blob *b = scap__event_blob(ev, 2);
	uint64_t v = 0;

	if (b && b->bytes >= HOW_WORDS * 8)
		v = scap__le64(b->data + field * 8);
	if (field == 0)
		v = scap__export_open_flags(v);
	else if (field == 2)
		v = scap__export_flags(SCAP__EXPORT_D_RESOLVE, v);
	scap__export_put_u32(&x->params, (uint32_t)v);
}

enum { OPT_BYTES, OPT_ERROR, OPT_U32, OPT_U64, OPT_TIME };

static unsigned option_kind(const struct scap_event *ev, const struct scap__blob *b)
{
	unsigned opt = (unsigned)scap_event_arg(ev, 2);

	if ((uint32_t)scap_event_arg(ev, 1) != 1)	/* SOL_SOCKET */
		return OPT_BYTES;
	if (opt == 4 && b->bytes == 4)			/* SO_ERROR */
		return OPT_ERROR;
	if ((opt == 20 || opt == 21 || opt == 66 || opt == 67) && b->bytes == 16)
		return OPT_TIME;
	if (opt == 57 && b->bytes == 8)			/* SO_COOKIE */
		return OPT_U64;
	return b->bytes == 4 ? OPT_U32 : OPT_BYTES;
}

static void put_option(struct scap_export *x, const struct scap_event *ev, unsigned slot)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);
	unsigned kind = b ? option_kind(ev, b) : OPT_BYTES;
	uint64_t v;

	scap__export_put_u8(&x->params, (uint8_t)kind);
	if (kind == OPT_ERROR) {
		v = htole64((uint64_t)-(int64_t)(int32_t)scap__le32(b->data));
		scap__export_more(&x->params, &v, sizeof(v));
	} else if (kind == OPT_TIME) {
		v = htole64(scap__le64(b->data) * 1000000000u + scap__le64(b->data + 8) * 1000u);
		scap__export_more(&x->params, &v, sizeof(v));
	} else if (b) {
		scap__export_more(&x->params, b->data, b->bytes);
	}
}

/* ---- files --------------------------------------------------------------------------------- */

/* The path asked for; where it is not recorded, it was that of the file found. */
static void put_path(struct scap_export *x, const struct scap_event *ev, unsigned arg)
{
	const struct scap__blob *b = scap__event_blob(ev, arg);
	const struct scap__file *f = NULL;
	unsigned nth = 0;

	for (unsigned i = 0; i < arg && ev->sc && i < ev->sc->nargs; i++)
		nth += ev->sc->args[i].role == SCAP_ROLE_PATH;
	if (!b)
		f = scap__path_file(ev, nth);
	if (f && f->path)
		scap__export_put_text(&x->params, f->path, f->path_bytes, TEXT_MAX);
	else
		put_blob_text(x, b);
}

/* minor and major as the kernel tells them to user space. */
uint32_t scap__export_dev(uint32_t dev)
{
	uint32_t major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static void put_file(struct scap_export *x, const struct scap_event *ev, unsigned kind)
{
	const struct scap__file *f = ev->ret < 0 ? NULL : ev->file;

	if (kind == SCAP__EXPORT_DEV)
		scap__export_put_u32(&x->params, f ? scap__export_dev(f->dev) : 0);
	else if (kind == SCAP__EXPORT_PEER)
		scap__export_put_u64(&x->params, f && ev->file2 ? ev->file2->ino :
				     f ? f->sock.peer_ino : 0);
	else
		scap__export_put_u64(&x->params, f ? f->ino : 0);
}

static void put_ends(struct scap_export *x, const struct scap_event *ev, bool inbound)
{
	bool made = inbound && ev->sc && ev->sc->ret_role == SCAP_ROLE_RET_FD;
	const struct scap__file *f = made ? scap__ret_file(ev) : scap__arg_file(ev, 0);
	struct scap__file room;

	if (inbound && ev->ret < 0)
		f = NULL;
	scap__export_put_tuple(&x->params, scap__as_connected(ev, f, &room), inbound);
}

/* ---- arguments ----------------------------------------------------------------------------- */

static uint64_t signed_arg(const struct scap_event *ev, unsigned i)
{
	unsigned role = ev->sc && i < ev->sc->nargs ? ev->sc->args[i].role : SCAP_ROLE_INT;
	uint64_t v = scap_event_arg(ev, i);

	if ((role == SCAP_ROLE_OFF || role == SCAP_ROLE_LONG) && ev->abi != SCAP_ABI_I386)
		return v;
	return (uint64_t)(int32_t)v;
}

static uint64_t flags_arg(const struct scap_event *ev, const struct scap__export_param *q)
{
	uint32_t v = (uint32_t)scap_event_arg(ev, q->arg);

	switch (q->domain) {
	case SCAP__EXPORT_D_FUTEX:	/* FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME */
		return scap__export_flags(SCAP__EXPORT_D_FUTEX, v & 0x7f) | (v & 0x180);
	case SCAP__EXPORT_D_SHUTDOWN:
		return v < 3 ? v : 0xff;
	case SCAP__EXPORT_D_RLIMIT:
		return v < 16 ? v : 0xff;
	case SCAP__EXPORT_D_SOCK_OPT:
		return (uint32_t)scap_event_arg(ev, 1) == 1 ? scap__export_flags(q->domain, v) : 0;
	}
	return scap__export_flags(q->domain, v);
}

static uint64_t pos_arg(const struct scap_event *ev, unsigned i, bool high_first)
{
	uint64_t a = scap_event_arg(ev, i), b = scap_event_arg(ev, i + 1);

	if (high_first)
		return a << 32 | (uint32_t)b;
	return ev->abi == SCAP_ABI_I386 ? (uint32_t)a | b << 32 : a;
}

static uint32_t create_mode(const struct scap_event *ev, unsigned arg)
{
	if (!(scap_event_arg(ev, arg - 1) & (0x40 | 0x410000)))
		return 0;
	return scap__export_flags(SCAP__EXPORT_D_MODE, scap_event_arg(ev, arg));
}

static uint32_t io_size(const struct scap_event *ev, unsigned slot)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);

	if (b && b->orig_bytes != SCAP_LEN_UNKNOWN)
		return b->orig_bytes;
	return ev->ret > 0 ? (uint32_t)ev->ret : 0;
}

static bool put_number(struct scap_export *x, const struct scap_event *ev,
		       const struct scap__export_param *q)
{
	struct scap__export_params *p = &x->params;
	uint64_t arg = scap_event_arg(ev, q->arg);

	switch (q->kind) {
	case SCAP__EXPORT_RES: scap__export_put_u64(p, (uint64_t)ev->ret); return true;
	case SCAP__EXPORT_RES32: scap__export_put_u32(p, (uint32_t)ev->ret); return true;
	case SCAP__EXPORT_GOT32: scap__export_put_u32(p, ev->ret > 0 ? (uint32_t)ev->ret : 0);
		return true;
	case SCAP__EXPORT_FD:
	case SCAP__EXPORT_PID: scap__export_put_u64(p, (uint64_t)(int32_t)arg); return true;
	case SCAP__EXPORT_I64: scap__export_put_u64(p, signed_arg(ev, q->arg)); return true;
	case SCAP__EXPORT_U64: scap__export_put_u64(p, arg); return true;
	case SCAP__EXPORT_U32AS64: scap__export_put_u64(p, (uint32_t)arg); return true;
	case SCAP__EXPORT_I32:
	case SCAP__EXPORT_U32: scap__export_put_u32(p, (uint32_t)arg); return true;
	case SCAP__EXPORT_U16: scap__export_put_u16(p, (uint16_t)arg); return true;
	case SCAP__EXPORT_U8:
	case SCAP__EXPORT_SIG: scap__export_put_u8(p, (uint8_t)arg); return true;
	case SCAP__EXPORT_POS: scap__export_put_u64(p, pos_arg(ev, q->arg, false)); return true;
	case SCAP__EXPORT_HILO: scap__export_put_u64(p, pos_arg(ev, q->arg, true)); return true;
	case SCAP__EXPORT_F8: scap__export_put_u8(p, (uint8_t)flags_arg(ev, q)); return true;
	case SCAP__EXPORT_F16: scap__export_put_u16(p, (uint16_t)flags_arg(ev, q)); return true;
	case SCAP__EXPORT_F32: scap__export_put_u32(p, (uint32_t)flags_arg(ev, q)); return true;
	case SCAP__EXPORT_OPENF: scap__export_put_u32(p, scap__export_open_flags(arg));
		return true;
	case SCAP__EXPORT_CREATE: scap__export_put_u32(p, create_mode(ev, q->arg)); return true;
	case SCAP__EXPORT_IOSIZE: scap__export_put_u32(p, io_size(ev, q->arg)); return true;
	case SCAP__EXPORT_Z8: scap__export_put_u8(p, 0); return true;
	case SCAP__EXPORT_Z16: scap__export_put_u16(p, 0); return true;
	case SCAP__EXPORT_Z32: scap__export_put_u32(p, 0); return true;
	case SCAP__EXPORT_Z64: scap__export_put_u64(p, 0); return true;
	}
	return false;
}

static void put_word(struct scap_export *x, const struct scap_event *ev, unsigned arg)
{
	uint64_t v = htole64(scap_event_arg(ev, arg));

	scap__export_put_u8(&x->params, 0);
	scap__export_more(&x->params, &v, sizeof(v));
}

static void put_prctl_name(struct scap_export *x, const struct scap_event *ev, unsigned slot)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);
	bool is_name = (uint32_t)scap_event_arg(ev, 0) == 15;	/* PR_SET_NAME */

	if (b && is_name)
		put_blob_text(x, b);
	else
		scap__export_put(&x->params, NULL, 0);
}

static void put_data(struct scap_export *x, const struct scap__blob *b)
{
	scap__export_put(&x->params, b ? b->data : NULL, b ? b->bytes : 0);
}

/* What is in memory, or behind a descriptor. */
static void put_fetched(struct scap_export *x, const struct scap_event *ev,
			const struct scap__export_param *q)
{
	const struct scap__blob *b = scap__event_blob(ev, q->arg);

	switch (q->kind) {
	case SCAP__EXPORT_PATH: put_path(x, ev, q->arg); break;
	case SCAP__EXPORT_STR: put_blob_text(x, b); break;
	case SCAP__EXPORT_FILENAME:
		put_blob_text(x, scap__event_blob(ev, SCAP_SLOT_FILENAME)); break;
	case SCAP__EXPORT_DATA: put_data(x, b); break;
	case SCAP__EXPORT_ADDR:
		scap__export_put_addr(&x->params, b ? b->data : NULL, b ? b->bytes : 0); break;
	case SCAP__EXPORT_OUTBOUND: put_ends(x, ev, false); break;
	case SCAP__EXPORT_INBOUND: put_ends(x, ev, true); break;
	case SCAP__EXPORT_FDS_IN: put_pollfds(x, ev, q->arg, 4); break;
	case SCAP__EXPORT_FDS_OUT: put_pollfds(x, ev, q->arg, 6); break;
	case SCAP__EXPORT_TIME: scap__export_put_u64(&x->params, timespec_ns(ev, q->arg)); break;
	case SCAP__EXPORT_SIGSET:
	case SCAP__EXPORT_GOTU32: put_got(x, b, false); break;
	case SCAP__EXPORT_GOTU64: put_got(x, b, true); break;
	case SCAP__EXPORT_LIMIT: put_limit(x, ev, q->arg); break;
	case SCAP__EXPORT_FD0: put_pair(x, ev, q->arg, 0); break;
	case SCAP__EXPORT_FD1: put_pair(x, ev, q->arg, 1); break;
	case SCAP__EXPORT_HOW: put_how(x, ev, q->arg); break;
	case SCAP__EXPORT_OPT: put_option(x, ev, q->arg); break;
	case SCAP__EXPORT_DEV:
	case SCAP__EXPORT_INO:
	case SCAP__EXPORT_PEER: put_file(x, ev, q->kind); break;
	case SCAP__EXPORT_WORD: put_word(x, ev, q->arg); break;
	case SCAP__EXPORT_NAME: put_prctl_name(x, ev, q->arg); break;
	case SCAP__EXPORT_CLONE: scap__export_put_clone(x, ev); break;
	case SCAP__EXPORT_EXEC: scap__export_put_exec(x, ev); break;
	case SCAP__EXPORT_NONE: scap__export_put(&x->params, NULL, 0); break;
	}
}

void scap__export_params_fill(struct scap_export *x, const struct scap_event *ev,
			      const struct scap__export_param *list, unsigned n)
{
	x->params.n = x->params.used = 0;
	x->params.cut = false;
	for (unsigned i = 0; i < n && list[i].kind != SCAP__EXPORT_END; i++)
		if (!put_number(x, ev, &list[i]))
			put_fetched(x, ev, &list[i]);
}
