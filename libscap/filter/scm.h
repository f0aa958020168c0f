/* SPDX-License-Identifier: MIT */
/* What a socket message handed over. */
#ifndef SCAP_FILTER_SCM_H
#define SCAP_FILTER_SCM_H

#include "filter/out.h"
#include "format/event.h"

/* "[7</srv/x>, 8<pipe:[3]>]", with "...(20)" where not all 20 are there; creds: "{pid=1, ...}". */
void scap__out_scm_fds(struct scap__out *o, const struct scap_event *ev,
		       const struct scap__blob *b);
void scap__out_scm_creds(struct scap__out *o, const struct scap__blob *b);
/* Whether the blob has descriptors, or credentials. */
bool scap__scm_has_fds(const struct scap__blob *b);
bool scap__scm_has_creds(const struct scap__blob *b);

#endif
