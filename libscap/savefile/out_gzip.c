/* SPDX-License-Identifier: MIT */
/*
 * The way to the sink: gzip, in members. One after the other they are one file to every reader of
 * the format; what stands in a whole member can still be read where the file's end is lost.
 */
#include "savefile/out.h"

#include <errno.h>
#include <string.h>

#define OUT_BYTES 65536u
#define MEMBER_BYTES (4u << 20)
#define GZIP_WINDOW (15 + 16)	/* zlib's way to say gzip */

static int sink_write(struct scap_export *x, const void *data, size_t n)
{
	int rc = x->failed;

	if (!rc && n)
		rc = x->sink.write(x->sink.ctx, data, n);
	if (rc && !x->failed)
		return scap__export_fail(x, rc, "writing failed");
	x->counts.bytes += n;
	return rc;
}

int scap__export_gzip_open(struct scap_export *x)
{
	if (x->flags & SCAP_EXPORT_PLAIN)
		return 0;
	if (scap__buffer_reserve(&x->out, OUT_BYTES))
		return scap__export_fail(x, -ENOMEM, "out of memory");
	if (deflateInit2(&x->gz, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY))
		return scap__export_fail(x, -ENOMEM, "out of memory");
	x->gz_open = true;
	return 0;
}

static int deflate_all(struct scap_export *x, int how)
{
	int rc, z;

	do {
		x->gz.next_out = x->out.p;
		x->gz.avail_out = OUT_BYTES;
		z = deflate(&x->gz, how);
		rc = sink_write(x, x->out.p, OUT_BYTES - x->gz.avail_out);
		if (rc)
			return rc;
	} while (how == Z_FINISH ? z != Z_STREAM_END : x->gz.avail_in || !x->gz.avail_out);
	return 0;
}

static int end_member(struct scap_export *x)
{
	int rc;

	if (!x->member_bytes)
		return 0;
	rc = deflate_all(x, Z_FINISH);
	deflateReset(&x->gz);
	x->member_bytes = 0;
	return rc;
}

int scap__export_write(struct scap_export *x, const void *data, size_t n)
{
	int rc;

	if (x->flags & SCAP_EXPORT_PLAIN)
		return sink_write(x, data, n);
	if (x->failed)
		return x->failed;
	x->gz.next_in = (Bytef *)data;
	x->gz.avail_in = (uInt)n;
	x->member_bytes += n;
	rc = deflate_all(x, Z_NO_FLUSH);
	return rc || x->member_bytes < MEMBER_BYTES ? rc : end_member(x);
}

int scap__export_gzip_close(struct scap_export *x)
{
	int rc = x->failed;

	if (!x->gz_open)
		return rc;
	if (!rc)
		rc = end_member(x);
	deflateEnd(&x->gz);
	x->gz_open = false;
	return rc;
}
