/* SPDX-License-Identifier: MIT */
/*
 * In scap watch's place: answer SOCKET TEXT waits for a client, writes the line that it sends to
 * request.json, and answers TEXT. It goes into the background when it listens. Without TEXT it
 * hangs, with as many waiting as may.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int serve(int fd, const char *text)
{
	static char line[65536];
	FILE *out, *client;

	alarm(20);
	fd = accept(fd, NULL, NULL);
	client = fd >= 0 ? fdopen(fd, "r+") : NULL;
	out = fopen("request.json", "w");
	if (!client || !out || !fgets(line, sizeof(line), client))
		return 1;
	fputs(line, out);
	fclose(out);
	return write(fd, text, strlen(text)) < 0;
}

static int hang(const struct sockaddr_un *un)
{
	int fd;

	do
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0);
	return fork() ? 0 : (int)sleep(20);
}

int main(int argc, char **argv)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc < 2 || argc > 3 || strlen(argv[1]) >= sizeof(un.sun_path))
		return 1;
	strcpy(un.sun_path, argv[1]);
	unlink(argv[1]);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, 1) < 0)
		return 1;
	if (argc == 2) {
		close(1);
		close(2);
		return hang(&un);
	}
	if (fork())
		return 0;
	/* The case would wait for the end of its output. */
	close(0);
	close(1);
	close(2);
	return serve(fd, argv[2]);
}
