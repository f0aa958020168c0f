/* SPDX-License-Identifier: MIT */
/* What the control socket shares with its tests. */
#ifndef WATCH_CONTROL_H
#define WATCH_CONTROL_H

#include "watch/server.h"

#define CONTROL_CLIENTS 16
#define CONTROL_LINE 65536	/* bytes of a request, with its end */
#define CONTROL_PATIENCE_NS 10000000000ull	/* to send a request, to take an answer */

struct control *control_open_patient(const struct watch_config *c, uint64_t patience_ns,
				     char *err, size_t cap);

#endif
