/* SPDX-License-Identifier: MIT */
/*
 * A small shop over HTTP on loopback. The name it is started by says which part it is:
 *	shop-back PORT FILE UID		prices from FILE, read anew for each question
 *	shop-front PORT BACK-PORT	asks the back end for each request
 *	shop-client PORT N		N requests; prints how often it got which status
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_on(int port)
{
	struct sockaddr_in sa = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 16) < 0)
		die("listen");
	return fd;
}

static int connect_to(int port)
{
	struct sockaddr_in sa = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void reply(int fd, int status, const char *body)
{
	char buf[512];
	const char *word = status == 200 ? "OK" : "Internal Server Error";
	int n = snprintf(buf, sizeof(buf), "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n\r\n%s",
			 status, word, strlen(body), body);

	if (write(fd, buf, (size_t)n) != n)
		perror("write");
}

/* The answer is the part of buf behind the first space: its status. */
static int ask(int fd, const char *item, char *buf, size_t cap)
{
	ssize_t n = snprintf(buf, cap, "GET /price/%s HTTP/1.1\r\nHost: shop\r\n\r\n", item);

	if (write(fd, buf, (size_t)n) != n || (n = read(fd, buf, cap - 1)) <= 0)
		return 0;
	buf[n] = 0;
	return strchr(buf, ' ') ? atoi(strchr(buf, ' ')) : 0;
}

static void answer_back(int fd, const char *file)
{
	char buf[2048];
	int data;
	ssize_t n;

	if (read(fd, buf, sizeof(buf)) <= 0)
		return;
	data = open(file, O_RDONLY);
	if (data < 0) {
		reply(fd, 500, "no price today\n");
		return;
	}
	n = read(data, buf, sizeof(buf) - 1);
	close(data);
	buf[n > 0 ? n : 0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	reply(fd, 200, buf);
}

static void answer_front(int fd, int back_port)
{
	char buf[2048];
	int back, status = 0;

	if (read(fd, buf, sizeof(buf)) <= 0)
		return;
	back = connect_to(back_port);
	if (back >= 0) {
		status = ask(back, "tea", buf, sizeof(buf));
		close(back);
	}
	reply(fd, status == 200 ? 200 : 500, status == 200 ? "tea costs 3.20\n" : "sorry\n");
}

static int client(int port, int n)
{
	int n_ok = 0, n_500 = 0, n_other = 0;
	char buf[2048];

	for (int i = 0; i < n; i++) {
		int fd = connect_to(port), status;

		status = fd < 0 ? 0 : ask(fd, "tea", buf, sizeof(buf));
		n_ok += status == 200;
		n_500 += status == 500;
		n_other += status != 200 && status != 500;
		close(fd);
		usleep(10000);
	}
	printf("200: %d, 500: %d, other: %d\n", n_ok, n_500, n_other);
	return n_other != 0;
}

int main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/');
	int l;

	base = base ? base + 1 : argv[0];
	if (argc < 3)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(base, "shop-client"))
		return client(atoi(argv[1]), atoi(argv[2]));
	l = listen_on(atoi(argv[1]));
	if (argc > 3 && setuid((uid_t)atoi(argv[3])) < 0)
		die("setuid");
	for (;;) {
		int fd = accept(l, NULL, NULL);

		if (fd < 0)
			continue;
		if (!strcmp(base, "shop-back"))
			answer_back(fd, argv[2]);
		else
			answer_front(fd, atoi(argv[2]));
		close(fd);
	}
}
