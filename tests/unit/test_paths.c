/* SPDX-License-Identifier: MIT */
/* Paths: where relative ones start from, and what a thread with another root sees. */
#include <criterion/criterion.h>
#include <scap/print.h>

#include "format/intro.h"
#include "support_rows.h"
#include "test_filter_event.h"

#define U(x) ((uint64_t)(x))
#define X64 SCAP_ABI_X86_64
#define CWD U(0xffffff9c)

static const char *line(const struct scap_event *ev)
{
	static char text[20000];

	scap_print_text(ev, NULL, text, sizeof(text));
	return text;
}

static void expect(const struct scap_event *ev, const char *name, const char *want)
{
	cr_expect_str_eq(test_field(name, ev), want, "%s is %s, should be %s", name,
			 test_field(name, ev), want);
}

Test(paths, plain_call)
{
	struct scap_event ev;
	struct scap__file cwd;

	test_call(&ev, X64, "stat", -2, 2, U(1), U(2));
	test_str(&ev, 0, "a/../b/./c//d/..");
	expect(&ev, "fs.path.name", "a/../b/./c//d/..");
	test_file(&cwd, "/srv/here");
	ev.file = &cwd;
	expect(&ev, "fs.path.name", "/srv/here/b/c");
	expect(&ev, "fs.path.nameraw", "a/../b/./c//d/..");
	expect(&ev, "evt.arg.cwd", "/srv/here");
	expect(&ev, "fs.path.source", "<NA>");
	expect(&ev, "fd.num", "<NA>");
	ev.n_blobs = 0;
	test_str(&ev, 0, "../../../../etc");
	expect(&ev, "fs.path.name", "/etc");
	ev.n_blobs = 0;
	test_str(&ev, 0, "/abs/./x");
	expect(&ev, "fs.path.name", "/abs/x");
	expect(&ev, "evt.arg.cwd", "<NA>");
	ev.n_blobs = 0;
	test_blob(&ev, 0, SCAP_STATE_UNREADABLE, "", 0, 0);
	expect(&ev, "fs.path.name", "<NA>");
	ev.n_blobs = 0;
	test_str(&ev, 0, "");
	expect(&ev, "fs.path.name", "/srv/here");
}

Test(paths, two_paths)
{
	struct scap_event ev;
	struct scap__file a, b;

	test_file(&a, "/first");
	test_file(&b, "/");
	test_call(&ev, X64, "renameat2", 0, 5, CWD, U(1), U(7), U(2), U(0));
	test_str(&ev, 1, "x");
	test_str(&ev, 3, "y");
	ev.file = &a;
	ev.file2 = &b;
	expect(&ev, "fs.path.source", "/first/x");
	expect(&ev, "fs.path.target", "/y");
	expect(&ev, "fs.path.name", "<NA>");
	expect(&ev, "evt.arg.olddirfd", "AT_FDCWD</first>");
	expect(&ev, "evt.arg.newdirfd", "7</>");
	expect(&ev, "evt.arg.cwd", "<NA>");
	/* Only the second path is relative. */
	test_call(&ev, X64, "rename", 0, 2, U(1), U(2));
	test_str(&ev, 0, "/abs");
	test_str(&ev, 1, "y");
	ev.file2 = &a;
	expect(&ev, "fs.path.source", "/abs");
	expect(&ev, "fs.path.target", "/first/y");
	expect(&ev, "fs.path.sourceraw", "/abs");
	expect(&ev, "fs.path.targetraw", "y");
	expect(&ev, "evt.arg.cwd", "/first");
}

/* The first place belongs to a descriptor that is no directory. */
Test(paths, behind_another_descriptor)
{
	struct scap_event ev;
	struct scap__file watch, cwd;

	test_file(&watch, "anon_inode:inotify");
	test_file(&cwd, "/w");
	test_call(&ev, X64, "inotify_add_watch", 1, 3, U(5), U(1), U(2));
	test_str(&ev, 1, "x");
	ev.file = &watch;
	expect(&ev, "fs.path.name", "x");
	ev.file2 = &cwd;
	expect(&ev, "fs.path.name", "/w/x");
	expect(&ev, "fd.name", "anon_inode:inotify");
}

Test(paths, results_are_places)
{
	struct scap_event ev;
	struct scap__file to;

	test_file(&to, "/real/place");
	test_call(&ev, X64, "chdir", 0, 1, U(1));
	test_str(&ev, 0, "link");
	ev.file = &to;
	expect(&ev, "fs.path.name", "/real/place");
	expect(&ev, "evt.arg.resolved", "/real/place");
	expect(&ev, "evt.arg.cwd", "<NA>");
	ev.ret = -2;
	expect(&ev, "fs.path.name", "/real/place/link");
	expect(&ev, "evt.arg.cwd", "/real/place");
	/* An open has its file, and its directory behind it. */
	test_call(&ev, X64, "openat", 3, 4, U(9), U(1), U(0), U(0));
	test_str(&ev, 1, "x");
	ev.file = &to;
	expect(&ev, "fs.path.name", "/real/place");
	test_call(&ev, X64, "execve", -2, 3, U(1), U(2), U(3));
	test_str(&ev, SCAP_SLOT_FILENAME, "./prog");
	ev.file = &to;
	expect(&ev, "fs.path.name", "/real/place/prog");
	expect(&ev, "evt.arg.cwd", "/real/place");
}

/* The longest paths of both, and names that are none. */
Test(paths, bounds)
{
	static char dir[SCAP_PATH_MAX_BYTES + 1], name[SCAP_PATH_MAX_BYTES + 1];
	struct scap_event ev;
	struct scap__file cwd;

	memset(dir, 'd', SCAP_PATH_MAX_BYTES);
	dir[0] = '/';
	memset(name, 'n', SCAP_PATH_MAX_BYTES);
	test_file(&cwd, dir);
	test_call(&ev, X64, "stat", -36, 2, U(1), U(2));
	test_str(&ev, 0, name);
	ev.file = &cwd;
	cr_expect_eq(strlen(test_field("fs.path.name", &ev)), 2 * SCAP_PATH_MAX_BYTES + 1);
	test_file(&cwd, "pipe:[5]");
	cr_expect_eq(strlen(test_field("fs.path.name", &ev)), SCAP_PATH_MAX_BYTES);
	test_call(&ev, X64, "stat", -36, 2, U(1), U(2));
	expect(&ev, "fs.path.name", "<NA>");
}

Test(paths, second_descriptors)
{
	struct scap_event ev;
	struct scap__file in, out;

	test_file(&in, "/in");
	test_file(&out, "/out");
	test_call(&ev, X64, "copy_file_range", 5, 6, U(3), U(0), U(4), U(0), U(5), U(0));
	ev.file = &in;
	ev.file2 = &out;
	expect(&ev, "evt.arg.fd_in", "3</in>");
	expect(&ev, "evt.arg.fd_out", "4</out>");
	expect(&ev, "fd.name", "/in");
}

Test(paths, marks)
{
	struct scap_event ev;
	struct scap__file f;

	test_file(&f, "/x");
	test_call(&ev, X64, "fsync", 0, 1, U(3));
	ev.file = &f;
	f.flags = SCAP_FILE_DELETED | SCAP_FILE_UNCERTAIN | SCAP_FILE_DETACHED;
	f.seen = SCAP__SEEN_OUTSIDE;
	cr_expect(strstr(line(&ev), "fd=3</x>(deleted)(uncertain)(detached)(outside) "), "%s",
		  line(&ev));
}

/* ---- roots --------------------------------------------------------------------------------- */

static struct scap__intros intros;
static struct scap__budget budget = { .limit = 1 << 20 };

static void introduce(const struct rows *r, struct scap_event *ev)
{
	const char *what = "";

	memset(ev, 0, sizeof(*ev));
	cr_assert_eq(scap__event_decode(r->p, r->n, ev, &what), 0, "%s", what);
	cr_assert_eq(scap__intros_add(&intros, ev), 0);
}

static void thread(const char *root, uint32_t flags, uint32_t ns_mnt)
{
	struct scap_rec_intro i = { .tid = 7, .tgid = 7, .thread_flags = flags, .ns_mnt = ns_mnt,
				    .cgroup_id = 33,
				    .comm = "jailed" };
	struct rows r = { 0 };
	size_t at = rows_begin(&r, SCAP_REC_INTRO, 0, 0, 0);
	struct scap_event ev;

	rows_put(&r, (uint8_t *)&i + sizeof(i.h), sizeof(i) - sizeof(i.h));
	if (root)
		rows_blob(&r, SCAP_SLOT_PATH, 0, root, strlen(root), (uint32_t)strlen(root));
	rows_end(&r, at);
	introduce(&r, &ev);
	memset(r.p, 'x', r.n);		/* what counts is kept */
	rows_free(&r);
}

static void file(const char *path, uint32_t ns_mnt)
{
	struct scap_rec_file f = { .cookie = 5, .kind = SCAP_KIND_FILE, .ns_mnt = ns_mnt };
	struct rows r = { 0 };
	size_t at = rows_begin(&r, SCAP_REC_FILE, 0, 0, 0);
	struct scap_event ev;

	rows_put(&r, (uint8_t *)&f + sizeof(f.h), sizeof(f) - sizeof(f.h));
	rows_blob(&r, SCAP_SLOT_PATH, 0, path, strlen(path), (uint32_t)strlen(path));
	rows_end(&r, at);
	introduce(&r, &ev);
	rows_free(&r);
}

static void use(struct scap_event *ev)
{
	test_call(ev, X64, "fsync", 0, 1, U(3));
	ev->tid = 7;
	ev->cookie = 5;
	scap__intros_attach(&intros, ev);
}

static void begin(void)
{
	scap__intros_init(&intros, &budget);
	scap__intros_enter_epoch(&intros, 1);
}

static void end(void)
{
	scap__intros_fini(&intros);
}

Test(paths, below_a_root, .init = begin, .fini = end)
{
	static const struct {
		const char *path, *shown;
	} t[] = {
		{ "/srv/jail/etc/x", "3</etc/x>" }, { "/srv/jail", "3</>" },
		{ "/srv/jailbird", "3</srv/jailbird>(outside)" },
		{ "/srv", "3</srv>(outside)" }, { "pipe:[3]", "3<pipe:[3]>" },
	};
	struct scap_event ev;

	thread("/srv/jail", SCAP_THREAD_CHROOT, 0);
	thread("/srv/jail", SCAP_THREAD_CHROOT, 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		file(t[i].path, 0);
		use(&ev);
		expect(&ev, "evt.arg.fd", t[i].shown);
		cr_expect(strstr(line(&ev), "res=0 [root /srv/jail]"), "%s", line(&ev));
	}
	expect(&ev, "proc.root", "/srv/jail");
	thread("/other", SCAP_THREAD_CHROOT | SCAP_THREAD_ROOT_DOUBT, 0);
	use(&ev);
	cr_expect(strstr(line(&ev), "[root /other?]"), "%s", line(&ev));
	thread(NULL, SCAP_THREAD_ROOT_DOUBT, 0);
	use(&ev);
	expect(&ev, "proc.root", "<NA>");
	thread(NULL, 0, 0);
	file("/srv/jail/x", 0);
	use(&ev);
	expect(&ev, "evt.arg.fd", "3</srv/jail/x>");
	expect(&ev, "proc.root", "/");
}

Test(paths, other_mounts, .init = begin, .fini = end)
{
	struct scap_event ev;

	thread(NULL, SCAP_THREAD_OTHER_MNT, 22);
	file("/x", 22);
	use(&ev);
	cr_expect(strstr(line(&ev), "fd=3</x> res=0 [mnt 22]"), "%s", line(&ev));
	expect(&ev, "proc.mntns", "22");
	expect(&ev, "proc.cgroup", "33");
	file("/x", 21);
	use(&ev);
	cr_expect(strstr(line(&ev), "fd=3</x>(outside) res=0 [mnt 22]"), "%s", line(&ev));
	/* The same text, but not below that root. */
	thread("/x", SCAP_THREAD_OTHER_MNT | SCAP_THREAD_CHROOT, 22);
	file("/x/y", 21);
	use(&ev);
	expect(&ev, "evt.arg.fd", "3</x/y>(outside)");
}

Test(paths, roots_that_are_refused)
{
	struct scap_rec_intro i = { .tid = 7 };
	const char *what = "";
	struct scap_event ev;

	for (unsigned k = 0; k < 2; k++) {
		struct rows r = { 0 };
		size_t at = rows_begin(&r, SCAP_REC_INTRO, 0, 0, 0);

		rows_put(&r, (uint8_t *)&i + sizeof(i.h), sizeof(i) - sizeof(i.h));
		rows_blob(&r, SCAP_SLOT_PATH + !k, 0, "/x", 2, 2);
		if (k)
			rows_blob(&r, SCAP_SLOT_NAME, 0, "/x", 2, 2);
		rows_end(&r, at);
		cr_expect_eq(scap__event_decode(r.p, r.n, &ev, &what), SCAP_EDAMAGED);
		rows_free(&r);
	}
}
