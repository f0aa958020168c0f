/* SPDX-License-Identifier: MIT */
#include "filter/structs.h"

#include <scap/abi.h>

#define SCAP_REST UINT16_MAX

/* ---- the tables ----------------------------------------------------------------------------- */

#define SCAP_STRUCT(name, size, size32) static const struct scap__layout layout_##name;
#define SCAP_MEMBER(name, kind, domain, at, bytes, at32, bytes32)
#define SCAP_NESTED(name, layout, at, at32)
#define SCAP_STRUCT_END
#include "filter/structs.def"
#undef SCAP_STRUCT
#undef SCAP_MEMBER
#undef SCAP_NESTED
#undef SCAP_STRUCT_END

static const struct scap__domain scap__domain_none;

#define SCAP_STRUCT(name, size, size32) static const struct scap__member members_##name[] = {
#define SCAP_MEMBER(name, kind, domain, at, bytes, at32, bytes32)                                \
	{ #name, SCAP__MEMBER_##kind, &scap__domain_##domain, NULL, { at, at32 },                \
	  { bytes, bytes32 } },
#define SCAP_NESTED(name, layout, at, at32)                                                      \
	{ #name, SCAP__MEMBER_STRUCT, NULL, &layout_##layout, { at, at32 }, { 0, 0 } },
#define SCAP_STRUCT_END };
#include "filter/structs.def"
#undef SCAP_STRUCT
#undef SCAP_MEMBER
#undef SCAP_NESTED
#undef SCAP_STRUCT_END

#define SCAP_STRUCT(name, size, size32)                                                          \
	static const struct scap__layout layout_##name = {                                       \
		members_##name, sizeof(members_##name) / sizeof(members_##name[0]),              \
		{ size, size32 }, 0                                                              \
	};
#define SCAP_MEMBER(name, kind, domain, at, bytes, at32, bytes32)
#define SCAP_NESTED(name, layout, at, at32)
#define SCAP_STRUCT_END
#include "filter/structs.def"

#define NO_STRUCT(name, KIND) \
	static const struct scap__layout layout_##name = { .kind = SCAP__POINTEE_##KIND }
NO_STRUCT(bytes, BYTES);
NO_STRUCT(text, TEXT);
NO_STRUCT(option, OPTION);
NO_STRUCT(fd_set, FD_SET);

enum rule {
	RULE_FIXED, RULE_BYTES_NEXT, RULE_MSG_NEXT, RULE_MSG_ARG2, RULE_MSG_RET, RULE_DATA_NEXT,
	RULE_IOCTL, RULE_CODE,
	RULES_OF_ARRAYS,
	RULE_COUNT_NEXT, RULE_COUNT_PREV, RULE_COUNT_ARG1, RULE_COUNT_ARG2, RULE_BYTES_PREV,
	RULE_COUNT_RET, RULE_RET_PREV, RULE_BYTES_AT_NEXT, RULE_BITS_NEXT, RULE_BITS_ARG1,
	RULE_FD_SET,
};

static const struct fetched {
	const struct scap__layout *layout;
	uint16_t rule, n[2];
} fetched[SCAP_FETCH_END - SCAP_FETCH_FIRST] = {
#define SCAP_FETCH(ID, when, rule, n64, n32, cap, layout)                                        \
	[SCAP_ROLE_##ID - SCAP_FETCH_FIRST] = { &layout_##layout, RULE_##rule, { n64, n32 } },
#include <scap/fetch.def>
#undef SCAP_FETCH
};

static bool is_array(const struct fetched *f)
{
	if (f->rule == RULE_FIXED)
		return f->n[1] >= 2 * f->layout->size[1];
	return f->rule > RULES_OF_ARRAYS;
}

bool scap__role_pointee(unsigned role, struct scap__pointee *ret)
{
	const struct fetched *f;

	if (role < SCAP_FETCH_FIRST || role >= SCAP_FETCH_END)
		return false;
	f = &fetched[role - SCAP_FETCH_FIRST];
	ret->layout = f->layout;
	ret->kind = f->layout->kind;
	if (ret->kind == SCAP__POINTEE_ONE && is_array(f))
		ret->kind = SCAP__POINTEE_ARRAY;
	return true;
}

/* ---- memory --------------------------------------------------------------------------------- */

static struct scap__memory part(const struct scap__memory *mem, size_t at, size_t n)
{
	size_t left = at < mem->n ? mem->n - at : 0;

	return (struct scap__memory){ mem->p + (left ? at : 0), n < left ? n : left, mem->abi32 };
}

size_t scap__pointee_shown(const struct scap__pointee *pt, size_t n, uint32_t max)
{
	bool payload = pt->kind >= SCAP__POINTEE_BYTES && pt->kind <= SCAP__POINTEE_OPTION;

	if (pt->kind == SCAP__POINTEE_ONE)
		payload = pt->layout->members[pt->layout->n_members - 1].kind == SCAP__MEMBER_REST;
	return payload && max && n > max ? max : n;
}

size_t scap__memory_elements(const struct scap__memory *mem, const struct scap__layout *l)
{
	size_t size = l->size[mem->abi32];

	return size ? mem->n / size : 0;
}

struct scap__memory scap__memory_element(const struct scap__memory *mem,
					 const struct scap__layout *l, size_t i)
{
	size_t size = l->size[mem->abi32];

	return part(mem, i * size, size);
}

bool scap__memory_member(const struct scap__memory *mem, const struct scap__member *m,
			 struct scap__memory *ret)
{
	size_t at = m->at[mem->abi32], n = m->bytes[mem->abi32];

	if (m->kind == SCAP__MEMBER_STRUCT)
		n = m->nested->size[mem->abi32];
	*ret = part(mem, at, n);
	if (m->kind == SCAP__MEMBER_REST)
		return at <= mem->n;
	return n && ret->n == n;
}

uint64_t scap__memory_uint(const struct scap__memory *mem)
{
	uint64_t v = 0;

	for (size_t i = mem->n < 8 ? mem->n : 8; i-- > 0;)
		v = v << 8 | mem->p[i];
	return v;
}

int64_t scap__memory_int(const struct scap__memory *mem)
{
	uint64_t v = scap__memory_uint(mem), sign;

	if (!mem->n || mem->n >= 8)
		return (int64_t)v;
	sign = 1ULL << (8 * mem->n - 1);
	return (int64_t)((v ^ sign) - sign);
}

size_t scap__memory_chars(const struct scap__memory *mem)
{
	return strnlen((const char *)mem->p, mem->n);
}

/* ---- text ----------------------------------------------------------------------------------- */

/* A set that has most signals is shown by what it lacks: the libraries block all but two. */
static void out_sigset(struct scap__out *o, const struct scap__memory *mem)
{
	size_t n_bits = 8 * mem->n, n_set = 0;
	bool lacks, any = false;

	for (size_t i = 0; i < n_bits; i++)
		n_set += scap__memory_bit(mem, i);
	lacks = n_set > n_bits / 2;
	scap__out_str(o, lacks ? "~[" : "[");
	for (size_t i = 0; i < n_bits; i++) {
		if (scap__memory_bit(mem, i) == lacks)
			continue;
		if (any)
			scap__out_char(o, ' ');
		any = true;
		scap__out_enum(o, &scap__domain_signal, i + 1);
	}
	scap__out_char(o, ']');
}

static void out_fd_set(struct scap__out *o, const struct scap__memory *mem, size_t max)
{
	size_t n = 0;

	scap__out_char(o, '[');
	for (size_t i = 0; i < 8 * mem->n; i++) {
		if (!scap__memory_bit(mem, i))
			continue;
		if (n)
			scap__out_char(o, ' ');
		if (max && n == max) {
			scap__out_lit(o, "...");
			break;
		}
		n++;
		scap__out_uint(o, i);
	}
	scap__out_char(o, ']');
}

static void out_limit(struct scap__out *o, const struct scap__memory *mem)
{
	uint64_t v = scap__memory_uint(mem);

	if (v == (mem->n == 4 ? UINT32_MAX : UINT64_MAX))
		scap__out_lit(o, "RLIM_INFINITY");
	else
		scap__out_uint(o, v);
}

void scap__out_member(struct scap__out *o, const struct scap__member *m,
		      const struct scap__memory *mem)
{
	switch (m->kind) {
	case SCAP__MEMBER_INT:
		scap__out_int(o, scap__memory_int(mem));
		break;
	case SCAP__MEMBER_UINT:
		scap__out_uint(o, scap__memory_uint(mem));
		break;
	case SCAP__MEMBER_HEX:
		scap__out_hex(o, scap__memory_uint(mem));
		break;
	case SCAP__MEMBER_OCT:
		scap__out_oct(o, scap__memory_uint(mem));
		break;
	case SCAP__MEMBER_LIMIT:
		out_limit(o, mem);
		break;
	case SCAP__MEMBER_FLAGS:
		scap__out_flags(o, m->domain, scap__memory_uint(mem));
		break;
	case SCAP__MEMBER_ENUM:
		if (m->domain->wide)
			scap__out_code(o, m->domain, scap__memory_uint(mem));
		else
			scap__out_enum(o, m->domain, (uint64_t)scap__memory_int(mem));
		break;
	case SCAP__MEMBER_SIGSET:
		out_sigset(o, mem);
		break;
	case SCAP__MEMBER_CHARS:
		scap__out_quoted(o, mem->p, scap__memory_chars(mem));
		break;
	case SCAP__MEMBER_REST:
		scap__out_quoted(o, mem->p, mem->n);
		break;
	}
}

static bool is_bare(const struct scap__layout *l)
{
	return l->n_members == 1 && !l->members[0].name[0];
}

/* Structures nest at most once or twice, by the table. */
static void out_one(struct scap__out *o, const struct scap__layout *l,
		    const struct scap__memory *mem)
{
	struct scap__memory value;
	bool any = false;

	if (is_bare(l)) {
		if (scap__memory_member(mem, l->members, &value))
			scap__out_member(o, l->members, &value);
		return;
	}
	scap__out_char(o, '{');
	for (uint16_t i = 0; i < l->n_members; i++) {
		const struct scap__member *m = &l->members[i];

		if (!scap__memory_member(mem, m, &value))
			continue;
		if (any)
			scap__out_lit(o, ", ");
		any = true;
		scap__out_str(o, m->name);
		scap__out_char(o, '=');
		if (m->kind == SCAP__MEMBER_STRUCT)
			out_one(o, m->nested, &value);
		else
			scap__out_member(o, m, &value);
	}
	scap__out_char(o, '}');
}

static void out_array(struct scap__out *o, const struct scap__layout *l,
		      const struct scap__memory *mem, size_t max)
{
	size_t n = scap__memory_elements(mem, l);

	scap__out_char(o, '[');
	for (size_t i = 0; i < n; i++) {
		struct scap__memory element = scap__memory_element(mem, l, i);

		if (i)
			scap__out_lit(o, ", ");
		if (max && i == max) {
			scap__out_lit(o, "...");
			break;
		}
		out_one(o, l, &element);
	}
	scap__out_char(o, ']');
}

/* A bare value behind a pointer stands in brackets, as sets of signals do by themselves. */
static void out_single(struct scap__out *o, const struct scap__layout *l,
		       const struct scap__memory *mem)
{
	bool brackets = is_bare(l) && l->members[0].kind != SCAP__MEMBER_SIGSET;

	if (brackets)
		scap__out_char(o, '[');
	out_one(o, l, mem);
	if (brackets)
		scap__out_char(o, ']');
}

void scap__out_pointee(struct scap__out *o, const struct scap__pointee *pt,
		       const struct scap__memory *mem, size_t max)
{
	switch (pt->kind) {
	case SCAP__POINTEE_ONE:
		out_single(o, pt->layout, mem);
		break;
	case SCAP__POINTEE_ARRAY:
		out_array(o, pt->layout, mem, max);
		break;
	case SCAP__POINTEE_OPTION:
		if (mem->n == 4)
			out_single(o, &layout_int, mem);
		else
			scap__out_quoted(o, mem->p, mem->n);
		break;
	case SCAP__POINTEE_FD_SET:
		out_fd_set(o, mem, max);
		break;
	case SCAP__POINTEE_BYTES:
		scap__out_quoted(o, mem->p, mem->n);
		break;
	case SCAP__POINTEE_TEXT:
		scap__out_word(o, mem->p, scap__memory_chars(mem));
		break;
	}
}
