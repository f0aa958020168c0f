/* SPDX-License-Identifier: MIT */
/* Names of files and addresses. */
#include "filter/value.h"

#include "filter/names.h"

#define FAMILY_UNIX	1
#define FAMILY_INET	2
#define FAMILY_INET6	10
#define FAMILY_NETLINK	16
#define FAMILY_VSOCK	40

static unsigned le16(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void set_addr(struct scap__addr *a, bool v6, const uint8_t *bytes, unsigned port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(a, 0, sizeof(*a));
	a->port = (uint16_t)port;
	a->v6 = v6 && memcmp(bytes, mapped, 12);
	if (a->v6)
		memcpy(a->bytes, bytes, 16);
	else
		memcpy(a->bytes, v6 ? bytes + 12 : bytes, 4);
}

static void out_end(struct scap__out *o, const struct scap__addr *a)
{
	if (a->v6) {
		scap__out_char(o, '[');
		scap__out_ipv6(o, a->bytes);
		scap__out_char(o, ']');
	} else {
		scap__out_ipv4(o, a->bytes);
	}
	scap__out_char(o, ':');
	scap__out_uint(o, a->port);
}

bool scap__file_ends(const struct scap__file *f, struct scap__addr ends[2], unsigned *ret_n)
{
	bool v6 = f->kind == SCAP_KIND_INET6;
	const struct scap_sock *s = &f->sock;

	if (!v6 && f->kind != SCAP_KIND_INET)
		return false;
	set_addr(&ends[0], v6, s->local_addr, s->local_port);
	set_addr(&ends[1], v6, s->remote_addr, s->remote_port);
	*ret_n = 2;
	if (!s->remote_port && all_zero(s->remote_addr, sizeof(s->remote_addr)))
		*ret_n = 1;	/* listening, or not connected yet */
	return true;
}

bool scap__file_set_remote(struct scap__file *f, const uint8_t *p, size_t n, bool replace)
{
	unsigned family = n < 2 ? 0 : le16(p);

	if (f->kind == SCAP_KIND_UNIX && family == FAMILY_UNIX && n > 2 &&
	    (replace || !f->sock.remote_len)) {
		f->sun_remote = p + 2;
		f->sock.remote_len = (uint16_t)(n - 2);
		return true;
	}
	if (f->kind == SCAP_KIND_NETLINK && family == FAMILY_NETLINK && n >= 8) {
		memcpy(f->sock.remote_addr, p + 4, 4);
		return true;
	}
	/* A socket whose connect failed may keep the address; only the port says that it did. */
	if (f->sock.remote_port && !replace)
		return false;
	if (f->kind == SCAP_KIND_INET && family == FAMILY_INET && n >= 8)
		memcpy(f->sock.remote_addr, p + 4, 4);
	else if (f->kind == SCAP_KIND_INET6 && family == FAMILY_INET6 && n >= 24)
		memcpy(f->sock.remote_addr, p + 8, 16);
	else
		return false;
	f->sock.remote_port = (uint16_t)be16(p + 2);
	return true;
}

/* The bytes of sun_path: an abstract name begins with NUL, a path ends at one. */
static void out_sun_path(struct scap__out *o, const uint8_t *p, size_t n)
{
	if (!n)
		return;
	if (!p[0]) {
		scap__out_char(o, '@');
		scap__out_escaped(o, p + 1, n - 1, 0);
	} else {
		scap__out_escaped(o, p, strnlen((const char *)p, n), 0);
	}
}

static void out_unnamed(struct scap__out *o, const char *kind, uint64_t ino)
{
	scap__out_str(o, kind);
	scap__out_lit(o, ":[");
	scap__out_uint(o, ino);
	scap__out_char(o, ']');
}

static void out_unix_name(struct scap__out *o, const struct scap__file *f)
{
	unsigned local = f->sun_local ? f->sock.local_len : 0;
	unsigned remote = f->sun_remote ? f->sock.remote_len : 0;

	if (!local && !remote) {
		scap__out_lit(o, "unix:[");
		scap__out_uint(o, f->ino);
		if (f->sock.peer_ino) {
			scap__out_lit(o, "->");
			scap__out_uint(o, f->sock.peer_ino);
		}
		scap__out_char(o, ']');
		return;
	}
	out_sun_path(o, f->sun_local, local);
	if (remote) {
		scap__out_lit(o, "->");
		out_sun_path(o, f->sun_remote, remote);
	}
}

static void out_netlink_name(struct scap__out *o, const struct scap__file *f)
{
	static const char *const protocols[] = {
		"route", NULL, "usersock", "firewall", "sock_diag", "nflog", "xfrm", "selinux",
		"iscsi", "audit", "fib_lookup", "connector", "netfilter", NULL, "dnrtmsg",
		"kobject_uevent", "generic", NULL, "scsitransport", "ecryptfs", "rdma", "crypto",
		"smc",
	};
	unsigned protocol = f->sock.protocol;
	uint32_t dst = le32(f->sock.remote_addr);

	scap__out_lit(o, "netlink:");
	if (protocol < sizeof(protocols) / sizeof(protocols[0]) && protocols[protocol])
		scap__out_str(o, protocols[protocol]);
	else
		scap__out_uint(o, protocol);
	scap__out_char(o, ':');
	scap__out_uint(o, le32(f->sock.local_addr));
	if (dst) {
		scap__out_lit(o, "->");
		scap__out_uint(o, dst);
	}
}

#define VSOCK_ANY 0xffffffffu

static void out_vsock_end(struct scap__out *o, const uint8_t *addr)
{
	uint32_t cid = le32(addr);

	if (cid == VSOCK_ANY)
		scap__out_lit(o, "any");
	else
		scap__out_uint(o, cid);
	scap__out_char(o, ':');
	scap__out_uint(o, le32(addr + 4));
}

static void out_vsock_name(struct scap__out *o, const struct scap__file *f)
{
	const struct scap_sock *s = &f->sock;

	if (le32(s->local_addr + 4) == VSOCK_ANY) {
		out_unnamed(o, "vsock", f->ino);
		return;
	}
	scap__out_lit(o, "vsock:");
	out_vsock_end(o, s->local_addr);
	if (le32(s->remote_addr + 4) != VSOCK_ANY) {
		scap__out_lit(o, "->");
		out_vsock_end(o, s->remote_addr);
	}
}

/* Interface and protocol; 0: all of them, none. */
static void out_packet_name(struct scap__out *o, const struct scap__file *f)
{
	scap__out_lit(o, "packet:");
	scap__out_uint(o, le32(f->sock.local_addr));
	scap__out_char(o, ':');
	scap__out_hex(o, f->sock.local_port);
}

static bool out_socket_name(struct scap__out *o, const struct scap__file *f)
{
	switch (f->kind) {
	case SCAP_KIND_UNIX:
		out_unix_name(o, f);
		return true;
	case SCAP_KIND_NETLINK:
		out_netlink_name(o, f);
		return true;
	case SCAP_KIND_VSOCK:
		out_vsock_name(o, f);
		return true;
	case SCAP_KIND_PACKET:
		out_packet_name(o, f);
		return true;
	default:
		return false;
	}
}

void scap__out_file_name(struct scap__out *o, const struct scap__file *f)
{
	struct scap__addr ends[2];
	unsigned n;

	if (f->path) {
		scap__out_escaped(o, (const uint8_t *)f->path, f->path_bytes, 0);
		if (f->path_state == SCAP_STATE_TRUNCATED)
			scap__out_lit(o, "...");
	} else if (scap__file_ends(f, ends, &n)) {
		out_end(o, &ends[0]);
		if (n == 2) {
			scap__out_lit(o, "->");
			out_end(o, &ends[1]);
		}
	} else if (!out_socket_name(o, f)) {
		out_unnamed(o, scap__file_type(f), f->ino);
	}
}

/* Kinds that have no number of their own, by the name of their inode. */
static const char *anon_type(const struct scap__file *f)
{
	static const struct { const char *path, *type; } types[] = {
		{ "anon_inode:[io_uring]", "io_uring" },
		{ "anon_inode:[pidfd]", "pidfd" },
		{ "anon_inode:[userfaultfd]", "userfaultfd" },
		{ "anon_inode:bpf", "bpf" },
		{ "anon_inode:[perf_event]", "perf_event" },
		{ "anon_inode:[fanotify]", "fanotify" },
	};

	for (size_t i = 0; f->path && i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i].path);

		if (f->path_bytes >= n && !memcmp(f->path, types[i].path, n))
			return types[i].type;
	}
	return "anon";
}

const char *scap__file_type(const struct scap__file *f)
{
	static const char *const types[SCAP_KINDS] = {
		[SCAP_KIND_UNKNOWN] = "unknown",
		[SCAP_KIND_FILE] = "file",
		[SCAP_KIND_DIR] = "directory",
		[SCAP_KIND_CHAR] = "file",
		[SCAP_KIND_BLOCK] = "file",
		[SCAP_KIND_LINK] = "file",
		[SCAP_KIND_FIFO] = "pipe",
		[SCAP_KIND_INET] = "ipv4",
		[SCAP_KIND_INET6] = "ipv6",
		[SCAP_KIND_UNIX] = "unix",
		[SCAP_KIND_NETLINK] = "netlink",
		[SCAP_KIND_PACKET] = "packet",
		[SCAP_KIND_SOCKET] = "socket",
		[SCAP_KIND_EVENTPOLL] = "eventpoll",
		[SCAP_KIND_EVENTFD] = "event",
		[SCAP_KIND_SIGNALFD] = "signalfd",
		[SCAP_KIND_TIMERFD] = "timerfd",
		[SCAP_KIND_INOTIFY] = "inotify",
		[SCAP_KIND_MEMFD] = "memfd",
		[SCAP_KIND_VSOCK] = "vsock",
	};

	if (f->kind == SCAP_KIND_ANON)
		return anon_type(f);
	return f->kind < SCAP_KINDS && types[f->kind] ? types[f->kind] : "unknown";
}

static bool out_inet_sockaddr(struct scap__out *o, const uint8_t *p, size_t n, unsigned family)
{
	struct scap__addr a;

	if (family == FAMILY_INET && n >= 8)
		set_addr(&a, false, p + 4, be16(p + 2));
	else if (family == FAMILY_INET6 && n >= 24)
		set_addr(&a, true, p + 8, be16(p + 2));
	else
		return false;
	out_end(o, &a);
	return true;
}

static void out_other_sockaddr(struct scap__out *o, const uint8_t *p, size_t n, unsigned family)
{
	scap__out_enum(o, &scap__domain_sock_family, family);
	if (n > 2 && !all_zero(p + 2, n - 2)) {
		scap__out_char(o, ':');
		scap__out_quoted(o, p + 2, n - 2);
	}
}

void scap__out_sockaddr(struct scap__out *o, const uint8_t *p, size_t n)
{
	unsigned family;

	if (n < 2) {
		scap__out_quoted(o, p, n);
		return;
	}
	family = le16(p);
	if (out_inet_sockaddr(o, p, n, family))
		return;
	if (family == FAMILY_UNIX && n > 2) {
		out_sun_path(o, p + 2, n - 2);
	} else if (family == FAMILY_VSOCK && n >= 12) {
		uint8_t end[8];		/* port and cid, the other way round */

		memcpy(end, p + 8, 4);
		memcpy(end + 4, p + 4, 4);
		scap__out_lit(o, "vsock:");
		out_vsock_end(o, end);
	} else if (family == FAMILY_NETLINK && n >= 12) {
		scap__out_lit(o, "netlink:");
		scap__out_uint(o, le32(p + 4));
		scap__out_char(o, ':');
		scap__out_hex(o, le32(p + 8));
	} else {
		out_other_sockaddr(o, p, n, family);
	}
}

void scap__out_wait_status(struct scap__out *o, uint32_t status)
{
	unsigned low = status & 0x7f, high = status >> 8 & 0xff;

	if ((status & 0xffff) == 0xffff) {
		scap__out_lit(o, "continued");
	} else if (low == 0x7f) {
		scap__out_lit(o, "stopped(");
		scap__out_enum(o, &scap__domain_signal, high);
		scap__out_char(o, ')');
	} else if (low) {
		scap__out_lit(o, "killed(");
		scap__out_enum(o, &scap__domain_signal, low);
		if (status & 0x80)
			scap__out_lit(o, ",core");
		scap__out_char(o, ')');
	} else {
		scap__out_lit(o, "exited(");
		scap__out_uint(o, high);
		scap__out_char(o, ')');
	}
}
