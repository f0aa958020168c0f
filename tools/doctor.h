/* SPDX-License-Identifier: MIT */
/* scap doctor's checks: each looks at something of the host and tells what it found. */
#ifndef SCAP_TOOLS_DOCTOR_H
#define SCAP_TOOLS_DOCTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output.h"

enum finding { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct doctor {
	const char *root;	/* "" or a directory: files are looked for below it */
	const char *module;	/* --module; NULL: look for it */
	const char *dir;	/* of captures */
	bool json;
	struct output out;
	uint32_t n[3];		/* findings */
	/* Found by one check, of use to later ones. */
	char release[128];	/* of the kernel; "": unknown */
	bool loaded;
	bool must_sign;		/* modules without a signature are refused */
	bool can_build;
	uint64_t ring_bytes;	/* that a recorder got; 0: none could be tried */
};

/* A line: name is that of the check, way_out what can be done; NULL: nothing needs to. */
void doctor_say(struct doctor *d, enum finding f, const char *name, const char *way_out,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* ROOT + path. */
const char *doctor_path(const struct doctor *d, char buf[PATH_MAX], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool doctor_has(const struct doctor *d, const char *path);
/* The beginning of a file, as a string without blanks at its end. False: it can't be read. */
bool doctor_read(const struct doctor *d, const char *path, char *buf, size_t cap);
/* The first line of a file that begins so; what follows that, without blanks around it. */
bool doctor_line(const struct doctor *d, const char *path, const char *begin, char *buf,
		 size_t cap);
/* Whether a word stands in text, between blanks or ends. */
bool doctor_word(const char *text, const char *word);
/* Of the configuration of the kernel: "y", "m", "n"; "": unknown. */
const char *doctor_config(const struct doctor *d, const char *name, char buf[64]);
/* Beside this program, if we look at the host that it runs on. False: path is too long. */
bool doctor_beside(const struct doctor *d, const char *name, char buf[PATH_MAX]);

/* doctor_kernel.c */
void doctor_kernel(struct doctor *d);
void doctor_signatures(struct doctor *d);
void doctor_headers(struct doctor *d);
void doctor_clock(struct doctor *d);
/* doctor_module.c */
void doctor_module(struct doctor *d);
/* doctor_room.c */
void doctor_permissions(struct doctor *d);
void doctor_device(struct doctor *d);
void doctor_room(struct doctor *d);

#endif
