/* SPDX-License-Identifier: MIT */
/* The device without the library, for programs that use it in ways the library never would. */
#ifndef TESTS_KERNEL_DEVICE_H
#define TESTS_KERNEL_DEVICE_H

#include "guest.h"
#include <fcntl.h>
#include <scap/abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define PAGE 4096UL

static inline size_t whole_pages(size_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

static inline int device_open(void)
{
	int fd = open(SCAP_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("%s", SCAP_DEVICE_PATH);
	return fd;
}

static inline struct scap_info device_info(int fd)
{
	struct scap_info info = { .size = sizeof(info) };

	if (ioctl(fd, SCAP_IOC_INFO, &info) < 0)
		die("SCAP_IOC_INFO");
	return info;
}

static inline uint32_t device_n_rings(int fd)
{
	return device_info(fd).n_cpus * SCAP_LANES;
}

/* With 64 KiB all lanes have the same size. */
static inline int device_setup(int fd, uint64_t ring_bytes)
{
	struct scap_setup setup = { .size = sizeof(setup), .abi_version = SCAP_ABI_VERSION,
				    .ring_bytes = ring_bytes };

	return ioctl(fd, SCAP_IOC_SETUP, &setup) < 0 ? -errno : 0;
}

/* Ring memory of all consumers together. */
static inline uint64_t device_used_bytes(void)
{
	int fd = device_open();
	uint64_t used = device_info(fd).ring_used_bytes;

	close(fd);
	return used;
}

/* xorshift64: the same garbage for the same seed. */
static inline uint64_t rnd(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline unsigned below(uint64_t *state, unsigned n)
{
	return (rnd(state) >> 16) % n;
}

#define PICK(state, array) ((array)[below(state, sizeof(array) / sizeof((array)[0]))])

static unsigned n_fails, n_checked;

__attribute__((format(printf, 2, 3))) static inline bool want(bool ok, const char *fmt, ...)
{
	va_list ap;

	__atomic_add_fetch(&n_checked, 1, __ATOMIC_RELAXED);
	if (ok || __atomic_add_fetch(&n_fails, 1, __ATOMIC_RELAXED) > 20)
		return ok;
	va_start(ap, fmt);
	printf("FAIL ");
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	return ok;
}

/* What a call that sets errno gave: its result, or -errno. */
static inline long code(long rc)
{
	return rc < 0 ? -errno : rc;
}

#endif
