/* SPDX-License-Identifier: MIT */
#include "format/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int scap__input_init(struct scap__input *in, const struct scap_source *src,
		     struct scap__budget *budget)
{
	void *p = NULL;
	int rc = scap__alloc(budget, SCAP__INPUT_BYTES, &p);

	*in = (struct scap__input){ .src = *src, .budget = budget, .buf = p };
	if (rc)
		scap__input_fini(in);
	return rc;
}

static void free_again(struct scap__input *in)
{
	scap__free(in->budget, in->again, in->again_bytes);
	in->again = NULL;
	in->again_at = in->again_end = 0;
}

void scap__input_fini(struct scap__input *in)
{
	if (in->src.close)
		in->src.close(in->src.ctx);
	scap__free(in->budget, in->buf, SCAP__INPUT_BYTES);
	free_again(in);
	*in = (struct scap__input){ .eof = true };
}

static ssize_t read_again(struct scap__input *in, void *dst, size_t n)
{
	size_t left = in->again_end - in->again_at;

	if (n > left)
		n = left;
	memcpy(dst, in->again + in->again_at, n);
	in->again_at += n;
	if (n == left)
		free_again(in);
	return (ssize_t)n;
}

/* One call to the source, never trusting it to keep to the bounds it was given. */
static ssize_t read_some(struct scap__input *in, void *dst, size_t n)
{
	ssize_t got;

	if (in->again)
		return read_again(in, dst, n);
	got = in->eof ? 0 : in->src.read(in->src.ctx, dst, n);
	if (got > 0 && (size_t)got > n)
		return -EIO;
	if (!got)
		in->eof = true;
	return got;
}

ssize_t scap__input_peek(struct scap__input *in, size_t n, const uint8_t **ret_p)
{
	if (n > SCAP__INPUT_BYTES)
		n = SCAP__INPUT_BYTES;
	if (in->start && SCAP__INPUT_BYTES - in->start < n) {
		memmove(in->buf, in->buf + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	while (in->end - in->start < n) {
		ssize_t got = read_some(in, in->buf + in->end, SCAP__INPUT_BYTES - in->end);

		if (got < 0)
			return got;
		if (!got)
			break;
		in->end += (size_t)got;
	}
	*ret_p = in->buf + in->start;
	return in->end - in->start < n ? (ssize_t)(in->end - in->start) : (ssize_t)n;
}

void scap__input_skip(struct scap__input *in, size_t n)
{
	in->start += n;
	in->offset += n;
	if (in->start == in->end)
		in->start = in->end = 0;
}

ssize_t scap__input_read(struct scap__input *in, void *dst, size_t n)
{
	size_t done = in->end - in->start;

	if (done > n)
		done = n;
	if (done)
		memcpy(dst, in->buf + in->start, done);
	scap__input_skip(in, done);
	while (done < n) {
		ssize_t got = read_some(in, (uint8_t *)dst + done, n - done);

		if (got < 0)
			return got;
		if (!got)
			break;
		done += (size_t)got;
		in->offset += (uint64_t)got;
	}
	return (ssize_t)done;
}

int scap__input_seek(struct scap__input *in, uint64_t offset)
{
	int64_t got;

	if (!in->src.seek)
		return -ENOTSUP;
	if (offset > INT64_MAX)
		return -EINVAL;
	got = in->src.seek(in->src.ctx, (int64_t)offset, SEEK_SET);
	if (got < 0 || (uint64_t)got != offset)
		return got < 0 ? (int)got : -EIO;
	in->start = in->end = 0;
	free_again(in);
	in->offset = offset;
	in->eof = false;
	return 0;
}

int64_t scap__input_size(struct scap__input *in)
{
	return in->src.seek ? in->src.seek(in->src.ctx, 0, SEEK_END) : -ENOTSUP;
}

size_t scap__input_ahead(const struct scap__input *in)
{
	return in->end - in->start + in->again_end - in->again_at;
}

bool scap__input_rewind(struct scap__input *in, size_t n)
{
	if (n > in->start)
		return false;
	in->start -= n;
	in->offset -= n;
	return true;
}

int scap__input_unread(struct scap__input *in, const void *p, size_t n)
{
	size_t buffered = in->end - in->start, left = in->again_end - in->again_at;
	size_t bytes = n + buffered + left;
	uint8_t *again;
	void *room;
	int rc = scap__alloc(in->budget, bytes, &room);

	if (rc)
		return rc;
	again = room;
	memcpy(again, p, n);
	memcpy(again + n, in->buf + in->start, buffered);
	if (left)
		memcpy(again + n + buffered, in->again + in->again_at, left);
	free_again(in);
	in->again = again;
	in->again_end = in->again_bytes = bytes;
	in->start = in->end = 0;
	in->offset -= n;
	return 0;
}
