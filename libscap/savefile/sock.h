/* SPDX-License-Identifier: MIT */
/* What is made of a .scap file's addresses, names and numbers. */
#ifndef SCAP_SAVEFILE_SOCK_H
#define SCAP_SAVEFILE_SOCK_H

#include "savefile/state.h"

#define SCAP__SF_UNIX		1
#define SCAP__SF_INET		2
#define SCAP__SF_INET6		10
#define SCAP__SF_NETLINK	16
#define SCAP__SF_PACKET		17
#define SCAP__SF_VSOCK		40
#define SCAP__SF_L4_TCP		2
#define SCAP__SF_LISTEN		10	/* TCP_LISTEN */
#define SCAP__SF_ESTABLISHED	1

/* A socket of that family; l4: as descriptor lists number the protocol, 0 unknown. */
struct scap__sf_file *scap__sf_socket_new(struct scap__sf_state *s, unsigned family, unsigned l4);
/* The peer's or own end from an address as events have it. */
void scap__sf_set_local(struct scap__sf_state *s, struct scap__sf_file *f, const uint8_t *p,
			size_t n);
void scap__sf_set_remote(struct scap__sf_state *s, struct scap__sf_file *f, const uint8_t *p,
			 size_t n);
/* Both ends from a tuple; accepted: its source is the peer. */
void scap__sf_set_tuple(struct scap__sf_state *s, struct scap__sf_file *f, const uint8_t *p,
			size_t n, bool accepted);

#define SCAP__SF_SOCKADDR_MAX	128

/* The address as a struct sockaddr: its size; 0: there is none. */
size_t scap__sf_sockaddr(const uint8_t *p, size_t n, uint8_t ret[SCAP__SF_SOCKADDR_MAX]);
/* The same of a tuple's destination, or source. */
size_t scap__sf_tuple_sockaddr(const uint8_t *p, size_t n, bool source,
			       uint8_t ret[SCAP__SF_SOCKADDR_MAX]);

/* ---- flags.c -------------------------------------------------------------------------------- */

enum scap__sf_conv {
	SCAP__SF_RAW, SCAP__SF_OPEN, SCAP__SF_OPENBITS, SCAP__SF_CLONE, SCAP__SF_PROT,
	SCAP__SF_MMAP, SCAP__SF_FCNTL, SCAP__SF_LEVEL, SCAP__SF_OPTNAME, SCAP__SF_PTRACE,
	SCAP__SF_SEMCTL, SCAP__SF_SEMGET, SCAP__SF_EPOLL1, SCAP__SF_EXECVEAT, SCAP__SF_PIDFD,
	SCAP__SF_DELMOD, SCAP__SF_RESOLVE, SCAP__SF_IOURING, SCAP__SF_PF, SCAP__SF_POLL,
	SCAP__SF_PAGES,
};

/* The kernel's number for it; false: the file does not know which it was. */
bool scap__sf_translate(enum scap__sf_conv conv, uint64_t *v);
uint32_t scap__sf_open_flags(uint32_t flags);

/* ---- names.c -------------------------------------------------------------------------------- */

uint32_t scap__sf_dev(uint32_t dev);
/* argv: its first element, and the others, each with a NUL. */
void scap__sf_set_argv(struct scap__sf_state *s, struct scap__sf_thread *t,
		       const struct scap__sf_text *exe, const struct scap__sf_text *args);
/* From "subsystem=path", each with a NUL. */
void scap__sf_set_cgroup(struct scap__sf_state *s, struct scap__sf_thread *t, const void *p,
			 size_t n);
/* n 0: not known. */
void scap__sf_set_exe(struct scap__sf_state *s, struct scap__sf_thread *t, const void *path,
		      size_t n, uint64_t ino);
/*
 * The path as it was asked for, behind the directory that it starts from, without "." and "..":
 * its length; 0: not known. base may be NULL.
 */
size_t scap__sf_join(char ret[SCAP_PATH_MAX_BYTES], const struct scap__sf_text *base,
		     const void *path, size_t n);
/* The working directory, as a file; NULL: not known. */
struct scap__sf_file *scap__sf_dir_of(struct scap__sf_state *s, struct scap__sf_thread *t);

#endif
