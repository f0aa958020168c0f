/* SPDX-License-Identifier: MIT */
/* scm in 32 bits: control messages have another layout there. */
#include "scm.c"
