/* SPDX-License-Identifier: MIT */
/* Fields of the parameters of an event, and of the data that a call moved. */
#include "filter/field_get.h"
#include "filter/params.h"

SCAP__GETTER(args)
{
	struct scap__param params[SCAP__PARAMS_MAX];
	unsigned n = scap__params(ev, params);
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	for (unsigned i = 0; i < n; i++) {
		if (params[i].detail)
			continue;
		if (i)
			scap__out_char(&o, ' ');
		scap__out_str(&o, params[i].name);
		scap__out_char(&o, '=');
		scap__out_param(&o, ev, &params[i], 0);
	}
	if (ev->type == SCAP_REC_CALL) {
		scap__out_str(&o, n ? " res=" : "res=");
		scap__out_result(&o, ev);
	}
	return scap__set_composed(v, &o);
}

/* The parameter that f asks for; false: the event has none such. */
static bool find_param(const struct scap_field *f, const struct scap_event *ev,
		       struct scap__param *ret_p)
{
	struct scap__param params[SCAP__PARAMS_MAX];
	unsigned n = scap__params(ev, params);

	for (unsigned i = 0; i < n; i++) {
		if (f->index >= 0 ? (unsigned)f->index == i : !strcmp(params[i].name, f->arg)) {
			*ret_p = params[i];
			return true;
		}
	}
	return false;
}

static bool arg_result(const struct scap_event *ev, struct scap__scratch *s, struct scap__value *v)
{
	struct scap__out o;

	if (!scap_event_has_ret(ev))
		return false;
	if (scap__ret_errno(ev))
		return scap__set_text(v, scap__ret_errno(ev));
	scap__out_init(&o, s->buf, s->cap);
	scap__out_result(&o, ev);
	return scap__set_composed(v, &o);
}

SCAP__GETTER(arg)
{
	const struct scap__blob *b;
	struct scap__param p;
	struct scap__out o;

	if (!find_param(f, ev, &p))
		return f->index < 0 && !strcmp(f->arg, "res") && arg_result(ev, s, v);
	if (scap__param_bytes(ev, &p, &v->s.p, &v->s.n, &b)) {
		if (!v->s.n)
			return scap__set_text(v, p.kind == SCAP__PARAM_ARG &&
					!scap__is_string_role(p.role) ? "NULL" : "<NA>");
		return true;
	}
	scap__out_init(&o, s->buf, s->cap);
	scap__out_param(&o, ev, &p, 0);
	return scap__set_composed(v, &o);
}

SCAP__GETTER(rawarg)
{
	struct scap__param p;
	bool is_signed;
	uint64_t value;

	if (!find_param(f, ev, &p)) {
		v->i = ev->ret;
		return f->index < 0 && !strcmp(f->arg, "res") && scap_event_has_ret(ev);
	}
	if (!scap__param_number(ev, &p, &is_signed, &value)) {
		if (!scap__param_word(ev, &p, &value))
			return false;
	}
	v->i = (int64_t)value;
	return true;
}

/* The blob of the bytes read or written, and whether the call has such an argument. */
static bool data_blob(const struct scap_event *ev, const struct scap__blob **ret_blob)
{
	*ret_blob = NULL;
	for (unsigned i = 0; ev->sc && i < ev->sc->nargs && i < 6; i++) {
		switch (ev->sc->args[i].role) {
		case SCAP_ROLE_BUF_IN:
		case SCAP_ROLE_BUF_OUT:
		case SCAP_ROLE_IOV_IN:
		case SCAP_ROLE_IOV_OUT:
		case SCAP_ROLE_MSG_IN:
		case SCAP_ROLE_MSG_OUT:
			*ret_blob = scap__event_blob(ev, i);
			return true;
		}
	}
	return false;
}

SCAP__GETTER(buffer)
{
	const struct scap__blob *b;

	if (!data_blob(ev, &b) || !b)
		return false;
	v->s.p = b->data;
	v->s.n = b->bytes;
	return true;
}

SCAP__GETTER(buflen)
{
	const struct scap__blob *b;

	if (!data_blob(ev, &b) || !scap_event_has_ret(ev) || ev->ret < 0)
		return false;
	v->u = (uint64_t)ev->ret;
	return true;
}
