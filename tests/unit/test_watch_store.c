/* SPDX-License-Identifier: MIT */
/* The directory of captures: names, what is kept, and what others plant there. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "watch/store.h"
#include "watch/store_dir.h"

#define NOON 1795953600123000000ULL	/* 2026-11-29T12:00:00.123Z */
#define NS 1000000000ULL

static char dir[100];
static struct watch_config config;
static struct store *store;
static char err[512];

static const char *in_dir(const char *name)
{
	static char path[4][400];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static void set_up(void)
{
	strcpy(dir, "/tmp/scap-store-XXXXXX");
	cr_assert(mkdtemp(dir));
	config = (struct watch_config){ .dir = dir };
}

static void open_store(void)
{
	store = store_open(&config, -1, -1, err, sizeof(err));
	cr_assert(store, "%s", err);
}

static void clean_up(void)
{
	char command[200];

	store_close(store);
	store = NULL;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static void fails_to_open(const char *text)
{
	struct store *s = store_open(&config, -1, -1, err, sizeof(err));

	cr_assert_null(s);
	cr_assert(strstr(err, text), "%s", err);
}

/* A finished capture of so many bytes; its id. */
static uint32_t capture(const char *trigger, uint64_t real_ns, size_t bytes)
{
	uint32_t id;
	int fd = store_create(store, trigger, real_ns, &id);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
	cr_assert_eq(store_finish(store, id, NULL), 0);
	return id;
}

static void put(const char *name, size_t bytes, uint64_t mtime_s)
{
	struct timespec times[2] = { { .tv_sec = (time_t)mtime_s }, { .tv_sec = (time_t)mtime_s } };
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)bytes), 0);
	cr_assert_eq(futimens(fd, times), 0);
	close(fd);
}

static bool is_there(const char *name)
{
	struct stat st;

	return !lstat(in_dir(name), &st);
}

static unsigned n_there(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

TestSuite(watch_store, .init = set_up, .fini = clean_up);

/* ---- names ---------------------------------------------------------------------------------- */

Test(watch_store, names)
{
	char name[400], host[100];
	struct stat st;
	uint32_t id;
	int fd;

	open_store();
	umask(0);
	fd = store_create(store, "http-5xx", NOON, &id);
	cr_assert_geq(fd, 0);
	close(fd);
	gethostname(host, sizeof(host));
	snprintf(name, sizeof(name), "%s/20261129T120000.123Z-http-5xx-%s.scapz", dir, host);
	cr_assert_str_eq(store_path(store, id), name);
	snprintf(name, sizeof(name), ".20261129T120000.123Z-http-5xx-%s.part", host);
	cr_assert(is_there(name));
	cr_assert_neq(access(store_path(store, id), F_OK), 0);
	cr_assert_eq(store_finish(store, id, NULL), 0);
	cr_assert_eq(stat(store_path(store, id), &st), 0);
	cr_assert_eq(st.st_mode, (mode_t)(S_IFREG | 0600));
	cr_assert_not(is_there(name));
	/* Neither twice, nor one that is none. */
	cr_assert_eq(store_finish(store, id, NULL), -EINVAL);
	cr_assert_eq(store_finish(store, id + 1, NULL), -EINVAL);
	cr_assert_null(store_path(store, id + 1));
	store_drop(store, id);
	cr_assert_eq(access(store_path(store, id), F_OK), 0);
}

Test(watch_store, triggers_that_are_no_names)
{
	static const char *const odd[] = { "", "../../etc/x", "-", "a/b", "A\n\xff", "--",
		"longer-than-any-trigger-that-could-be-configured-in-a-file" };

	open_store();
	for (unsigned i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		const char *path = store_path(store, capture(odd[i], NOON, 1));

		cr_assert_eq(store_kind(path + strlen(dir) + 1), STORE_CAPTURE, "%s", path);
		cr_assert_eq(access(path, F_OK), 0);
	}
	cr_assert_eq(n_there(), sizeof(odd) / sizeof(*odd));
}

Test(watch_store, kinds)
{
	static const char *const foreign[] = { "", ".", "x.scapz", ".scapz", ".part",
		"20261129T120000.123Z.scapz", "20261129T120000.123Z-a.scapz",
		"20261129T120000.123Z--b.scapz", "20261129T120000.123Z-a-.scap",
		"20261129T120000-a-b.scapz", "20261129T120000.123Z-a-b.scapz~",
		"20261129T120000.123Z-a-b", "20261129T120000.123Z-A-b.scapz",
		"20261129T120000.123Z-a-b\xc3.scapz", "20261129T120000.123Z-a-b.part",
		".20261129T120000.123Z-a-b.scapz", "2026112xT120000.123Z-a-b.scapz" };

	for (unsigned i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		cr_assert_eq(store_kind(foreign[i]), STORE_FOREIGN, "%s", foreign[i]);
	cr_assert_eq(store_kind("20261129T120000.123Z-a-b.scapz"), STORE_CAPTURE);
	cr_assert_eq(store_kind("20261129T120000.123Z-a-b-B_9.x.cut.scapz"), STORE_CAPTURE);
	cr_assert_eq(store_kind(".20261129T120000.123Z-a-b.part"), STORE_PART);
}

/* All unfinished at a time, then finished from the last to the first. */
Test(watch_store, twenty_in_a_millisecond)
{
	uint32_t ids[20];
	char paths[20][400];

	open_store();
	for (unsigned i = 0; i < 20; i++) {
		int fd = store_create(store, "t", NOON + i, &ids[i]);

		cr_assert_geq(fd, 0);
		dprintf(fd, "%u", i);
		close(fd);
		strcpy(paths[i], store_path(store, ids[i]));
		for (unsigned k = 0; k < i; k++)
			cr_assert_str_neq(paths[k], paths[i]);
	}
	for (unsigned i = 20; i-- > 0;)
		cr_assert_eq(store_finish(store, ids[i], NULL), 0);
	cr_assert_eq(n_there(), 20);
	for (unsigned i = 0; i < 20; i++) {
		char text[8] = "";
		FILE *f = fopen(paths[i], "r");

		cr_assert(f);
		cr_assert(fgets(text, sizeof(text), f));
		fclose(f);
		cr_assert_eq(atoi(text), (int)i);
		cr_assert_str_eq(store_path(store, ids[i]), paths[i]);
	}
}

/* Whoever takes the name meanwhile keeps it, and the file gets another. */
Test(watch_store, name_taken_meanwhile)
{
	char first[400];
	struct stat st;
	uint32_t id;
	int fd;

	open_store();
	fd = store_create(store, "t", NOON, &id);
	cr_assert_eq(write(fd, "x", 1), 1);
	close(fd);
	strcpy(first, store_path(store, id));
	cr_assert_eq(symlink("/etc/passwd", first), 0);
	cr_assert_eq(store_finish(store, id, NULL), 0);
	cr_assert_str_neq(store_path(store, id), first);
	cr_assert_eq(lstat(first, &st), 0);
	cr_assert(S_ISLNK(st.st_mode));
	cr_assert_eq(stat(store_path(store, id), &st), 0);
	cr_assert_eq(st.st_size, 1);
}

Test(watch_store, many_at_a_time)
{
	uint32_t ids[1024], id;

	open_store();
	for (unsigned i = 0; i < 1024; i++) {
		int fd = store_create(store, "t", NOON + i * 1000000ULL, &ids[i]);

		cr_assert_geq(fd, 0, "%u", i);
		close(fd);
	}
	cr_assert_eq(store_create(store, "t", NOON, &id), -EMFILE);
	store_drop(store, ids[500]);
	close(store_create(store, "t", NOON, &id));
	cr_assert_null(store_path(store, ids[500]));
	cr_assert_eq(store_finish(store, id, NULL), 0);
	cr_assert_eq(store_finish(store, ids[0], NULL), 0);
}

Test(watch_store, dropped)
{
	uint32_t id;

	open_store();
	close(store_create(store, "t", NOON, &id));
	cr_assert_eq(n_there(), 1);
	store_drop(store, id);
	cr_assert_eq(n_there(), 0);
	store_drop(store, id);
	store_drop(store, 12345);
	cr_assert_eq(store_finish(store, id, NULL), -EINVAL);
}

/* ---- what others left or plant there --------------------------------------------------------- */

Test(watch_store, leftovers)
{
	struct store_totals t;

	put(".20261129T120000.123Z-t-h.part", 5, 1000);
	put(".20261129T120000.124Z-t-h.part", 0, 1000);
	put("20261129T120000.123Z-t-h.cut.scapz", 1, 1000);
	put(".part", 1, 1000);
	put(".x.part", 1, 1000);
	cr_assert_eq(symlink("/etc/passwd", in_dir(".20261129T120000.125Z-t-h.part")), 0);
	open_store();
	store_totals(store, &t);
	cr_assert_eq(t.n_adopted, 1);
	cr_assert_eq(t.n_files, 2);
	cr_assert_eq(t.bytes, 6);
	cr_assert(is_there("20261129T120000.123Z-t-h-2.cut.scapz"));
	cr_assert_not(is_there(".20261129T120000.123Z-t-h.part"));
	cr_assert_not(is_there(".20261129T120000.124Z-t-h.part"));
	cr_assert(is_there(".20261129T120000.125Z-t-h.part"));
	cr_assert(is_there(".part"));
	cr_assert(is_there(".x.part"));
}

Test(watch_store, foreign_files_stay)
{
	struct store_totals t;

	put("notes.txt", 1000000, 1);
	put("mine.scapz", 1000000, 1);
	cr_assert_eq(mkdir(in_dir("20201129T120000.123Z-t-h.scapz"), 0700), 0);
	cr_assert_eq(symlink("notes.txt", in_dir("20201129T120000.124Z-t-h.scapz")), 0);
	cr_assert_eq(mkfifo(in_dir("20201129T120000.125Z-t-h.scapz"), 0600), 0);
	config.keep_count = 1;
	config.keep_bytes = 10;
	config.keep_age_ns = NS;
	open_store();
	capture("t", NOON, 5);
	capture("t", NOON, 5);
	store_totals(store, &t);
	cr_assert_eq(t.n_files, 1);
	cr_assert_eq(t.bytes, 5);
	cr_assert_eq(t.n_deleted, 1);
	cr_assert_eq(n_there(), 6);
}

Test(watch_store, planted_links)
{
	struct store_scan scan;
	char host[100], name[300];
	uint32_t id;
	int fd;

	open_store();
	gethostname(host, sizeof(host));
	snprintf(name, sizeof(name), ".20261129T120000.123Z-t-%s.part", host);
	put("victim", 100, 1000);
	cr_assert_eq(symlink(in_dir("victim"), in_dir(name)), 0);
	fd = store_create(store, "t", NOON, &id);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "x", 1), 1);
	close(fd);
	cr_assert_eq(store_finish(store, id, NULL), 0);
	fd = open(dir, O_RDONLY);
	cr_assert_eq(store_scan(fd, &scan), 0);
	cr_assert_eq(scan.n, 1);
	cr_assert_eq(scan.n_foreign, 2);
	cr_assert_eq(scan.bytes, 1);
	store_scan_free(&scan);
	close(fd);
}

Test(watch_store, one_recorder_at_a_time)
{
	open_store();
	fails_to_open("another scap watch");
}

Test(watch_store, directories_that_will_not_do)
{
	char longer[200];

	cr_assert_eq(chmod(dir, 01777), 0);
	fails_to_open("anybody may write");
	cr_assert_eq(chmod(dir, 0700), 0);
	put("file", 1, 1);
	snprintf(longer, sizeof(longer), "%s/file", dir);
	config.dir = longer;
	fails_to_open("Not a directory");
	snprintf(longer, sizeof(longer), "%s/a/b", dir);
	fails_to_open("cannot make the directory");
	snprintf(longer, sizeof(longer), "%s/a", dir);
	open_store();
	cr_assert(is_there("a"));
	config.dir = dir;
}

/* What is told of a capture is its whole path. */
Test(watch_store, long_path)
{
	char longer[STORE_PATH_BYTES];
	int n = snprintf(longer, sizeof(longer), "%s/", dir);

	config.dir = longer;
	memset(longer + n, 'x', 150);
	longer[n + 150] = 0;
	cr_assert_eq(mkdir(longer, 0700), 0);
	longer[n + 150] = '/';
	memset(longer + n + 151, 'y', (size_t)(311 - n - 151));
	longer[311] = 0;
	open_store();
	store_close(store);
	store = NULL;
	longer[311] = 'y';
	longer[312] = 0;
	fails_to_open("too long: 311 bytes at most");
	config.dir = dir;
}

/* A link may be of whoever owns the directory above: what it leads to is nobody's to give. */
Test(watch_store, links_are_not_given)
{
	char name[120];
	struct stat st;

	if (geteuid())
		cr_skip_test("needs root");
	cr_assert_eq(mkdir(in_dir("roots"), 0700), 0);
	cr_assert_eq(symlink("roots", in_dir("link")), 0);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s/link%s", dir, i ? "//" : "");
		config.dir = name;
		cr_expect_null(store_open(&config, 12345, 12346, err, sizeof(err)));
		cr_expect(strstr(err, "is a link: chown"), "%s", err);
		cr_assert_eq(stat(in_dir("roots"), &st), 0);
		cr_expect_eq(st.st_uid, 0U);
	}
	cr_assert_eq(chown(in_dir("roots"), 12345, 12346), 0);
	store = store_open(&config, 12345, 12346, err, sizeof(err));
	cr_expect(store, "%s", err);
	config.dir = dir;
}

Test(watch_store, given_to_a_user)
{
	struct stat st;

	if (geteuid())
		cr_skip_test("needs root");
	put("notes.txt", 1, 1);
	cr_assert_null(store_open(&config, 12345, 12346, err, sizeof(err)));
	cr_assert(strstr(err, "holds other files"), "%s", err);
	unlink(in_dir("notes.txt"));
	put("20261129T120000.123Z-t-h.scapz", 1, 1);
	store = store_open(&config, 12345, 12346, err, sizeof(err));
	cr_assert(store, "%s", err);
	cr_assert_eq(stat(dir, &st), 0);
	cr_assert_eq(st.st_uid, 12345U);
	cr_assert_eq(st.st_gid, 12346U);
	/* So is what is created while we are still root. */
	cr_assert_eq(stat(store_path(store, capture("t", 1000000000, 1)), &st), 0);
	cr_assert_eq(st.st_uid, 12345U);
	cr_assert_eq(st.st_gid, 12346U);
}

/* ---- disks ---------------------------------------------------------------------------------- */

/* A file system of its own, seen by this test's process alone. */
static void mount_there(const char *options)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", dir, "tmpfs", 0, options))
		cr_skip_test("cannot mount here");
}

Test(watch_store, read_only)
{
	uint32_t id, later;

	mount_there("size=1m,mode=700");
	open_store();
	close(store_create(store, "t", NOON, &id));
	cr_assert_eq(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	cr_assert_eq(store_create(store, "t", NOON, &later), -EROFS);
	cr_assert_eq(store_finish(store, id, NULL), -EROFS);
	store_close(store);
	store = NULL;
	fails_to_open("Read-only file system");
	/* The same again, once it can be written. */
	cr_assert_eq(mount(NULL, dir, NULL, MS_REMOUNT, NULL), 0);
	open_store();
	cr_assert_eq(n_there(), 0);
	store_close(store);
	store = NULL;
	cr_assert_eq(umount(dir), 0);
}

Test(watch_store, full_disk)
{
	static const char block[4096] = "x";
	uint64_t before, after;
	unsigned n = 0;
	uint32_t id;
	int fd;

	mount_there("size=4m,nr_inodes=20,mode=700");
	open_store();
	cr_assert(store_disk_ok(store, &before));
	cr_assert_leq(before, (4U << 20) - (4U << 20) / 50 + 4096);
	fd = store_create(store, "t", NOON, &id);
	cr_assert_geq(fd, 0);
	while (store_disk_ok(store, &after) && n++ < 2000)
		cr_assert_eq(write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
	cr_assert_eq(after, 0);
	cr_assert_gt(n, 900);
	cr_assert_lt(n, 1024);
	/* Up to here there was room; it is there for the end of the file. */
	cr_assert_eq(write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
	close(fd);
	cr_assert_eq(store_finish(store, id, NULL), 0);
	for (fd = 0; fd >= 0;)
		if ((fd = store_create(store, "t", NOON, &id)) >= 0)
			close(fd);
	cr_assert_eq(fd, -ENOSPC);
	store_close(store);
	store = NULL;
	cr_assert_eq(umount(dir), 0);
}

/* ---- retention ------------------------------------------------------------------------------ */

#define N_SET 12

struct model {
	char name[64];
	uint64_t bytes, mtime_s;
	bool there;
};

static uint64_t seed = 1;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33) % n;
}

static bool holds(const struct model *m, unsigned n, uint64_t now_s)
{
	uint64_t bytes = 0, count = 0;
	bool old = false;

	for (unsigned i = 0; i < n; i++) {
		if (!m[i].there)
			continue;
		bytes += m[i].bytes;
		count++;
		old |= config.keep_age_ns && now_s - m[i].mtime_s > config.keep_age_ns / NS;
	}
	return !old && (!config.keep_bytes || bytes <= config.keep_bytes) &&
	       (!config.keep_count || count <= config.keep_count);
}

/* The oldest goes as long as anything is too much and there is more than one. */
static unsigned model_retain(struct model *m, unsigned n, uint64_t now_s)
{
	unsigned n_deleted = 0;

	while (!holds(m, n, now_s)) {
		unsigned oldest = n, left = 0;

		for (unsigned i = 0; i < n; i++) {
			left += m[i].there;
			if (m[i].there && (oldest == n || m[i].mtime_s < m[oldest].mtime_s))
				oldest = i;
		}
		if (left < 2)
			break;
		m[oldest].there = false;
		n_deleted++;
	}
	return n_deleted;
}

static void one_set(unsigned limits)
{
	uint64_t now_s = (uint64_t)time(NULL);
	struct model m[N_SET] = { 0 };
	unsigned n = rnd(N_SET + 1), n_deleted;
	struct store_totals t;

	config.keep_bytes = limits & 1 ? 1 + rnd(400) : 0;
	config.keep_count = limits & 2 ? 1 + rnd(N_SET) : 0;
	/* Half an hour beside any file's age. */
	config.keep_age_ns = limits & 4 ? (1800ULL + 3600ULL * rnd(40)) * NS : 0;
	for (unsigned i = 0; i < n; i++) {
		snprintf(m[i].name, sizeof(m[i].name), "2026%04uT%06u.000Z-t-h.scapz", rnd(10000),
			 i);
		m[i].bytes = rnd(100);
		/* No two of the same age. */
		m[i].mtime_s = now_s - 3600 * rnd(40) - 60 - i;
		m[i].there = true;
		put(m[i].name, m[i].bytes, m[i].mtime_s);
	}
	n_deleted = model_retain(m, n, now_s);
	open_store();
	store_totals(store, &t);
	cr_assert_eq(t.n_deleted, n_deleted);
	for (unsigned i = 0; i < n; i++) {
		cr_assert_eq(is_there(m[i].name), m[i].there, "limits %u, file %u of %u", limits,
			     i, n);
		unlink(in_dir(m[i].name));
		t.n_files -= m[i].there;
		t.bytes -= m[i].there ? m[i].bytes : 0;
	}
	cr_assert_eq(t.n_files, 0);
	cr_assert_eq(t.bytes, 0);
	store_close(store);
	store = NULL;
}

Test(watch_store, retention_as_in_a_model)
{
	for (unsigned i = 0; i < 1600; i++)
		one_set(i % 8);
}

Test(watch_store, the_last_one_stays)
{
	struct store_totals t;
	uint32_t id;
	int fd;

	config.keep_bytes = 10;
	open_store();
	capture("t", NOON, 100);
	store_totals(store, &t);
	cr_assert_eq(t.n_files, 1);
	/* Though its last change lies before the other's. */
	fd = store_create(store, "t", NOON, &id);
	cr_assert_eq(ftruncate(fd, 20), 0);
	cr_assert_eq(futimens(fd, (struct timespec[2]){ { .tv_sec = 1 }, { .tv_sec = 1 } }), 0);
	close(fd);
	cr_assert_eq(store_finish(store, id, NULL), 0);
	cr_assert_eq(access(store_path(store, id), F_OK), 0);
	store_totals(store, &t);
	cr_assert_eq(t.n_files, 1);
	cr_assert_eq(t.n_deleted, 1);
}

/* A time that no nanoseconds can say is the youngest or the oldest there is. */
Test(watch_store, times_without_bounds)
{
	mount_there("size=1m,mode=700");
	config.keep_count = 2;
	put("20261129T120000.123Z-t-future.scapz", 1, 20000000000);
	put("20261129T120000.123Z-t-past.scapz", 1, (uint64_t)-20000000000);
	put("20261129T120000.123Z-t-now.scapz", 1, NOON / NS);
	open_store();
	cr_expect(is_there("20261129T120000.123Z-t-future.scapz"));
	cr_expect_not(is_there("20261129T120000.123Z-t-past.scapz"));
	cr_expect(is_there("20261129T120000.123Z-t-now.scapz"));
	store_close(store);
	store = NULL;
	cr_assert_eq(umount(dir), 0);
}

Test(watch_store, unfinished_ones_stay)
{
	struct store_totals t;
	uint32_t id;

	config.keep_count = 1;
	open_store();
	close(store_create(store, "t", NOON, &id));
	for (unsigned i = 0; i < 5; i++)
		capture("t", NOON, 1);
	store_totals(store, &t);
	cr_assert_eq(t.n_files, 1);
	cr_assert_eq(t.n_deleted, 4);
	cr_assert_eq(n_there(), 2);
	cr_assert_eq(store_finish(store, id, NULL), 0);
}

Test(watch_store, configured_anew)
{
	struct store_totals t;

	open_store();
	for (unsigned i = 0; i < 5; i++)
		capture("t", NOON, 1);
	cr_assert_eq(n_there(), 5);
	config.keep_count = 2;
	store_configure(store, &config);
	store_tick(store);
	store_totals(store, &t);
	cr_assert_eq(t.n_files, 2);
	cr_assert_eq(n_there(), 2);
}
