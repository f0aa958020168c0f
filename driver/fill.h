/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of records that need code of their own, by kernel subsystem. Probe context. */
#ifndef KSCAP_FILL_H
#define KSCAP_FILL_H

#include "capture.h"

struct linux_binprm;
struct socket;

/* fill_fd.c: makes the FILE record (without time and sequence) in ref. */
void kscap_file_fill(struct kscap_scratch *s, struct kscap_file_ref *ref);

/* fill_path.c: where the call's relative paths start from; its blobs are made. */
void kscap_base_dirs(struct kscap_scratch *s);

/* fill_sock.c */
u64 kscap_sock_key(struct socket *sock);
/* Finds out where private structures hold what is bound. Process context. */
void kscap_sock_init(void);
/* struct scap_sock and unix names at dst (room for 56 + 2 * 108 bytes): bytes written. */
u32 kscap_sock_fill(struct socket *sock, u8 *dst, u16 *ret_kind);

/* fill_scm.c: what a control buffer of user memory hands over, as a blob; none for nothing. */
void kscap_scm_blob(struct kscap_scratch *s, u64 control, u64 bytes);

/* fill_exec.c: at entry and at exit of exec, and at the tracepoint in between. */
void kscap_exec_blobs_entry(struct kscap_scratch *s);
void kscap_exec_blobs_exit(struct kscap_scratch *s);
void kscap_exec_blobs_done(struct kscap_scratch *s, struct linux_binprm *bprm);
/* The executable of current becomes s->refs[0]. */
void kscap_exec_file(struct kscap_scratch *s);

#endif
