/* SPDX-License-Identifier: MIT */
/* Fields of the paths that a call names, and of what they start from. */
#include "filter/field_get.h"

static bool set_bytes(struct scap__value *v, const char *p, size_t n)
{
	v->s.p = (const uint8_t *)p;
	v->s.n = n;
	return true;
}

/* One that is not known is missing, not "/". */
SCAP__GETTER(proc_root)
{
	if (!ev->thread || (!ev->thread->root && ev->thread->thread_flags & SCAP_THREAD_ROOT_DOUBT))
		return false;
	if (!ev->thread->root)
		return set_bytes(v, "/", 1);
	return set_bytes(v, ev->thread->root, ev->thread->root_bytes);
}

SCAP__GETTER(proc_mntns)
{
	v->u = ev->thread ? ev->thread->ns_mnt : 0;
	return v->u != 0;
}

SCAP__GETTER(proc_cgroup)
{
	v->u = ev->thread ? ev->thread->cgroup_id : 0;
	return v->u != 0;
}

/* Their bytes, not yet safe for a terminal. */
static bool set_path(struct scap__value *v, struct scap__scratch *s, const struct scap_event *ev,
		     unsigned nth)
{
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	if (!scap__out_path(&o, ev, nth))
		return false;
	return set_bytes(v, o.buf, o.len < o.cap ? o.len : o.cap - 1);
}

SCAP__GETTER(path_name)
{
	return scap__n_paths(ev) == 1 && set_path(v, s, ev, 0);
}

SCAP__GETTER(path_source)
{
	return scap__n_paths(ev) == 2 && set_path(v, s, ev, 0);
}

SCAP__GETTER(path_target)
{
	return scap__n_paths(ev) == 2 && set_path(v, s, ev, 1);
}

static bool set_asked(struct scap__value *v, const struct scap_event *ev, unsigned nth)
{
	const struct scap__blob *b = scap__asked_path(ev, nth);

	return b && set_bytes(v, (const char *)b->data, b->bytes);
}

SCAP__GETTER(path_nameraw)
{
	return scap__n_paths(ev) == 1 && set_asked(v, ev, 0);
}

SCAP__GETTER(path_sourceraw)
{
	return scap__n_paths(ev) == 2 && set_asked(v, ev, 0);
}

SCAP__GETTER(path_targetraw)
{
	return scap__n_paths(ev) == 2 && set_asked(v, ev, 1);
}
