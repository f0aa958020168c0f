/* SPDX-License-Identifier: MIT */
/*
 * The directory is read anew whenever something may have to go: it is the only list of captures, so
 * that what others add or delete there is never a surprise.
 */
#define _GNU_SOURCE
#include "watch/store.h"

#include "opts.h"
#include "watch/hooks.h"
#include "watch/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "watch/fail.h"

#define SLOTS 1024		/* captures at a time; paths are kept as long */
#define TICK_NS 10000000000	/* between two looks at what is too old */
#define FREE_MIN_BYTES (64ULL << 20)
#define TRIES_MAX 10000

struct slot {
	uint32_t id;
	bool open;
	char stem[STORE_NAME_BYTES];
	char part[STORE_NAME_BYTES];
	char *path;		/* NULL: never used */
};

/* Retention. */
struct keep {
	uint64_t bytes, age_ns;
	uint32_t count;
};

struct store {
	int fd;
	char *dir;		/* absolute */
	bool linked;		/* a link led there */
	int64_t uid, gid;	/* of what is created; -1: whoever creates it */
	struct hooks *hooks;	/* NULL: none are run */
	struct hook_job job;
	struct slot slots[SLOTS];
	uint32_t last_id;
	char newest[STORE_NAME_BYTES];	/* finished last in this run; "": none */
	uint64_t ticked_ns;
	int retain_rc;		/* what went wrong when it was last tried */
	pthread_mutex_t lock;	/* of what follows, and of hooks */
	struct keep keep;
	char **hook;		/* NULL: none */
	uint64_t hook_timeout_ns;
	uint32_t hook_parallel;
	struct store_totals totals;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- configuration -------------------------------------------------------------------------- */

static void free_words(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

static char **copy_words(char **words)
{
	size_t n = 0;
	char **copy;

	while (words[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(words[i]);
		if (!copy[i]) {
			free_words(copy);
			return NULL;
		}
	}
	return copy;
}

bool store_configure(struct store *s, const struct watch_config *c)
{
	bool wanted = c->hook && c->hook[0];
	char **hook = wanted ? copy_words(c->hook) : NULL, **old = hook;
	bool ok = hook || !wanted;

	pthread_mutex_lock(&s->lock);
	s->keep = (struct keep){
		.bytes = c->keep_bytes, .age_ns = c->keep_age_ns, .count = c->keep_count,
	};
	s->hook_timeout_ns = c->hook_timeout_ns;
	s->hook_parallel = c->hook_parallel;
	if (ok) {
		old = s->hook;
		s->hook = hook;
	}
	pthread_mutex_unlock(&s->lock);
	free_words(old);
	return ok;
}

void store_use_hooks(struct store *s, struct hooks *h)
{
	s->hooks = h;
}

/* ---- retention ------------------------------------------------------------------------------ */

/* The one that stays in any case: the last of this run, or else the youngest. */
static uint32_t find_newest(const struct store *s, const struct store_scan *scan)
{
	for (uint32_t i = 0; *s->newest && i < scan->n; i++)
		if (!strcmp(scan->files[i].name, s->newest))
			return i;
	return scan->n - 1;
}

static bool too_much(const struct keep *keep, uint64_t n, uint64_t bytes, int64_t mtime_ns)
{
	uint64_t now = clock_ns(CLOCK_REALTIME);

	if ((keep->count && n > keep->count) || (keep->bytes && bytes > keep->bytes))
		return true;
	return keep->age_ns && mtime_ns >= 0 && (uint64_t)mtime_ns < now &&
	       now - (uint64_t)mtime_ns > keep->age_ns;
}

/* 0 or -errno of the first that could not be deleted. */
static int retain(struct store *s)
{
	struct store_scan scan;
	struct keep keep;
	uint64_t n, bytes, n_deleted = 0;
	uint32_t newest;
	int rc = store_scan(s->fd, &scan), failed = 0;

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&s->lock);
	keep = s->keep;
	pthread_mutex_unlock(&s->lock);
	n = scan.n;
	bytes = scan.bytes;
	newest = find_newest(s, &scan);
	for (uint32_t i = 0; i < scan.n && too_much(&keep, n, bytes, scan.files[i].mtime_ns); i++) {
		if (i == newest)
			continue;
		rc = unlinkat(s->fd, scan.files[i].name, 0) < 0 ? -errno : 0;
		if (rc && rc != -ENOENT) {
			failed = failed ? failed : rc;
			continue;
		}
		n--;
		bytes -= scan.files[i].bytes;
		n_deleted += !rc;
	}
	store_scan_free(&scan);
	pthread_mutex_lock(&s->lock);
	s->totals.n_files = n;
	s->totals.bytes = bytes;
	s->totals.n_deleted += n_deleted;
	pthread_mutex_unlock(&s->lock);
	return failed;
}

/* Once for a reason, however often it is tried. */
static void retain_or_say(struct store *s)
{
	int rc = retain(s);

	if (rc && rc != s->retain_rc)
		tool_error("captures that are too old or too many stay: %s", strerror(-rc));
	s->retain_rc = rc;
}

/* ---- opening -------------------------------------------------------------------------------- */

static void open_fd(struct store *s, const char *dir)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	size_t n = strlen(dir);
	char path[PATH_MAX];

	/* A '/' behind a link would have it followed. */
	while (n > 1 && dir[n - 1] == '/')
		n--;
	snprintf(path, sizeof(path), "%.*s", (int)n, dir);
	s->fd = open(path, flags | O_NOFOLLOW);
	if (s->fd >= 0)
		return;
	s->fd = open(dir, flags);
	s->linked = true;
}

static bool open_dir(struct store *s, const char *dir, char *err, size_t cap)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return fail(err, cap, "cannot make the directory %s: %s: --dir names another one",
			    dir, strerror(errno));
	open_fd(s, dir);
	s->dir = s->fd < 0 ? NULL : realpath(dir, NULL);
	if (!s->dir)
		return fail(err, cap, "cannot open the directory %s: %s: --dir names another one",
			    dir, strerror(errno));
	/* Whoever asks for a capture is told all of its path, or nothing that is true. */
	if (strlen(s->dir) + 1 + STORE_NAME_BYTES > STORE_PATH_BYTES)
		return fail(err, cap, "the path of the directory of captures is too long: %d bytes "
			    "at most", STORE_PATH_BYTES - STORE_NAME_BYTES - 1);
	/* Not on all file systems. */
	if (flock(s->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return fail(err, cap, "%s is the directory of another scap watch that runs", dir);
	return true;
}

/*
 * Only a directory that holds nothing of others is given away, and none behind a link, which may be
 * of whom it would be given to.
 */
static bool own(struct store *s, int64_t uid, int64_t gid, uint64_t n_foreign, char *err,
		size_t cap)
{
	struct stat st;

	if (fstat(s->fd, &st) < 0)
		return fail(err, cap, "cannot look at %s: %s", s->dir, strerror(errno));
	if (st.st_mode & S_IWOTH)
		return fail(err, cap, "anybody may write into %s: captures want a directory of "
			    "their own", s->dir);
	if (uid >= 0 && st.st_uid != (uid_t)uid) {
		if (n_foreign)
			return fail(err, cap, "%s belongs to user %u and holds other files, too: "
				    "chown it to user %" PRId64 ", or name another directory",
				    s->dir, st.st_uid, uid);
		if (s->linked)
			return fail(err, cap, "the directory of captures is a link: chown %s to "
				    "user %" PRId64, s->dir, uid);
		if (fchown(s->fd, (uid_t)uid, gid < 0 ? (gid_t)-1 : (gid_t)gid) < 0)
			return fail(err, cap, "cannot give %s to user %" PRId64 ": %s", s->dir,
				    uid, strerror(errno));
	}
	if (uid >= 0 && (st.st_mode & S_IRWXU) != S_IRWXU)
		return fail(err, cap, "its owner may not write into %s", s->dir);
	if (faccessat(s->fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return fail(err, cap, "cannot write into %s: %s", s->dir, strerror(errno));
	return true;
}

/* An earlier run was killed: what it had written is worth keeping, if there is any. */
static bool adopt(struct store *s, const char *part, char *err, size_t cap)
{
	char stem[STORE_NAME_BYTES], name[STORE_NAME_BYTES];
	struct stat st;
	int rc = 0;

	snprintf(stem, sizeof(stem), "%.*s", (int)strlen(part) - 6, part + 1);
	if (!fstatat(s->fd, part, &st, AT_SYMLINK_NOFOLLOW) && !st.st_size) {
		rc = unlinkat(s->fd, part, 0) < 0 ? -errno : 0;
	} else {
		rc = store_rename(s->fd, part, stem, ".cut.scapz", name);
		s->totals.n_adopted += !rc;
	}
	return !rc || fail(err, cap, "cannot give %s/%s another name: %s", s->dir, part,
			   strerror(-rc));
}

static bool take_stock(struct store *s, int64_t uid, int64_t gid, char *err, size_t cap)
{
	struct store_scan scan;
	int rc = store_scan(s->fd, &scan);
	bool ok;

	if (rc == -EOVERFLOW)
		return fail(err, cap, "%s holds more than %u captures: move some away", s->dir,
			    STORE_FILES_MAX);
	if (rc < 0)
		return fail(err, cap, "cannot read the directory %s: %s", s->dir, strerror(-rc));
	ok = own(s, uid, gid, scan.n_foreign, err, cap);
	for (uint32_t i = 0; ok && i < scan.n_parts; i++)
		ok = adopt(s, scan.parts[i], err, cap);
	store_scan_free(&scan);
	if (!ok)
		return false;
	rc = retain(s);
	return !rc || fail(err, cap, "cannot delete old captures in %s: %s", s->dir, strerror(-rc));
}

struct store *store_open(const struct watch_config *c, int64_t uid, int64_t gid, char *err,
			 size_t cap)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s) {
		fail(err, cap, "not enough memory");
		return NULL;
	}
	s->fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	s->uid = uid;
	s->gid = gid;
	if (!store_configure(s, c))
		fail(err, cap, "not enough memory");
	else if (open_dir(s, c->dir, err, cap) && take_stock(s, uid, gid, err, cap))
		return s;
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < SLOTS; i++)
		free(s->slots[i].path);
	if (s->fd >= 0)
		close(s->fd);
	free_words(s->hook);
	free(s->dir);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- a capture ------------------------------------------------------------------------------ */

static struct slot *find_slot(const struct store *s, uint32_t id)
{
	const struct slot *slot = &s->slots[id % SLOTS];

	return slot->path && slot->id == id ? (struct slot *)slot : NULL;
}

/* One that no unfinished capture has. */
static struct slot *new_slot(struct store *s)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &s->slots[++s->last_id % SLOTS];

		if (slot->open)
			continue;
		free(slot->path);
		*slot = (struct slot){ .id = s->last_id };
		return slot;
	}
	return NULL;
}

static bool set_path(const struct store *s, struct slot *slot, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", s->dir, name) < 0)
		return false;
	free(slot->path);
	slot->path = path;
	return true;
}

/* Before privileges are dropped what is created would be root's. */
static int give(const struct store *s, int fd)
{
	if (s->uid < 0 || geteuid() != 0)
		return 0;
	return fchown(fd, (uid_t)s->uid, s->gid < 0 ? (gid_t)-1 : (gid_t)s->gid) < 0 ? -errno : 0;
}

/* The descriptor of the first that neither a capture nor an unfinished one has; or -errno. */
static int create_part(struct store *s, struct slot *slot, const char *stem)
{
	char name[STORE_NAME_BYTES];
	struct stat st;

	for (unsigned try = 1; try <= TRIES_MAX; try++) {
		int fd, rc;

		store_name(name, "", stem, try, ".scapz");
		if (!fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		store_name(slot->part, ".", stem, try, ".part");
		fd = openat(s->fd, slot->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return -errno;
		store_name(slot->stem, "", stem, try, "");
		rc = set_path(s, slot, name) ? give(s, fd) : -ENOMEM;
		if (!rc)
			return fd;
		close(fd);
		unlinkat(s->fd, slot->part, 0);
		return rc;
	}
	return -EEXIST;
}

int store_create(struct store *s, const char *trigger, uint64_t real_ns, uint32_t *ret_id)
{
	char stem[STORE_NAME_BYTES];
	struct slot *slot = new_slot(s);
	int fd;

	if (!slot)
		return -EMFILE;
	store_stem(stem, trigger, real_ns);
	fd = create_part(s, slot, stem);
	if (fd < 0)
		return fd;
	slot->open = true;
	*ret_id = slot->id;
	return fd;
}

const char *store_path(const struct store *s, uint32_t id)
{
	const struct slot *slot = find_slot(s, id);

	return slot ? slot->path : NULL;
}

static void run_hook(struct store *s, const char *path, const struct scap_trigger *t)
{
	if (!s->hooks || !t)
		return;
	pthread_mutex_lock(&s->lock);
	if (s->hook && hook_job_init(&s->job, s->hook) && hook_job_trigger(&s->job, path, t)) {
		s->job.timeout_ns = s->hook_timeout_ns;
		s->job.parallel = s->hook_parallel;
		hooks_run(s->hooks, &s->job);
	} else {
		s->totals.n_hooks_skipped += s->hook != NULL;
	}
	pthread_mutex_unlock(&s->lock);
}

int store_finish(struct store *s, uint32_t id, const struct scap_trigger *t)
{
	struct slot *slot = find_slot(s, id);
	char name[STORE_NAME_BYTES];
	int rc;

	if (!slot || !slot->open)
		return -EINVAL;
	/* Also if it keeps its unfinished name: the next store_open() sees to it. */
	slot->open = false;
	rc = store_rename(s->fd, slot->part, slot->stem, ".scapz", name);
	if (rc < 0)
		return rc;
	memcpy(s->newest, name, sizeof(name));
	if (!set_path(s, slot, name))
		return -ENOMEM;
	if (fsync(s->fd) < 0)
		tool_error("%s may be gone after a crash: its directory cannot be synced: %s",
			   slot->path, strerror(errno));
	retain_or_say(s);
	run_hook(s, slot->path, t);
	return rc;
}

void store_swap(struct store *s, uint32_t a, uint32_t b)
{
	struct slot *x = find_slot(s, a), *y = find_slot(s, b);
	char part[STORE_NAME_BYTES];

	if (!x || !y || !x->open || !y->open)
		return;
	memcpy(part, x->part, sizeof(part));
	memcpy(x->part, y->part, sizeof(part));
	memcpy(y->part, part, sizeof(part));
}

void store_drop(struct store *s, uint32_t id)
{
	struct slot *slot = find_slot(s, id);

	if (!slot || !slot->open)
		return;
	unlinkat(s->fd, slot->part, 0);
	slot->open = false;
}

/* ---- the whole ------------------------------------------------------------------------------ */

bool store_disk_ok(const struct store *s, uint64_t *ret_free_bytes)
{
	uint64_t left, reserve;
	struct statvfs fs;

	*ret_free_bytes = 0;
	if (fstatvfs(s->fd, &fs) < 0)
		return false;
	reserve = (uint64_t)fs.f_blocks / 50 * fs.f_frsize;
	if (reserve > FREE_MIN_BYTES)
		reserve = FREE_MIN_BYTES;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left <= reserve)
		return false;
	*ret_free_bytes = left - reserve;
	return true;
}

void store_tick(struct store *s)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (s->ticked_ns && now - s->ticked_ns < TICK_NS)
		return;
	s->ticked_ns = now;
	retain_or_say(s);
}

void store_totals(struct store *s, struct store_totals *ret)
{
	struct hook_counts c = { 0 };

	pthread_mutex_lock(&s->lock);
	if (s->hooks)
		hooks_counts(s->hooks, &c);
	*ret = s->totals;
	pthread_mutex_unlock(&s->lock);
	ret->n_hooks = c.n_run;
	ret->n_hooks_ok = c.n_ok;
	ret->n_hooks_failed = c.n_failed;
	ret->n_hooks_killed = c.n_killed;
	ret->n_hooks_skipped += c.n_skipped;
}
