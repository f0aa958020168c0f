/* SPDX-License-Identifier: MIT */
/* calls_io DIR: calls about pipes, sockets, events and queues; see rawcall.h. */
#include "rawcall.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static char buf[8192];
static int fds[2], one = 1, value, value_bytes = 4;
static struct iovec vec[2] = { { buf, 4 }, { buf + 16, 8 } };
static struct pollfd pollfd[1] = { { .fd = 3, .events = POLLIN } };
static struct pollfd writable[1] = { { .fd = 4, .events = POLLOUT | POLLIN } };
static struct epoll_event event = { .events = EPOLLIN | EPOLLET };
static fd_set readable, none;
static struct timespec no_time, bad_time = { 0, -1 };
static struct timeval no_timeval;
static unsigned long long usr2 = 1 << 11, no_signals;
static struct { void *set; size_t bytes; } pselect_mask = { &no_signals, 8 };
static struct itimerspec hour = { .it_value = { 3600, 0 } };
static struct sockaddr_in sin4 = { .sin_family = AF_INET };
static struct sockaddr_in other;
static struct sockaddr_un sun1 = { AF_UNIX, "sock" };
static socklen_t sin_bytes = sizeof(sin4), other_bytes = sizeof(other);
static struct iovec text = { "from a vector", 13 }, room = { buf, sizeof(buf) };
static struct msghdr msg_out = { .msg_iov = &text, .msg_iovlen = 1 };
static struct msghdr msg_in = { .msg_iov = &room, .msg_iovlen = 1 };
static struct mmsghdr mmsg_out[2] = { { .msg_hdr = { .msg_iov = &text, .msg_iovlen = 1 } },
				      { .msg_hdr = { .msg_iov = &text, .msg_iovlen = 1 } } };
static struct mmsghdr mmsg_in[2] = { { .msg_hdr = { .msg_iov = &room, .msg_iovlen = 1 } },
				     { .msg_hdr = { .msg_iov = &room, .msg_iovlen = 1 } } };
static aio_context_t aio;
static struct iocb iocb = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = 999 };
static struct iocb *iocbs[1] = { &iocb };
static struct io_event io_events[2];
static struct io_uring_params uring;
static struct perf_event_attr perf = { .type = 77, .size = sizeof(perf) };
static unsigned char bpf_attr[64];

static const struct row pipes[] = {
	C(close_range, 0, I(3), I(~0u), I(0)),
	C(pipe, 0, P(fds)),				/* 3, 4 */
	C(pipe, -EFAULT, L(8)),
	C(pipe2, 0, P(fds), I(O_CLOEXEC | O_NONBLOCK)),	/* 5, 6 */
	C(pipe2, -EINVAL, P(fds), I(O_CREAT)),
	C(write, 5, I(4), P("piped"), L(5)),
	C(tee, 5, I(3), I(6), L(100), I(2 /* SPLICE_F_NONBLOCK */)),
	C(tee, -EINVAL, I(3), I(6), L(100), I(0x80)),
	C(splice, 5, I(3), P(NULL), I(6), P(NULL), L(100), I(1 /* SPLICE_F_MOVE */)),
	C(splice, -EBADF, I(99), P(NULL), I(6), P(NULL), L(100), I(0)),
	C(vmsplice, 12, I(4), P(vec), L(2), I(8 /* SPLICE_F_GIFT */)),
	C(vmsplice, -EBADF, I(99), P(vec), L(2), I(0)),
	C(read, 12, I(3), P(buf), L(100)),
	C(fcntl, 4096, I(3), I(F_SETPIPE_SZ), L(4096)),
	C(fcntl, 4096, I(3), I(F_GETPIPE_SZ)),
	C(ioctl, 0, I(3), I(FIONREAD), P(&value)),
	C(ioctl, 0, I(3), I(FIONBIO), P(&one)),
	C(ioctl, -ENOTTY, I(3), I(TCGETS), P(buf)),
	C(ioctl, -EBADF, I(99), I(TIOCGWINSZ), P(buf)),
	C(read, -EAGAIN, I(3), P(buf), L(1)),
};

static const struct row waiting[] = {
	C(poll, 0, P(pollfd), I(1), I(0)),
	C(poll, 1, P(writable), I(1), I(10)),
	C(poll, -EFAULT, L(8), I(1), I(0)),
	C(ppoll, 0, P(pollfd), I(1), P(&no_time), P(&no_signals), L(8)),
	C(ppoll, -EINVAL, P(pollfd), I(1), P(&no_time), P(&no_signals), L(7)),
	C(select, 0, I(5), P(&readable), P(NULL), P(NULL), P(&no_timeval)),
	C(select, -EINVAL, I(-1), P(&none), P(NULL), P(NULL), P(&no_timeval)),
	C(pselect6, 0, I(5), P(&readable), P(NULL), P(NULL), P(&no_time), P(&pselect_mask)),
	C(pselect6, -EINVAL, I(5), P(&none), P(NULL), P(NULL), P(&bad_time), P(NULL)),
	C(epoll_create, 7, I(1)),
	C(epoll_create, -EINVAL, I(0)),
	C(epoll_create1, 8, I(EPOLL_CLOEXEC)),
	C(epoll_create1, -EINVAL, I(1)),
	C(epoll_ctl, 0, I(7), I(EPOLL_CTL_ADD), I(3), P(&event)),
	C(epoll_ctl, -EEXIST, I(7), I(EPOLL_CTL_ADD), I(3), P(&event)),
	C(epoll_ctl, 0, I(7), I(EPOLL_CTL_MOD), I(3), P(&event)),
	C(epoll_ctl, -ENOENT, I(7), I(EPOLL_CTL_DEL), I(4)),
	C(epoll_wait, 0, I(7), P(buf), I(4), I(0)),
	C(epoll_wait, -EINVAL, I(7), P(buf), I(0), I(0)),
	C(epoll_pwait, 0, I(7), P(buf), I(4), I(0), P(&no_signals), L(8)),
	C(epoll_pwait, -EINVAL, I(7), P(buf), I(4), I(0), P(&no_signals), L(9)),
	C(epoll_pwait2, 0, I(7), P(buf), I(4), P(&no_time), P(NULL), L(8)),
	C(epoll_pwait2, -EBADF, I(99), P(buf), I(4), P(&no_time), P(NULL), L(8)),
	C(eventfd, 9, I(3)),
	C(eventfd2, 10, I(0), I(EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE)),
	C(eventfd2, -EINVAL, I(0), I(0x10)),
	C(read, 8, I(9), P(buf), L(8)),
	C(read, -EAGAIN, I(10), P(buf), L(8)),
	C(signalfd, 11, I(-1), P(&usr2), L(8)),
	C(signalfd, -EINVAL, I(-1), P(&usr2), L(4)),
	C(signalfd4, 12, I(-1), P(&usr2), L(8), I(SFD_NONBLOCK | SFD_CLOEXEC)),
	C(signalfd4, -EINVAL, I(-1), P(&usr2), L(8), I(1)),
	C(timerfd_create, 13, I(CLOCK_MONOTONIC), I(TFD_NONBLOCK | TFD_CLOEXEC)),
	C(timerfd_create, -EINVAL, I(77), I(0)),
	C(timerfd_settime, 0, I(13), I(0), P(&hour), P(buf)),
	C(timerfd_settime, -EINVAL, I(3), I(TFD_TIMER_ABSTIME), P(&hour), P(NULL)),
	C(timerfd_gettime, 0, I(13), P(buf)),
	C(timerfd_gettime, -EBADF, I(99), P(buf)),
	C(close_range, 0, I(5), I(~0u), I(0)),
};

/* 5 listens, 6 connects, 7 is accepted. Port 0: the kernel chooses, getsockname tells. */
static const struct row inet_begin[] = {
	C(socket, 5, I(AF_INET), I(SOCK_STREAM), I(0)),
	C(socket, -EAFNOSUPPORT, I(99), I(SOCK_STREAM), I(0)),
	C(socket, -EPROTONOSUPPORT, I(AF_INET), I(SOCK_DGRAM), I(IPPROTO_TCP)),
	C(setsockopt, 0, I(5), I(SOL_SOCKET), I(SO_REUSEADDR), P(&one), I(4)),
	C(setsockopt, -ENOPROTOOPT, I(5), I(SOL_SOCKET), I(9999), P(&one), I(4)),
	C(bind, 0, I(5), P(&sin4), I(sizeof(sin4))),
	C(bind, -EINVAL, I(5), P(&sin4), I(1)),
	C(getsockname, 0, I(5), P(&sin4), P(&sin_bytes)),
	C(getsockname, -ENOTSOCK, I(3), P(&other), P(&other_bytes)),
	C(listen, 0, I(5), I(5)),
	C(listen, -EBADF, I(99), I(5)),
	C(socket, 6, I(AF_INET), I(SOCK_STREAM | SOCK_CLOEXEC), I(IPPROTO_TCP)),
};

static const struct row inet[] = {
	C(connect, 0, I(6), P(&sin4), I(sizeof(sin4))),
	C(connect, -EISCONN, I(6), P(&sin4), I(sizeof(sin4))),
	C(accept4, 7, I(5), P(&other), P(&other_bytes), I(SOCK_CLOEXEC | SOCK_NONBLOCK)),
	C(accept4, -EINVAL, I(5), P(NULL), P(NULL), I(1)),
	C(accept, -EINVAL, I(6), P(NULL), P(NULL)),
	C(getpeername, 0, I(7), P(&other), P(&other_bytes)),
	C(getpeername, -ENOTCONN, I(5), P(&other), P(&other_bytes)),
	C(getsockopt, 0, I(7), I(SOL_SOCKET), I(SO_TYPE), P(&value), P(&value_bytes)),
	C(getsockopt, -EOPNOTSUPP, I(7), I(333), I(1), P(&value), P(&value_bytes)),
	C(getsockopt, 0, I(7), I(IPPROTO_TCP), I(1 /* TCP_NODELAY */), P(&value), P(&value_bytes)),
	C(sendto, 8, I(6), P("question"), L(8), I(MSG_NOSIGNAL | MSG_DONTWAIT), P(NULL), I(0)),
	C(sendto, -EBADF, I(99), P("question"), L(8), I(MSG_OOB), P(NULL), I(0)),
	C(recvfrom, 8, I(7), P(buf), L(100), I(MSG_PEEK), P(NULL), P(NULL)),
	C(recvfrom, 8, I(7), P(buf), L(100), I(MSG_DONTWAIT | MSG_TRUNC), P(NULL), P(NULL)),
	C(recvfrom, -EAGAIN, I(7), P(buf), L(100), I(0), P(NULL), P(NULL)),
	C(sendmsg, 13, I(7), P(&msg_out), I(MSG_MORE)),
	C(sendmsg, -EFAULT, I(7), L(8), I(0)),
	C(shutdown, 0, I(7), I(SHUT_WR)),
	C(shutdown, -EINVAL, I(7), I(9)),
	C(recvmsg, 13, I(6), P(&msg_in), I(MSG_CMSG_CLOEXEC)),
	C(recvmsg, 0, I(6), P(&msg_in), I(MSG_WAITALL)),
	C(shutdown, 0, I(6), I(SHUT_RDWR)),
	C(close_range, 0, I(5), I(~0u), I(0)),
};

static const struct row local[] = {
	C(socketpair, 0, I(AF_UNIX), I(SOCK_DGRAM), I(0), P(fds)),	/* 5, 6 */
	C(socketpair, -EOPNOTSUPP, I(AF_INET), I(SOCK_STREAM), I(0), P(fds)),
	C(sendmmsg, 2, I(5), P(mmsg_out), I(2), I(0)),
	C(sendmmsg, -EBADF, I(99), P(mmsg_out), I(2), I(0)),
	C(recvmmsg, 2, I(6), P(mmsg_in), I(2), I(MSG_WAITFORONE), P(NULL)),
	C(recvmmsg, -EAGAIN, I(6), P(mmsg_in), I(2), I(MSG_DONTWAIT), P(NULL)),
	C(socket, 7, I(AF_UNIX), I(SOCK_STREAM), I(0)),
	C(bind, 0, I(7), P(&sun1), I(sizeof(sun1))),
	C(bind, -EADDRINUSE, I(7), P(&sun1), I(sizeof(sun1))),
	C(listen, 0, I(7), I(1)),
	C(socket, 8, I(AF_UNIX), I(SOCK_STREAM | SOCK_NONBLOCK), I(0)),
	C(connect, 0, I(8), P(&sun1), I(sizeof(sun1))),
	C(accept, 9, I(7), P(NULL), P(NULL)),
	C(accept, -EBADF, I(99), P(NULL), P(NULL)),
	C(getpeername, 0, I(8), P(buf), P(&other_bytes)),
	C(unlink, 0, P("sock")),
	C(socket, 10, I(AF_NETLINK), I(SOCK_RAW | SOCK_CLOEXEC), I(0)),
	C(socket, -EINVAL, I(AF_UNIX), I(77), I(0)),
	C(close_range, 0, I(5), I(~0u), I(0)),
};

static const struct row queues[] = {
	C(io_setup, 0, I(4), P(&aio)),
	C(io_setup, -EINVAL, I(0), P(&aio)),
	C(io_destroy, -EINVAL, L(0x1234)),
	C(io_submit, -EINVAL, L(0x1234), L(1), P(iocbs)),
	C(io_cancel, -EINVAL, L(0x1234), P(&iocb), P(io_events)),
	C(io_getevents, -EINVAL, L(0x1234), L(0), L(2), P(io_events), P(&no_time)),
	C(io_pgetevents, -EINVAL, L(0x1234), L(0), L(2), P(io_events), P(&no_time), P(NULL)),
	C(io_uring_setup, 5, I(4), P(&uring)),
	C(io_uring_setup, -EINVAL, I(0), P(&uring)),
	C(io_uring_enter, 0, I(5), I(0), I(0), I(1 /* IORING_ENTER_GETEVENTS */), P(NULL), L(8)),
	C(io_uring_enter, -EOPNOTSUPP, I(3), I(1), I(0), I(0), P(NULL), L(0)),
	C(io_uring_register, -ENXIO, I(5), I(IORING_UNREGISTER_FILES), P(NULL), I(0)),
	C(io_uring_register, -EINVAL, I(5), I(7777), P(NULL), I(0)),
	C(perf_event_open, -ENOENT, P(&perf), I(0), I(-1), I(-1), L(8 /* FD_CLOEXEC */)),
	C(perf_event_open, -EINVAL, P(&perf), I(0), I(-1), I(-1), L(0x80)),
	C(userfaultfd, 6, I(O_CLOEXEC | O_NONBLOCK)),
	C(userfaultfd, -EINVAL, I(0x40)),
	C(bpf, -EINVAL, I(7777), P(bpf_attr), I(sizeof(bpf_attr))),
	C(bpf, -EINVAL, I(0), P(bpf_attr), I(sizeof(bpf_attr))),
	C(bpf, -E2BIG, I(1), P(bpf_attr), I(5000)),
};

int main(int argc, char **argv)
{
	if (argc != 2 || mkdir(argv[1], 0700) < 0 || chdir(argv[1]) < 0) {
		perror("usage: calls_io NEW-DIRECTORY");
		return 7;
	}
	FD_SET(3, &readable);
	sin4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MAKE(pipes);
	MAKE(waiting);
	MAKE(inet_begin);
	MAKE(inet);
	MAKE(local);
	MAKE(queues);
	ONE(io_submit, -EBADF, L(aio), L(1), P(iocbs));
	ONE(io_getevents, 0, L(aio), L(0), L(2), P(io_events), P(&no_time));
	ONE(io_pgetevents, 0, L(aio), L(0), L(2), P(io_events), P(&no_time), P(NULL));
	ONE(io_destroy, 0, L(aio));
	return done();
}
