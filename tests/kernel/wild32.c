/* SPDX-License-Identifier: MIT */
/* The 32-bit twin. */
#include "wild.c"
