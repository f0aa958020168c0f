/* SPDX-License-Identifier: MIT */
/*
 * What is known at the place in the .scap file that has been read: threads, their descriptors, and
 * the files behind them. All memory comes from the reader's budget. Where that or a cap is reached,
 * further threads and descriptors stay nameless.
 */
#ifndef SCAP_SAVEFILE_STATE_H
#define SCAP_SAVEFILE_STATE_H

#include <scap/abi.h>
#include <stdbool.h>

#include "core/arena.h"

#define SCAP__SF_THREADS_MAX	(1u << 17)
#define SCAP__SF_FDS_MAX	(1u << 16)	/* in one table */
#define SCAP__SF_FILES_MAX	(1u << 20)

/* ---- from numbers to pointers; unlike core/map.h entries can be taken out ------------------- */

struct scap__sf_slot {
	uint64_t key;
	void *value;		/* NULL: free */
};

struct scap__sf_map {
	struct scap__sf_slot *slots;
	uint32_t n_slots;	/* a power of two, or 0 */
	uint32_t n_used;
};

void *scap__sf_map_get(const struct scap__sf_map *m, uint64_t key);
/* Adds or replaces: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__sf_map_set(struct scap__sf_map *m, struct scap__budget *b, uint64_t key, void *value);
/* What was there; NULL: nothing. */
void *scap__sf_map_take(struct scap__sf_map *m, uint64_t key);
/* The slots that are used, by key: n_used of them, to be freed; NULL: no memory, or none. */
struct scap__sf_slot *scap__sf_map_sorted(const struct scap__sf_map *m, struct scap__budget *b);
void scap__sf_map_fini(struct scap__sf_map *m, struct scap__budget *b);

/* ---- memory within the budget --------------------------------------------------------------- */


struct scap__sf_text {
	char *p;
	uint32_t n;
};

/* Replaces t by a copy; where there is no memory it becomes empty. */
void scap__sf_text_set(struct scap__budget *b, struct scap__sf_text *t, const void *p, size_t n);
void scap__sf_text_fini(struct scap__budget *b, struct scap__sf_text *t);

/* ---- files, descriptors, threads ------------------------------------------------------------ */

/* In which rings something was introduced in the present epoch, in its present shape. */
struct scap__sf_told {
	uint64_t epoch;
	uint64_t cpus;		/* bits for those below 64 */
	uint32_t last_cpu;	/* of the others */
};

struct scap__sf_file {
	uint32_t refs;
	uint32_t cookie;
	uint16_t kind;		/* SCAP_KIND_* */
	uint32_t mode, dev;
	uint64_t ino;
	uint32_t open_flags;
	struct scap_sock sock;	/* of socket kinds; local_len, remote_len say what text holds */
	struct scap__sf_text text;	/* path; unix: both addresses */
	struct scap__sf_told told;
	bool key_told;		/* in the keyframe that is being written */
};

struct scap__sf_fds {
	uint32_t refs;
	uint64_t id;
	struct scap__sf_map map;	/* descriptor + 1: scap__sf_file */
	bool key_told;
};

struct scap__sf_group {
	uint32_t refs;		/* threads of the process */
};

/* The entry of a call whose exit has not come yet. */
struct scap__sf_entry {
	uint64_t ts;
	uint32_t cpu;
	uint16_t type;
	bool any, told;		/* told: there is an ENTER of it */
	uint32_t n_params, bytes;
	uint8_t *p;		/* lengths (u32 each), then the parameters */
	uint32_t cap;
};

struct scap__sf_thread {
	uint64_t tid;
	bool known;		/* more than its number */
	uint32_t pid, ppid, vtid, vpid, uid, gid, sid, pgid, tty, loginuid;
	uint64_t cap_i, cap_p, cap_e;
	char comm[16];
	struct scap__sf_text argv, cwd, root, cgroup;
	struct scap__sf_file *exe;	/* NULL: not known */
	struct scap__sf_file *dir;	/* the working directory, as a file */
	struct scap__sf_fds *fds;
	struct scap__sf_group *group;
	struct scap__sf_entry entry;
	struct scap__sf_told told;
};

struct scap__sf_state {
	struct scap__budget *budget;
	struct scap__sf_map threads;	/* tid + 1 */
	uint32_t n_files;
	uint32_t next_cookie;
	uint64_t next_table;
};

void scap__sf_state_init(struct scap__sf_state *s, struct scap__budget *b);
/* Forgets all threads. */
void scap__sf_state_clear(struct scap__sf_state *s);

struct scap__sf_thread *scap__sf_thread_get(const struct scap__sf_state *s, uint64_t tid);
/* Makes it where it is not there, alone in its process; NULL: no room. */
struct scap__sf_thread *scap__sf_thread_make(struct scap__sf_state *s, uint64_t tid);
void scap__sf_thread_drop(struct scap__sf_state *s, uint64_t tid);
/* t is a thread of p's process. */
void scap__sf_join_group(struct scap__sf_state *s, struct scap__sf_thread *t,
			 struct scap__sf_thread *p);
void scap__sf_set_comm(struct scap__sf_thread *t, const void *p, size_t n);
/* An absolute path. */
void scap__sf_set_cwd(struct scap__sf_state *s, struct scap__sf_thread *t, const void *p, size_t n);
/* What an execve or clone says, and what was said of another thread. */
void scap__sf_copy_identity(struct scap__sf_state *s, struct scap__sf_thread *t,
			    const struct scap__sf_thread *from);

/* A new file with one reference, with a cookie of its own; NULL: no room. */
struct scap__sf_file *scap__sf_file_new(struct scap__sf_state *s, unsigned kind, const void *path,
					size_t n);
struct scap__sf_file *scap__sf_file_get(struct scap__sf_file *f);
void scap__sf_file_put(struct scap__sf_state *s, struct scap__sf_file *f);	/* NULL: allowed */
/* It has changed: say so before its next use. */
void scap__sf_file_changed(struct scap__sf_file *f);
/* Both addresses of a unix socket; each may be NULL. */
void scap__sf_file_set_unix(struct scap__sf_state *s, struct scap__sf_file *f, const void *local,
			    size_t n_local, const void *remote, size_t n_remote);

struct scap__sf_file *scap__sf_fd_get(const struct scap__sf_thread *t, int64_t fd);
/* Takes over the reference to f; f NULL: nothing is known of the descriptor any more. */
void scap__sf_fd_set(struct scap__sf_state *s, struct scap__sf_thread *t, int64_t fd,
		     struct scap__sf_file *f);
void scap__sf_fd_close(struct scap__sf_state *s, struct scap__sf_thread *t, int64_t fd);
void scap__sf_fds_share(struct scap__sf_state *s, struct scap__sf_thread *t,
			struct scap__sf_thread *with);
void scap__sf_fds_copy(struct scap__sf_state *s, struct scap__sf_thread *t,
		       const struct scap__sf_thread *from);

/* Marks it as introduced on the CPU; false: it was already. */
bool scap__sf_tell(struct scap__sf_told *told, uint64_t epoch, uint32_t cpu);

#endif
