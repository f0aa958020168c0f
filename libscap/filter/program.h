/* SPDX-License-Identifier: MIT */
/* A compiled filter: checks, each with where to go when it holds and when it does not. */
#ifndef SCAP_FILTER_PROGRAM_H
#define SCAP_FILTER_PROGRAM_H

#include "filter/ast.h"
#include "format/choose.h"

#define SCAP__REJECT	(UINT32_MAX - 1)
#define SCAP__ACCEPT	UINT32_MAX

struct scap__constant {
	const uint8_t *p;	/* STRING, BYTES */
	size_t n;
	union {
		uint64_t u;
		int64_t i;
		bool b;
		struct scap__addr addr;
	};
};

struct scap__check {
	struct scap_field field;
	const struct scap__constant *constants;
	uint32_t n_constants;
	uint32_t on_true, on_false;
	uint8_t op;
};

struct scap_filter {
	struct scap__check *checks;
	struct scap__constant *constants;
	char *text, *strings;	/* what constants point into */
	uint32_t n_checks;
	uint32_t entry;
	struct scap__chooser chooser;
	int64_t *breaks;	/* the chooser's */
};

/* 0 or -ENOMEM. */
int scap__filter_init_chooser(struct scap_filter *f);
/*
 * Whether an event of this kind may come to that end, SCAP__ACCEPT or SCAP__REJECT: false is
 * certain.
 */
bool scap__filter_may_end(const struct scap_filter *f, unsigned type, unsigned abi, int64_t nr,
			  uint32_t end);

/*
 * Where a match of events of this kind may begin, behind what their kind decides: a check,
 * SCAP__ACCEPT or SCAP__REJECT.
 */
uint32_t scap__filter_entry(const struct scap_filter *f, unsigned type, unsigned abi, int64_t nr);
/* scap_filter_match() from there on. */
bool scap__filter_match_from(const struct scap_filter *f, uint32_t i,
			     const struct scap_event *ev);

/* Converts a literal for a field; checks that it can be one of its values. */
int scap__constant_init(struct scap__constant *c, const struct scap_field *f,
			const struct scap__literal *lit, struct scap_error *err);
/* Whether a check holds for an event. */
bool scap__check_holds(const struct scap__check *check, const struct scap_event *ev);
/* Whether the operator is legal for the type. */
bool scap__op_legal(unsigned op, unsigned type);
/* Shell pattern over the whole subject: * ? [a-z] [!a-z] and backslash; * also matches /. */
bool scap__glob(const uint8_t *pattern, size_t n_pattern, const uint8_t *s, size_t n, bool fold);

#endif
