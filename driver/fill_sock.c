// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets: both ends, read from the socket's fields without its lock (->getname may sleep). The
 * file is held, so the socket is; its ends may change while they are read only during connect.
 */
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/uaccess.h>
#include <net/af_unix.h>
#include <net/af_vsock.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "compat.h"
#include "fill.h"
#include "intro.h"

/*
 * netlink_sock and packet_sock are private: where they hold what was bound is found at load, by
 * sockets that are bound to odd values. 0: not found, these ends are unknown.
 */
static u16 nl_portid_at __ro_after_init, nl_dst_at __ro_after_init;
static u16 packet_bound_at __ro_after_init;	/* int ifindex, __be16 num */

static u32 word_at(const struct sock *sk, u16 at)
{
	return at ? READ_ONCE(*(const u32 *)((const char *)sk + at)) : 0;
}

static u64 private_key(const struct sock *sk)
{
	if (sk->sk_family == AF_NETLINK)
		return (u64)word_at(sk, nl_portid_at) << 32 | word_at(sk, nl_dst_at);
	if (sk->sk_family == AF_PACKET && packet_bound_at)
		return (u64)word_at(sk, packet_bound_at) << 32 |
		       (u16)word_at(sk, packet_bound_at + sizeof(u32));
	return 0;
}

static u64 vsock_key(const struct sockaddr_vm *a)
{
	return (u64)a->svm_cid << 32 | a->svm_port;
}

static u64 in6_key(const struct in6_addr *a)
{
	return kscap_mix((u64)(__force u32)a->s6_addr32[0] << 32 | (__force u32)a->s6_addr32[1],
			 (u64)(__force u32)a->s6_addr32[2] << 32 | (__force u32)a->s6_addr32[3]);
}

/* Changes when an end does. */
u64 kscap_sock_key(struct socket *sock)
{
	const struct sock *sk = sock ? READ_ONCE(sock->sk) : NULL;

	if (!sk)
		return 0;
	if (sk->sk_family == AF_UNIX) {
		const struct unix_sock *u = unix_sk(sk);

		return kscap_mix((unsigned long)READ_ONCE(u->addr),
				 (unsigned long)READ_ONCE(u->peer));
	}
	if (sk->sk_family == AF_INET6)
		return kscap_mix(in6_key(&sk->sk_v6_daddr) ^ (__force u32)sk->sk_portpair,
				 rol64(in6_key(&sk->sk_v6_rcv_saddr), 7));
	if (sk->sk_family == AF_INET)
		return kscap_mix((__force u64)sk->sk_addrpair, (__force u32)sk->sk_portpair);
	if (sk->sk_family == AF_VSOCK)
		return kscap_mix(vsock_key(&vsock_sk(sk)->local_addr),
				 vsock_key(&vsock_sk(sk)->remote_addr));
	return private_key(sk);
}

static void fill_inet(struct scap_sock *to, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	to->local_port = sk->sk_num ? sk->sk_num : ntohs(inet->inet_sport);
	to->remote_port = ntohs(sk->sk_dport);
	if (sk->sk_family == AF_INET6) {
		const struct in6_addr *local = &sk->sk_v6_rcv_saddr;

		if (ipv6_addr_any(local) && inet6_sk(sk))
			local = &inet6_sk(sk)->saddr;
		memcpy(to->local_addr, local, 16);
		memcpy(to->remote_addr, &sk->sk_v6_daddr, 16);
	} else {
		__be32 local = sk->sk_rcv_saddr ? sk->sk_rcv_saddr : inet->inet_saddr;

		memcpy(to->local_addr, &local, 4);
		memcpy(to->remote_addr, &sk->sk_daddr, 4);
	}
}

static u32 unix_name(const struct sock *sk, u8 *to)
{
	/* Pairs with unix_bind(). */
	const struct unix_address *addr = smp_load_acquire(&unix_sk(sk)->addr);
	u32 n = sizeof_field(struct sockaddr_un, sun_path);

	if (!addr || addr->len <= offsetof(struct sockaddr_un, sun_path))
		return 0;
	n = min_t(u32, n, addr->len - offsetof(struct sockaddr_un, sun_path));
	memcpy(to, addr->name->sun_path, n);
	/* A path's length counts its NUL, an abstract name's does not have one. */
	return addr->name->sun_path[0] ? strnlen(to, n) : n;
}

/* An inode of sockfs is freed a grace period after its socket has let go of it. */
static u32 socket_ino(const struct sock *sk)
{
	struct socket *sock = READ_ONCE(sk->sk_socket);

	return sock ? SOCK_INODE(sock)->i_ino : 0;
}

/* A datagram socket's peer may be freed by another thread's connect: take a reference. */
static void fill_unix(struct scap_sock *to, struct sock *sk)
{
	u8 *names = (u8 *)(to + 1);
	struct sock *peer = unix_peer_get(sk);

	to->local_len = unix_name(sk, names);
	if (peer) {
		to->remote_len = unix_name(peer, names + to->local_len);
		to->peer_ino = socket_ino(peer);
		sock_put(peer);
	}
	/* A listening one has its own process there, for those who connect. */
	if (sk->sk_state != TCP_LISTEN)
		to->peer_pid = kscap_sock_peer_pid(sk);
}

static void put_words(u8 *addr, u32 first, u32 second)
{
	memcpy(addr, &first, sizeof(first));
	memcpy(addr + sizeof(first), &second, sizeof(second));
}

static void fill_vsock(struct scap_sock *to, const struct sock *sk)
{
	const struct sockaddr_vm *local = &vsock_sk(sk)->local_addr;
	const struct sockaddr_vm *remote = &vsock_sk(sk)->remote_addr;

	put_words(to->local_addr, local->svm_cid, local->svm_port);
	put_words(to->remote_addr, remote->svm_cid, remote->svm_port);
}

static void fill_packet(struct scap_sock *to, const struct sock *sk)
{
	put_words(to->local_addr, word_at(sk, packet_bound_at), 0);
	if (packet_bound_at)
		to->local_port = ntohs((__force __be16)word_at(sk, packet_bound_at + sizeof(u32)));
}

u32 kscap_sock_fill(struct socket *sock, u8 *dst, u16 *ret_kind)
{
	struct scap_sock *to = (struct scap_sock *)dst;
	struct sock *sk = READ_ONCE(sock->sk);

	memset(to, 0, sizeof(*to));
	*ret_kind = SCAP_KIND_SOCKET;
	to->type = sock->type;
	if (!sk)
		return sizeof(*to);
	to->family = sk->sk_family;
	to->protocol = sk->sk_protocol;
	to->state = sk->sk_state;
	switch (sk->sk_family) {
	case AF_INET:
		*ret_kind = SCAP_KIND_INET;
		fill_inet(to, sk);
		break;
	case AF_INET6:
		*ret_kind = SCAP_KIND_INET6;
		fill_inet(to, sk);
		break;
	case AF_UNIX:
		*ret_kind = SCAP_KIND_UNIX;
		fill_unix(to, sk);
		break;
	case AF_NETLINK:
		*ret_kind = SCAP_KIND_NETLINK;
		put_words(to->local_addr, word_at(sk, nl_portid_at), 0);
		put_words(to->remote_addr, word_at(sk, nl_dst_at), 0);
		break;
	case AF_PACKET:
		*ret_kind = SCAP_KIND_PACKET;
		fill_packet(to, sk);
		break;
	case AF_VSOCK:
		*ret_kind = SCAP_KIND_VSOCK;
		fill_vsock(to, sk);
		break;
	default:
		break;
	}
	return sizeof(*to) + to->local_len + to->remote_len;
}

#define ODD_PORTID	0x5ca90b51U
#define ODD_DST		0x5ca90b52U
#define ODD_PROTO	0x88b5	/* for local experiments */

/* The only place behind the common part that holds this value; 0: none, or several. */
static u16 __init find_bytes(const struct sock *sk, const void *want, u32 bytes)
{
	u16 at, found = 0;
	u8 got[8];

	for (at = sizeof(*sk); at + bytes <= sk->sk_prot->obj_size; at += sizeof(u32)) {
		if (copy_from_kernel_nofault(got, (const char *)sk + at, bytes))
			return found;
		if (memcmp(got, want, bytes))
			continue;
		if (found)
			return 0;
		found = at;
	}
	return found;
}

static void __init find_netlink(void)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK, .nl_pid = ODD_PORTID };
	struct sockaddr_nl dst = { .nl_family = AF_NETLINK, .nl_pid = ODD_DST };
	struct socket *sock;

	if (sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK, &sock))
		return;
	if (!kernel_bind(sock, (struct sockaddr *)&own, sizeof(own)))
		nl_portid_at = find_bytes(sock->sk, &own.nl_pid, sizeof(own.nl_pid));
	if (!kernel_connect(sock, (struct sockaddr *)&dst, sizeof(dst), 0))
		nl_dst_at = find_bytes(sock->sk, &dst.nl_pid, sizeof(dst.nl_pid));
	sock_release(sock);
}

/* Bound to the loopback device, for frames of a protocol that nobody uses. */
static void __init find_packet(void)
{
	struct sockaddr_ll own = { .sll_family = AF_PACKET, .sll_protocol = htons(ODD_PROTO) };
	struct { s32 ifindex; __be16 num; } want = { .num = htons(ODD_PROTO) };
	struct socket *sock;

	if (sock_create_kern(&init_net, AF_PACKET, SOCK_RAW, 0, &sock))
		return;
	own.sll_ifindex = init_net.loopback_dev->ifindex;
	want.ifindex = own.sll_ifindex;
	if (!kernel_bind(sock, (struct sockaddr *)&own, sizeof(own)))
		packet_bound_at = find_bytes(sock->sk, &want, 6);
	sock_release(sock);
}

void __init kscap_sock_init(void)
{
	find_netlink();
	if (IS_BUILTIN(CONFIG_PACKET))	/* never load a module for this */
		find_packet();
	if (!nl_portid_at || !nl_dst_at || !packet_bound_at)
		pr_info("kscap: not every socket's ends are known\n");
}
