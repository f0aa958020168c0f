/* SPDX-License-Identifier: MIT */
/* Addresses, as their parameters have them: ports in host order, families by number. */
#include "savefile/out.h"

#include <string.h>

#define FAMILY_UNIX 1
#define FAMILY_INET 2
#define FAMILY_INET6 10

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* A name in a socket's address: abstract ones lose their NUL, paths end at one. */
static void more_sun(struct scap__export_params *p, const uint8_t *path, size_t n)
{
	if (n && !path[0]) {
		path++;
		n--;
	}
	n = n ? strnlen((const char *)path, n) : 0;
	scap__export_more(p, path, n);
	scap__export_more(p, "", 1);
}

static void more_end(struct scap__export_params *p, const uint8_t *addr, size_t n, uint16_t port)
{
	uint16_t v = htole16(port);

	scap__export_more(p, addr, n);
	scap__export_more(p, &v, sizeof(v));
}

void scap__export_put_addr(struct scap__export_params *p, const uint8_t *addr, size_t n)
{
	unsigned family = n >= 2 ? scap__le16(addr) : 0;

	if (family == FAMILY_INET && n >= 8) {
		scap__export_put_u8(p, FAMILY_INET);
		more_end(p, addr + 4, 4, be16(addr + 2));
	} else if (family == FAMILY_INET6 && n >= 24) {
		scap__export_put_u8(p, FAMILY_INET6);
		more_end(p, addr + 8, 16, be16(addr + 2));
	} else if (family == FAMILY_UNIX) {
		scap__export_put_u8(p, FAMILY_UNIX);
		more_sun(p, addr + 2, n - 2);
	} else {
		scap__export_put(p, NULL, 0);
	}
}

/*
 * Unix sockets are told apart by the kernel's pointers there; their inode numbers serve as well.
 * The path is that of the end that has a name: the peer's for a caller, the own for who is called.
 */
static void put_unix(struct scap__export_params *p, const struct scap__file *f, bool inbound)
{
	uint64_t own = f->ino, peer = f->sock.peer_ino;
	uint64_t a = htole64(inbound ? own : peer), b = htole64(inbound ? peer : own);

	scap__export_put_u8(p, FAMILY_UNIX);
	scap__export_more(p, &a, sizeof(a));
	scap__export_more(p, &b, sizeof(b));
	if (inbound)
		more_sun(p, f->sun_local, f->sun_local ? f->sock.local_len : 0);
	else
		more_sun(p, f->sun_remote, f->sun_remote ? f->sock.remote_len : 0);
}

void scap__export_put_tuple(struct scap__export_params *p, const struct scap__file *f,
			    bool inbound)
{
	size_t n = f && f->kind == SCAP_KIND_INET6 ? 16 : 4;

	if (f && f->kind == SCAP_KIND_UNIX) {
		put_unix(p, f, inbound);
	} else if (f && (f->kind == SCAP_KIND_INET || f->kind == SCAP_KIND_INET6)) {
		const struct scap_sock *s = &f->sock;

		scap__export_put_u8(p, n == 4 ? FAMILY_INET : FAMILY_INET6);
		if (inbound)
			more_end(p, s->remote_addr, n, s->remote_port);
		more_end(p, s->local_addr, n, s->local_port);
		if (!inbound)
			more_end(p, s->remote_addr, n, s->remote_port);
	} else {
		scap__export_put(p, NULL, 0);
	}
}
