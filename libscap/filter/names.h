/* SPDX-License-Identifier: MIT */
/* Names of flags, enumerations and errors, from driver/uapi/scap/names. */
#ifndef SCAP_FILTER_NAMES_H
#define SCAP_FILTER_NAMES_H

#include "filter/out.h"

/* How a register value is shown; roles.def names these. */
enum scap__print_kind {
	SCAP__PRINT_INT,
	SCAP__PRINT_UINT,
	SCAP__PRINT_HEX,
	SCAP__PRINT_OCT,
	SCAP__PRINT_FD,
	SCAP__PRINT_PTR,
	SCAP__PRINT_FLAGS,
	SCAP__PRINT_ENUM,
	SCAP__PRINT_CODE,	/* an enumeration whose numbers mean more in hex */
	SCAP__PRINT_ERRNO,
};

/* A row matches when (value & mask) == bits; what it named is then done with. */
struct scap__name {
	uint64_t mask, bits;
	const char *name;
	uint32_t len;
};

struct scap__domain {
	const struct scap__name *rows;
	uint32_t n_rows;
	bool wide;		/* 64 bits count; otherwise the register's upper half is noise */
};

/* NULL: the role has no domain. */
const struct scap__domain *scap__role_domain(unsigned role);
enum scap__print_kind scap__role_kind(unsigned role);

#define SCAP_DOMAIN(domain, width) extern const struct scap__domain scap__domain_##domain;
#define SCAP_NAME(v, name)
#define SCAP_NAME_MASKED(mask, v, name)
#define SCAP_DOMAIN_END
#include <scap/names/all.def>
#undef SCAP_DOMAIN
#undef SCAP_NAME
#undef SCAP_NAME_MASKED
#undef SCAP_DOMAIN_END

/* Names joined with |, the bits without a name in hex behind them. */
void scap__out_flags(struct scap__out *o, const struct scap__domain *d, uint64_t v);
/* The one name; false and nothing: there is none. */
bool scap__out_name(struct scap__out *o, const struct scap__domain *d, uint64_t v);
/* The one name, or the number. */
void scap__out_enum(struct scap__out *o, const struct scap__domain *d, uint64_t v);
/* The one name, or the number in hex. */
void scap__out_code(struct scap__out *o, const struct scap__domain *d, uint64_t v);
/* NULL: none. Both take the positive number. */
const char *scap__errno_name(unsigned err);
/* Whether this is the name of an error. */
bool scap__errno_known(const char *name, size_t n);

#endif
