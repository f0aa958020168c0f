/* SPDX-License-Identifier: MIT */
/* Records of keyframes, and whole ones. */
#ifndef SUPPORT_KEYFRAME_H
#define SUPPORT_KEYFRAME_H

#include "support_rows.h"

void rows_key_task(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, uint32_t exe_cookie,
		   const char *comm);
void rows_key_fd(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, uint32_t fd,
		 uint32_t cookie);
void rows_key_call(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, int32_t nr,
		   uint64_t enter_ns);
void rows_key_end(struct rows *r, uint32_t seq, uint64_t ns, uint32_t n_tasks);
/*
 * Tasks 100, 101 ..., each with a call (since ns - 50) and two descriptors 3 and 4 of the files
 * /f.TID.3 and /f.TID.4, from record *seq on, which is advanced.
 */
void rows_key_tasks(struct rows *r, uint32_t *seq, uint64_t ns, uint32_t first, uint32_t n);
/* A whole keyframe of n tasks, in two parts, with a text of users, into a writer. */
void rows_keyframe(struct scap_writer *w, uint32_t number, uint64_t ns, uint32_t n);

#endif
