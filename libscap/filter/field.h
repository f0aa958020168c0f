/* SPDX-License-Identifier: MIT */
/* Fields: what a filter or a format can ask of an event. */
#ifndef SCAP_FILTER_FIELD_H
#define SCAP_FILTER_FIELD_H

#include <scap/filter.h>

#include "filter/value.h"

enum scap__type {
	SCAP__TYPE_UINT,
	SCAP__TYPE_INT,
	SCAP__TYPE_ABSTIME,
	SCAP__TYPE_RELTIME,
	SCAP__TYPE_PORT,
	SCAP__TYPE_BOOL,
	SCAP__TYPE_STRING,
	SCAP__TYPE_BYTES,
	SCAP__TYPE_IP,
};

/* Where a text that is composed for one event lies, and how times are shown in it. */
struct scap__scratch {
	char *buf;
	size_t cap;
	int32_t utc_offset_s;
};

/* Room for every composed text but those of evt.args and evt.arg. */
#define SCAP__SCRATCH_SMALL	17000
/* evt.args and evt.arg: what is longer is compared, or shown, up to here. */
#define SCAP__SCRATCH_LARGE	(128 * 1024)

struct scap__value {
	union {
		uint64_t u;
		int64_t i;
		bool b;
		struct {
			const uint8_t *p;
			size_t n;
		} s;
		struct {
			struct scap__addr ends[2];	/* IP, PORT: n_ends of them count */
			unsigned n_ends;
		};
	};
	bool composed;		/* s is in the scratch and already safe for a terminal */
};

/* false: the event does not have it */
typedef bool scap__getter(const struct scap_field *f, const struct scap_event *ev,
			  struct scap__scratch *s, struct scap__value *ret_v);

/* What of an event a field comes from; a kind is a type, an ABI and a number. */
enum scap__part {
	SCAP__PART_KIND,
	SCAP__PART_RESULT,	/* and the kind; of calls only, as the next two */
	SCAP__PART_LATENCY,
	SCAP__PART_FILE,
	SCAP__PART_TID,
	SCAP__PART_THREAD,	/* its introduction */
	SCAP__PART_EXEC,	/* procexec's own: others do not have it */
	SCAP__PART_WHOLE,	/* whatever else */
};

struct scap__field_def {
	const char *name;
	uint8_t type;		/* enum scap__type */
	bool named;		/* takes .NAME or [N] */
	bool large;		/* needs SCAP__SCRATCH_LARGE */
	uint8_t part;		/* enum scap__part */
	scap__getter *get;
	const char *text;
};

struct scap_field {
	const struct scap__field_def *def;
	int32_t index;		/* of [N]; -1: by name */
	char arg[32];
};

/*
 * Looks up a field: name as written, arg what stood in brackets (NULL: nothing). Columns are those
 * of the name and the argument in the text, for errors.
 */
int scap__field_init(struct scap_field *f, const char *name, size_t n_name, size_t column,
		     const char *arg, size_t n_arg, size_t arg_column, struct scap_error *err);
/* The same of a text that is nothing but a field. */
int scap__field_parse(struct scap_field *f, const char *name, struct scap_error *err);
const char *scap__type_name(unsigned type);

static inline bool scap__field_get(const struct scap_field *f, const struct scap_event *ev,
				   struct scap__scratch *s, struct scap__value *ret_v)
{
	ret_v->composed = false;
	return f->def->get(f, ev, s, ret_v);
}

/* A value of that type as text, safe for a terminal. */
void scap__out_value(struct scap__out *o, unsigned type, const struct scap__value *v);
/* The value as text, safe for a terminal; false: missing. */
bool scap__out_field(struct scap__out *o, const struct scap_field *f, const struct scap_event *ev,
		     int32_t utc_offset_s);

#endif
