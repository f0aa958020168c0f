/* SPDX-License-Identifier: MIT */
/* blocked DIR: a read that has begun before the capture does and ends in it (DIR/go). */
#include "guest.h"
#include <fcntl.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	char flag[256], buf[64];
	int p[2];

	if (argc < 2 || pipe(p) < 0)
		die("pipe");
	if (fork() == 0) {
		snprintf(flag, sizeof(flag), "%s/go", argv[1]);
		wait_for_file(flag);
		if (write(p[1], "at last", 7) != 7)
			die("write");
		_exit(0);
	}
	snprintf(flag, sizeof(flag), "%s/blocked", argv[1]);
	close(open(flag, O_CREAT | O_WRONLY, 0600));
	if (read(p[0], buf, sizeof(buf)) != 7)
		die("read");
	wait(NULL);
	printf("%d\n", getpid());
	return 0;
}
