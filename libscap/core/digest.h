/* SPDX-License-Identifier: MIT */
/* BLAKE2b with 32 bytes (RFC 7693), unkeyed: libsodium's. */
#ifndef SCAP_CORE_DIGEST_H
#define SCAP_CORE_DIGEST_H

#include <sodium/crypto_generichash_blake2b.h>
#include <stddef.h>
#include <stdint.h>

#define SCAP__DIGEST_BYTES 32

struct scap__digest {
	crypto_generichash_blake2b_state state;
};

static inline void scap__digest_begin(struct scap__digest *d)
{
	crypto_generichash_blake2b_init(&d->state, NULL, 0, SCAP__DIGEST_BYTES);
}

static inline void scap__digest_add(struct scap__digest *d, const void *p, size_t n)
{
	crypto_generichash_blake2b_update(&d->state, p, n);
}

static inline void scap__digest_end(struct scap__digest *d, uint8_t out[SCAP__DIGEST_BYTES])
{
	crypto_generichash_blake2b_final(&d->state, out, SCAP__DIGEST_BYTES);
}

#endif
