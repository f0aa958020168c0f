/* SPDX-License-Identifier: MIT */
#include "support_savefile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

void sf_u8(struct rows *r, uint8_t v)
{
	rows_put(r, &v, 1);
}

void sf_u16(struct rows *r, uint16_t v)
{
	sf_u8(r, (uint8_t)v);
	sf_u8(r, (uint8_t)(v >> 8));
}

void sf_u32(struct rows *r, uint32_t v)
{
	sf_u16(r, (uint16_t)v);
	sf_u16(r, (uint16_t)(v >> 16));
}

void sf_u64(struct rows *r, uint64_t v)
{
	sf_u32(r, (uint32_t)v);
	sf_u32(r, (uint32_t)(v >> 32));
}

void sf_str(struct rows *r, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	sf_u16(r, (uint16_t)n);
	if (n)
		rows_put(r, s, n);
}

static void patch_u32(struct rows *r, size_t at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		r->p[at + i] = (uint8_t)(v >> (8 * i));
}

size_t sf_block(struct rows *r, uint32_t type)
{
	size_t at = r->n;

	sf_u32(r, type);
	sf_u32(r, 0);
	return at;
}

void sf_block_end(struct rows *r, size_t at)
{
	uint32_t n;

	while ((r->n - at) % 4)
		sf_u8(r, 0);
	n = (uint32_t)(r->n - at + 4);
	sf_u32(r, n);
	patch_u32(r, at + 4, n);
}

void sf_section(struct rows *r, uint16_t major, uint16_t minor)
{
	size_t at = sf_block(r, 0x0a0d0d0a);

	sf_u32(r, 0x1a2b3c4d);
	sf_u16(r, major);
	sf_u16(r, minor);
	sf_u64(r, UINT64_MAX);
	sf_block_end(r, at);
}

void sf_machine(struct rows *r, uint32_t n_cpus, const char *hostname)
{
	size_t at = sf_block(r, 0x201);
	char name[128] = "";

	strncpy(name, hostname, sizeof(name) - 1);
	sf_u32(r, n_cpus);
	sf_u64(r, 1 << 30);
	sf_u64(r, 0);
	rows_put(r, name, sizeof(name));
	for (unsigned i = 0; i < 4; i++)
		sf_u64(r, 0);
	sf_block_end(r, at);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static unsigned version_of(uint32_t block)
{
	return block == 0x202 ? 1 : block == 0x207 ? 2 : block == 0x209 ? 3 : block - 0x210 + 4;
}

static void put_args(struct rows *r, const char *args)
{
	size_t n = args ? strlen(args) + 1 : 0;

	sf_u16(r, (uint16_t)n);
	if (n)
		rows_put(r, args, n);
}

static void put_process(struct rows *r, unsigned v, const struct sf_process *p)
{
	sf_u64(r, p->tid);
	sf_u64(r, p->pid);
	sf_u64(r, p->ptid);
	if (v >= 6)
		sf_u64(r, 1);
	if (v >= 8)
		sf_u64(r, 1);
	sf_str(r, p->comm);
	sf_str(r, p->exe);
	if (v >= 7)
		sf_str(r, p->exepath);
	put_args(r, p->args);
	sf_str(r, p->cwd);
	sf_u64(r, 1024);
	sf_u32(r, 0);
	sf_u32(r, p->uid);
	sf_u32(r, p->gid);
	for (unsigned i = 0; v >= 2 && i < 7; i++)
		sf_u32(r, 0);
	if (v >= 3)
		put_args(r, "HOME=/");
	if (v >= 4) {
		sf_u64(r, p->tid);
		sf_u64(r, p->pid);
		put_args(r, "cpu=/x/y");
	}
	if (v >= 5)
		sf_str(r, "/");
}

void sf_processes(struct rows *r, uint32_t block, const struct sf_process *p)
{
	size_t at = sf_block(r, block), entry = r->n;
	unsigned v = version_of(block);

	if (v >= 9)
		sf_u32(r, 0);
	put_process(r, v, p);
	if (v >= 9) {
		sf_u32(r, 1000);
		sf_u8(r, 0);
		for (uint64_t i = 1; i <= 3; i++)
			sf_u64(r, i);
		patch_u32(r, entry, (uint32_t)(r->n - entry));
	}
	sf_block_end(r, at);
}

void sf_files(struct rows *r, uint32_t block, uint64_t tid, int64_t fd, const char *path)
{
	size_t at = sf_block(r, block), entry;

	sf_u64(r, tid);
	entry = r->n;
	if (block == 0x218)
		sf_u32(r, 0);
	sf_u64(r, (uint64_t)fd);
	sf_u64(r, 77);
	sf_u8(r, 16);
	sf_u32(r, 3);
	sf_str(r, path);
	if (block == 0x218) {
		sf_u32(r, 0x801);
		patch_u32(r, entry, (uint32_t)(r->n - entry));
	}
	sf_block_end(r, at);
}

void sf_users(struct rows *r, uint32_t block)
{
	size_t at = sf_block(r, block), entry = r->n;

	if (block == 0x220)
		sf_u32(r, 0);
	sf_u8(r, 0);
	sf_u32(r, 0);
	sf_u32(r, 0);
	sf_str(r, "root");
	sf_str(r, "/root");
	sf_str(r, "/bin/sh");
	if (block == 0x220)
		patch_u32(r, entry, (uint32_t)(r->n - entry));
	entry = r->n;
	if (block == 0x220)
		sf_u32(r, 0);
	sf_u8(r, 1);
	sf_u32(r, 10);
	sf_str(r, "wheel");
	if (block == 0x220)
		patch_u32(r, entry, (uint32_t)(r->n - entry));
	sf_block_end(r, at);
}

/* ---- events --------------------------------------------------------------------------------- */

static void put_param(struct rows *data, char form, va_list *ap)
{
	const char *s;
	size_t n;

	switch (form) {
	case '1':
		sf_u8(data, (uint8_t)va_arg(*ap, unsigned));
		break;
	case '2':
		sf_u16(data, (uint16_t)va_arg(*ap, unsigned));
		break;
	case '4':
		sf_u32(data, va_arg(*ap, unsigned));
		break;
	case '8':
	case 'd':
		sf_u64(data, va_arg(*ap, uint64_t));
		break;
	case 's':
		s = va_arg(*ap, const char *);
		rows_put(data, s, strlen(s) + 1);
		break;
	case 'b':
		n = va_arg(*ap, size_t);
		rows_put(data, va_arg(*ap, const void *), n);
		break;
	}
}

struct head {
	uint32_t block;
	uint16_t cpu;
	uint64_t ts, tid;
	unsigned type;
};

static void put_event(struct rows *r, const struct head *h, const char *form, va_list *ap)
{
	bool old = h->block == 0x204 || h->block == 0x208;
	bool flags = h->block == 0x208 || h->block == 0x217 || h->block == 0x222;
	uint32_t n = (uint32_t)strlen(form);
	struct rows data = { 0 }, lengths = { 0 };
	size_t at = sf_block(r, h->block);

	for (uint32_t i = 0; i < n; i++) {
		size_t before = data.n;

		put_param(&data, form[i], ap);
		sf_u16(&lengths, (uint16_t)(data.n - before));
	}
	sf_u16(r, h->cpu);
	if (flags)
		sf_u32(r, 1);
	sf_u64(r, h->ts);
	sf_u64(r, h->tid);
	sf_u32(r, (uint32_t)((old ? 22 : 26) + lengths.n + data.n));
	sf_u16(r, (uint16_t)h->type);
	if (!old)
		sf_u32(r, n);
	if (lengths.n)
		rows_put(r, lengths.p, lengths.n);
	if (data.n)
		rows_put(r, data.p, data.n);
	sf_block_end(r, at);
	rows_free(&data);
	rows_free(&lengths);
}

void sf_event(struct rows *r, uint64_t ts, uint64_t tid, unsigned type, const char *form, ...)
{
	const struct head h = { 0x216, 0, ts, tid, type };
	va_list ap;

	va_start(ap, form);
	put_event(r, &h, form, &ap);
	va_end(ap);
}

void sf_event_in(struct rows *r, uint32_t block, uint16_t cpu, uint64_t ts, uint64_t tid,
		 unsigned type, const char *form, ...)
{
	const struct head h = { block, cpu, ts, tid, type };
	va_list ap;

	va_start(ap, form);
	put_event(r, &h, form, &ap);
	va_end(ap);
}

/* ---- whole files ---------------------------------------------------------------------------- */

void sf_gzip(struct rows *to, const void *p, size_t n)
{
	uint8_t out[4096];
	z_stream z = { 0 };
	int rc;

	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	z.next_in = (Bytef *)p;
	z.avail_in = (uInt)n;
	do {
		z.next_out = out;
		z.avail_out = sizeof(out);
		rc = deflate(&z, Z_FINISH);
		rows_put(to, out, sizeof(out) - z.avail_out);
	} while (rc == Z_OK);
	deflateEnd(&z);
}

void sf_zstd(struct rows *to, const void *p, size_t n)
{
	size_t cap = ZSTD_compressBound(n), got;
	void *out = malloc(cap);

	got = ZSTD_compress(out, cap, p, n, 3);
	rows_put(to, out, got);
	free(out);
}

#define T0 1600000000000000000ull

void sf_sample(struct rows *r)
{
	const struct sf_process p = {
		.tid = 100, .pid = 100, .ptid = 1, .comm = "shop", .exe = "shopd",
		.exepath = "/usr/bin/shopd", .args = "-x", .cwd = "/srv", .uid = 33, .gid = 34,
	};
	const uint8_t addr[] = { 2, 10, 0, 0, 2, 80, 0 };
	const uint8_t tuple[] = { 2, 10, 0, 0, 1, 0x40, 0x9c, 10, 0, 0, 2, 80, 0 };

	sf_section(r, 1, 2);
	sf_machine(r, 2, "vm1");
	sf_processes(r, 0x215, &p);
	sf_files(r, 0x218, 100, 3, "/srv/old");
	sf_users(r, 0x220);
	sf_event(r, T0, 100, 306, "ds44", -100ull, "new", 5u, 0644u);
	sf_event(r, T0 + 500, 100, 307, "dds444", 4ull, -100ull, "new", 5u, 0644u, 0x801u);
	sf_event(r, T0 + 1000, 100, 6, "d4", 4ull, 10u);
	sf_event(r, T0 + 1250, 100, 7, "db", 5ull, (size_t)5, "hello");
	sf_event(r, T0 + 2000, 100, 18, "444", 2u, 1u, 6u);
	sf_event(r, T0 + 2100, 100, 19, "d", 5ull);
	sf_event(r, T0 + 2200, 100, 22, "db", 5ull, sizeof(addr), addr);
	sf_event(r, T0 + 2300, 100, 23, "db", 0ull, sizeof(tuple), tuple);
	sf_event(r, T0 + 3000, 100, 222, "");
	sf_event(r, T0 + 3100, 100, 223, "dsbdddsd88444sb444dd", 101ull, "shopd", (size_t)3, "-x",
		 100ull, 100ull, 1ull, "", 1024ull, 0ull, 0ull, 0u, 0u, 0u, "shop", (size_t)9,
		 "cpu=/x/y", 0u, 33u, 34u, 100ull, 100ull);
	sf_event(r, T0 + 4000, 101, 292, "s", "/bin/ls");
	sf_event(r, T0 + 4500, 101, 293, "dsbdddsd88444sbb", 0ull, "ls", (size_t)3, "-l", 101ull,
		 101ull, 100ull, "", 1024ull, 0ull, 0ull, 0u, 0u, 0u, "ls", (size_t)9, "cpu=/x/y",
		 (size_t)7, "HOME=/");
	sf_event(r, T0 + 5000, 101, 0, "22", 99u, 24u);
	sf_event(r, T0 + 5010, 101, 1, "2", 99u);
	sf_event(r, T0 + 5500, 101, 80, "bd", (size_t)12, "\1\0\3\0\0\0\0\0\0\0\1\0", 100ull);
	sf_event(r, T0 + 5600, 101, 81, "db", 1ull, (size_t)12, "\1\0\3\0\0\0\0\0\0\0\1\0");
	sf_event_in(r, 0x216, 1, T0 + 6000, 100, 152, "d88444", 7ull, 0ull, 0ull, 0u, 0u, 0u);
	sf_event(r, T0 + 6500, 100, 232, "dd1", 0ull, 100ull, 17u);
	sf_event(r, T0 + 7000, 101, 186, "d", 256ull);
	sf_event(r, T0 + 8000, 100, 4, "d", 5ull);
	sf_event(r, T0 + 8100, 100, 5, "d", 0ull);
}
