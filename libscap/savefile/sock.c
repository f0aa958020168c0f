/* SPDX-License-Identifier: MIT */
#include "savefile/sock.h"

#include <string.h>

struct end {
	const uint8_t *addr;
	uint16_t port;
};

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static unsigned kind_of(unsigned family)
{
	switch (family) {
	case SCAP__SF_UNIX:
		return SCAP_KIND_UNIX;
	case SCAP__SF_INET:
		return SCAP_KIND_INET;
	case SCAP__SF_INET6:
		return SCAP_KIND_INET6;
	case SCAP__SF_NETLINK:
		return SCAP_KIND_NETLINK;
	case SCAP__SF_PACKET:
		return SCAP_KIND_PACKET;
	case SCAP__SF_VSOCK:
		return SCAP_KIND_VSOCK;
	}
	return SCAP_KIND_SOCKET;
}

struct scap__sf_file *scap__sf_socket_new(struct scap__sf_state *s, unsigned family, unsigned l4)
{
	/* By number in descriptor lists: type and protocol as the kernel numbers them. */
	static const uint8_t types[][2] = { [2] = { 1, 6 }, [3] = { 2, 17 }, [4] = { 3, 1 },
					    [5] = { 3, 0 } };
	struct scap__sf_file *f = scap__sf_file_new(s, kind_of(family), NULL, 0);

	if (!f)
		return NULL;
	f->sock.family = (uint16_t)family;
	if (l4 < sizeof(types) / sizeof(types[0])) {
		f->sock.type = types[l4][0];
		f->sock.protocol = types[l4][1];
	}
	return f;
}

/* ---- addresses of events -------------------------------------------------------------------- */

static unsigned addr_bytes(unsigned family)
{
	return family == SCAP__SF_INET ? 4 : family == SCAP__SF_INET6 ? 16 : 0;
}

static bool get_inet(const uint8_t *p, size_t n, unsigned *ret_family, struct end *ret)
{
	unsigned len = n ? addr_bytes(p[0]) : 0;

	if (!len || n < 1 + len + 2)
		return false;
	*ret_family = p[0];
	*ret = (struct end){ p + 1, le16(p + 1 + len) };
	return true;
}

static bool get_inet_tuple(const uint8_t *p, size_t n, unsigned *ret_family, struct end ret[2])
{
	unsigned len = n ? addr_bytes(p[0]) : 0;

	if (!len || n < 1 + 2 * (len + 2))
		return false;
	*ret_family = p[0];
	ret[0] = (struct end){ p + 1, le16(p + 1 + len) };
	ret[1] = (struct end){ p + 1 + len + 2, le16(p + 1 + 2 * len + 2) };
	return true;
}

static const uint8_t *unix_path(const uint8_t *p, size_t n, size_t skip, size_t *ret_n)
{
	if (n < skip || !n || p[0] != SCAP__SF_UNIX)
		return NULL;
	*ret_n = strnlen((const char *)p + skip, n - skip);
	return p + skip;
}

/* A socket of whose family nothing was known, as with lists cut short, has this one. */
static bool of_family(struct scap__sf_file *f, unsigned family)
{
	if (!f->sock.family) {
		f->sock.family = (uint16_t)family;
		f->kind = (uint16_t)kind_of(family);
	}
	return f->sock.family == family;
}

static void copy_end(uint8_t addr[16], uint16_t *port, const struct end *e, unsigned family)
{
	memset(addr, 0, 16);
	memcpy(addr, e->addr, addr_bytes(family));
	*port = e->port;
}

void scap__sf_set_local(struct scap__sf_state *s, struct scap__sf_file *f, const uint8_t *p,
			size_t n)
{
	const uint8_t *path;
	unsigned family;
	struct end e;
	size_t len;

	if (get_inet(p, n, &family, &e) && of_family(f, family))
		copy_end(f->sock.local_addr, &f->sock.local_port, &e, family);
	else if ((path = unix_path(p, n, 1, &len)) && of_family(f, SCAP__SF_UNIX))
		scap__sf_file_set_unix(s, f, path, len, NULL, 0);
	scap__sf_file_changed(f);
}

void scap__sf_set_remote(struct scap__sf_state *s, struct scap__sf_file *f, const uint8_t *p,
			 size_t n)
{
	const uint8_t *path;
	unsigned family;
	struct end e;
	size_t len;

	if (get_inet(p, n, &family, &e) && of_family(f, family))
		copy_end(f->sock.remote_addr, &f->sock.remote_port, &e, family);
	else if ((path = unix_path(p, n, 1, &len)) && of_family(f, SCAP__SF_UNIX))
		scap__sf_file_set_unix(s, f, NULL, 0, path, len);
	scap__sf_file_changed(f);
}

void scap__sf_set_tuple(struct scap__sf_state *s, struct scap__sf_file *f, const uint8_t *p,
			size_t n, bool accepted)
{
	const uint8_t *path;
	struct end ends[2];
	unsigned family;
	size_t len;

	if (get_inet_tuple(p, n, &family, ends)) {
		if (!of_family(f, family))
			return;
		copy_end(f->sock.local_addr, &f->sock.local_port, &ends[accepted], family);
		copy_end(f->sock.remote_addr, &f->sock.remote_port, &ends[!accepted], family);
	} else if ((path = unix_path(p, n, 17, &len)) && of_family(f, SCAP__SF_UNIX)) {
		scap__sf_file_set_unix(s, f, path, accepted ? len : 0, path, accepted ? 0 : len);
	}
	scap__sf_file_changed(f);
}

/* ---- as programs have them ------------------------------------------------------------------- */

static size_t inet_sockaddr(unsigned family, const struct end *e, uint8_t *ret)
{
	unsigned at = family == SCAP__SF_INET ? 4 : 8, n = family == SCAP__SF_INET ? 16 : 28;

	memset(ret, 0, n);
	ret[0] = (uint8_t)family;
	ret[2] = (uint8_t)(e->port >> 8);
	ret[3] = (uint8_t)e->port;
	memcpy(ret + at, e->addr, addr_bytes(family));
	return n;
}

static size_t unix_sockaddr(const uint8_t *path, size_t n, uint8_t *ret)
{
	if (n > SCAP__SF_SOCKADDR_MAX - 3)
		n = SCAP__SF_SOCKADDR_MAX - 3;
	ret[0] = SCAP__SF_UNIX;
	ret[1] = 0;
	memcpy(ret + 2, path, n);
	ret[2 + n] = 0;
	return n ? n + 3 : 2;
}

size_t scap__sf_sockaddr(const uint8_t *p, size_t n, uint8_t ret[SCAP__SF_SOCKADDR_MAX])
{
	const uint8_t *path;
	unsigned family;
	struct end e;
	size_t len;

	if (get_inet(p, n, &family, &e))
		return inet_sockaddr(family, &e, ret);
	path = unix_path(p, n, 1, &len);
	return path ? unix_sockaddr(path, len, ret) : 0;
}

size_t scap__sf_tuple_sockaddr(const uint8_t *p, size_t n, bool source,
			       uint8_t ret[SCAP__SF_SOCKADDR_MAX])
{
	const uint8_t *path;
	struct end ends[2];
	unsigned family;
	size_t len;

	if (get_inet_tuple(p, n, &family, ends))
		return inet_sockaddr(family, &ends[!source], ret);
	path = unix_path(p, n, 17, &len);
	return path && len ? unix_sockaddr(path, len, ret) : 0;
}
