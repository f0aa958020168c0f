/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of records that need code of their own, by kernel subsystem. Probe context. */
#ifndef KSCAP_FILL_H
#define KSCAP_FILL_H

#include "capture.h"

struct cred;
struct kernel_siginfo;
struct linux_binprm;
struct socket;
struct task_struct;

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

/* fill_exec.c: at entry and at exit of exec. */
void kscap_exec_blobs_entry(struct kscap_scratch *s);
void kscap_exec_blobs_exit(struct kscap_scratch *s);
/* The executable of current becomes s->refs[0]. */
void kscap_exec_file(struct kscap_scratch *s);
/* At the tracepoint in between: an EXEC that has begun, for each consumer as much as it wants. */
void kscap_exec_emit(struct kscap_scratch *s, struct linux_binprm *bprm, pid_t old_pid, u32 mask);

/* fill_proc.c */
void kscap_usage_thread(struct scap_usage *to, struct task_struct *task);
/* False: not exact, for too many threads end at once. */
bool kscap_usage_process(struct scap_usage *to, struct task_struct *task);
void kscap_ids_fill(struct scap_ids *to, const struct cred *cred);
void kscap_caps_fill(struct scap_caps *to, const struct cred *cred);
void kscap_namespaces_fill(struct scap_namespaces *to);
u32 kscap_tty_nr(void);
void kscap_blob_cgroup(struct kscap_scratch *s);

/* fill_event.c */
void kscap_signal_info(int sig, const struct kernel_siginfo *info, s32 *ret_code, u64 *ret_value,
		       u8 *ret_kind);
void kscap_oom_fill(struct scap_rec_oom *rec, const struct task_struct *victim);

#endif
