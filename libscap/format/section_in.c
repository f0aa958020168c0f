/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "format/section_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"

#define HEAD_BYTES sizeof(struct scap__section_header)

int scap__section_in_init(struct scap__section_in *s, const struct scap_source *src,
			  struct scap__budget *budget, struct scap_error *error)
{
	int rc;

	*s = (struct scap__section_in){ .budget = budget, .error = error };
	rc = scap__input_init(&s->input, src, budget);
	if (rc)
		return rc;
	s->zstd = ZSTD_createDCtx();
	return s->zstd ? 0 : -ENOMEM;
}

void scap__section_in_fini(struct scap__section_in *s)
{
	scap__input_fini(&s->input);
	ZSTD_freeDCtx(s->zstd);
	scap__free(s->budget, s->stored, s->stored_cap);
	scap__free(s->budget, s->raw, s->raw_cap);
}

/* ---- the file header ----------------------------------------------------------------------- */

static bool looks_like_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < 0x20 && !strchr("\t\r\n\f\x1b", p[i])) || !p[i] || p[i] == 0x7f)
			return false;
	return true;
}

/* What else it is, as far as its first bytes tell. */
static const char *describe_stranger(const uint8_t *p, size_t n)
{
	static const struct {
		uint8_t n;
		const char *magic, *what;
	} known[] = {
		{ 4, "\x7f" "ELF", "it is a program" },
	};

	if (!n)
		return "it is empty";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (n >= known[i].n && !memcmp(p, known[i].magic, known[i].n))
			return known[i].what;
	return looks_like_text(p, n) ? "it is a text file" : "its first bytes are not a capture's";
}

static int fail_io(struct scap__section_in *s, ssize_t code)
{
	return scap__fail(s->error, (int)code, s->input.offset, "reading the capture failed: %s",
			  strerror(-(int)code));
}

static int truncated(struct scap__section_in *s, const char *where)
{
	return scap__fail(s->error, SCAP_ETRUNCATED, s->input.offset, "the capture is cut off %s",
			  where);
}

static int check_magic(struct scap__section_in *s, const uint8_t *p, size_t n)
{
	const uint8_t *magic = (const uint8_t *)SCAP__FILE_MAGIC;
	size_t n_cmp = n < 8 ? n : 8;

	if (n_cmp && !memcmp(p, magic, n_cmp))
		return 0;
	if (n_cmp == 8 && !memcmp(p, magic, 4))
		return scap__fail(s->error, SCAP_ENOTSCAP, 0,
				  "not a capture: its first bytes were changed, "
				  "as by a transfer in text mode");
	return scap__fail(s->error, SCAP_ENOTSCAP, 0, "not a capture: %s",
			  describe_stranger(p, n));
}

static int check_file_header(struct scap__section_in *s, const uint8_t *p, size_t n,
			     uint32_t *ret_version)
{
	uint32_t incompat = scap__le32(p + offsetof(struct scap__file_header, incompat));

	if (scap__crc32c(0, p, n - 4) != scap__le32(p + n - 4))
		return scap__fail(s->error, SCAP_EDAMAGED, s->input.offset,
				  "the capture's header is damaged");
	*ret_version = scap__le16(p + offsetof(struct scap__file_header, version));
	if (!*ret_version)
		return scap__fail(s->error, SCAP_EVERSION, s->input.offset,
				  "the capture has format version 0, of an unfinished scap; this "
				  "library reads from version %u on", SCAP__FORMAT_VERSION);
	if (incompat)
		return scap__fail(s->error, SCAP_EVERSION, s->input.offset,
				  "the capture uses features (0x%x) unknown to this library",
				  incompat);
	s->file_id = scap__le64(p + offsetof(struct scap__file_header, file_id));
	s->next_index = 0;
	s->lost = s->between = false;
	if (s->sealing) {
		scap__digest_begin(&s->digest);
		scap__digest_add(&s->digest, p, n);
		scap__digest_end(&s->digest, s->file_digest);
	}
	return 0;
}

int scap__section_in_start(struct scap__section_in *s, uint32_t *ret_version)
{
	const size_t min = sizeof(struct scap__file_header);
	const uint8_t *p;
	ssize_t got = scap__input_peek(&s->input, min, &p);
	size_t n;
	int rc;

	if (got < 0)
		return fail_io(s, got);
	rc = check_magic(s, p, (size_t)got);
	if (rc)
		return rc;
	if ((size_t)got < min)
		return truncated(s, "in its header");
	n = scap__le16(p + offsetof(struct scap__file_header, header_bytes));
	if (n < min || n > SCAP__HEADER_MAX_BYTES || n % SCAP__ALIGN)
		return scap__fail(s->error, SCAP_EDAMAGED, s->input.offset,
				  "the capture's header is damaged");
	got = scap__input_peek(&s->input, n, &p);
	if (got < 0)
		return fail_io(s, got);
	if ((size_t)got < n)
		return truncated(s, "in its header");
	rc = check_file_header(s, p, n, ret_version);
	if (!rc)
		scap__input_skip(&s->input, n);
	return rc;
}

/* ---- section headers ----------------------------------------------------------------------- */

static bool parse_header(struct scap__section_in *s, const uint8_t *p, struct scap__section *ret)
{
	struct scap__bytes b = { p, HEAD_BYTES, false };
	uint32_t magic = scap__get_u32(&b);
	uint16_t header_bytes = scap__get_u16(&b);
	uint64_t file_id;

	ret->type = scap__get_u16(&b);
	ret->index = scap__get_u32(&b);
	ret->flags = scap__get_u32(&b);
	file_id = scap__get_u64(&b);
	ret->stored_bytes = scap__get_u64(&b);
	ret->raw_bytes = scap__get_u64(&b);
	ret->payload_crc = scap__get_u32(&b);
	ret->offset = s->input.offset;
	return magic == SCAP__SECTION_MAGIC && header_bytes == HEAD_BYTES &&
	       scap__get_u32(&b) == scap__crc32c(0, p, HEAD_BYTES - 4) &&
	       file_id == s->file_id && ret->index >= s->next_index;
}

/* What begins at p, of n bytes: 0 a section, SCAP__NEXT_SEGMENT, 1 neither. */
static int look_at(struct scap__section_in *s, const uint8_t *p, size_t n,
		   struct scap__section *ret)
{
	if (*p == (SCAP__SECTION_MAGIC & 0xff) && !s->between && parse_header(s, p, ret))
		return 0;
	if (*p == (uint8_t)SCAP__FILE_MAGIC[0] && s->several && scap__segment_at(p, n))
		return SCAP__NEXT_SEGMENT;
	return 1;
}

/*
 * Goes forward to the next header whose checksum is right: 0, SCAP__NEXT_SEGMENT, or 1 at the end
 * of the file. The file's id and rising indices keep payload that happens to hold sections from
 * being taken for one.
 */
static int find_header(struct scap__section_in *s, struct scap__section *ret)
{
	for (;;) {
		const uint8_t *p;
		ssize_t got = scap__input_peek(&s->input, SCAP__INPUT_BYTES, &p);
		size_t n, i;
		int rc = 1;

		if (got < 0)
			return fail_io(s, got);
		if ((size_t)got < HEAD_BYTES)
			return 1;
		n = (size_t)got - HEAD_BYTES + 1;
		if ((size_t)got == SCAP__INPUT_BYTES)
			n -= SCAP__HEADER_MAX_BYTES;
		for (i = 0; rc == 1 && i < n; i++)
			rc = look_at(s, p + i, (size_t)got - i, ret);
		scap__input_skip(&s->input, rc == 1 ? i : i - 1);
		ret->offset = s->input.offset;
		if (rc != 1)
			return rc;
	}
}

static int search(struct scap__section_in *s, struct scap__section *ret)
{
	int rc = find_header(s, ret);

	if (rc == SCAP__NEXT_SEGMENT && !s->between && scap__segment_is_payload(s))
		rc = find_header(s, ret);
	if (rc < 0)
		return rc;
	if (rc == 1 && s->between)
		return 1;
	if (rc == 1)
		return truncated(s, "or damaged up to its end");
	s->lost = false;
	if (rc == SCAP__NEXT_SEGMENT)
		return rc;
	s->next_index = ret->index;
	return 0;
}

/* Looks at the header that must follow, without going past it. */
static int expect_header(struct scap__section_in *s, struct scap__section *ret)
{
	const uint8_t *p;
	ssize_t got = scap__input_peek(&s->input, HEAD_BYTES, &p);

	if (got < 0)
		return fail_io(s, got);
	if (!got)
		return 1;
	if ((size_t)got < HEAD_BYTES) {
		scap__input_skip(&s->input, (size_t)got);
		return truncated(s, "inside a section's header");
	}
	if (!parse_header(s, p, ret)) {
		s->lost = true;
		scap__fail(s->error, SCAP_EDAMAGED, s->input.offset,
			   "a section's header is damaged");
		scap__input_skip(&s->input, 1);
		return SCAP_EDAMAGED;
	}
	if (ret->index != s->next_index) {
		uint32_t n = ret->index - s->next_index;

		s->next_index = ret->index;
		return scap__fail(s->error, SCAP_EDAMAGED, s->input.offset,
				  "%u sections are missing", n);
	}
	return 0;
}

/*
 * Behind a section: is there a file header? 0; SCAP__NEXT_SEGMENT; SCAP_EDAMAGED: it was one. No
 * section begins so.
 */
static int expect_segment(struct scap__section_in *s)
{
	const uint8_t *p;
	ssize_t got = scap__input_peek(&s->input, sizeof(SCAP__FILE_MAGIC) - 1, &p);

	if (got < 0)
		return fail_io(s, got);
	if (got < (ssize_t)sizeof(SCAP__FILE_MAGIC) - 1 || memcmp(p, SCAP__FILE_MAGIC, (size_t)got))
		return 0;
	got = scap__input_peek(&s->input, SCAP__HEADER_MAX_BYTES, &p);
	if (got < 0)
		return fail_io(s, got);
	if (scap__file_header_at(p, (size_t)got))
		return SCAP__NEXT_SEGMENT;
	s->lost = s->between = true;
	scap__fail(s->error, SCAP_EDAMAGED, s->input.offset,
		   "another capture follows, whose header is damaged");
	scap__input_skip(&s->input, 1);
	return SCAP_EDAMAGED;
}

int scap__section_next(struct scap__section_in *s, struct scap__section *ret)
{
	int rc = s->several && !s->lost ? expect_segment(s) : 0;
	const uint8_t *head;

	if (!rc)
		rc = s->lost ? search(s, ret) : expect_header(s, ret);
	if (rc)
		return rc;
	if (s->sealing) {
		/* It was looked at just now, and is there. */
		if (scap__input_peek(&s->input, HEAD_BYTES, &head) < (ssize_t)HEAD_BYTES)
			return truncated(s, "inside a section's header");
		scap__digest_begin(&s->digest);
		scap__digest_add(&s->digest, head, HEAD_BYTES - 4);
	}
	scap__input_skip(&s->input, HEAD_BYTES);
	s->next_index++;
	return 0;
}

int scap__section_is_next(struct scap__section_in *s, uint16_t type)
{
	struct scap__section sec;
	const uint8_t *p;
	ssize_t got = scap__input_peek(&s->input, HEAD_BYTES, &p);

	if (got < 0)
		return fail_io(s, got);
	return got == (ssize_t)HEAD_BYTES && parse_header(s, p, &sec) &&
	       sec.index == s->next_index && sec.type == type;
}

int scap__section_find(struct scap__section_in *s, struct scap__section *ret)
{
	const uint8_t *p;
	ssize_t got = scap__input_peek(&s->input, HEAD_BYTES, &p);

	if (got < 0)
		return fail_io(s, got);
	if ((size_t)got < HEAD_BYTES || !parse_header(s, p, ret))
		return SCAP_EDAMAGED;
	scap__input_skip(&s->input, HEAD_BYTES);
	return 0;
}

/* ---- payloads ------------------------------------------------------------------------------ */

static int grow(struct scap__section_in *s, uint8_t **buf, size_t *cap, size_t n)
{
	void *p;
	int rc;

	if (n <= *cap)
		return 0;
	scap__free(s->budget, *buf, *cap);
	*buf = NULL;
	*cap = 0;
	rc = scap__alloc(s->budget, n, &p);
	if (rc == -ENOMEM)
		return scap__fail(s->error, rc, s->input.offset, "out of memory");
	if (rc)
		return scap__fail(s->error, rc, s->input.offset,
				  "a section of %zu bytes needs more memory than the limit", n);
	*buf = p;
	*cap = n;
	return 0;
}

static int damaged(struct scap__section_in *s, const struct scap__section *sec, const char *what)
{
	return scap__fail(s->error, SCAP_EDAMAGED, sec->offset, "a section is damaged: %s", what);
}

/* The section may be cut off in its padding, too: past what there is of it. */
static int bad_padding(struct scap__section_in *s, const struct scap__section *sec, size_t n)
{
	const size_t n_magic = sizeof(SCAP__FILE_MAGIC) - 1;
	const uint8_t *p;
	ssize_t got = scap__input_peek(&s->input, n + n_magic, &p);

	for (size_t i = 0; s->several && i < n && got >= (ssize_t)(i + n_magic); i++)
		if (!memcmp(p + i, SCAP__FILE_MAGIC, n_magic))
			n = i;
	scap__input_skip(&s->input, n);
	return damaged(s, sec, "its padding is not zero");
}

/* The zeros behind a payload. */
static int read_padding(struct scap__section_in *s, const struct scap__section *sec)
{
	static const uint8_t zeros[SCAP__ALIGN];
	size_t n = -sec->stored_bytes & (SCAP__ALIGN - 1);
	const uint8_t *p;
	ssize_t got = scap__input_peek(&s->input, n, &p);

	if (got < 0)
		return fail_io(s, got);
	if (got == (ssize_t)n && memcmp(p, zeros, n))
		return bad_padding(s, sec, n);
	scap__input_skip(&s->input, (size_t)got);
	return got < (ssize_t)n ? truncated(s, "behind a section") : 0;
}

static int cut_off(struct scap__section_in *s, const struct scap__section *sec)
{
	return scap__fail(s->error, SCAP_EDAMAGED, sec->offset,
			  "a section is cut off: another capture begins inside it");
}

/* Behind a payload: does it go on as it must, so that only the payload itself is damaged? */
static bool goes_on(struct scap__section_in *s, const struct scap__section *sec)
{
	size_t pad = -sec->stored_bytes & (SCAP__ALIGN - 1);
	const uint8_t *p;
	ssize_t got = scap__input_peek(&s->input, pad + SCAP__HEADER_MAX_BYTES, &p);

	if (got < (ssize_t)(pad + HEAD_BYTES))
		return got < 0;
	return scap__is_section(p + pad, s->file_id) ||
	       scap__file_header_at(p + pad, (size_t)got - pad);
}

static int read_stored(struct scap__section_in *s, const struct scap__section *sec, uint8_t *dst)
{
	size_t n = (size_t)sec->stored_bytes;
	ssize_t got = scap__input_read(&s->input, dst, n);
	bool sound;
	int rc;

	if (got < 0)
		return fail_io(s, got);
	if ((size_t)got < n && scap__segment_inside(s, dst, (size_t)got))
		return cut_off(s, sec);
	if ((size_t)got < n)
		return truncated(s, "inside a section");
	if (s->sealing)
		scap__digest_add(&s->digest, dst, n);
	sound = scap__crc32c(0, dst, n) == sec->payload_crc;
	if (!sound && !goes_on(s, sec) && scap__segment_inside(s, dst, n))
		return cut_off(s, sec);
	rc = read_padding(s, sec);
	if (!rc && !sound)
		rc = damaged(s, sec, "its checksum is wrong");
	return rc;
}

static int decompress(struct scap__section_in *s, const struct scap__section *sec)
{
	size_t n = ZSTD_decompressDCtx(s->zstd, s->raw, (size_t)sec->raw_bytes, s->stored,
				       (size_t)sec->stored_bytes);

	if (ZSTD_isError(n) || n != sec->raw_bytes)
		return damaged(s, sec, "it does not decompress");
	return 0;
}

int scap__section_skip(struct scap__section_in *s, const struct scap__section *sec)
{
	uint64_t left = sec->stored_bytes;
	uint32_t crc = 0;
	int rc;

	/* One that is cut off may have swallowed another segment: then it is searched. */
	if (s->several && left <= SCAP__RAW_MAX_BYTES && !grow(s, &s->stored, &s->stored_cap, left))
		return read_stored(s, sec, s->stored);
	while (left) {
		size_t n = left < SCAP__INPUT_BYTES ? (size_t)left : SCAP__INPUT_BYTES;
		const uint8_t *p;
		ssize_t got = scap__input_peek(&s->input, n, &p);

		if (got < 0)
			return fail_io(s, got);
		crc = scap__crc32c(crc, p, (size_t)got);
		if (s->sealing)
			scap__digest_add(&s->digest, p, (size_t)got);
		scap__input_skip(&s->input, (size_t)got);
		if ((size_t)got < n)
			return truncated(s, "inside a section");
		left -= n;
	}
	rc = read_padding(s, sec);
	if (!rc && crc != sec->payload_crc)
		rc = damaged(s, sec, "its checksum is wrong");
	return rc;
}

/* A header that is sound but asks for what it must not: past its payload, and say so. */
static int refuse(struct scap__section_in *s, const struct scap__section *sec, int code,
		  const char *what)
{
	int rc = scap__section_skip(s, sec);

	if (rc && rc != SCAP_EDAMAGED)
		return rc;
	return scap__fail(s->error, code, sec->offset, "a section is damaged: %s", what);
}

int scap__section_payload(struct scap__section_in *s, const struct scap__section *sec,
			  const uint8_t **ret_p)
{
	bool packed = sec->flags & SCAP__SECTION_ZSTD;
	int rc;

	if (sec->flags & ~SCAP__SECTION_FLAGS)
		return refuse(s, sec, SCAP_EVERSION, "it has flags unknown to this library");
	if (sec->raw_bytes > SCAP__RAW_MAX_BYTES)
		return refuse(s, sec, SCAP_EDAMAGED, "it claims to be too large for a section");
	if (!sec->raw_bytes ||
	    (packed ? sec->stored_bytes >= sec->raw_bytes : sec->stored_bytes != sec->raw_bytes))
		return refuse(s, sec, SCAP_EDAMAGED, "its sizes contradict each other");
	rc = grow(s, &s->raw, &s->raw_cap, (size_t)sec->raw_bytes);
	if (!rc && packed)
		rc = grow(s, &s->stored, &s->stored_cap, (size_t)sec->stored_bytes);
	if (!rc)
		rc = read_stored(s, sec, packed ? s->stored : s->raw);
	if (!rc && packed)
		rc = decompress(s, sec);
	*ret_p = s->raw;
	return rc;
}
