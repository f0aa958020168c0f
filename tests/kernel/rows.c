/* SPDX-License-Identifier: MIT */
/* The x86-64 rows: "NAME ARGUMENT...". */
#include <stdio.h>

#include "format/table.h"

int main(void)
{
	for (int nr = 0; nr < 1024; nr++) {
		const struct scap__syscall *sc = scap__syscall_lookup(SCAP_ABI_X86_64, nr);

		if (!sc)
			continue;
		printf("%s", sc->name);
		for (unsigned i = 0; i < sc->nargs; i++)
			printf(" %s", sc->args[i].name);
		printf("\n");
	}
	return 0;
}
