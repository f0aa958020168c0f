/* SPDX-License-Identifier: MIT */
/*
 * sockets DIR: both ends of sockets of all families. Each write holds a word, and how that call
 * must be shown is printed as a line TYPE KEY=VALUE...; getsockname is where the names come from.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void need(long rc, const char *what)
{
	if (rc < 0)
		die("%s", what);
}

static unsigned long ino_of(int fd)
{
	struct stat st;

	need(fstat(fd, &st), "fstat");
	return (unsigned long)st.st_ino;
}

static void say(int fd, const char *word)
{
	need(write(fd, word, strlen(word)), word);
	printf("write args.data=%s ", word);
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 a;	/* the port is where IPv4 has it */
	socklen_t len = sizeof(a);

	need(getsockname(fd, (struct sockaddr *)&a, &len), "getsockname");
	return ntohs(a.sin6_port);
}

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int server(int type)
{
	struct sockaddr_in a = loopback(0);
	int s = socket(AF_INET, type, 0);

	need(bind(s, (struct sockaddr *)&a, sizeof(a)), "bind");
	if (type == SOCK_STREAM)
		need(listen(s, 5), "listen");
	return s;
}

static void tcp(void)
{
	int s = server(SOCK_STREAM), c = socket(AF_INET, SOCK_STREAM, 0), a;
	unsigned port = port_of(s), own;
	struct sockaddr_in to = loopback(port);

	need(connect(c, (struct sockaddr *)&to, sizeof(to)), "connect");
	own = port_of(c);
	printf("connect fd.num=%d fd.name=127.0.0.1:%u->127.0.0.1:%u res=0\n", c, own, port);
	a = accept(s, NULL, NULL);
	printf("accept fd.num=%d fd.name=127.0.0.1:%u->127.0.0.1:%u args.fd=%d<127.0.0.1:%u>\n", a,
	       port, own, s, port);
	say(c, "tcp-there");
	printf("fd.name=127.0.0.1:%u->127.0.0.1:%u\n", own, port);
	say(a, "tcp-back");
	printf("fd.name=127.0.0.1:%u->127.0.0.1:%u\n", port, own);
	/* One that goes on. */
	c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(c, (struct sockaddr *)&to, sizeof(to));
	printf("connect fd.num=%d res=%d fd.remote_ip=127.0.0.1 fd.remote_port=%u "
	       "fd.local_port=%u\n", c, -errno, port, port_of(c));
}

static void mapped(void)
{
	int s = server(SOCK_STREAM), c = socket(AF_INET6, SOCK_STREAM, 0);
	unsigned port = port_of(s);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	need(connect(c, (struct sockaddr *)&to, sizeof(to)), "connect mapped");
	say(c, "mapped");
	printf("fd.name=127.0.0.1:%u->127.0.0.1:%u\n", port_of(c), port);
}

static void udp(void)
{
	int s = server(SOCK_DGRAM), c = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned port = port_of(s), own;
	struct sockaddr_in to = loopback(port), from;
	socklen_t len = sizeof(from);
	struct iovec v = { (void *)"udp-msg", 7 };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &v,
			    .msg_iovlen = 1 };
	char buf[64];

	need(sendto(c, "udp-to", 6, 0, (struct sockaddr *)&to, sizeof(to)), "sendto");
	own = port_of(c);
	printf("sendto args.data=udp-to fd.remote_ip=127.0.0.1 fd.remote_port=%u\n", port);
	need(recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), "recvfrom");
	printf("recvfrom args.data=udp-to fd.name=127.0.0.1:%u->127.0.0.1:%u\n", port, own);
	need(sendmsg(c, &m, 0), "sendmsg");
	printf("sendmsg args.msg=udp-msg fd.remote_port=%u fd.local_port=%u\n", port, own);
}

static struct sockaddr_un un(const char *name, socklen_t *ret_len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memcpy(a.sun_path + (*name == '@'), name + (*name == '@'), strlen(name + (*name == '@')));
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) +
			       (*name != '@'));
	return a;
}

static void unix_stream(const char *name, const char *there, const char *back)
{
	socklen_t len;
	struct sockaddr_un a = un(name, &len);
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), d;

	need(bind(s, (struct sockaddr *)&a, len), name);
	need(listen(s, 5), name);
	printf("listen fd.num=%d fd.name=%s\n", s, name);
	need(connect(c, (struct sockaddr *)&a, len), name);
	d = accept(s, NULL, NULL);
	say(c, there);
	printf("fd.name=->%s fd.peer_pid=%d fd.peer_ino=%lu\n", name, getpid(), ino_of(d));
	say(d, back);
	printf("fd.name=%s fd.peer_pid=%d fd.peer_ino=%lu\n", name, getpid(), ino_of(c));
	close(s);
}

static void unix_others(void)
{
	socklen_t len;
	struct sockaddr_un a = un("@dgram", &len);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0), p[2];

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, p), "socketpair");
	say(p[0], "pair");
	printf("fd.name=unix:[%lu->%lu] fd.peer_pid=%d\n", ino_of(p[0]), ino_of(p[1]), getpid());
	need(bind(s, (struct sockaddr *)&a, len), "dgram");
	need(sendto(c, "un-to", 5, 0, (struct sockaddr *)&a, len), "un-to");
	printf("sendto args.data=un-to fd.name=->@dgram\n");
	need(connect(c, (struct sockaddr *)&a, len), "dgram");
	say(c, "un-dgram");
	printf("fd.name=->@dgram fd.peer_ino=%lu\n", ino_of(s));
}

static void netlink(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	struct nlmsghdr h = { .nlmsg_len = sizeof(h), .nlmsg_type = NLMSG_NOOP };
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	socklen_t len = sizeof(a);

	printf("socket res=%d fd.name=netlink:route:0 fd.type=netlink\n", s);
	need(bind(s, (struct sockaddr *)&a, sizeof(a)), "netlink");
	need(getsockname(s, (struct sockaddr *)&a, &len), "netlink");
	printf("getsockname fd.num=%d fd.name=netlink:route:%u\n", s, a.nl_pid);
	need(send(s, &h, sizeof(h), 0), "netlink");
	printf("sendto fd.num=%d fd.name=netlink:route:%u\n", s, a.nl_pid);
	s = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	a.nl_pid = 4242;
	need(bind(s, (struct sockaddr *)&a, sizeof(a)), "usersock");
	a.nl_pid = 4243;
	need(connect(s, (struct sockaddr *)&a, sizeof(a)), "usersock");
	printf("connect fd.num=%d fd.name=netlink:usersock:4242->4243\n", s);
}

static void packet(void)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = 1,
				 .sll_protocol = htons(0x88b6) };
	int s = socket(AF_PACKET, SOCK_RAW, 0);

	printf("socket res=%d fd.name=packet:0:0x0 fd.type=packet\n", s);
	need(bind(s, (struct sockaddr *)&a, sizeof(a)), "packet");
	printf("bind fd.num=%d fd.name=packet:1:0x88b6\n", s);
}

static void vsock(void)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY,
				 .svm_port = 5000 };
	int s = socket(AF_VSOCK, SOCK_STREAM, 0), c = socket(AF_VSOCK, SOCK_STREAM, 0), d;
	socklen_t len = sizeof(a);

	need(bind(s, (struct sockaddr *)&a, sizeof(a)), "vsock");
	need(listen(s, 5), "vsock");
	printf("listen fd.num=%d fd.name=vsock:any:5000 fd.type=vsock\n", s);
	a.svm_cid = VMADDR_CID_LOCAL;
	need(connect(c, (struct sockaddr *)&a, sizeof(a)), "vsock");
	need(getsockname(c, (struct sockaddr *)&a, &len), "vsock");
	d = accept(s, NULL, NULL);
	say(c, "vsock-there");
	/* The connecting end is bound to a port alone; the other learns its address. */
	printf("fd.name=vsock:any:%u->1:5000\n", a.svm_port);
	say(d, "vsock-back");
	printf("fd.name=vsock:1:5000->1:%u\n", a.svm_port);
}

int main(int argc, char **argv)
{
	char path[100];

	if (argc < 2)
		return 2;
	snprintf(path, sizeof(path), "%s/x.sock", argv[1]);
	tcp();
	mapped();
	udp();
	unix_stream(path, "un-there", "un-back");
	unix_stream("@abstract", "abs-there", "abs-back");
	unix_others();
	netlink();
	packet();
	if (argc < 3)
		vsock();
	return 0;
}
