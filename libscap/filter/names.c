/* SPDX-License-Identifier: MIT */
#include "filter/names.h"

#include <scap/abi.h>

#define ROW(mask, bits, name) { mask, bits, #name, sizeof(#name) - 1 },
/*
 * A plain zero stands for the whole word, a plain set of bits for all of them. The row that names
 * the zero of a mask comes before the mask's others: it would hold again once they are done with.
 */
#define SCAP_NAME(v, name) ROW((v) ? (v) : UINT64_MAX, v, name)
#define SCAP_NAME_MASKED(mask, v, name) ROW(mask, v, name)

#define ROWS(domain) static const struct scap__name rows_##domain[]
#define DOMAIN(domain, is_wide)                                                                  \
	const struct scap__domain scap__domain_##domain = {                                      \
		rows_##domain, sizeof(rows_##domain) / sizeof(rows_##domain[0]), is_wide         \
	}

ROWS(access_mode) = {
#include <scap/names/access_mode.def>
};
ROWS(at_flags) = {
#include <scap/names/at_flags.def>
};
ROWS(clock_id) = {
#include <scap/names/clock_id.def>
};
ROWS(clone_flags) = {
#include <scap/names/clone_flags.def>
};
ROWS(epoll_op) = {
#include <scap/names/epoll_op.def>
};
ROWS(fcntl_cmd) = {
#include <scap/names/fcntl_cmd.def>
};
ROWS(futex_op) = {
#include <scap/names/futex_op.def>
};
ROWS(mmap_flags) = {
#include <scap/names/mmap_flags.def>
};
ROWS(mmap_prot) = {
#include <scap/names/mmap_prot.def>
};
ROWS(msg_flags) = {
#include <scap/names/msg_flags.def>
};
ROWS(open_flags) = {
#include <scap/names/open_flags.def>
};
ROWS(pipe_flags) = {
#include <scap/names/pipe_flags.def>
};
ROWS(prctl_op) = {
#include <scap/names/prctl_op.def>
};
ROWS(rename_flags) = {
#include <scap/names/rename_flags.def>
};
ROWS(resolve_flags) = {
#include <scap/names/resolve_flags.def>
};
ROWS(seek_whence) = {
#include <scap/names/seek_whence.def>
};
ROWS(shut_how) = {
#include <scap/names/shut_how.def>
};
ROWS(signal) = {
#include <scap/names/signal.def>
};
ROWS(sigproc_how) = {
#include <scap/names/sigproc_how.def>
};
ROWS(sock_family) = {
#include <scap/names/sock_family.def>
};
ROWS(sock_flags) = {
#include <scap/names/sock_flags.def>
};
ROWS(sock_proto) = {
#include <scap/names/sock_proto.def>
};
ROWS(sock_type) = {
#include <scap/names/sock_type.def>
};
ROWS(unlinkat_flags) = {
#include <scap/names/unlinkat_flags.def>
};
ROWS(wait_options) = {
#include <scap/names/wait_options.def>
};

static DOMAIN(access_mode, false);
static DOMAIN(at_flags, false);
static DOMAIN(clock_id, false);
DOMAIN(clone_flags, true);
static DOMAIN(epoll_op, false);
static DOMAIN(fcntl_cmd, false);
static DOMAIN(futex_op, false);
static DOMAIN(mmap_flags, true);
static DOMAIN(mmap_prot, true);
static DOMAIN(msg_flags, false);
DOMAIN(open_flags, false);
static DOMAIN(pipe_flags, false);
static DOMAIN(prctl_op, false);
static DOMAIN(rename_flags, false);
DOMAIN(resolve_flags, true);
static DOMAIN(seek_whence, false);
static DOMAIN(shut_how, false);
DOMAIN(signal, false);
static DOMAIN(sigproc_how, false);
DOMAIN(sock_family, false);
static DOMAIN(sock_flags, false);
static DOMAIN(sock_proto, false);
static DOMAIN(sock_type, false);
static DOMAIN(unlinkat_flags, false);
static DOMAIN(wait_options, false);
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

void scap__out_enum(struct scap__out *o, const struct scap__domain *d, uint64_t v)
{
	uint64_t value = meaningful(d, v);

	for (uint32_t i = 0; i < d->n_rows; i++) {
		if (d->rows[i].bits == value) {
			scap__out_bytes(o, d->rows[i].name, d->rows[i].len);
			return;
		}
	}
	scap__out_int(o, d->wide ? (int64_t)v : (int32_t)v);
}

#undef SCAP_NAME
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
