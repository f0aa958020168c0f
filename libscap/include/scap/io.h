/* SPDX-License-Identifier: MIT */
/* Where bytes come from and where they go, and memory. */
#ifndef SCAP_IO_H
#define SCAP_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Callbacks may block; they are called from one thread. */
struct scap_source {
	void *ctx;
	/* Up to n bytes; 0: end; negative: -errno. */
	ssize_t (*read)(void *ctx, void *buf, size_t n);
	void (*close)(void *ctx);	/* may be NULL */
	/* As lseek(2): the new offset, or -errno. NULL: it can only be read forward. */
	int64_t (*seek)(void *ctx, int64_t offset, int whence);
};

struct scap_sink {
	void *ctx;
	/* All n bytes: 0, or -errno. */
	int (*write)(void *ctx, const void *buf, size_t n);
	int (*close)(void *ctx);	/* may be NULL */
};

/*
 * Memory of the caller's, for readers and writers. ctx must stay what it is until all was given
 * back, the structure itself need not.
 */
struct scap_allocator {
	void *ctx;
	/* n bytes, aligned for any type; n is not 0. NULL: there are none. */
	void *(*alloc)(void *ctx, size_t n);
	void (*free)(void *ctx, void *p);	/* what alloc gave; never NULL */
};

#endif
