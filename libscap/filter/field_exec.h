/* SPDX-License-Identifier: MIT */
/* Getters of fields that only an exec can answer by itself. */
#ifndef SCAP_FILTER_FIELD_EXEC_H
#define SCAP_FILTER_FIELD_EXEC_H

#include "filter/field.h"

#define SCAP__EXEC_GETTERS(X) \
	X(exec_exe) X(exec_exepath) X(exec_args) X(exec_cmdline) X(exec_exeline) X(exec_cmdnargs) \
	X(exec_env) X(exec_tty) X(exec_sid) X(exec_pgid) X(exec_loginuid) X(exec_writable) \
	X(exec_upper_layer) X(exec_lower_layer) X(exec_memfd) X(exec_ino) X(exec_ctime) \
	X(exec_mtime)

#define X(name)                                                                                  \
	bool scap__get_##name(const struct scap_field *f, const struct scap_event *ev,           \
			      struct scap__scratch *s, struct scap__value *v);
SCAP__EXEC_GETTERS(X)
#undef X

#endif
