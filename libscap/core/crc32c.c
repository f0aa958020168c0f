/* SPDX-License-Identifier: MIT */
#include "core/crc32c.h"

#include "core/bytes.h"

/*
 * Slice-by-8 needs tables[k][i], the remainder of byte i followed by k zero bytes. The remainder
 * is linear, so a table follows from those of the eight single bits, which stand here.
 */
#define BIT(i, b, c) ((i) >> (b) & 1 ? (c) : 0u)
#define AT(i, a, b, c, d, e, f, g, h) \
	(BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ \
	 BIT(i, 4, e) ^ BIT(i, 5, f) ^ BIT(i, 6, g) ^ BIT(i, 7, h))
#define AT4(i, ...) \
	AT(i, __VA_ARGS__), AT((i) + 1, __VA_ARGS__), AT((i) + 2, __VA_ARGS__), \
	AT((i) + 3, __VA_ARGS__)
#define AT16(i, ...) \
	AT4(i, __VA_ARGS__), AT4((i) + 4, __VA_ARGS__), AT4((i) + 8, __VA_ARGS__), \
	AT4((i) + 12, __VA_ARGS__)
#define AT64(i, ...) \
	AT16(i, __VA_ARGS__), AT16((i) + 16, __VA_ARGS__), AT16((i) + 32, __VA_ARGS__), \
	AT16((i) + 48, __VA_ARGS__)
#define TABLE(...) \
	{ AT64(0, __VA_ARGS__), AT64(64, __VA_ARGS__), AT64(128, __VA_ARGS__), \
	  AT64(192, __VA_ARGS__) }

static const uint32_t tables[8][256] = {
	TABLE(0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu,
	      0x105ec76fu, 0x20bd8edeu, 0x417b1dbcu, 0x82f63b78u),
	TABLE(0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u,
	      0x3fc5f181u, 0x7f8be302u, 0xff17c604u, 0xfbc3faf9u),
	TABLE(0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u,
	      0x70a27d8au, 0xe144fb14u, 0xc76580d9u, 0x8b277743u),
	TABLE(0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u,
	      0xe964b13du, 0xd725148bu, 0xaba65fe7u, 0x52a0c93fu),
	TABLE(0x38116facu, 0x7022df58u, 0xe045beb0u, 0xc5670b91u,
	      0x8f2261d3u, 0x1ba8b557u, 0x37516aaeu, 0x6ea2d55cu),
	TABLE(0xef306b19u, 0xdb8ca0c3u, 0xb2f53777u, 0x6006181fu,
	      0xc00c303eu, 0x85f4168du, 0x0e045bebu, 0x1c08b7d6u),
	TABLE(0x68032cc8u, 0xd0065990u, 0xa5e0c5d1u, 0x4e2dfd53u,
	      0x9c5bfaa6u, 0x3d5b83bdu, 0x7ab7077au, 0xf56e0ef4u),
	TABLE(0x493c7d27u, 0x9278fa4eu, 0x211d826du, 0x423b04dau,
	      0x847609b4u, 0x0d006599u, 0x1a00cb32u, 0x34019664u),
};

uint32_t scap__crc32c_portable(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		uint32_t lo = scap__le32(p) ^ crc, hi = scap__le32(p + 4);

		crc = tables[7][lo & 255] ^ tables[6][lo >> 8 & 255] ^
		      tables[5][lo >> 16 & 255] ^ tables[4][lo >> 24] ^
		      tables[3][hi & 255] ^ tables[2][hi >> 8 & 255] ^
		      tables[1][hi >> 16 & 255] ^ tables[0][hi >> 24];
	}
	while (n--)
		crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 255];
	return ~crc;
}

#ifdef __x86_64__
#include <nmmintrin.h>

__attribute__((target("sse4.2")))
static uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t c = ~crc;

	for (; n >= 8; n -= 8, p += 8)
		c = _mm_crc32_u64(c, scap__le64(p));
	while (n--)
		c = _mm_crc32_u8((uint32_t)c, *p++);
	return ~(uint32_t)c;
}

uint32_t scap__crc32c(uint32_t crc, const void *data, size_t n)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, data, n);
	return scap__crc32c_portable(crc, data, n);
}
#else
uint32_t scap__crc32c(uint32_t crc, const void *data, size_t n)
{
	return scap__crc32c_portable(crc, data, n);
}
#endif
