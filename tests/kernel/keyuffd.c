/* SPDX-License-Identifier: MIT */
/*
 * keyuffd: a process whose arguments lie in a page that waits for userfaultfd. Whoever faults it in
 * hangs, as process_vm_readv(2) does; a keyframe must not, and say that they can't be read.
 */
#include "keyframe.h"
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE 4096ul

static volatile char *hole;

static void *toucher(void *arg)
{
	(void)arg;
	return (void *)(long)*hole;
}

/* The first page boundary within the arguments: from there on they are gone. */
static int trap(char **argv)
{
	uintptr_t start = (uintptr_t)argv[0], page = (start + PAGE) & ~(PAGE - 1);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .range = { page, PAGE },
				       .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	pthread_t t;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &reg) < 0)
		die("userfaultfd");
	if (madvise((void *)page, PAGE, MADV_DONTNEED) < 0)
		die("madvise");
	hole = (char *)page;
	pthread_create(&t, NULL, toucher, NULL);
	usleep(200000);
	printf("%lu %lu\n", (unsigned long)(page - start), (unsigned long)page);
	fflush(stdout);
	for (;;)
		pause();
}

static bool hangs(pid_t victim, uintptr_t addr)
{
	char buf[64];
	struct iovec to = { buf, sizeof(buf) }, from = { (void *)addr, sizeof(buf) };
	pid_t pid = fork();

	if (pid == 0)
		_exit(process_vm_readv(victim, &to, 1, &from, 1, 0) < 0);
	usleep(1500000);
	if (waitpid(pid, NULL, WNOHANG) == pid)
		return false;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return true;
}

/* ret_bytes: of the arguments, in front of the hole. */
static pid_t start(unsigned *ret_bytes, unsigned long *ret_hole)
{
	static char big[10000];
	char *argv[] = { "keyuffd-trap", big, NULL };
	int p[2];
	pid_t pid;
	char buf[64] = "";

	memset(big, 'x', sizeof(big) - 1);
	if (pipe(p) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		dup2(p[1], 1);
		execv("/proc/self/exe", argv);
		die("exec");
	}
	close(p[1]);
	if (read(p[0], buf, sizeof(buf) - 1) <= 0 ||
	    sscanf(buf, "%u %lu", ret_bytes, ret_hole) != 2)
		die("the trap");
	return pid;
}

int main(int argc, char **argv)
{
	const struct scap_rec_key_task *t;
	const struct scap_blob *b;
	struct keyframe kf = { 0 };
	uint64_t begin_ns, took_ns;
	unsigned long page;
	char self[8192];
	unsigned bytes;
	pid_t pid;
	int fd;

	(void)argc;
	if (!strcmp(argv[0], "keyuffd-trap"))
		return trap(argv);
	pid = start(&bytes, &page);
	if (!hangs(pid, page))
		fail("reading the page does not hang: nothing is tested");
	fd = key_open();
	begin_ns = mono_ns();
	key_take(fd, 1 << 18, &kf);
	took_ns = mono_ns() - begin_ns;
	key_check(&kf);
	t = key_task(&kf, (uint32_t)pid);
	b = t ? key_blob(&t->who.h, SCAP_SLOT_ARGV) : NULL;
	if (!b)
		fail("the process has no arguments");
	else if (SCAP_BLOB_STATE(b->meta) != SCAP_STATE_UNREADABLE || b->orig_bytes != 10013 ||
		 SCAP_BLOB_BYTES(b->meta) != (bytes < 4096 ? bytes : 4096))
		fail("state %u, %u of %u bytes, should be %u", SCAP_BLOB_STATE(b->meta),
		     SCAP_BLOB_BYTES(b->meta), b->orig_bytes, bytes);
	t = key_task(&kf, (uint32_t)getpid());
	if (!t || !key_text(&t->who.h, SCAP_SLOT_ARGV, self, sizeof(self)) ||
	    strcmp(self, "keyuffd"))
		fail("other processes have lost their arguments");
	if (took_ns > 2000000000)
		fail("the keyframe took %llu ns", (unsigned long long)took_ns);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("took %llu us, %u bytes of the arguments\n", (unsigned long long)took_ns / 1000,
	       bytes);
	return n_fails != 0;
}
