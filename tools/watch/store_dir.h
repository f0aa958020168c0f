/* SPDX-License-Identifier: MIT */
/* What lies in the directory of captures: which names are ours, and the files that have them. */
#ifndef WATCH_STORE_DIR_H
#define WATCH_STORE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_NAME_BYTES 200	/* of a name with its end */
#define STORE_FILES_MAX (1U << 18)

/* Which of ours a name is; only regular files are. */
enum store_kind { STORE_FOREIGN, STORE_CAPTURE, STORE_PART };

struct store_file {
	char *name;
	uint64_t bytes;
	int64_t mtime_ns;
};

/* Finished captures, the oldest (by the time of the last change) first; and unfinished ones. */
struct store_scan {
	struct store_file *files;
	uint32_t n, cap;
	char **parts;
	uint32_t n_parts, cap_parts;
	uint64_t bytes;		/* of files */
	uint64_t n_foreign;
};

enum store_kind store_kind(const char *name);
/* 0 or -errno; -EOVERFLOW: more than STORE_FILES_MAX. */
int store_scan(int dir_fd, struct store_scan *ret);
void store_scan_free(struct store_scan *scan);

/* TIME-TRIGGER-HOST, safe as a name. */
void store_stem(char stem[STORE_NAME_BYTES], const char *trigger, uint64_t real_ns);
/* STEM, with "-N" behind from the second try on; then the suffix. */
void store_name(char name[STORE_NAME_BYTES], const char *prefix, const char *stem, unsigned try,
		const char *suffix);
/*
 * from gets the name STEM + suffix, or the next one that nothing has. 0 or -errno;
 * name is what it became.
 */
int store_rename(int dir_fd, const char *from, const char *stem, const char *suffix,
		 char name[STORE_NAME_BYTES]);

#endif
