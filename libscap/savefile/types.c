/* SPDX-License-Identifier: MIT */
/* The tables of events and of codes. */
#include <string.h>

#include "savefile/call.h"
#include "savefile/savefile.h"

#define P(place, form, conv) { SCAP__SF_##place, SCAP__SF_##form, SCAP__SF_##conv }
#define SF_EVENT(nr, what, call, length, ...) \
	static const struct scap__sf_place_of params_##nr[] = { \
		__VA_ARGS__ __VA_OPT__(,) { 0, 0, 0 } \
	};
#include "savefile/events.def"
#undef SF_EVENT
#undef P

#define SMALL false
#define LARGE true
#define SF_EVENT(nr, what, call, length, ...) \
	[nr] = { SCAP__SF_##what, length, sizeof(params_##nr) / sizeof(params_##nr[0]) - 1, #call, \
		 params_##nr },
static const struct scap__sf_type types[] = {
#include "savefile/events.def"
};
#undef SF_EVENT

#define SF_SC(code, name) [code] = #name,
static const char *const codes[] = {
#include "savefile/ppm_sc.def"
};
#undef SF_SC

#define N_TYPES (sizeof(types) / sizeof(types[0]))
#define N_CODES (sizeof(codes) / sizeof(codes[0]))

unsigned scap__sf_code_of(const char *name)
{
	for (unsigned i = 0; i < N_CODES; i++)
		if (codes[i] && !strcmp(codes[i], name))
			return i;
	return 0;
}

const struct scap__sf_type *scap__sf_type_of(unsigned type)
{
	return type < N_TYPES && types[type].what ? &types[type] : NULL;
}

bool scap__sf_type_is_large(unsigned type)
{
	return type < N_TYPES && types[type].large;
}

unsigned scap__sf_type_params(unsigned type)
{
	return type < N_TYPES ? types[type].n_params : 0;
}

/* The number by name, looked up once. */
static int64_t cached(int16_t *at, const char *name)
{
	if (!*at)
		*at = (int16_t)(scap__syscall_nr(SCAP_ABI_X86_64, name) + 2);
	return *at - 2;
}

int64_t scap__sf_nr_of_type(struct scap__savefile *sf, unsigned type)
{
	const struct scap__sf_type *t = scap__sf_type_of(type);

	return t ? cached(&sf->nr_of_type[type], t->call) : -1;
}

/* The code says more than the number, which may be that of another machine. */
int64_t scap__sf_nr_of_code(struct scap__savefile *sf, uint64_t sc_id, uint64_t native)
{
	int64_t nr = -1;

	if (sc_id < N_CODES && codes[sc_id])
		nr = cached(&sf->nr_of_code[sc_id], codes[sc_id]);
	return nr >= 0 ? nr : (int64_t)native;
}

static_assert(N_TYPES <= SCAP__SF_TYPES_MAX && N_CODES <= SCAP__SF_TYPES_MAX, "too many");
