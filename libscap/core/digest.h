/* SPDX-License-Identifier: MIT */
/* BLAKE2b with 32 bytes (RFC 7693), unkeyed: libsodium's. */
#ifndef SCAP_CORE_DIGEST_H
#define SCAP_CORE_DIGEST_H

#include <sodium/crypto_generichash_blake2b.h>
#include <stddef.h>
#include <stdint.h>

#define SCAP__DIGEST_BYTES 32

#define SCAP__DIGEST_ALIGN _Alignof(crypto_generichash_blake2b_state)

/* The state needs more alignment than malloc(3) gives. One that was begun can't be moved. */
struct scap__digest {
	uint8_t room[sizeof(crypto_generichash_blake2b_state) + SCAP__DIGEST_ALIGN - 1];
};

static inline crypto_generichash_blake2b_state *scap__digest_state(struct scap__digest *d)
{
	uintptr_t p = (uintptr_t)d->room + SCAP__DIGEST_ALIGN - 1;

	return (crypto_generichash_blake2b_state *)(p - p % SCAP__DIGEST_ALIGN);
}

static inline void scap__digest_begin(struct scap__digest *d)
{
	crypto_generichash_blake2b_init(scap__digest_state(d), NULL, 0, SCAP__DIGEST_BYTES);
}

static inline void scap__digest_add(struct scap__digest *d, const void *p, size_t n)
{
	crypto_generichash_blake2b_update(scap__digest_state(d), p, n);
}

static inline void scap__digest_end(struct scap__digest *d, uint8_t out[SCAP__DIGEST_BYTES])
{
	crypto_generichash_blake2b_final(scap__digest_state(d), out, SCAP__DIGEST_BYTES);
}

#endif
