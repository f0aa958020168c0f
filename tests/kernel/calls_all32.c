/* SPDX-License-Identifier: MIT */
/* calls_all32 DIR: the calls of the 32-bit ABI, from a 32-bit program; see calls32.h. */
#include "calls32.h"

int main(int argc, char **argv)
{
	return main32(argc, argv);
}
