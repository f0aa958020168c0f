/* SPDX-License-Identifier: MIT */
#include "savefile/inflow.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define GZIP_MAGIC	"\x1f\x8b"
#define ZSTD_MAGIC	"\x28\xb5\x2f\xfd"
#define WINDOW_LOG_MAX	27	/* what zstd itself goes up to without being asked */
#define WINDOW_LOG_MIN	20
#define ZLIB_BYTES	(64u << 10)	/* about what inflate needs */

struct scap__sf_codec {
	z_stream gzip;
	ZSTD_DCtx *zstd;	/* NULL: it is gzip */
	uint64_t taken;		/* from the budget */
	int error;		/* behind what was put out before */
	bool member_done;	/* at the end of a gzip member, or of a zstd frame */
};

static bool begins_with(const uint8_t *p, size_t n, const char *magic, size_t n_magic)
{
	return n >= n_magic && !memcmp(p, magic, n_magic);
}

bool scap__inflow_is_packed(const uint8_t *p, size_t n)
{
	return begins_with(p, n, GZIP_MAGIC, 2) || begins_with(p, n, ZSTD_MAGIC, 4);
}

bool scap__inflow_packed(const struct scap__inflow *in)
{
	return in->codec;
}

/* ---- opening ------------------------------------------------------------------------------- */

static voidpf zlib_alloc(voidpf allocator, uInt n, uInt size)
{
	return scap__allocator_alloc(allocator, (size_t)n * size);
}

static void zlib_free(voidpf allocator, voidpf p)
{
	scap__allocator_free(allocator, p);
}

static int init_gzip(struct scap__sf_codec *c, struct scap__budget *budget)
{
	int rc = scap__budget_take(budget, ZLIB_BYTES);

	if (rc)
		return rc;
	c->taken = ZLIB_BYTES;
	c->gzip.zalloc = zlib_alloc;
	c->gzip.zfree = zlib_free;
	c->gzip.opaque = &budget->allocator;
	return inflateInit2(&c->gzip, 15 + 16) == Z_OK ? 0 : -ENOMEM;
}

/* A frame may ask for a window of as much memory as the budget can spare, and no more. */
static int init_zstd(struct scap__sf_codec *c, struct scap__budget *budget)
{
	int log = WINDOW_LOG_MAX;

	while (log > WINDOW_LOG_MIN && (budget->limit - budget->used) / 4 < 1ull << log)
		log--;
	c->zstd = ZSTD_createDCtx();
	if (!c->zstd)
		return -ENOMEM;
	return ZSTD_isError(ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax, log)) ? -ENOMEM
										       : 0;
}

static int init_codec(struct scap__inflow *in, const uint8_t *p, size_t n,
		      struct scap__budget *budget)
{
	bool zstd = begins_with(p, n, ZSTD_MAGIC, 4);
	void *room;
	int rc;

	if (!zstd && !begins_with(p, n, GZIP_MAGIC, 2))
		return 0;
	rc = scap__alloc_zeroed(budget, sizeof(*in->codec), &room);
	if (rc)
		return rc;
	in->codec = room;
	return zstd ? init_zstd(in->codec, budget) : init_gzip(in->codec, budget);
}

int scap__inflow_init(struct scap__inflow *in, const struct scap__input *from,
		      struct scap__budget *budget)
{
	const uint8_t *p;
	void *room;
	ssize_t n;
	int rc;

	*in = (struct scap__inflow){ .input = *from };
	rc = scap__alloc(budget, SCAP__SF_WINDOW, &room);
	if (rc)
		return rc;
	in->window = room;
	n = scap__input_peek(&in->input, 4, &p);
	return n < 0 ? (int)n : init_codec(in, p, (size_t)n, budget);
}

void scap__inflow_fini(struct scap__inflow *in, struct scap__budget *budget)
{
	if (in->codec) {
		if (in->codec->zstd)
			ZSTD_freeDCtx(in->codec->zstd);
		else
			inflateEnd(&in->codec->gzip);
		scap__budget_give(budget, in->codec->taken);
		scap__free(budget, in->codec, sizeof(*in->codec));
	}
	scap__free(budget, in->window, SCAP__SF_WINDOW);
	scap__input_fini(&in->input);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* What is there now of the file itself: at least a byte, except at its end. */
static ssize_t stored_bytes(struct scap__inflow *in, const uint8_t **ret_p)
{
	ssize_t got = scap__input_peek(&in->input, 1, ret_p);

	return got > 0 ? (ssize_t)(in->input.end - in->input.start) : got;
}

static int broken(struct scap__inflow *in, int code, const char *what)
{
	in->what = what;
	return code;
}

/* Damage behind n good bytes: they come first, and then it. */
static ssize_t broken_behind(struct scap__inflow *in, size_t n, const char *what)
{
	in->codec->error = broken(in, SCAP_EDAMAGED, what);
	return n ? (ssize_t)n : in->codec->error;
}

static ssize_t read_plain(struct scap__inflow *in, uint8_t *dst, size_t n)
{
	const uint8_t *p;
	ssize_t got = stored_bytes(in, &p);

	if (got <= 0)
		return got;
	if ((size_t)got < n)
		n = (size_t)got;
	memcpy(dst, p, n);
	scap__input_skip(&in->input, n);
	return (ssize_t)n;
}

/* Behind a member: another one, or what gzip calls trailing garbage and ignores. */
static int next_member(struct scap__inflow *in)
{
	const uint8_t *p;
	ssize_t got = scap__input_peek(&in->input, 2, &p);

	if (got < 0)
		return (int)got;
	if (!begins_with(p, (size_t)got, GZIP_MAGIC, 2))
		return 1;
	in->codec->member_done = false;
	return inflateReset(&in->codec->gzip) == Z_OK ? 0 : -ENOMEM;
}

/* Decompresses what there is of the file at hand: bytes put out, which may be 0; *ret_end. */
static ssize_t inflate_some(struct scap__inflow *in, uint8_t *dst, size_t n, bool *ret_end)
{
	struct scap__sf_codec *c = in->codec;
	const uint8_t *p;
	ssize_t got;
	int rc = c->member_done ? next_member(in) : 0;

	*ret_end = rc == 1;
	if (rc)
		return rc < 0 ? rc : 0;
	got = stored_bytes(in, &p);
	if (got < 0)
		return got;
	if (!got)
		return broken(in, SCAP_ETRUNCATED, "its gzip data is cut off");
	c->gzip.next_in = (Bytef *)p;
	c->gzip.avail_in = (uInt)got;
	c->gzip.next_out = dst;
	c->gzip.avail_out = (uInt)n;
	rc = inflate(&c->gzip, Z_NO_FLUSH);
	scap__input_skip(&in->input, (size_t)got - c->gzip.avail_in);
	if (rc == Z_MEM_ERROR)
		return -ENOMEM;
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return broken_behind(in, n - c->gzip.avail_out, "its gzip data is damaged");
	c->member_done = rc == Z_STREAM_END;
	return (ssize_t)(n - c->gzip.avail_out);
}

static ssize_t unzstd_some(struct scap__inflow *in, uint8_t *dst, size_t n, bool *ret_end)
{
	struct scap__sf_codec *c = in->codec;
	ZSTD_outBuffer out = { dst, n, 0 };
	ZSTD_inBuffer src = { NULL, 0, 0 };
	const uint8_t *p;
	ssize_t got = stored_bytes(in, &p);
	size_t rc;

	if (got < 0)
		return got;
	*ret_end = !got && c->member_done;
	if (*ret_end)
		return 0;
	if (got) {
		src.src = p;
		src.size = (size_t)got;
	}
	rc = ZSTD_decompressStream(c->zstd, &out, &src);
	if (src.pos)
		scap__input_skip(&in->input, src.pos);
	if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
		return -ENOMEM;
	if (ZSTD_isError(rc))
		return broken_behind(in, out.pos, "its zstd data is damaged, or needs more "
						  "memory than the limit");
	if (!got && !out.pos)
		return broken(in, SCAP_ETRUNCATED, "its zstd data is cut off");
	c->member_done = !rc;
	return (ssize_t)out.pos;
}

/* At least a byte, except at the end. */
static ssize_t read_packed(struct scap__inflow *in, uint8_t *dst, size_t n)
{
	bool end = false;
	ssize_t got = in->codec->error;

	while (!got && !end)
		got = in->codec->zstd ? unzstd_some(in, dst, n, &end)
				      : inflate_some(in, dst, n, &end);
	return got;
}

ssize_t scap__inflow_peek(struct scap__inflow *in, size_t n, const uint8_t **ret_p)
{
	if (n > SCAP__SF_WINDOW)
		n = SCAP__SF_WINDOW;
	if (in->start && SCAP__SF_WINDOW - in->start < n) {
		memmove(in->window, in->window + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	while (in->end - in->start < n && !in->eof) {
		uint8_t *dst = in->window + in->end;
		size_t room = SCAP__SF_WINDOW - in->end;
		ssize_t got = in->codec ? read_packed(in, dst, room) : read_plain(in, dst, room);

		if (got < 0)
			return got;
		in->eof = !got;
		in->end += (size_t)got;
	}
	*ret_p = in->window + in->start;
	return in->end - in->start < n ? (ssize_t)(in->end - in->start) : (ssize_t)n;
}

void scap__inflow_skip(struct scap__inflow *in, size_t n)
{
	in->start += n;
	in->offset += n;
	if (in->start == in->end)
		in->start = in->end = 0;
}
