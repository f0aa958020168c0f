/* SPDX-License-Identifier: MIT */
/* Getters: the functions that answer for the fields of the table. */
#ifndef SCAP_FILTER_FIELD_GET_H
#define SCAP_FILTER_FIELD_GET_H

#include <string.h>

#include "filter/field.h"

#define SCAP_FIELD(name, type, getter, flags, part, text) scap__getter scap__get_##getter;
#include "filter/fields.def"
#undef SCAP_FIELD

#define SCAP__GETTER(name)                                                                       \
	bool scap__get_##name(const struct scap_field *f __attribute__((unused)),                \
			      const struct scap_event *ev,                                       \
			      struct scap__scratch *s __attribute__((unused)),                   \
			      struct scap__value *v)

static inline bool scap__set_text(struct scap__value *v, const char *text)
{
	v->s.p = (const uint8_t *)text;
	v->s.n = strlen(text);
	return true;
}

/* Ends a composed text. */
static inline bool scap__set_composed(struct scap__value *v, struct scap__out *o)
{
	v->s.p = (const uint8_t *)o->buf;
	v->s.n = o->len < o->cap ? o->len : o->cap - 1;
	v->composed = true;
	return true;
}

#endif
