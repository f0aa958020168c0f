/* SPDX-License-Identifier: MIT */
/*
 * What a keyframe says beside the module's records: the mounts of each mount namespace, which the
 * kernel shows to no module, and the names of users and groups, which it does not know.
 */
#include "live/keyframe.h"

#include <errno.h>
#include <fcntl.h>
#include <scap/abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX_BYTES (256u << 10)

/* At most TEXT_MAX_BYTES, to the end of a line where there is more. */
static int read_text(const char *path, struct scap_keyframe_text *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -errno : 0;
	size_t n = 0;
	char *p;

	if (fd < 0)
		return (int)got;
	p = malloc(TEXT_MAX_BYTES + 1);
	while (p && n <= TEXT_MAX_BYTES && (got = read(fd, p + n, TEXT_MAX_BYTES + 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	if (!p || got < 0) {
		free(p);
		return p ? -EIO : -ENOMEM;
	}
	ret->state = SCAP_STATE_WHOLE;
	if (n > TEXT_MAX_BYTES) {
		ret->state = SCAP_STATE_TRUNCATED;
		for (n = TEXT_MAX_BYTES; n && p[n - 1] != '\n'; n--)
			;
	}
	ret->data = p;
	ret->bytes = n;
	return 0;
}

static bool is_in_ns(uint32_t tgid, uint32_t inum)
{
	char path[64], link[64], want[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", tgid);
	snprintf(want, sizeof(want), "mnt:[%u]", inum);
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = 0;
	return !strcmp(link, want);
}

/* A process may end, or go elsewhere: it is asked before and after. */
int scap__host_mounts(const struct scap__mount_ns *ns, struct scap_keyframe_text *ret_text)
{
	char path[64];

	*ret_text = (struct scap_keyframe_text){ .kind = SCAP_KEYFRAME_MOUNTS, .key = ns->inum };
	for (uint32_t i = 0; i < ns->n_tgids; i++) {
		snprintf(path, sizeof(path), "/proc/%u/mountinfo", ns->tgids[i]);
		if (!is_in_ns(ns->tgids[i], ns->inum) || read_text(path, ret_text))
			continue;
		if (is_in_ns(ns->tgids[i], ns->inum))
			return 0;
		free((void *)ret_text->data);
	}
	return -ESRCH;
}

/* "name:x:0:..." becomes "0 name": nothing else of it belongs into a capture. Length written. */
static size_t take_line(char *to, const char *line, size_t n)
{
	const char *name_end = memchr(line, ':', n), *id = NULL, *id_end = NULL;
	size_t name_bytes, id_bytes;

	if (name_end)
		id = memchr(name_end + 1, ':', n - (size_t)(name_end + 1 - line));
	if (id)
		id_end = memchr(id + 1, ':', n - (size_t)(id + 1 - line));
	if (!id_end || id_end == ++id || strspn(id, "0123456789") != (size_t)(id_end - id))
		return 0;
	name_bytes = (size_t)(name_end - line);
	id_bytes = (size_t)(id_end - id);
	memcpy(to, id, id_bytes);
	to[id_bytes] = ' ';
	memcpy(to + id_bytes + 1, line, name_bytes);
	to[id_bytes + 1 + name_bytes] = '\n';
	return id_bytes + name_bytes + 2;
}

int scap__host_names(enum scap_keyframe_text_kind kind, const char *path,
		     struct scap_keyframe_text *ret_text)
{
	struct scap_keyframe_text whole = { 0 };
	int rc = read_text(path, &whole);
	const char *line = whole.data, *end;
	size_t n = 0;
	char *p;

	if (rc)
		return rc;
	end = line + whole.bytes;
	((char *)whole.data)[whole.bytes] = 0;
	p = malloc(whole.bytes + 1);
	while (p && line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		size_t bytes = (size_t)((next ? next : end) - line);

		n += take_line(p + n, line, bytes);
		line += bytes + 1;
	}
	free((void *)whole.data);
	*ret_text = (struct scap_keyframe_text){
		.kind = kind, .state = whole.state, .data = p, .bytes = n,
	};
	return p ? 0 : -ENOMEM;
}
