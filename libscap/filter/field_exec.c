/* SPDX-License-Identifier: MIT */
/* Fields that only an exec can answer by itself. */
#include "filter/field_get.h"

static bool is_exec(const struct scap_event *ev)
{
	return ev->type == SCAP_REC_EXEC;
}

/* ---- texts --------------------------------------------------------------------------------- */

/* The blob's strings from the nth on, with blanks between them; more: something stands before. */
static void out_strings(struct scap__out *o, const struct scap__blob *b, unsigned nth, bool more)
{
	const uint8_t *p = b->data, *end = b->data + b->bytes;

	for (unsigned i = 0; p < end; i++) {
		size_t n = strnlen((const char *)p, (size_t)(end - p));

		if (i >= nth) {
			if (more)
				scap__out_char(o, ' ');
			scap__out_bytes(o, p, n);
			more = true;
		}
		p += n + 1;
	}
}

/* Composed of bytes that come from programs: to be escaped where it is shown. */
static bool set_raw(struct scap__value *v, struct scap__out *o)
{
	v->s.p = (const uint8_t *)o->buf;
	v->s.n = o->len < o->cap ? o->len : o->cap - 1;
	return true;
}

static bool joined(const struct scap_event *ev, struct scap__scratch *s, struct scap__value *v,
		   unsigned slot, const char *before, unsigned nth)
{
	const struct scap__blob *b = is_exec(ev) ? scap__event_blob(ev, slot) : NULL;
	struct scap__out o;

	if (!b)
		return false;
	scap__out_init(&o, s->buf, s->cap);
	if (before)
		scap__out_str(&o, before);
	out_strings(&o, b, nth, before);
	return set_raw(v, &o);
}

SCAP__GETTER(exec_exe)
{
	const struct scap__blob *b = is_exec(ev) ? scap__event_blob(ev, SCAP_SLOT_ARGV) : NULL;

	if (!b)
		return false;
	v->s.p = b->data;
	v->s.n = strnlen((const char *)b->data, b->bytes);
	return true;
}

SCAP__GETTER(exec_exepath)
{
	if (!is_exec(ev) || !ev->file || !ev->file->path)
		return false;
	v->s.p = (const uint8_t *)ev->file->path;
	v->s.n = ev->file->path_bytes;
	return true;
}

SCAP__GETTER(exec_args)
{
	return joined(ev, s, v, SCAP_SLOT_ARGV, NULL, 1);
}

SCAP__GETTER(exec_cmdline)
{
	return ev->thread && joined(ev, s, v, SCAP_SLOT_ARGV, ev->thread->comm, 1);
}

SCAP__GETTER(exec_exeline)
{
	return joined(ev, s, v, SCAP_SLOT_ARGV, NULL, 0);
}

SCAP__GETTER(exec_env)
{
	return joined(ev, s, v, SCAP_SLOT_ENV, NULL, 0);
}

/* ---- numbers ------------------------------------------------------------------------------- */

SCAP__GETTER(exec_cmdnargs)
{
	v->u = is_exec(ev) && ev->u.exec.argc ? ev->u.exec.argc - 1 : 0;
	return is_exec(ev);
}

SCAP__GETTER(exec_tty)
{
	v->u = is_exec(ev) ? ev->u.exec.tty : 0;
	return is_exec(ev);
}

SCAP__GETTER(exec_sid)
{
	v->i = is_exec(ev) ? ev->u.exec.sid : 0;
	return is_exec(ev);
}

SCAP__GETTER(exec_pgid)
{
	v->i = is_exec(ev) ? ev->u.exec.pgid : 0;
	return is_exec(ev);
}

SCAP__GETTER(exec_loginuid)
{
	v->i = -1;
	if (is_exec(ev) && ev->u.exec.loginuid != UINT32_MAX)
		v->i = ev->u.exec.loginuid;
	return is_exec(ev);
}

SCAP__GETTER(exec_ino)
{
	v->i = is_exec(ev) && ev->file ? (int64_t)ev->file->ino : 0;
	return v->i;
}

/* Without an executable they are 0. */
SCAP__GETTER(exec_ctime)
{
	v->u = is_exec(ev) ? (uint64_t)ev->u.exec.exe_ctime_ns : 0;
	return v->u;
}

SCAP__GETTER(exec_mtime)
{
	v->u = is_exec(ev) ? (uint64_t)ev->u.exec.exe_mtime_ns : 0;
	return v->u;
}

static bool flag(const struct scap_event *ev, struct scap__value *v, uint8_t mask, uint8_t bits)
{
	v->b = (ev->flags & mask) == bits;
	return is_exec(ev);
}

SCAP__GETTER(exec_writable)
{
	return flag(ev, v, SCAP_EXEC_WRITABLE, SCAP_EXEC_WRITABLE);
}

SCAP__GETTER(exec_upper_layer)
{
	return flag(ev, v, SCAP_EXEC_UPPER_LAYER, SCAP_EXEC_UPPER_LAYER);
}

SCAP__GETTER(exec_lower_layer)
{
	return flag(ev, v, SCAP_EXEC_OVERLAY | SCAP_EXEC_UPPER_LAYER, SCAP_EXEC_OVERLAY);
}

SCAP__GETTER(exec_memfd)
{
	return flag(ev, v, SCAP_EXEC_MEMFD, SCAP_EXEC_MEMFD);
}
