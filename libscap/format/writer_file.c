/* SPDX-License-Identifier: MIT */
/* Where a capture is created: never through a link, never over a file by accident. */
#include "format/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

static int fail(struct scap_error *err, const char *path, int code)
{
	return scap__fail(err, code, SCAP_NO_OFFSET, "cannot write %.180s: %s", path,
			  strerror(-code));
}

static bool is_special(mode_t mode)
{
	return S_ISCHR(mode) || S_ISFIFO(mode);
}

/* What is there may be opened: 0, or the reason why not. */
static int check_existing(const char *path, mode_t mode, bool force, struct scap_error *err)
{
	if (is_special(mode))
		return 0;
	if (S_ISDIR(mode))
		return fail(err, path, -EISDIR);
	if (S_ISLNK(mode))
		return scap__fail(err, -ELOOP, SCAP_NO_OFFSET,
				  "%.160s is a link; captures are not written through links", path);
	if (!S_ISREG(mode))
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
				  "%.160s is neither a file, a character device nor a pipe", path);
	if (!force)
		return scap__fail(err, -EEXIST, SCAP_NO_OFFSET,
				  "%.160s exists; choose another name or force overwriting", path);
	return 0;
}

/* The descriptor must be of what was looked at before: somebody may have put a link there. */
static int use_existing(int fd, const char *path, mode_t mode, struct scap_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(err, path, -errno);
	if ((st.st_mode & S_IFMT) != (mode & S_IFMT))
		return scap__fail(err, -EBUSY, SCAP_NO_OFFSET, "%.180s changed while it was opened",
				  path);
	if (!S_ISREG(mode))
		return 0;
	if (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0)
		return fail(err, path, -errno);
	return 0;
}

static int open_existing(const char *path, bool force, int *ret_fd, bool *ret_regular,
			 struct scap_error *err)
{
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) < 0)
		return fail(err, path, -errno);
	rc = check_existing(path, st.st_mode, force, err);
	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail(err, path, -errno);
	rc = use_existing(fd, path, st.st_mode, err);
	if (rc) {
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	*ret_regular = S_ISREG(st.st_mode);
	return 0;
}

int scap__file_create(const char *path, bool force, int *ret_fd, bool *ret_regular,
		      bool *ret_created, struct scap_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	*ret_created = fd >= 0;
	if (fd >= 0) {
		*ret_fd = fd;
		*ret_regular = true;
		return 0;
	}
	if (errno != EEXIST)
		return fail(err, path, -errno);
	return open_existing(path, force, ret_fd, ret_regular, err);
}

int scap_file_create(const char *path, bool force, int *ret_fd, struct scap_error *err)
{
	bool regular, created;
	int fd, rc = scap__file_create(path, force, &fd, &regular, &created, err);

	if (rc)
		return rc;
	if (!regular) {
		close(fd);
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET, "%.180s is not a regular file",
				  path);
	}
	*ret_fd = fd;
	return 0;
}
