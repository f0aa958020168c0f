/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "format/reader.h"

static ssize_t fd_read(void *ctx, void *buf, size_t n)
{
	ssize_t got;

	do
		got = read((int)(intptr_t)ctx, buf, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static int64_t fd_seek(void *ctx, int64_t offset, int whence)
{
	off_t got = lseek((int)(intptr_t)ctx, (off_t)offset, whence);

	return got < 0 ? -errno : (int64_t)got;
}

static void fd_close(void *ctx)
{
	close((int)(intptr_t)ctx);
}

struct scap_source scap__fd_source(int fd)
{
	return (struct scap_source){
		.ctx = (void *)(intptr_t)fd, .read = fd_read, .close = fd_close, .seek = fd_seek,
	};
}

static int check_kind(int fd, const char *path, struct scap_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return scap__fail(err, -errno, SCAP_NO_OFFSET, "cannot read %.180s: %s", path,
				  strerror(errno));
	if (S_ISDIR(st.st_mode))
		return scap__fail(err, -EISDIR, SCAP_NO_OFFSET,
				  "%.180s is a directory; name a capture in it", path);
	return 0;
}

int scap__path_source(const char *path, struct scap_source *ret, struct scap_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

	if (fd < 0)
		return scap__fail(err, -errno, SCAP_NO_OFFSET, "cannot read %.180s: %s", path,
				  strerror(errno));
	rc = check_kind(fd, path, err);
	if (rc) {
		if (!is_stdin)
			close(fd);
		return rc;
	}
	*ret = scap__fd_source(fd);
	if (is_stdin) {
		ret->close = NULL;
		ret->seek = NULL;
	}
	return 0;
}
