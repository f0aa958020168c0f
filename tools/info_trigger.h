/* SPDX-License-Identifier: MIT */
/* scap info: why a capture was written. */
#ifndef SCAP_TOOLS_INFO_TRIGGER_H
#define SCAP_TOOLS_INFO_TRIGGER_H

#include "output.h"

#include <scap/trigger.h>

/* Rows, and a member of a JSON object with its comma; nothing where no trigger is told of. */
void print_trigger(struct output *out, const struct scap_reader *r);
void print_trigger_json(struct output *out, const struct scap_reader *r);

#endif
