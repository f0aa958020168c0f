/* SPDX-License-Identifier: MIT */
/* A buffer before a descriptor, large enough that millions of lines cost few system calls. */
#ifndef SCAP_TOOLS_OUTPUT_H
#define SCAP_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
	int fd;
	bool failed;		/* the message was printed; everything else is dropped */
	char *buf;
	size_t used, cap;
};

/* False: no memory (printed). */
bool output_init(struct output *out, int fd);
void output_fini(struct output *out);
/* Flush before more than this would be needed; the space there is afterwards. */
char *output_room(struct output *out, size_t n);
void output_write(struct output *out, const void *data, size_t n);
void output_string(struct output *out, const char *s);
void output_printf(struct output *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What a terminal would act on as \xNN: for all that comes from a capture or is a name. */
void output_shown(struct output *out, const char *s);
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void output_json(struct output *out, const char *s);
void output_flush(struct output *out);

#endif
