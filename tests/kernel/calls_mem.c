/* SPDX-License-Identifier: MIT */
/* calls_mem: calls about memory, shared memory, messages and keys; see rawcall.h. */
#include "rawcall.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/keyctl.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define AT 0x20000000UL		/* where nothing else lies */
#define PAGE 4096UL

static char buf[8192];
static unsigned char vec[16];
static unsigned futex_word = 7;
static unsigned long nodes = 1;
static struct timespec no_time, past = { 1, 0 };
static void *pages[1] = { buf };
static int status[1], zero_node[1];
static struct iovec here = { buf, 8 }, there = { buf + 100, 8 };
static struct { long type; char text[16]; } message = { 5, "message text" };
static struct sembuf up = { 0, 1, 0 }, down = { 0, -1, IPC_NOWAIT };
static struct mq_attr mq_attr = { .mq_maxmsg = 2, .mq_msgsize = 32 };
static struct { unsigned long long value; unsigned long addr; unsigned flags, pad; } waiter;

static const struct row memory[] = {
	C(close_range, 0, I(3), I(~0u), I(0)),
	C(brk, OK, L(0)),
	C(mmap, AT, L(AT), L(16 * PAGE), L(PROT_READ | PROT_WRITE),
	  L(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED), L(-1), L(0)),
	C(mmap, AT + 16 * PAGE, L(AT + 16 * PAGE), L(PAGE), L(PROT_NONE),
	  L(MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE), L(-1), L(0)),
	C(mmap, -EEXIST, L(AT), L(PAGE), L(PROT_READ),
	  L(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE), L(-1), L(0)),
	C(mmap, -EINVAL, L(0), L(0), L(PROT_READ | PROT_EXEC), L(MAP_PRIVATE | MAP_ANONYMOUS),
	  L(-1), L(0)),
	C(mmap, -EBADF, L(0), L(PAGE), L(PROT_READ), L(MAP_PRIVATE | MAP_POPULATE), L(99), L(PAGE)),
	C(mmap, -EINVAL, L(0), L(PAGE), L(PROT_READ), L(MAP_ANONYMOUS | MAP_STACK | MAP_GROWSDOWN),
	  L(-1), L(0)),
	C(mprotect, 0, L(AT), L(PAGE), L(PROT_READ)),
	C(mprotect, -EINVAL, L(AT + 1), L(PAGE), L(PROT_READ | PROT_WRITE | PROT_EXEC)),
	C(mprotect, -ENOMEM, L(0x10000), L(PAGE), L(PROT_NONE)),
	C(pkey_mprotect, 0, L(AT), L(PAGE), L(PROT_READ | PROT_WRITE), I(-1)),
	C(pkey_mprotect, -EINVAL, L(AT), L(PAGE), L(PROT_READ), I(99)),
	C(pkey_alloc, -EINVAL, L(1), L(0)),
	C(pkey_free, -EINVAL, I(99)),
	C(madvise, 0, L(AT), L(4 * PAGE), I(MADV_DONTNEED)),
	C(madvise, -EINVAL, L(AT), L(PAGE), I(7777)),
	C(mincore, 0, L(AT), L(4 * PAGE), P(vec)),
	C(mincore, -ENOMEM, L(0x10000), L(PAGE), P(vec)),
	C(msync, 0, L(AT), L(PAGE), I(MS_ASYNC)),
	C(msync, -EINVAL, L(AT), L(PAGE), I(MS_ASYNC | MS_SYNC)),
	C(mlock, 0, L(AT), L(PAGE)),
	C(mlock, -ENOMEM, L(0x10000), L(PAGE)),
	C(mlock2, 0, L(AT), L(PAGE), I(1 /* MLOCK_ONFAULT */)),
	C(mlock2, -EINVAL, L(AT), L(PAGE), I(4)),
	C(munlock, 0, L(AT), L(PAGE)),
	C(mlockall, -EINVAL, I(0)),
	C(mlockall, 0, I(MCL_FUTURE | MCL_ONFAULT)),
	C(munlockall, 0),
	C(mremap, AT + 4 * PAGE, L(AT + 4 * PAGE), L(4 * PAGE), L(2 * PAGE), L(0), L(0)),
	C(mremap, AT + 64 * PAGE, L(AT), L(PAGE), L(PAGE), L(MREMAP_MAYMOVE | MREMAP_FIXED),
	  L(AT + 64 * PAGE)),
	C(mremap, -EINVAL, L(AT + 1), L(PAGE), L(PAGE), L(MREMAP_MAYMOVE), L(0)),
	C(remap_file_pages, -EINVAL, L(AT), L(PAGE), L(PROT_READ), L(0), L(0)),
	C(mbind, 0, L(AT + 8 * PAGE), L(PAGE), L(MPOL_DEFAULT), P(NULL), L(0), I(0)),
	C(mbind, -EINVAL, L(AT + 8 * PAGE), L(PAGE), L(99), P(NULL), L(0), I(MPOL_MF_MOVE)),
	C(set_mempolicy, 0, I(MPOL_DEFAULT), P(NULL), L(0)),
	C(set_mempolicy, -EINVAL, I(77), P(NULL), L(0)),
	C(get_mempolicy, 0, P(status), P(NULL), L(0), L(0), L(0)),
	C(get_mempolicy, -EINVAL, P(status), P(NULL), L(0), L(0), L(0x80)),
	C(set_mempolicy_home_node, -EINVAL, L(AT + 1), L(PAGE), L(0), L(0)),
	C(migrate_pages, -ESRCH, I(0x7ffffff), L(1), P(&nodes), P(&nodes)),
	C(move_pages, 0, I(0), L(1), P(pages), P(NULL), P(status), I(0)),
	C(move_pages, -EINVAL, I(0), L(1), P(pages), P(zero_node), P(status), I(0x80)),
	C(munmap, 0, L(AT + 8 * PAGE), L(PAGE)),
	C(munmap, -EINVAL, L(AT + 1), L(PAGE)),
	C(process_vm_readv, -ESRCH, I(0x7ffffff), P(&here), L(1), P(&there), L(1), L(0)),
	C(process_vm_writev, -EINVAL, I(0x7ffffff), P(&here), L(1), P(&there), L(1), L(1)),
	C(process_madvise, -EBADF, I(99), P(&here), L(1), I(MADV_COLD), I(0)),
	C(process_mrelease, -EBADF, I(99), I(0)),
	C(process_mrelease, -EINVAL, I(99), I(1)),
	C(memfd_secret, ANY, I(0)),
	C(membarrier, OK, I(MEMBARRIER_CMD_QUERY), I(0), I(0)),
	C(membarrier, -EINVAL, I(0x4000000), I(0), I(0)),
	C(modify_ldt, 0, I(0), P(buf), L(64)),
	C(modify_ldt, (unsigned int)-ENOSYS, I(77), P(buf), L(64)),
	C(arch_prctl, 0, I(0x1003 /* ARCH_GET_FS */), P(buf)),
	C(arch_prctl, -EINVAL, I(0x7777), P(buf)),
	C(set_thread_area, -ENOSYS, P(buf)),
	C(get_thread_area, -ENOSYS, P(buf)),
	C(futex, 0, P(&futex_word), I(FUTEX_WAKE | FUTEX_PRIVATE_FLAG), I(1)),
	C(futex, -EAGAIN, P(&futex_word), I(FUTEX_WAIT), I(8), P(&no_time)),
	C(futex, -ETIMEDOUT, P(&futex_word), I(FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME), I(7),
	  P(&past), P(NULL), I(~0u)),
	C(futex, -ENOSYS, P(&futex_word), I(77), I(8), P(&no_time)),
	C(futex_waitv, -EINVAL, P(&waiter), I(1), I(0), P(NULL), I(0)),
	C(futex_waitv, -EINVAL, P(&waiter), I(1), I(1), P(NULL), I(CLOCK_MONOTONIC)),
	C(set_robust_list, -EINVAL, P(buf), L(7)),
	C(get_robust_list, 0, I(0), P(buf), P(buf + 8)),
	C(get_robust_list, -ESRCH, I(0x7ffffff), P(buf), P(buf + 8)),
	C(rseq, -EINVAL, P(buf + 1), I(32), I(0), I(0)),
};

static const struct row queues[] = {
	C(mq_open, 3, P("scap-calls"), I(O_RDWR | O_CREAT | O_NONBLOCK), I(0600), P(&mq_attr)),
	C(mq_open, -ENOENT, P("no-such-queue"), I(O_RDONLY | O_CLOEXEC), I(0),
	  P(NULL)),
	C(mq_timedsend, 0, I(3), P("posted"), L(6), I(4), P(NULL)),
	C(mq_timedsend, -EMSGSIZE, I(3), P(buf), L(100), I(4), P(NULL)),
	C(mq_timedreceive, 6, I(3), P(buf), L(32), P(status), P(NULL)),
	C(mq_timedreceive, -EAGAIN, I(3), P(buf), L(32), P(status), P(&past)),
	C(mq_notify, -EBADF, I(99), P(NULL)),
	C(mq_getsetattr, 0, I(3), P(NULL), P(buf)),
	C(mq_getsetattr, -EBADF, I(99), P(NULL), P(buf)),
	C(mq_unlink, 0, P("scap-calls")),
	C(mq_unlink, -ENOENT, P("scap-calls")),
	C(add_key, -ENODEV, P("no such type"), P("description"), P("payload"), L(7),
	  I(KEY_SPEC_PROCESS_KEYRING)),
	C(add_key, OK, P("user"), P("scap-calls"), P("payload"), L(7), I(KEY_SPEC_PROCESS_KEYRING)),
	C(request_key, OK, P("user"), P("scap-calls"), P(NULL), I(0)),
	C(request_key, -ENOKEY, P("user"), P("no such key"), P(NULL), I(0)),
	C(keyctl, OK, I(KEYCTL_GET_KEYRING_ID), L(KEY_SPEC_PROCESS_KEYRING), L(0)),
	C(keyctl, -EOPNOTSUPP, I(7777), L(1), L(2), L(3), L(4)),
	C(semget, -ENOENT, I(0x5ca95ca9), I(1), I(0600)),
	C(semop, -EINVAL, I(-1), P(&up), I(1)),
	C(semctl, -EINVAL, I(-1), I(0), I(IPC_RMID), L(0)),
	C(msgget, -ENOENT, I(0x5ca95ca9), I(0600)),
	C(msgsnd, -EINVAL, I(-1), P(&message), L(12), I(IPC_NOWAIT)),
	C(msgrcv, -EINVAL, I(-1), P(&message), L(12), L(0), I(IPC_NOWAIT)),
	C(msgctl, -EINVAL, I(-1), I(IPC_STAT), P(buf)),
	C(shmget, -EINVAL, I(IPC_PRIVATE), L(0), I(IPC_CREAT | 0600)),
	C(shmat, -EINVAL, I(-1), L(0), I(SHM_RDONLY)),
	C(shmctl, -EINVAL, I(-1), I(IPC_STAT), P(buf)),
	C(shmdt, -EINVAL, L(AT + 1)),
};

/* What needs the identifiers that another call returned. */
static void ipc(void)
{
	long sem = ONE(semget, OK, I(IPC_PRIVATE), I(1), I(IPC_CREAT | 0600));
	long msg = ONE(msgget, OK, I(IPC_PRIVATE), I(IPC_CREAT | 0600));
	long shm = ONE(shmget, OK, I(IPC_PRIVATE), L(PAGE), I(IPC_CREAT | 0600));

	ONE(semop, 0, I(sem), P(&up), I(1));
	ONE(semtimedop, 0, I(sem), P(&down), I(1), P(&no_time));
	ONE(semtimedop, -EAGAIN, I(sem), P(&down), I(1), P(&no_time));
	ONE(semctl, 0, I(sem), I(0), I(GETVAL), L(0));
	ONE(semctl, 0, I(sem), I(0), I(IPC_RMID), L(0));
	ONE(msgsnd, 0, I(msg), P(&message), L(12), I(0));
	ONE(msgrcv, 12, I(msg), P(&message), L(16), L(5), I(MSG_NOERROR));
	ONE(msgrcv, -ENOMSG, I(msg), P(&message), L(16), L(0), I(IPC_NOWAIT));
	ONE(msgctl, 0, I(msg), I(IPC_STAT), P(buf));
	ONE(msgctl, 0, I(msg), I(IPC_RMID), P(NULL));
	ONE(shmat, AT, I(shm), L(AT), I(SHM_RND | SHM_REMAP));
	ONE(shmdt, 0, L(AT));
	ONE(shmctl, 0, I(shm), I(IPC_RMID), P(NULL));
}

int main(void)
{
	MAKE(memory);
	close(3);	/* memfd_secret's, where there is such a thing */
	MAKE(queues);
	ipc();
	ONE(process_vm_readv, 8, I(getpid()), P(&here), L(1), P(&there), L(1), L(0));
	ONE(process_vm_writev, 8, I(getpid()), P(&here), L(1), P(&there), L(1), L(0));
	return done();
}
