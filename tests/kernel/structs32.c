/* SPDX-License-Identifier: MIT */
/* The 32-bit twin: the same calls, laid out as i386 has them. */
#include "structs.c"
