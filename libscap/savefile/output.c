/* SPDX-License-Identifier: MIT */
/* The translator's other side: a capture, slice by slice, and who reads it. */
#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "format/writer.h"
#include "savefile/translator.h"

#define SLICE_AIM_BYTES	(768u << 10)
#define SLICE_MAX_BYTES	(8u << 20)	/* even if all its records have the same time */

/* ---- errors -------------------------------------------------------------------------------- */

/* A second one before the first was told is not told. */
static void set_error(struct scap__savefile *sf, int code, uint64_t offset, const char *what)
{
	const char *form = sf->begun ? "the .scap file is damaged: %.200s"
				     : "not a .scap file: %.200s";

	if (sf->pending)
		return;
	if (code == SCAP_ETRUNCATED)
		form = "the .scap file is incomplete: %.200s";
	else if (code == SCAP_EVERSION)
		form = "a .scap file that cannot be read: %.200s";
	else if (code != SCAP_EDAMAGED && code != SCAP_ENOTSCAP)
		form = "reading the .scap file failed: %.200s";
	sf->pending = scap__fail(&sf->error, code, offset, form, what);
}

int scap__sf_damaged(struct scap__savefile *sf, uint64_t offset, const char *what)
{
	set_error(sf, SCAP_EDAMAGED, offset, what);
	return 0;
}

int scap__sf_fatal(struct scap__savefile *sf, int code, const char *what)
{
	if (!sf->begun && (code == SCAP_ETRUNCATED || code == SCAP_EDAMAGED))
		code = SCAP_ENOTSCAP;
	set_error(sf, code, sf->in.offset, what);
	sf->fatal = true;
	return code;
}

static int no_memory(struct scap__savefile *sf, int code)
{
	return scap__sf_fatal(sf, code, code == SCAP_ELIMIT ?
			      "it needs more memory than the limit" : strerror(-code));
}

/* ---- the capture ----------------------------------------------------------------------------- */

static int out_write(void *ctx, const void *buf, size_t n)
{
	struct scap__savefile *sf = ctx;
	int rc = scap__sf_bytes_reserve(&sf->out, sf->budget, n);

	if (!rc)
		scap__sf_bytes_put(&sf->out, buf, n);
	return rc;
}

static int writer_failed(struct scap__savefile *sf)
{
	return no_memory(sf, scap_writer_error(sf->writer)->code);
}

int scap__sf_begin(struct scap__savefile *sf, uint64_t ns)
{
	const struct scap_writer_options opt = {
		.size = sizeof(opt), .hostname = sf->hostname, .kernel = "", .machine = "",
		.boot_id = "", .recorder = "", .filter = "", .n_cpus = sf->n_cpus, .raw_ns = ns,
		.real_ns = ns,
		.boot_ns = sf->boot_ns && sf->boot_ns < ns ? ns - sf->boot_ns : 0,
	};
	const struct scap_sink sink = { .ctx = sf, .write = out_write };
	int rc;

	if (sf->writer)
		return 0;
	sf->first_ns = sf->last_ns = ns;
	rc = scap__writer_open(&sink, -1, &opt, 0, sf->budget, &sf->writer, NULL);
	if (rc) {
		sf->out.n = 0;	/* half a beginning */
		return no_memory(sf, rc);
	}
	sf->writer->plain = true;	/* it is read at once */
	return 0;
}

static uint32_t fill_parts(const struct scap__sf_rows *r, struct scap_slice_part *parts)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n_cpus; i++)
		if (r->cpus[i].bytes.n)
			parts[n++] = (struct scap_slice_part){
				.cpu = i, .lane = SCAP_LANE_MAIN,
				.rows = r->cpus[i].bytes.p, .bytes = r->cpus[i].bytes.n,
			};
	return n;
}

int scap__sf_flush(struct scap__savefile *sf)
{
	struct scap__sf_rows *r = &sf->rows;
	uint64_t real_ns = r->start_ns - sf->ahead_ns;
	struct scap_slice slice = {
		.start_ns = r->start_ns, .end_ns = r->max_ns + 1, .real_ns = real_ns,
		.boot_ns = sf->boot_ns && sf->boot_ns < real_ns ? real_ns - sf->boot_ns : 0,
		.clock_raw_ns = r->start_ns,
	};
	size_t n = r->n_cpus * sizeof(struct scap_slice_part);
	struct scap_slice_part *parts;
	int rc;

	if (r->rc)
		return no_memory(sf, r->rc);
	if (!r->open)
		return 0;
	parts = scap__new(sf->budget, n);
	if (!parts)
		return no_memory(sf, -ENOMEM);
	slice.n_parts = fill_parts(r, parts);
	slice.parts = parts;
	rc = slice.n_parts ? scap_writer_slice(sf->writer, &slice) : 0;
	scap__free(sf->budget, parts, n);
	r->end_ns = slice.end_ns;
	scap__sf_rows_clear(r);
	return rc ? writer_failed(sf) : 0;
}

static bool slice_ends(const struct scap__sf_rows *r, uint64_t ns)
{
	bool other_epoch = ns >> SCAP_EPOCH_SHIFT != r->start_ns >> SCAP_EPOCH_SHIFT;

	if (ns <= r->max_ns)
		return r->bytes > SLICE_MAX_BYTES;
	return other_epoch || r->bytes > SLICE_AIM_BYTES;
}

/*
 * A slice ends with its epoch, or when it is large and time goes on. An event that is older than
 * the slice, because its file is not in order, stays with those around it.
 */
int scap__sf_advance(struct scap__savefile *sf, uint64_t ns)
{
	struct scap__sf_rows *r = &sf->rows;
	int rc = r->open && slice_ends(r, ns) ? scap__sf_flush(sf) : 0;

	if (rc)
		return rc;
	if (!r->open) {
		r->open = true;
		r->start_ns = r->max_ns = ns > r->end_ns ? ns : r->end_ns;
	}
	if (ns > r->max_ns)
		r->max_ns = ns;
	if (ns > sf->last_ns)
		sf->last_ns = ns;
	return r->rc ? no_memory(sf, r->rc) : 0;
}

/* Events of the same epoch keep their times, but their slices lie behind it. */
void scap__sf_forget_names(struct scap__savefile *sf)
{
	uint64_t epoch = sf->rows.end_ns >> SCAP_EPOCH_SHIFT;

	sf->rows.end_ns = (epoch + 1) << SCAP_EPOCH_SHIFT;
}

static int close_writer(struct scap__savefile *sf)
{
	struct scap__sf_rows *r = &sf->rows;
	size_t n = (r->n_cpus + 1) * sizeof(struct scap_ring_end);
	struct scap_ring_end *ends = scap__new(sf->budget, n);
	uint32_t n_ends = 0;
	int rc;

	if (!ends)
		return no_memory(sf, -ENOMEM);
	for (uint32_t i = 0; i < r->n_cpus; i++)
		if (r->cpus[i].seq)
			ends[n_ends++] = (struct scap_ring_end){ .cpu = i,
								 .next_seq = r->cpus[i].seq };
	rc = scap_writer_close(sf->writer, sf->last_ns, ends, n_ends, NULL);
	sf->writer = NULL;
	scap__free(sf->budget, ends, n);
	return rc ? no_memory(sf, rc) : 0;
}

/* A file without events is one, too. */
int scap__sf_end(struct scap__savefile *sf)
{
	int rc = scap__sf_unfinished(sf);

	if (!rc && !sf->in_events) {
		rc = scap__sf_begin(sf, sf->last_ns ? sf->last_ns : sf->boot_ns + 1);
		if (!rc)
			rc = scap__sf_keyframe(sf, sf->last_ns);
	}
	if (!rc)
		rc = scap__sf_flush(sf);
	if (!rc)
		rc = close_writer(sf);
	sf->ended = true;
	return rc;
}

/* ---- reading it ------------------------------------------------------------------------------ */

/* What there is before an error must be read before it is told. */
static void settle(struct scap__savefile *sf)
{
	if (!sf->begun || sf->ended)
		return;
	if (!sf->writer && sf->fatal && !scap__sf_begin(sf, sf->boot_ns + 1))
		scap__sf_keyframe(sf, sf->first_ns);
	if (sf->writer)
		scap__sf_flush(sf);
}

/* Damage in the lists is told when the capture has begun. */
static void step(struct scap__savefile *sf)
{
	while (sf->out_at == sf->out.n && !(sf->pending && sf->writer) && !sf->fatal &&
	       !sf->ended) {
		int rc;

		sf->out_at = sf->out.n = 0;
		rc = scap__sf_next_block(sf);
		if (rc == 1)
			scap__sf_end(sf);
		if (sf->pending && (sf->writer || sf->fatal))
			settle(sf);
	}
}

static ssize_t tell_error(struct scap__savefile *sf)
{
	int code = sf->pending;

	sf->pending = 0;
	sf->told = true;
	if (code)
		return code;
	return scap__fail(&sf->error, SCAP_ETRUNCATED, sf->in.offset,
			  "the .scap file is damaged up to its end");
}

static ssize_t sf_read(void *ctx, void *buf, size_t n)
{
	struct scap__savefile *sf = ctx;
	size_t left;

	step(sf);
	left = sf->out.n - sf->out_at;
	if (!left)
		return sf->fatal || sf->pending ? tell_error(sf) : 0;
	if (left < n)
		n = left;
	memcpy(buf, sf->out.p + sf->out_at, n);
	sf->out_at += n;
	return (ssize_t)n;
}

static void sf_close(void *ctx)
{
	struct scap__savefile *sf = ctx;

	if (sf->writer)
		scap_writer_close(sf->writer, 0, NULL, 0, NULL);
	scap__sf_state_clear(&sf->state);
	scap__sf_rows_fini(&sf->rows);
	scap__sf_bytes_fini(&sf->out, sf->budget);
	scap__sf_bytes_fini(&sf->users, sf->budget);
	scap__sf_bytes_fini(&sf->groups, sf->budget);
	scap__inflow_fini(&sf->in, sf->budget);
	scap__free(sf->budget, sf, sizeof(*sf));
}

static bool is_ours(const uint8_t *p, size_t n)
{
	return scap__inflow_is_packed(p, n) || (n >= 4 && !memcmp(p, "\n\r\r\n", 4));
}

int scap__savefile_open(struct scap__input *in, struct scap__budget *budget,
			struct scap__savefile **ret)
{
	struct scap_source src = { .read = sf_read, .close = sf_close };
	struct scap__savefile *sf;
	const uint8_t *p;
	ssize_t got = scap__input_peek(in, 4, &p);
	int rc;

	if (got < 0 || !is_ours(p, (size_t)got))
		return got < 0 ? (int)got : 0;
	sf = scap__new(budget, sizeof(*sf));
	if (!sf)
		return -ENOMEM;
	sf->budget = budget;
	scap__sf_state_init(&sf->state, budget);
	scap__sf_rows_init(&sf->rows, budget);
	scap__sf_effects_init(sf);
	rc = scap__inflow_init(&sf->in, in, budget);
	src.ctx = sf;
	if (!rc)
		rc = scap__input_init(in, &src, budget);
	else
		*in = (struct scap__input){ .src = src };
	if (!rc)
		*ret = sf;
	return rc;
}

void scap__savefile_after(struct scap__savefile *sf, int rc, struct scap_error *err,
			  struct scap_capture_info *info)
{
	if (rc < 0 && sf->told) {
		*err = sf->error;
		sf->told = false;
	}
	info->file_bytes = sf->in.input.offset;
	info->translated = true;
	info->n_untranslated = sf->n_untranslated;
}
