/* SPDX-License-Identifier: MIT */
/* JSON as such, whatever it says: always valid UTF-8. */
#ifndef SCAP_PRINT_JSON_H
#define SCAP_PRINT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter/out.h"
#include "format/event.h"

struct scap__json {
	struct scap__out o;
	bool more;		/* something stands before this in the object or array */
};

/* A string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void scap__json_text(struct scap__out *o, const uint8_t *p, size_t n);

/* Begins a member; suffix is appended to the key. */
void scap__json_key(struct scap__json *j, const char *name, const char *suffix);
void scap__json_open(struct scap__json *j, const char *name);
void scap__json_close(struct scap__json *j);

/* Whole members. */
void scap__json_uint(struct scap__json *j, const char *name, uint64_t v);
void scap__json_string(struct scap__json *j, const char *name, const char *s);
/* A string; under the key NAME_b64, in base64, if it is no UTF-8. */
void scap__json_bytes(struct scap__json *j, const char *name, const uint8_t *p, size_t n);
/* An array of the strings in b, each of which ends with a NUL. */
void scap__json_strings(struct scap__json *j, const char *name, const struct scap__blob *b);

#endif
