/* SPDX-License-Identifier: MIT */
/* SCHEMA sections: what the numbers of records, calls and arguments are called, as text. */
#include "format/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/error.h"
#include "format/reader.h"
#include "format/writer.h"

static const char *const roles[] = {
#define SCAP_ROLE(id, print, domain) [SCAP_ROLE_##id] = #id,
#include <scap/roles.def>
#undef SCAP_ROLE
};

static const char *const abis[SCAP_ABIS] = {
	[SCAP_ABI_X86_64] = "x86_64", [SCAP_ABI_I386] = "i386", [SCAP_ABI_X32] = "x32",
};

/* ---- out ------------------------------------------------------------------------------------- */

static int put(struct scap__buffer *b, const char *text)
{
	return scap__buffer_add(b, text, strlen(text));
}

static int put_call(struct scap__buffer *b, unsigned abi, int64_t nr)
{
	const struct scap__syscall *sc = scap__syscall_lookup(abi, nr);
	char text[128];
	int rc;

	if (!sc)
		return 0;
	snprintf(text, sizeof(text), "call %s %d %s %s", abis[abi], (int)nr, sc->name,
		 roles[sc->ret_role]);
	rc = put(b, text);
	for (unsigned i = 0; !rc && i < sc->nargs; i++) {
		snprintf(text, sizeof(text), " %s:%s", roles[sc->args[i].role], sc->args[i].name);
		rc = put(b, text);
	}
	return rc ? rc : put(b, "\n");
}

static int put_record(struct scap__buffer *b, unsigned type)
{
	const char *name = scap__rec_type_name(type);
	char text[128];

	if (!name)
		return 0;
	snprintf(text, sizeof(text), "record %u %s\n", type, name);
	return put(b, text);
}

static bool is_new(uint64_t *set, unsigned i)
{
	bool known = set[i / 64] >> i % 64 & 1;

	set[i / 64] |= 1ull << i % 64;
	return !known;
}

int scap__schema_kind(struct scap__schema *s, unsigned type, unsigned abi, unsigned nr)
{
	int rc = type < SCAP_REC_TYPES && is_new(s->types, type) ? put_record(&s->text, type) : 0;

	if (rc || (type != SCAP_REC_CALL && type != SCAP_REC_ENTER))
		return rc;
	return abi < SCAP_ABIS && nr < SCAP__SCHEMA_CALLS && is_new(s->calls[abi], nr) ?
	       put_call(&s->text, abi, nr) : 0;
}

int scap__schema_note(struct scap__schema *s, const uint8_t *rec)
{
	unsigned type = rec[offsetof(struct scap_rec, type)];

	rec += type == SCAP_REC_CALL ? offsetof(struct scap_rec_call, nr) :
	       type == SCAP_REC_ENTER ? offsetof(struct scap_rec_enter, nr) : 0;
	return scap__schema_kind(s, type, SCAP_SHAPE_ABI(rec[2]), scap__le16(rec));
}

int scap__schema_write(struct scap_writer *w)
{
	struct scap__buffer mine = w->raw;
	int rc;

	if (!w->schema.text.n)
		return 0;
	/* The payload of a keyframe may wait there, for the group before it to be written. */
	w->raw = (struct scap__buffer){ .budget = w->budget };
	rc = scap__section_begin(w);
	if (!rc && scap__buffer_add(&w->raw, w->schema.text.p, w->schema.text.n))
		rc = scap__writer_no_memory(w);
	if (!rc)
		rc = scap__section_write(w, SCAP__SECTION_SCHEMA);
	scap__buffer_fini(&w->raw);
	w->raw = mine;
	if (!rc)
		w->schema.text.n = 0;
	return rc;
}

/* ---- in -------------------------------------------------------------------------------------- */

int scap__schema_read(struct scap_reader *r, const uint8_t *p, size_t n)
{
	int rc = scap__buffer_add(&r->schema, p, n);

	if (!rc)
		rc = scap__buffer_reserve(&r->schema, 1);
	if (rc)
		return scap__reader_no_memory(r, rc);
	r->schema.p[r->schema.n] = 0;
	return 0;
}

const char *scap_reader_schema(const struct scap_reader *r)
{
	return r->schema.n ? (const char *)r->schema.p : "";
}
