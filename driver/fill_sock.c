// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets: both ends, read from the socket's fields without its lock (->getname may sleep). The
 * file is held, so the socket is; its ends may change while they are read only during connect.
 */
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <net/af_unix.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "compat.h"
#include "fill.h"
#include "intro.h"

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
		return kscap_mix(in6_key(&sk->sk_v6_daddr) ^ sk->sk_portpair,
				 rol64(in6_key(&sk->sk_v6_rcv_saddr), 7));
	if (sk->sk_family == AF_INET)
		return kscap_mix(sk->sk_addrpair, sk->sk_portpair);
	return 0;
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
	const struct unix_address *addr = smp_load_acquire(&unix_sk(sk)->addr);
	u32 n = sizeof_field(struct sockaddr_un, sun_path);

	if (!addr || addr->len <= offsetof(struct sockaddr_un, sun_path))
		return 0;
	n = min_t(u32, n, addr->len - offsetof(struct sockaddr_un, sun_path));
	memcpy(to, addr->name->sun_path, n);
	/* A path's length counts its NUL, an abstract name's does not have one. */
	return addr->name->sun_path[0] ? strnlen(to, n) : n;
}

/* A datagram socket's peer may be freed by another thread's connect: take a reference. */
static void fill_unix(struct scap_sock *to, struct sock *sk)
{
	u8 *names = (u8 *)(to + 1);
	struct sock *peer = unix_peer_get(sk);

	to->local_len = unix_name(sk, names);
	if (peer) {
		to->remote_len = unix_name(peer, names + to->local_len);
		sock_put(peer);
	}
	to->peer_pid = kscap_sock_peer_pid(sk);
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
		break;
	case AF_PACKET:
		*ret_kind = SCAP_KIND_PACKET;
		break;
	default:
		break;
	}
	return sizeof(*to) + to->local_len + to->remote_len;
}
