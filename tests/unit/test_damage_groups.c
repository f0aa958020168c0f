/* SPDX-License-Identifier: MIT */
/* Damage at every place of a capture of groups, seals and keyframes. */
#include "test_damage_read.h"

#include "core/crc32c.h"

static size_t n_numbered(const struct mode *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->orig.n; i++)
		n += m->orig.seen[i].num != 0;
	return n;
}

/* A keyframe, a group of two slices, a keyframe ..., and a seal now and then. */
static void make(void)
{
	unsigned n[SCAP__SECTION_LAST_KNOWN + 1] = { 0 };

	rows_capture(&cap, &(struct capture_spec){ .seed = 11, .n_cpus = 2, .n_slices = 4,
		     .per_slice = 5, .keyframes = true, .slices_per_epoch = 1,
		     .groups = true });
	find_sections();
	for (unsigned i = 0; i < n_sections; i++)
		n[header(i)->type]++;
	cr_assert_eq(n[SCAP__SECTION_GROUP], 2);
	cr_assert_eq(n[SCAP__SECTION_KEYFRAME], 4);
	cr_assert_eq(n[SCAP__SECTION_SEAL], 2);
	for (unsigned i = 0; i < MODES; i++)
		learn(&modes[i], 1);
	/* Groups in which anything is missing come whole. */
	for (unsigned i = 2; i < MODES; i++) {
		cr_assert_gt(n_numbered(&modes[i]), 20);
		cr_assert_lt(n_numbered(&modes[i]), n_numbered(&modes[0]) / 4 * 3);
	}
}

static uint64_t n_attempts(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < cap.n_cpus; i++)
		n += cap.ends[i].next_seq;
	return n;
}

/* ---- tests ----------------------------------------------------------------------------------- */

TestSuite(damage_groups, .init = make, .fini = drop, .timeout = 280);

static void truncate_everywhere(const struct mode *m)
{
	size_t seal = at_section[n_sections - 2], index = at_section[n_sections - 1];

	for (size_t n = 0; n < cap.file.n; n++) {
		struct outcome o = read_damaged(m, cap.file.p, n);

		/* Behind END only seal and index are missing: nobody promised any. */
		if (n == seal || n == index) {
			cr_assert_eq(o.last_rc, 1);
			cr_assert_eq(o.n_prefix, m->orig.n);
			continue;
		}
		cr_assert_eq(o.n_told, 1, "cut at %zu: told %u times", n, o.n_told);
		if (o.open_rc) {
			cr_assert_eq(o.open_rc, n ? SCAP_ETRUNCATED : SCAP_ENOTSCAP);
			continue;
		}
		/* What has not even its header may be anything. */
		cr_assert_eq(o.first_rc, (n > seal && n < seal + HEAD) ||
			     (n > index && n < index + HEAD) ? SCAP_EDAMAGED :
			     SCAP_ETRUNCATED, "cut at %zu: %d", n, o.first_rc);
		cr_assert_eq(o.n_prefix, events_before(m, n), "cut at %zu: %zu", n, o.n_prefix);
		cr_assert_eq(o.complete, n > seal);
	}
}

/* No more than the section that was hit is lost, and of a keyframe the parts that go with it. */
static void check_rest(const struct mode *m, const struct outcome *o, unsigned section)
{
	size_t end = at_section[section + 1];

	for (size_t i = 0; i < m->orig.n; i++)
		cr_assert(o->delivered[m->orig.seen[i].whole] || m->orig.seen[i].body.in_keyframe ||
			  m->orig.seen[i].section_end == end, "section %u: event %zu is missing",
			  section, i);
	if (header(section)->type == SCAP__SECTION_END)
		return;
	cr_assert(o->complete);
	cr_assert_eq(o->last_rc, 1);
	if (m->flags & SCAP_READER_BOOKKEEPING)
		cr_assert_eq(o->n_attempts, n_attempts());
}

static void flip_everywhere(const struct mode *m, uint64_t seed)
{
	for (size_t at = 0; at < cap.file.n; at++) {
		uint8_t x = seed ? 1 + rows_random(&seed) % 255 : 1u << at % 8;
		struct outcome o;

		cap.file.p[at] ^= x;
		o = read_damaged(m, cap.file.p, cap.file.n);
		cap.file.p[at] ^= x;
		cr_assert_geq(o.n_told, 1, "byte %zu: nothing was told", at);
		if (at < sizeof(struct scap__file_header)) {
			cr_assert_neq(o.open_rc, 0);
			continue;
		}
		cr_assert_eq(o.open_rc, 0);
		cr_assert_eq(o.first_rc, SCAP_EDAMAGED, "byte %zu: %d", at, o.first_rc);
		cr_assert_eq(o.n_prefix, events_before(m, at), "byte %zu: %zu", at, o.n_prefix);
		check_rest(m, &o, section_of(at));
	}
}

/* The section's own checksums are right again: those within a group must catch it. */
static void flip_groups_inside(const struct mode *m)
{
	for (unsigned i = 0; i < n_sections; i++) {
		struct scap__section_header *h = header(i), keep = *h;

		if (h->type != SCAP__SECTION_GROUP)
			continue;
		for (size_t k = 0; k < h->stored_bytes; k++) {
			uint8_t *p = (uint8_t *)(h + 1);
			struct outcome o;

			p[k] ^= 1u << k % 8;
			h->payload_crc = scap__crc32c(0, p, h->stored_bytes);
			h->crc = scap__crc32c(0, h, HEAD - 4);
			o = read_damaged(m, cap.file.p, cap.file.n);
			p[k] ^= 1u << k % 8;
			*h = keep;
			/* What is not chosen need not be looked at. */
			if (m->filter && !o.n_told) {
				cr_assert_eq(o.n_prefix, m->orig.n);
				continue;
			}
			cr_assert_eq(o.first_rc, SCAP_EDAMAGED, "section %u, %zu", i, k);
			cr_assert_geq(o.n_prefix, events_before(m, at_section[i]));
			check_rest(m, &o, i);
		}
	}
}

#define OF_MODE(nr, name) \
	Test(damage_groups, name##_truncated) { truncate_everywhere(&modes[nr]); } \
	Test(damage_groups, name##_flipped) { flip_everywhere(&modes[nr], nr); } \
	Test(damage_groups, name##_flipped_inside) { flip_groups_inside(&modes[nr]); }

OF_MODE(0, all)
OF_MODE(1, sealed)
OF_MODE(2, chosen)
OF_MODE(3, chosen_sealed)
