/* SPDX-License-Identifier: MIT */
/*
 * Errors. Functions return 0, a positive "no more" where they say so, or a negative code: -errno
 * or one of the codes below. Constructors fill a struct scap_error if they are given one;
 * afterwards the details of the last failure live in the handle.
 */
#ifndef SCAP_ERROR_H
#define SCAP_ERROR_H

#include <stdint.h>

#define SCAP_API __attribute__((visibility("default")))

enum scap_error_code {
	SCAP_EDAMAGED = -2001,	/* bytes contradict the format or a checksum */
	SCAP_ETRUNCATED = -2002,	/* the file ends in the middle */
	SCAP_ENOTSCAP = -2003,	/* not a capture at all */
	SCAP_EVERSION = -2004,	/* a version or feature that this library does not know */
	SCAP_ESYNTAX = -2005,	/* filter or format text; offset is the column, from 1 */
	SCAP_ELIMIT = -2006,	/* a documented limit was exceeded */
	SCAP_EABI = -2007,	/* kernel module and library speak different ABI versions */
};

#define SCAP_NO_OFFSET UINT64_MAX

struct scap_error {
	int code;
	uint64_t offset;	/* byte in the file, or column in a text; SCAP_NO_OFFSET: none */
	char text[256];		/* one sentence, what went wrong and what to do about it */
};

#endif
