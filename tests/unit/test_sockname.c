/* SPDX-License-Identifier: MIT */
/* Names of sockets, and the ends that a message gives them. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <scap/print.h>

#include "test_filter_event.h"

#define U(x) ((uint64_t)(x))

static void put_words(uint8_t *addr, uint32_t a, uint32_t b)
{
	memcpy(addr, &a, 4);
	memcpy(addr + 4, &b, 4);
}

static const char *name_of(const struct scap__file *f)
{
	struct scap_event ev;

	test_call(&ev, SCAP_ABI_X86_64, "fsync", 0, 1, U(3));
	ev.file = f;
	return test_field("fd.name", &ev);
}

Test(sockname, unix_sockets)
{
	struct scap__file f = { .kind = SCAP_KIND_UNIX, .ino = 5, .sock.family = 1 };

	cr_expect_str_eq(name_of(&f), "unix:[5]");
	f.sock.peer_ino = 6;
	cr_expect_str_eq(name_of(&f), "unix:[5->6]");
	f.sun_remote = (const uint8_t *)"\0abs";
	f.sock.remote_len = 4;
	cr_expect_str_eq(name_of(&f), "->@abs");
}

Test(sockname, other_families)
{
	struct scap__file f = { .kind = SCAP_KIND_NETLINK, .sock.family = 16 };

	cr_expect_str_eq(name_of(&f), "netlink:route:0");
	f.sock.protocol = 15;
	put_words(f.sock.local_addr, 4242, 0);
	cr_expect_str_eq(name_of(&f), "netlink:kobject_uevent:4242");
	f.sock.protocol = 99;
	put_words(f.sock.remote_addr, 7, 0);
	cr_expect_str_eq(name_of(&f), "netlink:99:4242->7");
	f = (struct scap__file){ .kind = SCAP_KIND_VSOCK, .ino = 8, .sock.family = 40 };
	put_words(f.sock.local_addr, UINT32_MAX, UINT32_MAX);
	put_words(f.sock.remote_addr, UINT32_MAX, UINT32_MAX);
	cr_expect_str_eq(name_of(&f), "vsock:[8]");
	put_words(f.sock.local_addr, UINT32_MAX, 5000);
	cr_expect_str_eq(name_of(&f), "vsock:any:5000");
	put_words(f.sock.remote_addr, 2, 1024);
	cr_expect_str_eq(name_of(&f), "vsock:any:5000->2:1024");
	f = (struct scap__file){ .kind = SCAP_KIND_PACKET, .sock.family = 17 };
	put_words(f.sock.local_addr, 2, 0);
	f.sock.local_port = 0x88b5;
	cr_expect_str_eq(name_of(&f), "packet:2:0x88b5");
}

static const uint8_t to[16] = { 2, 0, 0x1f, 0x91, 10, 0, 0, 9 };

static void datagram(struct scap_event *ev, struct scap__file *f, const char *call, int64_t ret,
		     unsigned slot)
{
	test_sock(f, 1000, 0);
	f->sock.type = 2;
	test_call(ev, SCAP_ABI_X86_64, call, ret, 6, U(3), U(1), U(5), U(0), U(2), U(16));
	test_blob(ev, slot, SCAP_STATE_WHOLE, to, sizeof(to), sizeof(to));
	ev->file = f;
}

Test(sockname, datagrams)
{
	struct scap_event ev;
	struct scap__file f;

	datagram(&ev, &f, "sendto", 5, 4);
	cr_expect_str_eq(test_field("fd.name", &ev), "127.0.0.1:1000->10.0.0.9:8081");
	cr_expect_str_eq(test_field("fd.rport", &ev), "8081");
	ev.ret = -111;
	cr_expect_str_eq(test_field("fd.rport", &ev), "8081");
	/* A connected one can send elsewhere; a stream can't. */
	f.sock.remote_port = 9;
	cr_expect_str_eq(test_field("fd.rport", &ev), "8081");
	f.sock.type = 1;
	cr_expect_str_eq(test_field("fd.rport", &ev), "9");
	datagram(&ev, &f, "recvfrom", 5, 4);
	cr_expect_str_eq(test_field("fd.rip", &ev), "10.0.0.9");
	datagram(&ev, &f, "sendmsg", 5, SCAP_SLOT_NAME);
	cr_expect_str_eq(test_field("fd.rip", &ev), "10.0.0.9");
	/* These give other addresses. */
	datagram(&ev, &f, "getsockname", 0, 1);
	cr_expect_str_eq(test_field("fd.rip", &ev), "<NA>");
	datagram(&ev, &f, "bind", 0, 1);
	cr_expect_str_eq(test_field("fd.rip", &ev), "<NA>");
}

Test(sockname, vsock_address)
{
	static const uint8_t addr[16] = { 40, 0, 0, 0, 0x88, 0x13, 0, 0, 3, 0, 0, 0 };
	struct scap_event ev;

	test_call(&ev, SCAP_ABI_X86_64, "connect", 0, 3, U(3), U(1), U(16));
	test_blob(&ev, 1, SCAP_STATE_WHOLE, addr, sizeof(addr), sizeof(addr));
	cr_expect_str_eq(test_field("evt.arg.addr", &ev), "vsock:3:5000");
}
