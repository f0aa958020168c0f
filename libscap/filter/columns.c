/* SPDX-License-Identifier: MIT */
/* Fields of many events as arrays. */
#include <scap/columns.h>

#include <errno.h>
#include <stdlib.h>

#include "core/error.h"
#include "filter/field_get.h"
#include "format/reader.h"

#define BATCH_BYTES	(1u << 20)

struct column {
	struct scap_field field;
	uint8_t type;		/* SCAP_COLUMN_* */
	uint8_t *valid;
	union {
		void *values;
		uint64_t *u64;
		int64_t *i64;
		uint8_t *bools;
		uint32_t *offsets;
	};
	uint8_t *bytes;
	size_t cap;
};

struct scap_columns {
	struct scap_reader *reader;
	const struct scap_filter *filter;
	const struct scap_event *held;	/* read, but there was no memory for its row */
	int over;		/* what is to be returned behind the batch; 0: nothing */
	bool untold;		/* a loss since the last batch */
	struct scap_columns_batch batch;
	struct column *columns;
	struct scap_column *shown;
	struct scap__arena own;	/* for as long as the cursor is there */
	struct scap__arena arrays;	/* of `cap` rows */
	uint32_t cap;
	struct scap__scratch scratch;
};

static int no_memory(struct scap_error *err, int rc)
{
	return scap__fail(err, rc, SCAP_NO_OFFSET, rc == -ENOMEM ? "out of memory" :
			  "the columns need more memory than the reader's limit");
}

/* ---- opening ------------------------------------------------------------------------------- */

static unsigned type_of(const struct scap_field *f)
{
	switch (f->def->type) {
	case SCAP__TYPE_INT:
		return SCAP_COLUMN_INT64;
	case SCAP__TYPE_BOOL:
		return SCAP_COLUMN_BOOL;
	case SCAP__TYPE_STRING:
	case SCAP__TYPE_BYTES:
	case SCAP__TYPE_IP:
		return SCAP_COLUMN_BYTES;
	case SCAP__TYPE_PORT:
		/* It may have two. */
		return f->def->get == scap__get_fd_ip ? SCAP_COLUMN_BYTES : SCAP_COLUMN_UINT64;
	default:
		return SCAP_COLUMN_UINT64;
	}
}

static int init_column(struct column *col, const char *name, unsigned number,
		       struct scap_error *err)
{
	struct scap_error why;
	int rc;

	if (!name)
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET, "field %u has no name", number);
	rc = scap__field_parse(&col->field, name, &why);
	if (rc)
		return scap__fail(err, rc, why.offset, "field %u: %.200s", number, why.text);
	col->type = (uint8_t)type_of(&col->field);
	return 0;
}

static int init(struct scap_columns *c, const char *const *fields, unsigned n,
		struct scap_error *err)
{
	void *p[3] = { NULL };
	int rc;

	c->scratch.cap = SCAP__SCRATCH_SMALL;
	rc = scap__arena_get(&c->own, n * sizeof(*c->columns), &p[0]);
	if (!rc)
		rc = scap__arena_get(&c->own, n * sizeof(*c->shown), &p[1]);
	c->columns = p[0];
	c->batch.columns = c->shown = p[1];
	for (; !rc && c->batch.n_columns < n; c->batch.n_columns++) {
		struct column *col = &c->columns[c->batch.n_columns];

		rc = init_column(col, fields[c->batch.n_columns], c->batch.n_columns + 1, err);
		if (rc)
			return rc;
		if (col->field.def->large)
			c->scratch.cap = SCAP__SCRATCH_LARGE;
	}
	if (!rc)
		rc = scap__arena_room(&c->own, c->scratch.cap, &p[2]);
	c->scratch.buf = p[2];
	return rc ? no_memory(err, rc) : 0;
}

int scap_columns_open(struct scap_reader *r, const char *const *fields, unsigned n_fields,
		      const struct scap_filter *f, struct scap_columns **ret_c,
		      struct scap_error *err)
{
	struct scap_columns *c;
	int rc;

	if (n_fields > SCAP_COLUMNS_MAX_FIELDS)
		return scap__fail(err, SCAP_ELIMIT, SCAP_NO_OFFSET,
				  "%u fields; at most %u can be asked for", n_fields,
				  SCAP_COLUMNS_MAX_FIELDS);
	c = calloc(1, sizeof(*c));
	if (!c)
		return no_memory(err, -ENOMEM);
	c->reader = r;
	c->filter = f;
	scap__arena_init(&c->own, &r->budget);
	scap__arena_init(&c->arrays, &r->budget);
	rc = init(c, fields, n_fields, err);
	if (rc) {
		scap_columns_close(c);
		return rc;
	}
	scap_reader_choose(r, f);
	*ret_c = c;
	return 0;
}

void scap_columns_close(struct scap_columns *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->batch.n_columns; i++)
		scap__free(&c->reader->budget, c->columns[i].bytes, c->columns[i].cap);
	scap__arena_fini(&c->arrays);
	scap__arena_fini(&c->own);
	free(c);
}

/* ---- values -------------------------------------------------------------------------------- */

/* At least n more bytes behind the first `used`: 0, -ENOMEM, SCAP_ELIMIT. */
static int reserve(struct scap__budget *budget, struct column *col, size_t used, size_t n)
{
	size_t cap = used + n + (used + n) / 2;
	void *p = col->bytes;
	int rc;

	if (n <= col->cap - used)
		return 0;
	if (cap > UINT32_MAX)
		return SCAP_ELIMIT;
	rc = scap__realloc(budget, &p, col->cap, cap);
	if (rc)
		return rc;
	col->bytes = p;
	col->cap = cap;
	return 0;
}

/* Ends of sockets become text in the scratch, where they are not. */
static void ends_as_text(const struct scap_field *f, struct scap__scratch *s, struct scap__value *v)
{
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	scap__out_value(&o, f->def->type, v);
	v->s.n = scap__out_end(&o);
	v->s.p = (const uint8_t *)s->buf;
}

static int put_bytes(struct scap_columns *c, struct column *col, struct scap__value *v)
{
	uint32_t row = c->batch.n_rows, used = col->offsets[row];
	int rc;

	if (col->field.def->type == SCAP__TYPE_IP || col->field.def->type == SCAP__TYPE_PORT)
		ends_as_text(&col->field, &c->scratch, v);
	if (!v->s.n)
		return 0;
	rc = reserve(&c->reader->budget, col, used, v->s.n);
	if (rc)
		return rc;
	memcpy(col->bytes + used, v->s.p, v->s.n);
	col->offsets[row + 1] = used + (uint32_t)v->s.n;
	return 0;
}

static int put_value(struct scap_columns *c, struct column *col, struct scap__value *v)
{
	uint32_t row = c->batch.n_rows;

	switch (col->type) {
	case SCAP_COLUMN_INT64:
		col->i64[row] = v->i;
		return 0;
	case SCAP_COLUMN_BOOL:
		col->bools[row] = v->b;
		return 0;
	case SCAP_COLUMN_BYTES:
		return put_bytes(c, col, v);
	default:
		col->u64[row] = col->field.def->type == SCAP__TYPE_PORT ? v->ends[0].port : v->u;
		return 0;
	}
}

static void put_missing(struct column *col, uint32_t row)
{
	switch (col->type) {
	case SCAP_COLUMN_BOOL:
		col->bools[row] = 0;
		break;
	case SCAP_COLUMN_BYTES:
		col->offsets[row + 1] = col->offsets[row];
		break;
	default:
		col->u64[row] = 0;
	}
}

/* The row behind the batch's last: it is none of it yet. */
static int put_row(struct scap_columns *c, const struct scap_event *ev)
{
	uint32_t row = c->batch.n_rows;
	struct scap__value v;
	int rc;

	for (uint32_t i = 0; i < c->batch.n_columns; i++) {
		struct column *col = &c->columns[i];

		if (row % 8 == 0)
			col->valid[row / 8] = 0;
		put_missing(col, row);
		if (!scap__field_get(&col->field, ev, &c->scratch, &v))
			continue;
		rc = put_value(c, col, &v);
		if (rc)
			return rc;
		col->valid[row / 8] |= (uint8_t)(1 << row % 8);
	}
	return 0;
}

/* ---- batches ------------------------------------------------------------------------------- */

static size_t array_bytes(const struct column *col, uint32_t n)
{
	switch (col->type) {
	case SCAP_COLUMN_BOOL:
		return n;
	case SCAP_COLUMN_BYTES:
		return ((size_t)n + 1) * sizeof(*col->offsets);
	default:
		return (size_t)n * sizeof(*col->u64);
	}
}

/* Room for n rows; what is there need not stay: 0, -ENOMEM, SCAP_ELIMIT. */
static int make_room(struct scap_columns *c, uint32_t n)
{
	void *valid, *values;
	int rc;

	if (n <= c->cap)
		return 0;
	scap__arena_reset(&c->arrays);
	c->cap = 0;
	for (uint32_t i = 0; i < c->batch.n_columns; i++) {
		rc = scap__arena_room(&c->arrays, (n + 7) / 8, &valid);
		if (!rc)
			rc = scap__arena_room(&c->arrays, array_bytes(&c->columns[i], n), &values);
		if (rc)
			return rc;
		c->columns[i].valid = valid;
		c->columns[i].values = values;
	}
	c->cap = n;
	return 0;
}

static int begin(struct scap_columns *c, uint32_t max_rows)
{
	int rc = make_room(c, max_rows);

	if (rc)
		return no_memory(&c->reader->error, rc);
	c->batch.n_rows = 0;
	for (uint32_t i = 0; i < c->batch.n_columns; i++)
		if (c->columns[i].type == SCAP_COLUMN_BYTES)
			c->columns[i].offsets[0] = 0;
	return 0;
}

static void add_loss(struct scap_columns *c, const struct scap_event *ev)
{
	uint64_t n, sure, maybe;

	if (scap_filter_gap(c->filter, ev, &sure, &maybe))
		return;
	n = ev->u.gap.n_lost;
	*(ev->u.gap.unexplained ? &c->batch.n_unexplained : &c->batch.n_lost) += n;
	c->batch.n_lost_sure += sure;
	c->batch.n_lost_maybe += maybe;
	c->untold = true;
}

static bool is_full(const struct scap_columns *c, uint32_t max_rows)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < c->batch.n_columns; i++)
		if (c->columns[i].type == SCAP_COLUMN_BYTES)
			bytes += c->columns[i].offsets[c->batch.n_rows];
	return c->batch.n_rows == max_rows || bytes >= BATCH_BYTES;
}

/* 0, or what there is to return behind the rows. */
static int fill(struct scap_columns *c, uint32_t max_rows)
{
	for (;;) {
		const struct scap_event *ev = c->held;
		int rc = ev ? 0 : scap_reader_next(c->reader, &ev);

		c->held = NULL;
		if (rc)
			return rc;
		if (!ev->num)
			add_loss(c, ev);
		if (!ev->num || (c->filter && !scap_filter_match(c->filter, ev)))
			continue;
		rc = put_row(c, ev);
		if (rc) {
			c->held = ev;
			return c->batch.n_rows ? 0 : no_memory(&c->reader->error, rc);
		}
		c->batch.n_rows++;
		if (is_full(c, max_rows))
			return 0;
	}
}

static uint32_t count_missing(const struct scap_columns *c, const struct scap_column *show)
{
	uint32_t n = 0;

	for (uint32_t row = 0; row < c->batch.n_rows; row++)
		n += !scap_column_has(show, row);
	return n;
}

static void show(struct scap_columns *c)
{
	for (uint32_t i = 0; i < c->batch.n_columns; i++) {
		const struct column *col = &c->columns[i];
		struct scap_column *s = &c->shown[i];

		*s = (struct scap_column){ .type = col->type, .valid = col->valid };
		if (col->type == SCAP_COLUMN_UINT64)
			s->u64 = col->u64;
		else if (col->type == SCAP_COLUMN_INT64)
			s->i64 = col->i64;
		else if (col->type == SCAP_COLUMN_BOOL)
			s->bools = col->bools;
		else
			s->offsets = col->offsets;
		s->bytes = s->offsets ? col->bytes : NULL;
		s->n_missing = count_missing(c, s);
	}
	c->untold = false;
}

int scap_columns_next(struct scap_columns *c, uint32_t max_rows,
		      const struct scap_columns_batch **ret_batch)
{
	int rc = c->over;

	c->over = 0;
	if (rc)
		return rc;
	if (!max_rows)
		return scap__fail(&c->reader->error, -EINVAL, SCAP_NO_OFFSET,
				  "a batch has at least one row");
	if (max_rows > SCAP_COLUMNS_MAX_ROWS)
		max_rows = SCAP_COLUMNS_MAX_ROWS;
	rc = begin(c, max_rows);
	if (rc)
		return rc;
	rc = fill(c, max_rows);
	if (rc && !c->batch.n_rows && !c->untold)
		return rc;
	c->over = rc;
	show(c);
	*ret_batch = &c->batch;
	return 0;
}
