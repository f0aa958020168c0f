/* SPDX-License-Identifier: MIT */
/* A filter as people give it, made into the kernel's form. */
#include "live/device.h"

#include "core/error.h"
#include "core/options.h"
#include "format/table.h"

#include <errno.h>
#include <linux/magic.h>
#include <scap/abi.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define NAME_MAX_BYTES 64

/* ---- system calls ------------------------------------------------------------------------- */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions and replacements that make a into b; both shorter than NAME_MAX_BYTES. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_BYTES + 1], nb = strlen(b);

	for (unsigned j = 0; j <= nb; j++)
		row[j] = j;
	for (unsigned i = 1; *a; i++, a++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= nb; j++) {
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (*a != b[j - 1]));
			diagonal = above;
		}
	}
	return row[nb];
}

/* The call whose name is nearest, if it is near enough to be what was meant. */
static const char *nearest_call(const char *word)
{
	unsigned best = 2 + strlen(word) / 4;
	const char *name = NULL;

	for (unsigned abi = SCAP_ABI_X86_64; abi <= SCAP_ABI_I386; abi++)
		for (int64_t nr = 0; nr < SCAP_NR_BITMAP; nr++) {
			const struct scap__syscall *sc = scap__syscall_lookup(abi, nr);
			unsigned d;

			if (!sc || strlen(sc->name) >= NAME_MAX_BYTES)
				continue;
			d = distance(word, sc->name);
			if (d < best) {
				best = d;
				name = sc->name;
			}
		}
	return name;
}

static int fail_call(const char *word, size_t n, struct scap_error *err)
{
	char text[NAME_MAX_BYTES];
	const char *near;

	snprintf(text, sizeof(text), "%.*s", (int)n, word);
	near = n && n < sizeof(text) ? nearest_call(text) : NULL;
	if (near)
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
				  "'%s' is not a system call; did you mean '%s'?", text, near);
	return scap__fail(err, -EINVAL, SCAP_NO_OFFSET, "'%s' is not a system call", text);
}

/* Sets the bit of this name in each ABI that has it. */
static bool choose_call(const char *word, size_t n, struct scap_filter_spec *spec)
{
	char name[NAME_MAX_BYTES];
	bool found = false;

	if (!n || n >= sizeof(name))
		return false;
	memcpy(name, word, n);
	name[n] = 0;
	for (unsigned abi = SCAP_ABI_X86_64; abi <= SCAP_ABI_I386; abi++) {
		int64_t nr = scap__syscall_nr(abi, name);

		if (nr < 0 || nr >= SCAP_NR_BITMAP)
			continue;
		spec->calls[abi][nr / 64] |= 1ULL << nr % 64;
		found = true;
	}
	return found;
}

static int choose_calls(const char *list, struct scap_filter_spec *spec, struct scap_error *err)
{
	for (;;) {
		size_t n = strcspn(list, ",");

		if (!choose_call(list, n, spec))
			return fail_call(list, n, err);
		if (!list[n])
			break;
		list += n + 1;
	}
	spec->flags |= SCAP_FILTER_CALLS;
	return 0;
}

/* ---- cgroups ------------------------------------------------------------------------------ */

/* 1: there is no such directory; 0: *ret_id; -EINVAL: it is no cgroup. */
static int cgroup_id(const char *prefix, const char *path, __u64 *ret_id)
{
	char full[4096];
	struct statfs fs;
	struct stat st;

	if (snprintf(full, sizeof(full), "%s%s%s", prefix, *prefix && *path != '/' ? "/" : "",
		     path) >= (int)sizeof(full))
		return 1;
	if (stat(full, &st) < 0 || !S_ISDIR(st.st_mode) || statfs(full, &fs) < 0)
		return 1;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return -EINVAL;
	*ret_id = st.st_ino;
	return 0;
}

static int choose_cgroup(const char *path, struct scap_filter_spec *spec, struct scap_error *err)
{
	/* A path as it is, or as /proc/PID/cgroup shows it. */
	static const char *const prefixes[] = { "", "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	bool exists = false;

	for (unsigned i = *path == '/' ? 0 : 1; i < 3; i++) {
		int rc = cgroup_id(prefixes[i], path, &spec->cgroup_ids[spec->n_cgroups]);

		if (!rc) {
			spec->flags |= SCAP_FILTER_CGROUP;
			spec->n_cgroups++;
			return 0;
		}
		exists |= rc < 0;
	}
	if (exists)
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
				  "%s is not a directory of the unified cgroup hierarchy", path);
	return scap__fail(err, -ENOENT, SCAP_NO_OFFSET,
			  "there is no cgroup %s (looked below /sys/fs/cgroup)", path);
}

/* What was there before `classes`. */
#define FILTER_BYTES_MIN offsetof(struct scap_live_filter, classes)

int scap__filter_spec(const struct scap_live_filter *in, struct scap_filter_spec *ret_spec,
		      struct scap_error *err)
{
	struct scap_filter_spec spec = { .size = sizeof(spec) };
	struct scap_live_filter copy, *f = &copy;
	int rc = in->size < FILTER_BYTES_MIN ? -EINVAL : scap__options_copy(f, sizeof(*f), in);

	if (rc < 0)
		return scap__fail(err, rc, SCAP_NO_OFFSET, "filter options of no known size");
	if (f->flags & ~(SCAP_LIVE_FAILED | SCAP_LIVE_UID | SCAP_LIVE_TREE) ||
	    f->classes & ~(SCAP_LIVE_SCHED | SCAP_LIVE_FAULT))
		return scap__fail(err, -EINVAL, SCAP_NO_OFFSET,
				  "filter flags that this library does not know");
	if (f->flags & SCAP_LIVE_FAILED)
		spec.flags |= SCAP_FILTER_FAILED;
	if (f->flags & SCAP_LIVE_UID) {
		spec.flags |= SCAP_FILTER_UID;
		spec.uid = f->uid;
	}
	if (f->flags & SCAP_LIVE_TREE || f->n_tgids)
		spec.flags |= SCAP_FILTER_TREE;
	if (f->classes & SCAP_LIVE_SCHED)
		spec.classes |= SCAP_CLASS_SCHED;
	if (f->classes & SCAP_LIVE_FAULT)
		spec.classes |= SCAP_CLASS_FAULT;
	if (f->min_latency_ns) {
		spec.flags |= SCAP_FILTER_LATENCY;
		spec.min_latency_ns = f->min_latency_ns;
	}
	if (f->calls)
		rc = choose_calls(f->calls, &spec, err);
	if (!rc && f->n_cgroups > SCAP_FILTER_CGROUPS_MAX)
		rc = scap__fail(err, -EINVAL, SCAP_NO_OFFSET, "at most %d cgroups can be chosen",
				SCAP_FILTER_CGROUPS_MAX);
	for (uint32_t i = 0; !rc && i < f->n_cgroups; i++)
		rc = choose_cgroup(f->cgroups[i], &spec, err);
	if (!rc)
		*ret_spec = spec;
	return rc;
}

int scap_live_filter_check(const struct scap_live_filter *f, struct scap_error *err)
{
	struct scap_filter_spec spec;

	return scap__filter_spec(f, &spec, err);
}
