/* SPDX-License-Identifier: MIT */
/*
 * keystorm N: takes N keyframes while processes fork, exec, open, close and exchange their tables
 * as fast as they can, each of which writes down its truth. An entry must not be older than the
 * keyframe's begin, nor be of another task, and what was there all the time must be in it.
 * Even keyframes are taken with probes attached, odd ones without.
 */
#include "keyframe.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DIR "/tmp/keystorm"
#define N_OPENERS 3
#define N_SLOTS 24
#define N_KEPT 40		/* more than one look at a table takes */
#define FIRST_SLOT 100
#define FIRST_KEPT 200
#define THREAD_FD 400
#define EXCHANGER N_OPENERS	/* it has descriptors that stay, too */
#define N_FORKERS 2
#define N_KIDS 8192		/* remembered, for each forker */

struct opener {
	pid_t pid;
	volatile unsigned begun[N_SLOTS];	/* file opened last, or being opened */
	volatile unsigned ended[N_SLOTS];	/* file closed last */
};

struct kid {
	pid_t pid;
	uint64_t born_ns;	/* fork has returned */
	uint64_t reap_ns;	/* before wait; 0: not yet */
	uint64_t reaped_ns;	/* after it */
};

struct forker {
	pid_t pid;
	volatile unsigned n_kids;
	struct kid kids[N_KIDS];
};

static struct truth {
	struct opener openers[N_OPENERS];
	struct forker forkers[N_FORKERS];
	pid_t threader, exchanger, waiter, late;
	volatile uint64_t late_ns;
	volatile unsigned n_opens, n_threads, n_exchanges;
} *truth;

static struct keyframe kf;
static unsigned seen[8];

enum {
	SEEN_SLOTS, SEEN_KEPT, SEEN_KIDS, SEEN_EXECED, SEEN_THREADS, SEEN_CALLS, SEEN_SURE,
	SEEN_FDS,
};

/* ---- the storm ------------------------------------------------------------------------------- */

static int make(const char *fmt, unsigned a, unsigned b, unsigned c, char *path)
{
	int fd;

	sprintf(path, fmt, a, b, c);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void move(int fd, int to)
{
	if (dup2(fd, to) < 0)
		die("dup2");
	close(fd);
}

static void opener(unsigned w)
{
	struct opener *o = &truth->openers[w];
	char path[64], old[N_SLOTS][64] = { "" };

	for (unsigned k = 0; k < N_KEPT; k++)
		move(make(DIR "/kept.%u.%u.%u", w, k, 0, path), (int)(FIRST_KEPT + k));
	for (unsigned i = 0;; i++) {
		unsigned k = (unsigned)rand() % N_SLOTS, n = o->begun[k] + 1;

		o->begun[k] = n;
		move(make(DIR "/slot.%u.%u.%u", w, k, n, path), (int)(FIRST_SLOT + k));
		o->ended[k] = n - 1;
		if (old[k][0])
			unlink(old[k]);
		strcpy(old[k], path);
		if (i % 3 == 0) {
			close((int)(FIRST_SLOT + k));
			o->ended[k] = n;
		}
		truth->n_opens++;
	}
}

/* Half of the kids become another program, all live for some moments. */
static void kid(unsigned i)
{
	char tid[16], nap[16];

	sprintf(tid, "%d", getpid());
	sprintf(nap, "%u", i % 7 * 5000);
	if (i % 2)
		execl(DIR "/kid", "keystorm", "kid", tid, nap, NULL);
	usleep(i % 7 * 5000);
	_exit(0);
}

static void reap(struct forker *f, struct kid *k)
{
	(void)f;
	k->reap_ns = mono_ns();
	waitpid(k->pid, NULL, 0);
	k->reaped_ns = mono_ns();
}

static void forker(unsigned w)
{
	struct forker *f = &truth->forkers[w];
	unsigned i;

	for (i = 0; i < N_KIDS; i++) {
		struct kid *k = &f->kids[i];
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			kid(i);
		}
		k->pid = pid;
		k->born_ns = mono_ns();
		f->n_kids = i + 1;
		if (i >= 8)
			reap(f, &f->kids[i - 8]);
	}
	pause();
}

static void *thread(void *arg)
{
	char path[64];
	unsigned tid = (unsigned)syscall(SYS_gettid);

	(void)arg;
	if (tid % 3)
		usleep(tid % 5 * 2000);
	if (tid % 3 && unshare(CLONE_FILES) < 0)
		die("unshare");
	if (tid % 3) {
		move(make(DIR "/thread.%u", tid, 0, 0, path), THREAD_FD);
		usleep(tid % 7 * 1000);
		unlink(path);
	}
	return NULL;
}

static void threader(void)
{
	pthread_t t[6];

	for (;;) {
		for (int i = 0; i < 6; i++)
			if (pthread_create(&t[i], NULL, thread, NULL))
				die("pthread_create");
		for (int i = 0; i < 6; i++)
			pthread_join(t[i], NULL);
		truth->n_threads += 6;
	}
}

static void *sharing(void *arg)
{
	char c;

	return (void *)read(*(int *)arg, &c, 1);
}

/* Its table is shared, at times a while, and then exchanged for another one that holds the same. */
static void exchanger(void)
{
	char path[64];
	pthread_t t;
	int p[2];

	for (unsigned k = 0; k < N_KEPT; k++)
		move(make(DIR "/kept.%u.%u.%u", EXCHANGER, k, 0, path), (int)(FIRST_KEPT + k));
	/* To tell this table takes a while. */
	for (int k = 0; k < 300; k++)
		dup2(0, THREAD_FD + 1 + k);
	for (;;) {
		if (pipe(p) < 0 || pthread_create(&t, NULL, sharing, &p[0]) ||
		    usleep(truth->n_exchanges % 4 * 2000) || unshare(CLONE_FILES) < 0 ||
		    write(p[1], "", 1) != 1)
			die("exchange");
		pthread_join(t, NULL);
		close(p[0]);
		close(p[1]);
		truth->n_exchanges++;
	}
}

/* Blocks in a read of descriptor 50. */
static void waiter(volatile uint64_t *ret_ns)
{
	int p[2];
	char c;

	if (pipe(p) < 0)
		die("pipe");
	move(p[0], 50);
	*ret_ns = mono_ns();
	for (;;)
		if (read(50, &c, 1) == 0)
			die("read");
}

static pid_t start(void (*f)(unsigned), unsigned i)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srand(i);
	f(i);
	_exit(1);
}

static void start_threader(unsigned i)
{
	(void)i;
	threader();
}

static void start_exchanger(unsigned i)
{
	(void)i;
	exchanger();
}

static void start_waiter(unsigned i)
{
	volatile uint64_t ns;

	waiter(i ? &truth->late_ns : &ns);
}

/* ---- what must hold -------------------------------------------------------------------------- */

static struct truth *before;	/* as it was before the keyframe */

static const char *path_at(const struct scap_rec_key_fd *fd)
{
	const struct scap_rec_file *f = key_file(&kf, fd->cookie, fd);
	static char buf[4200];

	return f && key_text(&f->h, SCAP_SLOT_PATH, buf, sizeof(buf)) ? buf : "";
}

static void check_opener_fd(unsigned w, const struct scap_rec_key_fd *fd, bool *kept)
{
	const struct opener *o = &truth->openers[w % N_OPENERS];
	unsigned x, k, n;

	if (fd->fd >= FIRST_KEPT && fd->fd < FIRST_KEPT + N_KEPT) {
		if (sscanf(path_at(fd), DIR "/kept.%u.%u.0", &x, &k) != 2 || x != w ||
		    k != fd->fd - FIRST_KEPT)
			fail("opener %u: descriptor %u is %s", w, fd->fd, path_at(fd));
		kept[fd->fd - FIRST_KEPT] = true;
		seen[SEEN_KEPT]++;
	} else if (fd->fd >= FIRST_SLOT && fd->fd < FIRST_SLOT + N_SLOTS) {
		k = fd->fd - FIRST_SLOT;
		if (sscanf(path_at(fd), DIR "/slot.%u.%u.%u", &x, &k, &n) != 3 || x != w ||
		    k != fd->fd - FIRST_SLOT)
			fail("opener %u: descriptor %u is %s", w, fd->fd, path_at(fd));
		else if (n <= before->openers[w].ended[k] || n > o->begun[k])
			fail("opener %u: descriptor %u is %s, closed was %u before, opened %u", w,
			     fd->fd, path_at(fd), before->openers[w].ended[k], o->begun[k]);
		seen[SEEN_SLOTS]++;
	}
}

static void check_opener(unsigned w, pid_t pid)
{
	const struct scap_rec *h = (const void *)key_task(&kf, (uint32_t)pid);
	bool kept[N_KEPT] = { false };

	if (!h) {
		fail("opener %u is missing", w);
		return;
	}
	while ((h = key_next(&kf, h)) != NULL && h->type != SCAP_REC_KEY_TASK)
		if (h->type == SCAP_REC_KEY_FD)
			check_opener_fd(w, (const void *)h, kept);
	for (unsigned k = 0; k < N_KEPT; k++)
		if (!kept[k])
			fail("opener %u: descriptor %u is missing", w, FIRST_KEPT + k);
}

static void check_kid_texts(const struct scap_rec_key_task *t)
{
	const struct scap_blob *b = key_blob(&t->who.h, SCAP_SLOT_ARGV);
	const struct scap_rec_file *exe = key_file(&kf, t->exe_cookie, t);
	char path[4200] = "", text[4200] = "", *argv = text;
	bool is_kid;

	if (!b || !SCAP_BLOB_BYTES(b->meta) || !exe)
		return;		/* on its way out, or in the middle of an exec */
	key_text(&exe->h, SCAP_SLOT_PATH, path, sizeof(path));
	key_text(&t->who.h, SCAP_SLOT_ARGV, text, sizeof(text) - 64);
	is_kid = !strcmp(path, DIR "/kid");
	argv += strlen(argv) + 1;
	if (SCAP_BLOB_STATE(b->meta) == SCAP_STATE_UNREADABLE)
		return;		/* a new image under construction */
	if (is_kid != !strcmp(argv, "kid"))
		fail("thread %u runs %s with '%s'", t->who.tid, path, argv);
	if (is_kid && (unsigned)atoi(argv + 4) != t->who.tid)
		fail("thread %u has the arguments of %s", t->who.tid, argv + 4);
	seen[SEEN_EXECED] += is_kid;
}

static void check_kid(unsigned w, const struct scap_rec_key_task *t, uint64_t begin_ns)
{
	const struct forker *f = &truth->forkers[w];
	unsigned n = f->n_kids + 1;	/* one may not have been written down yet */

	seen[SEEN_KIDS]++;
	check_kid_texts(t);
	for (unsigned i = n < N_KIDS ? n : N_KIDS; i--;) {
		if ((uint32_t)f->kids[i].pid != t->who.tid)
			continue;
		if (f->kids[i].reaped_ns && f->kids[i].reaped_ns < begin_ns)
			fail("thread %u was reaped %llu ns before the keyframe", t->who.tid,
			     (unsigned long long)(begin_ns - f->kids[i].reaped_ns));
		return;
	}
	/* Born, but fork has not returned to the forker. */
	if (t->who.start_ns + 1000000000 < begin_ns)
		fail("thread %u was never made", t->who.tid);
}

static void check_forker(unsigned w, uint64_t begin_ns, uint64_t end_ns)
{
	const struct forker *f = &truth->forkers[w];
	const struct scap_rec *h = NULL;

	while ((h = key_next(&kf, h)) != NULL) {
		const struct scap_rec_key_task *t = (const void *)h;

		if (h->type == SCAP_REC_KEY_TASK && t->who.ppid == (uint32_t)f->pid)
			check_kid(w, t, begin_ns);
	}
	for (unsigned i = 0; i < f->n_kids; i++) {
		const struct kid *k = &f->kids[i];

		if (k->born_ns < begin_ns && (!k->reap_ns || k->reap_ns > end_ns) &&
		    !key_task(&kf, (uint32_t)k->pid))
			fail("kid %d, there all the time, is missing", k->pid);
	}
}

static void check_threads(void)
{
	const struct scap_rec *h = NULL;
	unsigned tid;

	while ((h = key_next(&kf, h)) != NULL) {
		const struct scap_rec_key_fd *fd = (const void *)h;

		seen[SEEN_FDS] += h->type == SCAP_REC_KEY_FD;
		if (h->type != SCAP_REC_KEY_FD || fd->fd != THREAD_FD)
			continue;
		if (sscanf(path_at(fd), DIR "/thread.%u", &tid) != 1 || tid != fd->tid)
			fail("thread %u has %s", fd->tid, path_at(fd));
		seen[SEEN_THREADS]++;
	}
}

static void check_waiter(pid_t pid, bool timed)
{
	const struct scap_rec *h = (const void *)key_task(&kf, (uint32_t)pid);
	const struct scap_rec_key_call *call;

	while (h && (h = key_next(&kf, h)) != NULL && h->type != SCAP_REC_KEY_CALL)
		if (h->type == SCAP_REC_KEY_TASK)
			break;
	call = (const void *)h;
	if (!h || h->type != SCAP_REC_KEY_CALL || call->nr != SYS_read || call->args[0] != 50 ||
	    call->args[2] != 1 || h->flags & SCAP_KEY_CALL_UNSURE)
		fail("the waiter %d is not in its read", pid);
	else if (timed && (call->enter_ns + 50000000 < truth->late_ns ||
			   call->enter_ns > truth->late_ns + 2000000000))
		fail("the waiter's read began at %llu, told is %llu",
		     (unsigned long long)truth->late_ns, (unsigned long long)call->enter_ns);
	else if (!timed && call->enter_ns)
		fail("the waiter's read began before the probes, but told is %llu",
		     (unsigned long long)call->enter_ns);
}

static void check_calls(void)
{
	const struct scap_rec *h = NULL;

	while ((h = key_next(&kf, h)) != NULL) {
		const struct scap_rec_key_call *call = (const void *)h;

		if (h->type != SCAP_REC_KEY_CALL)
			continue;
		seen[SEEN_CALLS]++;
		seen[SEEN_SURE] += !(h->flags & SCAP_KEY_CALL_UNSURE);
		if (call->nr < 0 || call->nr > 1000 || call->abi > SCAP_ABI_I386)
			fail("thread %u is in call %d of ABI %u", call->tid, call->nr, call->abi);
		if (call->enter_ns > h->time_ns + 10000000000)
			fail("thread %u: its call begins in the future", call->tid);
	}
}

static void one(int fd, size_t room, bool timed)
{
	uint64_t begin_ns, end_ns;

	memcpy(before, truth, sizeof(*truth));
	begin_ns = mono_ns();
	key_take(fd, room, &kf);
	end_ns = mono_ns();
	key_check(&kf);
	key_check_tables(&kf);
	for (unsigned w = 0; w < N_OPENERS; w++)
		check_opener(w, truth->openers[w].pid);
	check_opener(EXCHANGER, truth->exchanger);
	for (unsigned w = 0; w < N_FORKERS; w++)
		check_forker(w, begin_ns, end_ns);
	check_threads();
	check_calls();
	check_waiter(truth->waiter, false);
	if (timed && truth->late_ns)
		check_waiter(truth->late, true);
}

static int attach(void)
{
	struct scap_setup setup = { .size = sizeof(setup), .abi_version = SCAP_ABI_VERSION,
				    .ring_bytes = 64 << 10 };
	int fd = key_open();

	if (ioctl(fd, SCAP_IOC_SETUP, &setup) < 0 || ioctl(fd, SCAP_IOC_START) < 0)
		die("attach");
	return fd;
}

static void start_all(void)
{
	for (unsigned i = 0; i < N_OPENERS; i++)
		truth->openers[i].pid = start(opener, i);
	for (unsigned i = 0; i < N_FORKERS; i++)
		truth->forkers[i].pid = start(forker, i);
	truth->threader = start(start_threader, 0);
	truth->exchanger = start(start_exchanger, 0);
}

static void stop_all(void)
{
	for (unsigned i = 0; i < N_OPENERS; i++)
		kill(truth->openers[i].pid, SIGKILL);
	for (unsigned i = 0; i < N_FORKERS; i++)
		kill(truth->forkers[i].pid, SIGKILL);
	kill(truth->threader, SIGKILL);
	kill(truth->exchanger, SIGKILL);
	kill(truth->waiter, SIGKILL);
	kill(truth->late, SIGKILL);
	while (wait(NULL) > 0 || errno != ECHILD)
		;
}

int main(int argc, char **argv)
{
	uint64_t lock_max_ns = 0, n_changed = 0, n_gone = 0;
	int plain, attached;

	if (argc > 3 && !strcmp(argv[1], "kid")) {
		usleep((unsigned)atoi(argv[3]));
		return 0;
	}
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	before = malloc(sizeof(*before));
	mkdir(DIR, 0755);
	if (link("/proc/self/exe", DIR "/kid") < 0 && errno != EEXIST &&
	    system("cp /proc/" "$PPID" "/exe " DIR "/kid") != 0)
		die(DIR "/kid");
	truth->waiter = start(start_waiter, 0);
	usleep(500000);
	/* Before the storm: QEMU's threads may miss that a tracepoint is switched on under load. */
	plain = key_open();
	attached = attach();
	truth->late = start(start_waiter, 1);
	start_all();
	usleep(1000000);
	usleep(500000);
	for (int i = 0; i < atoi(argv[1]) && n_fails < 20; i++) {
		one(i % 2 ? plain : attached, i % 3 ? 1 << 18 : SCAP_KEYFRAME_MIN_BYTES,
		    i % 2 == 0);
		if (!kf.end)
			break;
		if (kf.end->lock_max_ns > lock_max_ns)
			lock_max_ns = kf.end->lock_max_ns;
		n_changed += kf.end->n_changed;
		n_gone += kf.end->n_gone;
	}
	stop_all();
	printf("opens %u threads %u exchanges %u slots %u kept %u kids %u execed %u "
	       "thread-fds %u calls %u sure %u fds %u changed %llu gone %llu lock %llu\n",
	       truth->n_opens, truth->n_threads, truth->n_exchanges,
	       seen[SEEN_SLOTS], seen[SEEN_KEPT], seen[SEEN_KIDS], seen[SEEN_EXECED],
	       seen[SEEN_THREADS], seen[SEEN_CALLS], seen[SEEN_SURE], seen[SEEN_FDS],
	       (unsigned long long)n_changed, (unsigned long long)n_gone,
	       (unsigned long long)lock_max_ns);
	return n_fails != 0;
}
