/* SPDX-License-Identifier: MIT */
/* The tables as data. */
#include "savefile/out.h"

#include <string.h>

#include "savefile/savefile.h"

#define SYSDIG (1 << SCAP_EXPORT_SYSDIG)
#define FALCO (1 << SCAP_EXPORT_FALCO)
#define BOTH (SYSDIG | FALCO)

#define P(kind, arg) { SCAP__EXPORT_##kind, arg, 0 },
#define F(kind, domain, arg) { SCAP__EXPORT_##kind, arg, SCAP__EXPORT_D_##domain },
#define LIST(...) __VA_ARGS__

static const struct scap__export_row rows[] = {
#define SCAP_EXPORT(profile, name, e_type, e_list, x_type, x_list, x_more) \
	{ \
		.call = #name, .profiles = profile, .enter = e_type, .exit = x_type, \
		.n_old = sizeof((struct scap__export_param[]){ LIST x_list }) / \
			 sizeof(struct scap__export_param), \
		.in = { LIST e_list }, .out = { LIST x_list LIST x_more }, \
	},
#define SCAP_EXPORT_AS(name, other)
#include "out_events.def"
#undef SCAP_EXPORT
#undef SCAP_EXPORT_AS
};

static const struct { const char *call, *other; } others[] = {
#define SCAP_EXPORT(profile, name, e_type, e_list, x_type, x_list, x_more)
#define SCAP_EXPORT_AS(name, as) { #name, #as },
#include "out_events.def"
#undef SCAP_EXPORT
#undef SCAP_EXPORT_AS
};

static const struct { uint32_t keep; bool values; } domains[SCAP__EXPORT_D_NUMBER] = {
#define BITS false
#define VALUES true
#define SCAP_EXPORT_DOMAIN(name, kind, keep) [SCAP__EXPORT_D_##name] = { keep, kind },
#define SCAP_EXPORT_FLAG(name, ours, theirs)
#include "out_flags.def"
#undef SCAP_EXPORT_DOMAIN
#undef SCAP_EXPORT_FLAG
};

static const struct { uint8_t domain; uint32_t ours, theirs; } flags[] = {
#define SCAP_EXPORT_DOMAIN(name, kind, keep)
#define SCAP_EXPORT_FLAG(name, ours, theirs) { SCAP__EXPORT_D_##name, ours, theirs },
#include "out_flags.def"
#undef SCAP_EXPORT_DOMAIN
#undef SCAP_EXPORT_FLAG
};

/* The last number of a call that sysdig 0.29 knows. Of greater ones it dies. */
#define SYSDIG_LAST_CALL 328

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char *row_name(const struct scap__syscall *sc)
{
	for (unsigned i = 0; i < N(others); i++)
		if (!strcmp(others[i].call, sc->row))
			return others[i].other;
	return sc->row;
}

static const struct scap__export_row *find_row(unsigned profile, const struct scap__syscall *sc)
{
	const char *name = row_name(sc);

	for (unsigned i = 0; i < N(rows); i++)
		if (rows[i].profiles >> profile & 1 && !strcmp(rows[i].call, name))
			return &rows[i];
	return NULL;
}

/* By the name that is shown, which differs between ABIs, or the row's. */
static uint16_t find_number(unsigned profile, const struct scap__syscall *sc)
{
	unsigned last = profile == SCAP_EXPORT_SYSDIG ? SYSDIG_LAST_CALL : UINT16_MAX;
	unsigned code = scap__sf_code_of(sc->name) ?: scap__sf_code_of(row_name(sc));

	return code <= last ? (uint16_t)code : 0;
}

static const struct scap__export_kept *kept(struct scap_export *x, const struct scap_event *ev)
{
	struct scap__export_kept *k;

	k = &x->kept[((uint64_t)ev->nr + ev->abi * 512u) % SCAP__EXPORT_KEPT];
	if (k->sc != ev->sc)
		*k = (struct scap__export_kept){ ev->sc, find_row(x->profile, ev->sc),
						 find_number(x->profile, ev->sc) };
	return k;
}

const struct scap__export_row *scap__export_row(struct scap_export *x, const struct scap_event *ev)
{
	return ev->sc ? kept(x, ev)->row : NULL;
}

uint16_t scap__export_call(struct scap_export *x, const struct scap_event *ev)
{
	return ev->sc ? kept(x, ev)->number : 0;
}

uint32_t scap__export_flags(unsigned domain, uint64_t ours)
{
	bool values = domains[domain].values;
	uint32_t theirs = 0;

	if (values && ours < domains[domain].keep)
		return (uint32_t)ours;
	if (!values)
		theirs = ours & domains[domain].keep;
	for (unsigned i = 0; i < N(flags); i++)
		if (flags[i].domain == domain &&
		    (values ? flags[i].ours == (uint32_t)ours : flags[i].ours & ours))
			theirs |= flags[i].theirs;
	return theirs;
}

uint32_t scap__export_open_flags(uint64_t ours)
{
	static const uint8_t access[4] = { 1, 2, 3, 1 };
	uint32_t theirs = scap__export_flags(SCAP__EXPORT_D_OPEN, ours);

	/* Their test for O_TMPFILE is that of any of its bits. */
	if (ours & 0x10000)
		theirs |= 0x2000;
	return theirs | access[ours & 3];
}
