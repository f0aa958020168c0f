/* SPDX-License-Identifier: MIT */
/* calls_int80 DIR: the 32-bit ABI from a 64-bit program, with garbage in all upper halves. */
#define RAW_INT80
#include "calls32.h"

int main(int argc, char **argv)
{
	return main32(argc, argv);
}
