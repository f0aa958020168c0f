/* SPDX-License-Identifier: MIT */
/*
 * CRC-32C: the Castagnoli polynomial 0x1EDC6F41, reflected, initial value and final exclusive-or
 * all ones (RFC 3720, appendix B.4). "123456789" gives 0xE3069283.
 */
#ifndef SCAP_CORE_CRC32C_H
#define SCAP_CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc: 0, or the result for the bytes before these. */
uint32_t scap__crc32c(uint32_t crc, const void *data, size_t n);
/* The same without special instructions: what other machines run, and what tests compare with. */
uint32_t scap__crc32c_portable(uint32_t crc, const void *data, size_t n);

#endif
