/* SPDX-License-Identifier: MIT */
/* What the consumer asks of /dev/kscap, so that tests can stand in for the kernel. */
#ifndef SCAP_LIVE_DEVICE_H
#define SCAP_LIVE_DEVICE_H

#include <scap/live.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scap__device {
	void *ctx;
	int fd;			/* for poll(2) */
	/* 0 or -errno. */
	int (*ioctl)(void *ctx, unsigned long request, void *arg);
	/* NULL on failure. */
	void *(*map)(void *ctx, uint64_t offset, size_t bytes, bool writable);
	void (*unmap)(void *ctx, void *p, size_t bytes);
	/*
	 * Until the device or wake_fd (-1: none) is readable, a signal comes, or the time is over;
	 * without device: until the others. -errno where waiting is impossible.
	 */
	int (*wait)(void *ctx, bool device, int wake_fd, int timeout_ms);
	void (*close)(void *ctx);
};

/* scap_live_open() on a device; takes it over, also on failure. */
int scap__live_open_device(const struct scap__device *dev, const struct scap_live_options *opt,
			   struct scap_live **ret_l, struct scap_error *err);

/* The records that are there, of which nothing was looked at yet. SCAP_EDAMAGED: a bad head. */
int scap__live_range(struct scap_live *l, uint32_t ring, struct scap_live_batch *ret_batch);
void scap__live_consume(struct scap_live *l, uint32_t ring, size_t bytes);
int scap__live_wait(struct scap_live *l, bool device, int wake_fd, int timeout_ms);
/* Remembers and returns an error. */
int scap__live_fail(struct scap_live *l, int code, const char *text);

/* The filter as the kernel takes it, trees aside. */
struct scap_filter_spec;
int scap__filter_spec(const struct scap_live_filter *f, struct scap_filter_spec *ret_spec,
		      struct scap_error *err);

#endif
