/* SPDX-License-Identifier: MIT */
/* What the two halves of the decoder share. */
#ifndef SCAP_FORMAT_DECODE_H
#define SCAP_FORMAT_DECODE_H

#include "core/bytes.h"
#include "format/event.h"

/* Blobs up to the record's end. */
int scap__decode_blobs(struct scap__bytes *b, struct scap_event *ev, const char **ret_what);
/* The body of an event that is no call; 1: a type that is not known. */
int scap__decode_event(struct scap__bytes *b, struct scap_event *ev, const char **ret_what);

#endif
