/* SPDX-License-Identifier: MIT */
#include "filter/names.h"

#include <scap/abi.h>

#define ROW(mask, bits, name) { mask, bits, #name, sizeof(#name) - 1 },
/* A plain zero stands for the whole word, a plain set of bits for all of them. */
#define SCAP_NAME(v, name) ROW((v) ? (v) : UINT64_MAX, v, name)
#define SCAP_NAME_MASKED(mask, v, name) ROW(mask, v, name)
#define SCAP_DOMAIN(domain, width) static const struct scap__name rows_##domain[] = {
#define SCAP_DOMAIN_END };
#include <scap/names/all.def>
#undef SCAP_NAME
#undef SCAP_NAME_MASKED
#undef SCAP_DOMAIN
#undef SCAP_DOMAIN_END

#define WIDE true
#define NARROW false
#define SCAP_NAME(v, name)
#define SCAP_NAME_MASKED(mask, v, name)
#define SCAP_DOMAIN(domain, width)                                                               \
	const struct scap__domain scap__domain_##domain = {                                      \
		rows_##domain, sizeof(rows_##domain) / sizeof(rows_##domain[0]), width           \
	};
#define SCAP_DOMAIN_END
#include <scap/names/all.def>
#undef SCAP_NAME
#undef SCAP_NAME_MASKED
#undef SCAP_DOMAIN
#undef SCAP_DOMAIN_END

static const struct scap__domain scap__domain_none;

static const struct {
	enum scap__print_kind kind;
	const struct scap__domain *domain;
} roles[SCAP_ROLES] = {
#define SCAP_ROLE(ID, print, domain) { SCAP__PRINT_##print, &scap__domain_##domain },
#include <scap/roles.def>
#undef SCAP_ROLE
};

const struct scap__domain *scap__role_domain(unsigned role)
{
	if (role >= SCAP_ROLES || !roles[role].domain->n_rows)
		return NULL;
	return roles[role].domain;
}

enum scap__print_kind scap__role_kind(unsigned role)
{
	return role < SCAP_ROLES ? roles[role].kind : SCAP__PRINT_HEX;
}

static uint64_t meaningful(const struct scap__domain *d, uint64_t v)
{
	return d->wide ? v : (uint32_t)v;
}

void scap__out_flags(struct scap__out *o, const struct scap__domain *d, uint64_t v)
{
	uint64_t rest = meaningful(d, v);
	bool any = false;

	for (uint32_t i = 0; i < d->n_rows; i++) {
		const struct scap__name *row = &d->rows[i];

		if ((rest & row->mask) != row->bits)
			continue;
		if (any)
			scap__out_char(o, '|');
		scap__out_bytes(o, row->name, row->len);
		any = true;
		rest &= ~row->mask;
		if (!rest)
			break;
	}
	if (rest || !any) {
		if (any)
			scap__out_char(o, '|');
		if (rest)
			scap__out_hex(o, rest);
		else
			scap__out_char(o, '0');
	}
}

bool scap__out_name(struct scap__out *o, const struct scap__domain *d, uint64_t v)
{
	uint64_t value = meaningful(d, v);

	for (uint32_t i = 0; i < d->n_rows; i++) {
		if (d->rows[i].bits == value) {
			scap__out_bytes(o, d->rows[i].name, d->rows[i].len);
			return true;
		}
	}
	return false;
}

void scap__out_enum(struct scap__out *o, const struct scap__domain *d, uint64_t v)
{
	if (!scap__out_name(o, d, v))
		scap__out_int(o, d->wide ? (int64_t)v : (int32_t)v);
}

void scap__out_code(struct scap__out *o, const struct scap__domain *d, uint64_t v)
{
	if (!scap__out_name(o, d, v))
		scap__out_hex(o, meaningful(d, v));
}

#define SCAP_NAME(v, name) [v] = #name,
static const char *const errno_names[] = {
#include <scap/names/errno.def>
};

#define N_ERRNO_NAMES (sizeof(errno_names) / sizeof(errno_names[0]))

const char *scap__errno_name(unsigned err)
{
	return err < N_ERRNO_NAMES ? errno_names[err] : NULL;
}

bool scap__errno_known(const char *name, size_t n)
{
	for (size_t i = 0; i < N_ERRNO_NAMES; i++)
		if (errno_names[i] && !strncmp(errno_names[i], name, n) && !errno_names[i][n])
			return true;
	return false;
}
