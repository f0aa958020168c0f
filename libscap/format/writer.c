/* SPDX-License-Identifier: MIT */
#include "format/writer.h"

#include <endian.h>
#include <errno.h>
#include <scap/abi.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "core/options.h"

/*
 * Larger slices are written as several: at all costs where that bounds the memory of writer and
 * reader, and where time allows so that one damaged section takes few records with it.
 */
#define SECTION_MAX_BYTES (16u << 20)
#define SECTION_AIM_BYTES (1u << 20)
#define SECTION_MIN_NS (1u << 20)

#define WRITER_FLAGS (SCAP_WRITER_FORCE | SCAP_WRITER_ROWS | SCAP_WRITER_GROUPS | SCAP_WRITER_SYNC)

/* ---- opening ------------------------------------------------------------------------------- */

static int fd_write(void *ctx, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	while (n) {
		ssize_t got = write((int)(intptr_t)ctx, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EIO;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int fd_close(void *ctx)
{
	return close((int)(intptr_t)ctx) < 0 ? -errno : 0;
}

struct scap_sink scap__fd_sink(int fd)
{
	return (struct scap_sink){
		.ctx = (void *)(intptr_t)fd, .write = fd_write, .close = fd_close,
	};
}

static void writer_free(struct scap_writer *w)
{
	struct scap__budget own;

	scap__groups_fini(w);
	ZSTD_freeCCtx(w->zstd);
	scap__index_fini(&w->index);
	scap__buffer_fini(&w->schema.text);
	scap__buffer_fini(&w->facts.rings);
	scap__buffer_fini(&w->facts.ends);
	scap__buffer_fini(&w->entries);
	scap__buffer_fini(&w->copied_rings);
	scap__buffer_fini(&w->raw);
	scap__buffer_fini(&w->packed);
	own = w->own;
	scap__free(w->budget == &w->own ? &own : w->budget, w, sizeof(*w));
}

/* Closes the sink and frees all; keeps code and err as they are. */
static int give_up(struct scap_writer *w, struct scap_error *err, int code)
{
	if (err && code)
		*err = w->error;
	if (w->sink.close)
		w->sink.close(w->sink.ctx);
	writer_free(w);
	return code;
}

int scap__writer_no_memory(struct scap_writer *w)
{
	if (atomic_load_explicit(&w->budget->refused, memory_order_relaxed))
		return scap__fail(&w->error, SCAP_ELIMIT, SCAP_NO_OFFSET,
				  "writing the capture needs more memory than the limit");
	return scap__fail(&w->error, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
}

static int init_zstd(struct scap_writer *w, int level)
{
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd)
		return scap__writer_no_memory(w);
	if (ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel,
						level ? level : 1)))
		return scap__fail(&w->error, -EINVAL, SCAP_NO_OFFSET,
				  "compression level %d is not possible", level);
	return 0;
}

static void digest_header(struct scap_writer *w, const struct scap__file_header *h)
{
	struct scap__digest d;

	scap__digest_begin(&d);
	scap__digest_add(&d, h, sizeof(*h));
	scap__digest_end(&d, w->last_seal);
}

/* The id ties sections to their file: a capture may hold pieces of other captures as payload. */
static int write_file_header(struct scap_writer *w)
{
	struct scap__file_header h = {
		.header_bytes = htole16(sizeof(h)),
		.version = htole16(SCAP__FORMAT_VERSION),
	};
	int rc;

	if (!w->file_id &&
	    getrandom(&w->file_id, sizeof(w->file_id), GRND_NONBLOCK) != sizeof(w->file_id))
		w->file_id ^= (uint64_t)getpid() << 32 ^ (uintptr_t)w;
	memcpy(h.magic, SCAP__FILE_MAGIC, sizeof(h.magic));
	h.file_id = htole64(w->file_id);
	h.crc = htole32(scap__crc32c(0, &h, sizeof(h) - sizeof(h.crc)));
	digest_header(w, &h);
	rc = w->sink.write(w->sink.ctx, &h, sizeof(h));
	if (rc < 0)
		return scap__fail(&w->error, rc, 0, "writing the capture's header failed: %s",
				  strerror(-rc));
	w->bytes = sizeof(h);
	return 0;
}

static int write_host(struct scap_writer *w, const struct scap_writer_options *opt)
{
	int rc = scap__section_begin(w);

	if (rc)
		return rc;
	rc = scap__host_put(w, opt);
	if (rc)
		return scap__fail(&w->error, rc, SCAP_NO_OFFSET, "out of memory");
	return scap__section_write(w, SCAP__SECTION_HOST);
}

static void set_budget(struct scap_writer *w)
{
	struct scap__buffer *buffers[] = {
		&w->raw, &w->packed, &w->index.entries, &w->index.rings, &w->schema.text,
		&w->facts.rings, &w->facts.ends, &w->entries, &w->copied_rings,
	};

	for (unsigned i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
		buffers[i]->budget = w->budget;
}

static int writer_new(const struct scap_writer_options *opt, struct scap__budget *budget,
		      struct scap_writer **ret_w)
{
	struct scap__budget own;
	struct scap_writer *w;
	void *p;
	int rc;

	scap__budget_init(&own, opt->memory_limit ? opt->memory_limit : UINT64_MAX,
			  opt->allocator);
	rc = scap__alloc_zeroed(budget ? budget : &own, sizeof(*w), &p);
	if (rc)
		return rc;
	*ret_w = w = p;
	w->own = own;
	w->budget = budget ? budget : &w->own;
	set_budget(w);
	return 0;
}

int scap__writer_open_bare(const struct scap_sink *sink, int fd,
			   const struct scap_writer_options *opt, uint64_t file_id,
			   struct scap__budget *budget, struct scap_writer **ret_w,
			   struct scap_error *err)
{
	struct scap_writer *w;
	int rc = writer_new(opt, budget, &w);

	if (rc) {
		if (sink->close)
			sink->close(sink->ctx);
		return scap__fail(err, rc, SCAP_NO_OFFSET, "%s", rc == -ENOMEM ? "out of memory" :
				  "writing the capture needs more memory than the limit");
	}
	w->sink = *sink;
	w->fd = fd;
	w->file_id = file_id;
	w->sync = opt->flags & SCAP_WRITER_SYNC;
	rc = init_zstd(w, opt->level);
	if (!rc && opt->flags & SCAP_WRITER_GROUPS)
		rc = scap__groups_init(w, opt);
	w->sealing = opt->flags & SCAP_WRITER_GROUPS;
	if (!rc)
		rc = write_file_header(w);
	if (rc)
		return give_up(w, err, rc);
	*ret_w = w;
	return 0;
}

int scap__writer_open(const struct scap_sink *sink, int fd, const struct scap_writer_options *opt,
		      uint64_t file_id, struct scap__budget *budget, struct scap_writer **ret_w,
		      struct scap_error *err)
{
	struct scap_writer *w;
	int rc = scap__writer_open_bare(sink, fd, opt, file_id, budget, &w, err);

	if (rc)
		return rc;
	rc = write_host(w, opt);
	if (rc)
		return give_up(w, err, rc);
	*ret_w = w;
	return 0;
}

int scap__writer_options(struct scap_writer_options *dst, const struct scap_writer_options *opt,
			 struct scap_error *err)
{
	int rc = scap__options_copy(dst, sizeof(*dst), opt);

	if (!rc && (dst->flags & ~WRITER_FLAGS || (dst->flags & SCAP_WRITER_ROWS &&
						   dst->flags & SCAP_WRITER_GROUPS) ||
		    !scap__allocator_is_valid(dst->allocator)))
		rc = -EINVAL;
	if (rc)
		return scap__fail(err, rc, SCAP_NO_OFFSET, "the writer's options are not valid");
	return 0;
}

int scap_writer_open_sink(const struct scap_sink *sink, const struct scap_writer_options *opt,
			  struct scap_writer **ret_w, struct scap_error *err)
{
	struct scap_writer_options o;
	int rc = scap__writer_options(&o, opt, err);

	if (rc) {
		if (sink->close)
			sink->close(sink->ctx);
		return rc;
	}
	return scap__writer_open(sink, -1, &o, 0, NULL, ret_w, err);
}

int scap_writer_open_path(const char *path, const struct scap_writer_options *opt,
			  struct scap_writer **ret_w, struct scap_error *err)
{
	struct scap_writer_options o;
	struct scap_sink sink;
	bool regular, created;
	int fd, rc;

	rc = scap__writer_options(&o, opt, err);
	if (!rc)
		rc = scap__file_create(path, o.flags & SCAP_WRITER_FORCE, &fd, &regular, &created,
				       err);
	if (rc)
		return rc;
	sink = scap__fd_sink(fd);
	if (regular && !(o.flags & SCAP_WRITER_ROWS))
		o.flags |= SCAP_WRITER_GROUPS;
	rc = scap__writer_open(&sink, regular ? fd : -1, &o, 0, NULL, ret_w, err);
	if (!rc && regular && o.flags & SCAP_WRITER_GROUPS) {
		rc = scap__journal_open(*ret_w, path, &o, err);
		if (rc)
			give_up(*ret_w, NULL, 0);
	}
	if (rc && created)
		unlink(path);
	return rc;
}

/* ---- slices -------------------------------------------------------------------------------- */

/* Goes over a part's record headers: 0, or -EINVAL when they do not fill it exactly. */
static int walk_part(const struct scap_slice_part *part, struct scap__slice_part *out)
{
	const uint8_t *p = part->rows;
	size_t left = part->bytes;
	uint32_t n_records = 0;

	while (left) {
		size_t n = (size_t)scap__le16(p) * 8;

		if (n < sizeof(struct scap_rec) || n > left)
			return -EINVAL;
		p += n;
		left -= n;
		n_records++;
	}
	out->cpu = htole16((uint16_t)part->cpu);
	out->lane = htole16((uint16_t)part->lane);
	out->n_records = htole32(n_records);
	if (part->bytes)
		memcpy(&out->first_seq, (const uint8_t *)part->rows + 4, 4);
	out->bytes = htole64(part->bytes);
	return 0;
}

static int bad_part(struct scap_writer *w, uint32_t cpu)
{
	return scap__fail(&w->error, -EINVAL, SCAP_NO_OFFSET,
			  "records of CPU %u do not fill their part", cpu);
}

static int check_part(struct scap_writer *w, const struct scap_slice_part *part)
{
	struct scap__slice_part unused = { 0 };

	return walk_part(part, &unused) ? bad_part(w, part->cpu) : 0;
}

static void put_slice_header(struct scap_writer *w, const struct scap_slice *s)
{
	struct scap__slice_header h = {
		.start_ns = htole64(s->start_ns),
		.end_ns = htole64(s->end_ns),
		.clock_raw_ns = htole64(s->clock_raw_ns),
		.clock_real_ns = htole64(s->real_ns),
		.clock_boot_ns = htole64(s->boot_ns),
		.n_parts = htole32(s->n_parts),
	};

	scap__buffer_put(&w->raw, &h, sizeof(h));
}

static int put_directory(struct scap_writer *w, const struct scap_slice *s,
			 uint64_t *ret_n_records)
{
	uint64_t offset = 0;

	for (uint32_t i = 0; i < s->n_parts; i++) {
		struct scap__slice_part part = { .offset = htole64(offset) };

		if (walk_part(&s->parts[i], &part))
			return bad_part(w, s->parts[i].cpu);
		scap__buffer_put(&w->raw, &part, sizeof(part));
		offset += s->parts[i].bytes;
		*ret_n_records += le32toh(part.n_records);
	}
	return 0;
}

/* What index and schema say of it; the schema stands in front of it. */
static int describe_slice(struct scap_writer *w, const struct scap_slice *s)
{
	int rc = scap__index_begin(&w->index, &w->facts, s);

	if (!rc)
		rc = scap__index_slice(&w->index, &w->facts, s);
	for (uint32_t i = 0; !rc && i < s->n_parts; i++) {
		const uint8_t *p = s->parts[i].rows;
		size_t left = s->parts[i].bytes;

		for (size_t n; !rc && left; p += n, left -= n) {
			n = (size_t)scap__le16(p) * 8;
			rc = scap__schema_note(&w->schema, p);
		}
	}
	if (rc)
		return scap__writer_no_memory(w);
	return scap__schema_write(w);
}

/* A slice that fits into a section. */
static int write_slice(struct scap_writer *w, const struct scap_slice *s, size_t bytes)
{
	uint64_t n_records = 0, bytes_of_rows = 0;
	int rc = scap__section_begin(w);

	if (rc)
		return rc;
	if (scap__buffer_reserve(&w->raw, bytes + SCAP__ALIGN))
		return scap__writer_no_memory(w);
	put_slice_header(w, s);
	rc = put_directory(w, s, &n_records);
	if (!rc && !w->plain)
		rc = describe_slice(w, s);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < s->n_parts; i++) {
		scap__buffer_put(&w->raw, s->parts[i].rows, s->parts[i].bytes);
		bytes_of_rows += s->parts[i].bytes;
	}
	w->facts.n_slices = 1;
	w->facts.n_records = (uint32_t)n_records;
	w->facts.row_bytes = bytes_of_rows;
	w->about = w->plain ? NULL : &w->facts;
	rc = scap__section_write(w, SCAP__SECTION_SLICE);
	w->about = NULL;
	if (rc)
		return rc;
	w->n_slices++;
	w->n_records += n_records;
	w->row_bytes += bytes_of_rows;
	if (!w->plain)
		scap__index_section(w, SCAP__SECTION_SLICE, &w->facts);
	return 0;
}

static size_t slice_bytes(const struct scap_slice *s)
{
	size_t n = sizeof(struct scap__slice_header) +
		   (size_t)s->n_parts * sizeof(struct scap__slice_part);

	for (uint32_t i = 0; i < s->n_parts; i++)
		n += s->parts[i].bytes;
	return n;
}

/* Bytes of the part before its first record at or after ns. */
static size_t bytes_before(const struct scap_slice_part *part, uint64_t ns)
{
	const uint8_t *rows = part->rows;
	size_t at = 0;

	while (at + sizeof(struct scap_rec) <= part->bytes && scap__le16(rows + at) &&
	       scap__le64(rows + at + 8) < ns)
		at += (size_t)scap__le16(rows + at) * 8;
	return at < part->bytes ? at : part->bytes;
}

static int put_slice(struct scap_writer *w, const struct scap_slice *s);

/* Both halves of a slice that is too large for a section. */
static int split_slice(struct scap_writer *w, const struct scap_slice *s)
{
	uint64_t mid = s->start_ns + (s->end_ns - s->start_ns) / 2;
	struct scap_slice lo = *s, hi = *s;
	size_t n_bytes = s->n_parts * 2 * sizeof(*s->parts);
	struct scap_slice_part *parts;
	int rc;

	if (s->end_ns - s->start_ns < 2)
		return scap__fail(&w->error, SCAP_ELIMIT, SCAP_NO_OFFSET,
				  "more records in one nanosecond than a section holds");
	parts = scap__new(w->budget, n_bytes);
	if (!parts)
		return scap__writer_no_memory(w);
	lo.parts = parts;
	hi.parts = parts + s->n_parts;
	lo.end_ns = hi.start_ns = mid;
	for (uint32_t i = 0; i < s->n_parts; i++) {
		size_t n = bytes_before(&s->parts[i], mid);

		parts[i] = parts[s->n_parts + i] = s->parts[i];
		parts[i].bytes = n;
		if (n)
			parts[s->n_parts + i].rows = (const uint8_t *)s->parts[i].rows + n;
		parts[s->n_parts + i].bytes -= n;
	}
	rc = put_slice(w, &lo);
	if (!rc)
		rc = put_slice(w, &hi);
	scap__free(w->budget, parts, n_bytes);
	return rc;
}

static int put_slice(struct scap_writer *w, const struct scap_slice *s)
{
	size_t bytes = slice_bytes(s);

	if (bytes > SECTION_MAX_BYTES ||
	    (bytes > SECTION_AIM_BYTES && s->end_ns - s->start_ns > SECTION_MIN_NS))
		return split_slice(w, s);
	return write_slice(w, s, bytes);
}

static uint64_t part_ring(const struct scap_slice_part *part)
{
	return (uint64_t)part->cpu * SCAP_LANES + part->lane;
}

static int check_slice(const struct scap_writer *w, const struct scap_slice *s)
{
	if (s->start_ns >= s->end_ns || s->start_ns < w->last_end_ns ||
	    s->n_parts > SCAP__CPUS_MAX * SCAP_LANES)
		return -EINVAL;
	for (uint32_t i = 0; i < s->n_parts; i++)
		if (s->parts[i].bytes % SCAP__ALIGN || s->parts[i].cpu >= SCAP__CPUS_MAX ||
		    s->parts[i].lane >= SCAP_LANES ||
		    (i && part_ring(&s->parts[i]) <= part_ring(&s->parts[i - 1])))
			return -EINVAL;
	return 0;
}

/* ---- taking them ---------------------------------------------------------------------------- */

int scap_writer_slice(struct scap_writer *w, const struct scap_slice *s)
{
	int rc = 0;

	if (w->refusing)
		return w->error.code;
	if (check_slice(w, s))
		return scap__fail(&w->error, -EINVAL, SCAP_NO_OFFSET,
				  "slices must be in order and their parts too");
	w->last_end_ns = s->end_ns;
	if (!w->groups)
		return put_slice(w, s);
	for (uint32_t i = 0; !rc && i < s->n_parts; i++)
		rc = check_part(w, &s->parts[i]);
	if (rc)
		return rc;
	if (slice_bytes(s) <= SECTION_MAX_BYTES)
		return scap__groups_slice(w, s);
	rc = scap__groups_flush(w);
	return rc ? rc : put_slice(w, s);
}

/* ---- the end ------------------------------------------------------------------------------- */

uint64_t scap_writer_bytes(const struct scap_writer *w)
{
	return w->bytes;
}

int scap_writer_flush(struct scap_writer *w)
{
	return w->refusing ? w->error.code : scap__groups_flush(w);
}

uint64_t scap_writer_pending(const struct scap_writer *w)
{
	return w->groups ? scap__groups_pending(w->groups) : 0;
}

const struct scap_error *scap_writer_error(const struct scap_writer *w)
{
	return &w->error;
}

/* A section of a header and what each ring's next number is. */
static int write_rings(struct scap_writer *w, uint16_t type, const void *head, size_t n,
		       const struct scap_ring_end *rings, uint32_t n_rings)
{
	int rc = scap__section_begin(w);

	if (rc)
		return rc;
	if (scap__buffer_reserve(&w->raw, n + (size_t)n_rings * sizeof(struct scap__ring_seq)))
		return scap__writer_no_memory(w);
	scap__buffer_put(&w->raw, head, n);
	for (uint32_t i = 0; i < n_rings; i++) {
		struct scap__ring_seq ring = scap__ring_seq(&rings[i]);

		scap__buffer_put(&w->raw, &ring, sizeof(ring));
	}
	return scap__section_write(w, type);
}

int scap_writer_start(struct scap_writer *w, uint64_t start_raw_ns,
		      const struct scap_ring_end *rings, uint32_t n_rings)
{
	struct scap__start_header h = {
		.start_raw_ns = htole64(start_raw_ns),
		.n_rings = htole32(n_rings),
	};

	if (w->refusing)
		return w->error.code;
	if (w->next_index != SCAP__START_INDEX || w->last_end_ns)
		return scap__fail(&w->error, -EINVAL, SCAP_NO_OFFSET,
				  "a capture's start comes before all else");
	w->last_end_ns = w->start_ns = start_raw_ns;
	w->started = true;
	scap__index_start(w, rings, n_rings);
	return write_rings(w, SCAP__SECTION_START, &h, sizeof(h), rings, n_rings);
}

static int write_end(struct scap_writer *w, uint64_t end_raw_ns, const struct scap_ring_end *rings,
		     uint32_t n_rings)
{
	struct scap__end_header h = {
		.end_raw_ns = htole64(end_raw_ns),
		.n_slices = htole64(w->n_slices),
		.n_records = htole64(w->n_records),
		.row_bytes = htole64(w->row_bytes),
		.n_rings = htole32(n_rings),
	};
	int rc = write_rings(w, SCAP__SECTION_END, &h, sizeof(h), rings, n_rings);

	if (!rc)
		scap__index_end(w, end_raw_ns, rings, n_rings);
	return rc;
}

int scap_writer_close(struct scap_writer *w, uint64_t end_raw_ns,
		      const struct scap_ring_end *rings, uint32_t n_rings, struct scap_error *err)
{
	struct scap_error first = w->error;
	bool had_failed = w->refusing;
	int rc = 0;

	if (rings && !w->broken)
		rc = scap__groups_flush(w);
	/* A file without an end has its tail in the journal. */
	if (rings && !w->broken && !w->only_in_journal) {
		int end_rc = write_end(w, end_raw_ns, rings, n_rings);

		if (!end_rc)
			end_rc = scap__seal_write(w, w->last_end_ns);
		if (!end_rc)
			end_rc = scap__index_write(w, end_raw_ns);
		rc = rc ? rc : end_rc;
	}
	scap__journal_close(w, !rc && rings && !w->only_in_journal);
	if (had_failed) {
		w->error = first;
		rc = first.code;
	}
	if (!rc && w->sink.close) {
		rc = w->sink.close(w->sink.ctx);
		w->sink.close = NULL;
		if (rc < 0)
			scap__fail(&w->error, rc, SCAP_NO_OFFSET, "closing the capture failed: %s",
				   strerror(-rc));
	}
	return give_up(w, err, rc);
}
