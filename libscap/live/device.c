/* SPDX-License-Identifier: MIT */
#include "live/device.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <scap/abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int real_fd(void *ctx)
{
	return (int)(intptr_t)ctx;
}

static int real_ioctl(void *ctx, unsigned long request, void *arg)
{
	int rc;

	do
		rc = ioctl(real_fd(ctx), request, arg);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

static void *real_map(void *ctx, uint64_t offset, size_t bytes, bool writable)
{
	int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, real_fd(ctx), (off_t)offset);

	return p == MAP_FAILED ? NULL : p;
}

static void real_unmap(void *ctx, void *p, size_t bytes)
{
	(void)ctx;
	munmap(p, bytes);
}

static int real_wait(void *ctx, bool device, int wake_fd, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = device ? real_fd(ctx) : -1, .events = POLLIN },
		{ .fd = wake_fd, .events = POLLIN },
	};

	if (poll(fds, wake_fd < 0 ? 1 : 2, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	return fds[0].revents & (POLLERR | POLLNVAL) ? -EIO : 0;
}

static void real_close(void *ctx)
{
	close(real_fd(ctx));
}

static int fail_open(struct scap_error *err, const char *path, int code)
{
	switch (code) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return scap__fail(err, -ENOENT, SCAP_NO_OFFSET,
				  "the kscap module is not loaded (there is no %s): "
				  "insmod kscap.ko as root, then try again", path);
	case -EACCES:
	case -EPERM:
		return scap__fail(err, code, SCAP_NO_OFFSET,
				  "not allowed to open %s: recording system calls needs root",
				  path);
	case -EBUSY:
		return scap__fail(err, code, SCAP_NO_OFFSET,
				  "%s has all the consumers it takes: end another recorder first",
				  path);
	default:
		return scap__fail(err, code, SCAP_NO_OFFSET, "cannot open %s: %s", path,
				  strerror(-code));
	}
}

int scap_live_open(const struct scap_live_options *opt, struct scap_live **ret_l,
		   struct scap_error *err)
{
	const char *path = SCAP_DEVICE_PATH;
	struct scap__device dev = {
		.ioctl = real_ioctl, .map = real_map, .unmap = real_unmap,
		.wait = real_wait, .close = real_close,
	};

	if (opt && opt->size >= sizeof(*opt) && opt->device)
		path = opt->device;
	dev.fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev.fd < 0)
		return fail_open(err, path, -errno);
	dev.ctx = (void *)(intptr_t)dev.fd;
	return scap__live_open_device(&dev, opt, ret_l, err);
}
