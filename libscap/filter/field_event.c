/* SPDX-License-Identifier: MIT */
/* Fields of the event itself, and of the thread that it happened in. */
#include "filter/field_get.h"

SCAP__GETTER(num)
{
	v->u = ev->num;
	return true;
}

SCAP__GETTER(time)
{
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	scap__out_clock(&o, ev->wall_ns, s->utc_offset_s);
	return scap__set_composed(v, &o);
}

SCAP__GETTER(time_s)
{
	scap__get_time(f, ev, s, v);
	v->s.n = sizeof("HH:MM:SS") - 1;
	return true;
}

SCAP__GETTER(time_iso)
{
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	scap__out_date(&o, ev->wall_ns, 0);
	scap__out_char(&o, 'T');
	scap__out_clock(&o, ev->wall_ns, 0);
	scap__out_lit(&o, "+0000");
	return scap__set_composed(v, &o);
}

SCAP__GETTER(datetime)
{
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	scap__out_date(&o, ev->wall_ns, s->utc_offset_s);
	scap__out_char(&o, ' ');
	scap__out_clock(&o, ev->wall_ns, s->utc_offset_s);
	return scap__set_composed(v, &o);
}

SCAP__GETTER(rawtime)
{
	v->u = ev->wall_ns;
	return true;
}

SCAP__GETTER(rawtime_s)
{
	v->u = ev->wall_ns / 1000000000;
	return true;
}

SCAP__GETTER(rawtime_ns)
{
	v->u = ev->wall_ns % 1000000000;
	return true;
}

SCAP__GETTER(type)
{
	return scap__set_text(v, scap_event_name(ev));
}

SCAP__GETTER(syscall_type)
{
	if (ev->type != SCAP_REC_CALL)
		return false;
	return scap__set_text(v, scap_event_name(ev));
}

SCAP__GETTER(cpu)
{
	v->u = ev->cpu;
	return true;
}

SCAP__GETTER(latency)
{
	v->u = ev->latency_ns;
	return ev->type == SCAP_REC_CALL && ev->latency_ns != SCAP_LATENCY_NONE;
}

SCAP__GETTER(latency_human)
{
	struct scap__out o;

	if (ev->type != SCAP_REC_CALL || ev->latency_ns == SCAP_LATENCY_NONE)
		return false;
	scap__out_init(&o, s->buf, s->cap);
	scap__out_duration(&o, ev->latency_ns);
	return scap__set_composed(v, &o);
}

SCAP__GETTER(res)
{
	const char *name;
	struct scap__out o;

	if (!scap_event_has_ret(ev))
		return false;
	if (!scap__failed(ev))
		return scap__set_text(v, "SUCCESS");
	name = scap__ret_errno(ev);
	if (name)
		return scap__set_text(v, name);
	scap__out_init(&o, s->buf, s->cap);
	scap__out_int(&o, ev->ret);
	return scap__set_composed(v, &o);
}

SCAP__GETTER(rawres)
{
	v->i = ev->ret;
	return scap_event_has_ret(ev);
}

SCAP__GETTER(failed)
{
	v->b = scap__failed(ev);
	return scap_event_has_ret(ev);
}

/* ---- who ------------------------------------------------------------------------------------ */

SCAP__GETTER(proc_name)
{
	return ev->thread && scap__set_text(v, ev->thread->comm);
}

SCAP__GETTER(proc_pid)
{
	v->i = scap_event_tgid(ev);
	return v->i != 0;
}

SCAP__GETTER(proc_ppid)
{
	v->i = ev->thread ? ev->thread->ppid : 0;
	return ev->thread;
}

SCAP__GETTER(proc_vpid)
{
	v->i = ev->thread ? ev->thread->vtgid : 0;
	return ev->thread;
}

SCAP__GETTER(tid)
{
	v->i = ev->tid;
	return ev->type != SCAP_REC_GAP;
}

SCAP__GETTER(vtid)
{
	v->i = ev->thread ? ev->thread->vtid : 0;
	return ev->thread;
}

SCAP__GETTER(uid)
{
	v->u = ev->thread ? ev->thread->uid : 0;
	return ev->thread;
}

SCAP__GETTER(gid)
{
	v->u = ev->thread ? ev->thread->gid : 0;
	return ev->thread;
}
