/* SPDX-License-Identifier: MIT */
/* HTTP: every answer, and clients that mean no good. */
#include "test_watch_fake.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "watch/http.h"

static char dir[64], path[100], err[300];
static struct watch_config config = { .listen = "127.0.0.1:0" };
static const struct http_limits short_limits = { .idle_s = 1, .request_s = 2 };
static const struct http_limits long_limits = { .idle_s = 10, .request_s = 30 };
static struct http *server;

static void setup(void)
{
	strcpy(dir, "/tmp/scap-http-XXXXXX");
	cr_assert(mkdtemp(dir));
}

static void teardown(void)
{
	char command[100];

	http_stop(server);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(watch_http, .init = setup, .fini = teardown, .timeout = 120);

static struct http *start_it(const struct http_limits *limits)
{
	struct http *h = http_open_limits(&config, limits, err, sizeof(err));

	if (!h || http_serve(h, &fake_ops, err, sizeof(err)))
		return h;
	http_stop(h);
	return NULL;
}

static void start(const struct http_limits *limits)
{
	http_stop(server);
	server = start_it(limits);
	cr_assert(server, "%s", err);
}

/* A connection from 127.0.0.LAST. */
static int connect_from(unsigned last)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = from;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(0x7f000000 + last);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(http_port(server));
	cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	set_patience(fd, 60);
	return fd;
}

static const char *talk(const char *request)
{
	int fd = connect_from(1);

	send_text(fd, request);
	return read_all(fd);
}

#define END "Connection: close\r\n\r\n"

static const char *post(const char *where, const char *body)
{
	static char request[8192];

	snprintf(request, sizeof(request), "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n"
		 END "%s", where, strlen(body), body);
	return talk(request);
}

static void expect(const char *answer, unsigned code, const char *text)
{
	char head[32];

	snprintf(head, sizeof(head), "HTTP/1.1 %u ", code);
	cr_expect(!strncmp(answer, head, strlen(head)), "not %u: '%s'", code, answer);
	cr_expect(strstr(answer, text), "'%s' lacks '%s'", answer, text);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n" END

Test(watch_http, get)
{
	const char *head;

	start(&long_limits);
	cr_expect_neq(http_port(server), 0);
	expect(talk(GET("/metrics")), 200, "\r\n\r\n# TYPE x gauge\nx 1\n");
	expect(talk(GET("/metrics")), 200,
	       "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	expect(talk(GET("/healthz")), 200, "\r\n\r\nrecording\n");
	fake.unhealthy = true;
	expect(talk(GET("/healthz")), 503, "\r\n\r\ndisk is full\n");
	head = talk("HEAD /metrics HTTP/1.1\r\nHost: x\r\n" END);
	expect(head, 200, "Content-Length: 19");
	cr_expect_str_eq(strstr(head, "\r\n\r\n"), "\r\n\r\n");
	expect(talk(GET("/")), 404, "there is /metrics");
	expect(talk(GET("/metrics/")), 404, "");
	expect(talk(GET("/trigger")), 405, "Allow: POST\r\n");
	expect(talk("DELETE /metrics HTTP/1.1\r\nHost: x\r\n" END), 405, "Allow: GET, HEAD\r\n");
	expect(post("/healthz", "x"), 405, "Allow: GET, HEAD\r\n");
}

Test(watch_http, trigger)
{
	start(&long_limits);
	expect(post("/trigger", "{}"), 202, "{\"ok\":true,\"file\":\"/c/x.scapz\"}");
	expect(post("/trigger", "{\"wait\":true}"), 200, "/c/x.scapz");
	expect(post("/trigger", "{\"trigger\":\"t\",\"why\":\"w\",\"before\":\"2s\",\"labels\":"
		    "{\"a\":\"b\"},\"fingerprint\":\"f\"}"), 202, "");
	cr_expect_eq(fake.n, 3);
	cr_expect_eq(fake.source, TRIGGER_ALERT);
	cr_expect_str_eq(fake.name, "t");
	cr_expect_str_eq(fake.why, "w");
	cr_expect_str_eq(fake.label, "a=b");
	cr_expect_str_eq(fake.fingerprint, "f");
	cr_expect_eq(fake.before_ns, 2000000000);
	fake.code = WATCH_REFUSED;
	expect(post("/trigger", "{}"), 429,
	       "{\"ok\":false,\"refused\":true,\"error\":\"cool-down\"}");
	fake.code = WATCH_BUSY;
	expect(post("/trigger", "{}"), 429, "{\"ok\":false,\"refused\":true,");
	fake.code = -2;
	expect(post("/trigger", "{\"trigger\":\"none\"}"), 400, "");
	fake.code = -28;
	expect(post("/trigger", "{}"), 503, "\"ok\":false");
	cr_expect_eq(fake.n, 7);
	expect(post("/trigger", "{"), 400, "{\"ok\":false,\"error\":\"byte ");
	expect(post("/trigger", ""), 400, "byte ");
	cr_expect_eq(fake.n, 7);
}

Test(watch_http, alertmanager)
{
	static const char body[] =
		"{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\","
		"\"labels\":{\"alertname\":\"A\"},"
		"\"annotations\":{\"summary\":\"S\"},\"fingerprint\":\"f1\"},"
		"{\"status\":\"resolved\",\"fingerprint\":\"f0\"}]}";

	start(&long_limits);
	expect(post("/trigger/alertmanager", body), 200, "\"captures\":1,\"refused\":0,"
	       "\"failed\":0,\"resolved\":1,\"left_out\":0,\"alerts\":[{\"ok\":true,"
	       "\"file\":\"/c/x.scapz\",\"fingerprint\":\"f1\"}]}");
	cr_expect_eq(fake.n, 1);
	cr_expect_str_eq(fake.why, "S");
	cr_expect_str_eq(fake.label, "alertname=A");
	fake.code = WATCH_REFUSED;
	expect(post("/trigger/alertmanager", body), 200, "\"captures\":0,\"refused\":1,");
	fake.code = WATCH_BUSY;
	expect(post("/trigger/alertmanager", body), 503, "\"captures\":0,\"refused\":1,");
	fake.code = -28;
	expect(post("/trigger/alertmanager", body), 503, "\"failed\":1,");
	fake.code = -2;
	expect(post("/trigger/alertmanager", body), 400, "\"failed\":1,");
	expect(post("/trigger/alertmanager", "{\"version\":\"3\"}"), 400, "version");
	expect(post("/trigger/alertmanager", "{\"version\":\"4\",\"alerts\":[]}"), 200,
	       "\"alerts\":[]");
}

/* {"why":"xxx"} of n bytes. */
static char *big_body(size_t n)
{
	char *body = malloc(n + 1);

	memset(body, 'x', n);
	memcpy(body, "{\"why\":\"", 8);
	strcpy(body + n - 2, "\"}");
	return body;
}

static const char *post_big(size_t n, bool chunked)
{
	char *body = big_body(n), head[200];
	int fd = connect_from(1);

	if (!chunked) {
		snprintf(head, sizeof(head), "POST /trigger HTTP/1.1\r\nHost: x\r\n"
			 "Content-Length: %zu\r\n" END, n);
		send_text(fd, head);
		send_text(fd, body);
	} else {
		send_text(fd, "POST /trigger HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
			  END);
		for (size_t at = 0; at < n; at += 65536) {
			size_t part = n - at < 65536 ? n - at : 65536;
			char *piece = strndup(body + at, part);

			snprintf(head, sizeof(head), "%zx\r\n", part);
			send_text(fd, head);
			send_text(fd, piece);
			send_text(fd, "\r\n");
			free(piece);
		}
		send_text(fd, "0\r\n\r\n");
	}
	free(body);
	return read_all(fd);
}

Test(watch_http, bodies)
{
	start(&long_limits);
	expect(post_big(1 << 20, false), 202, "");
	expect(post_big((1 << 20) + 1, false), 413, "1 MiB at most");
	expect(post_big(1 << 20, true), 202, "");
	expect(post_big((1 << 20) + 1, true), 413, "1 MiB at most");
	cr_expect_eq(fake.n, 2);
	cr_expect_eq(strlen(fake.why), 1024, "%zu", strlen(fake.why));
	/* Without an end that would come within reach: told at once, or cut off. */
	expect(talk("POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"),
	       413, "");
	expect(talk("POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n"
		    "Expect: 100-continue\r\n\r\n"), 413, "");
	cr_expect_str_eq(post_big(9 << 20, true), "");
	expect(talk("POST /trigger HTTP/1.1\r\nHost: x\r\n" END), 411, "Content-Length");
	expect(talk("POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n" END), 400, "");
	expect(talk("POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 9x\r\n" END), 400, "");
	cr_expect(!strstr(talk("nonsense\r\n\r\n"), " 200 "));
	cr_expect_eq(fake.n, 2);
	expect(talk(GET("/healthz")), 200, "recording");
}

/* A page in a browser, which reaches loopback: no preflight keeps it from a plain POST. */
Test(watch_http, browser)
{
	start(&long_limits);
	expect(talk("POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
		    "Origin: http://example.org\r\nContent-Type: text/plain\r\n" END "{}"),
	       403, "browser");
	expect(talk("POST /trigger/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
		    "Origin: null\r\n" END "{}"), 403, "browser");
	cr_expect_eq(fake.n, 0);
	expect(post("/trigger", "{}"), 202, "");
}

static const char *with_token(const char *value, const char *where)
{
	char request[500];

	snprintf(request, sizeof(request), "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
		 "Authorization: %s\r\n" END "{}", where, value);
	return talk(request);
}

Test(watch_http, token)
{
	snprintf(path, sizeof(path), "%s/token", dir);
	write_file(path, "0123456789abcdef\n");
	config.token_file = path;
	start(&long_limits);
	expect(with_token("Bearer 0123456789abcdef", "/trigger"), 202, "");
	expect(with_token("bearer  0123456789abcdef", "/trigger"), 202, "");
	expect(with_token("Bearer 0123456789abcdeF", "/trigger"), 401, "");
	expect(with_token("Bearer 0123456789abcde", "/trigger"), 401, "");
	expect(with_token("Bearer 0123456789abcdef0", "/trigger"), 401, "");
	expect(with_token("Bearer", "/trigger"), 401, "");
	expect(with_token("Basic 0123456789abcdef", "/trigger"), 401, "");
	expect(post("/trigger/alertmanager", "{}"), 401, "WWW-Authenticate: Bearer realm=\"scap\"");
	expect(post("/trigger", "{}"), 401, "");
	cr_expect_eq(fake.n, 2);
	expect(talk(GET("/metrics")), 200, "");
	config.metrics_need_token = true;
	start(&long_limits);
	expect(talk(GET("/metrics")), 401, "");
	expect(talk("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 0123456789abcdef\r\n"
		    END), 200, "x 1");
	expect(talk(GET("/healthz")), 200, "");
}

static void not_started(const char *why)
{
	struct http *h = start_it(&long_limits);

	cr_expect_null(h);
	cr_expect(strstr(err, why), "'%s' lacks '%s'", err, why);
	http_stop(h);
}

static unsigned n_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

Test(watch_http, bad_config)
{
	static char *const wrong[] = { "9466", "localhost:9466", "127.0.0.1", "127.0.0.1:", "::1:9",
		"127.0.0.1:99999", "127.0.0.1:9x", "[127.0.0.1]:9", "[::1]", "", ":9", "[]:9" };
	struct watch_config good = config;
	unsigned n = n_descriptors();
	char text[40];

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		config.listen = wrong[i];
		not_started("is not an address such as");
	}
	config.listen = "0.0.0.0:0";
	not_started("set http.token-file");
	config.listen = "[::]:0";
	not_started("set http.token-file");
	config = good;
	snprintf(path, sizeof(path), "%s/file", dir);
	config.token_file = path;
	not_started("http.token-file: /tmp/");
	write_file(path, "");
	not_started("it is empty");
	write_file(path, "\n");
	not_started("a line with the token is wanted");
	write_file(path, "a\nb\n");
	not_started("a line with the token is wanted");
	config = good;
	config.tls_cert = path;
	not_started("need each other");
	config.tls_key = path;
	not_started("does not start");
	config = good;
	start(&long_limits);
	snprintf(text, sizeof(text), "127.0.0.1:%u", http_port(server));
	config.listen = text;
	not_started("Address already in use");
	http_stop(server);
	server = NULL;
	cr_expect_eq(n_descriptors(), n, "%u descriptors, not %u", n_descriptors(), n);
}

Test(watch_http, ipv6)
{
	config.listen = "[::1]:0";
	server = start_it(&long_limits);
	if (!server)
		cr_skip_test("no IPv6 here");
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	to.sin6_port = htons(http_port(server));
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	send_text(fd, GET("/healthz"));
	expect(read_all(fd), 200, "recording");
}

Test(watch_http, unix_socket)
{
	char listen[120];
	struct stat st;
	int fds[20];

	snprintf(path, sizeof(path), "%s/http.sock", dir);
	snprintf(listen, sizeof(listen), "unix:%s", path);
	config.listen = listen;
	start(&long_limits);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode, S_IFSOCK | 0660, "%o", st.st_mode);
	/* There are no addresses to be counted. */
	for (unsigned i = 0; i < 20; i++) {
		fds[i] = connect_unix(path);
		send_text(fds[i], GET("/healthz"));
	}
	for (unsigned i = 0; i < 20; i++)
		expect(read_all(fds[i]), 200, "recording");
	http_stop(server);
	server = NULL;
	cr_expect(stat(path, &st) < 0);
	if (getuid() != 0)
		return;
	/* Whoever the recorder becomes can let others in: his group. */
	config.user = "nobody";
	start(&long_limits);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_uid, 65534);
	cr_expect_eq(st.st_gid, 65534);
}

/* ---- clients that mean no good -------------------------------------------------------------- */

/* What a text of ours says of NAME. */
static double metric(const char *name)
{
	char *text = NULL, *at;
	double v = -1;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	http_metrics(server, f);
	fclose(f);
	for (at = text; (at = strstr(at, name)); at++)
		if (at > text && at[-1] == '\n') {
			v = strtod(at + strlen(name), NULL);
			break;
		}
	free(text);
	return v;
}

static void more_descriptors(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

Test(watch_http, thousand_idle)
{
	int *fds = calloc(1000, sizeof(*fds)), fd;
	uint64_t begin;

	more_descriptors();
	start(&short_limits);
	for (unsigned i = 0; i < 1000; i++)
		fds[i] = connect_from(1);
	/* Another address at once, this one after the timeout. */
	begin = now_ns();
	fd = connect_from(2);
	send_text(fd, GET("/healthz"));
	expect(read_all(fd), 200, "recording");
	cr_expect(within(10, strstr(talk(GET("/healthz")), "recording")));
	cr_expect_lt(now_ns() - begin, ms_ns(4000));
	/* Some of the thousand may come after those before them were ended. */
	cr_expect_geq(metric("scap_http_connections_refused_total{limit=\"address\"}"), 900);
	cr_expect_eq(metric("scap_http_connections_refused_total{limit=\"all\"}"), 0);
	cr_expect(within(5, metric("scap_http_connections") == 0));
	for (unsigned i = 0; i < 1000; i++)
		close(fds[i]);
	free(fds);
}

Test(watch_http, all_places)
{
	int fds[65];

	start(&short_limits);
	for (unsigned i = 0; i < 64; i++)
		fds[i] = connect_from(2 + i / 8);
	cr_expect(within(5, metric("scap_http_connections") == 64));
	cr_expect_str_eq(talk(GET("/healthz")), "");
	cr_expect_geq(metric("scap_http_connections_refused_total{limit=\"all\"}"), 1);
	cr_expect(within(5, strstr(talk(GET("/healthz")), "recording")));
	for (unsigned i = 0; i < 64; i++)
		close(fds[i]);
}

/* A byte now and then, in the head and in the body; half a request, and nothing more. */
Test(watch_http, slow)
{
	static const char *const begin[] = {
		"GET /healthz HTTP/1.1\r\nX: ",
		"POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
		"POST /trigger HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
	};
	uint64_t from, took;
	unsigned n;
	int fd;

	start(&short_limits);
	for (unsigned i = 0; i < 3; i++) {
		fd = connect_from(1);
		from = now_ns();
		send_text(fd, begin[i]);
		for (n = 0; n < 100 && send(fd, "1", 1, MSG_NOSIGNAL) == 1; n++)
			usleep(100000);
		took = now_ns() - from;
		cr_expect(took > ms_ns(1800) && took < ms_ns(4500), "%u: %lu", i, took);
		close(fd);
		fd = connect_from(1);
		from = now_ns();
		send_text(fd, begin[i]);
		read_all(fd);
		took = now_ns() - from;
		cr_expect(took > ms_ns(500) && took < ms_ns(2900), "%u: %lu", i, took);
	}
	cr_expect_geq(metric("scap_http_connections_slow_total"), 3);
	cr_expect_eq(fake.n, 0);
	expect(talk(GET("/healthz")), 200, "recording");
}

/* One that begins while the others are looked at is not slow. */
Test(watch_http, slow_and_new)
{
	int fd;

	start(&long_limits);
	fd = connect_from(1);
	cr_expect(within(5, metric("scap_http_connections") == 1));
	pthread_mutex_lock(&server->lock);
	usleep(700000);
	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++)
		server->connections[i].since_ns = now_ns();
	pthread_mutex_unlock(&server->lock);
	usleep(100000);
	send_text(fd, GET("/healthz"));
	expect(read_all(fd), 200, "recording");
	cr_expect_eq(metric("scap_http_connections_slow_total"), 0);
}

/* Requests one after the other are not ended as one that is slow, refused ones neither. */
Test(watch_http, keep_alive)
{
	uint64_t end;
	unsigned n = 0;
	char buf[1000];
	int fd;

	start(&short_limits);
	fd = connect_from(1);
	for (end = now_ns() + ms_ns(3500); now_ns() < end; n++) {
		send_text(fd, "GET /no HTTP/1.1\r\nHost: x\r\n\r\n");
		if (recv(fd, buf, sizeof(buf), 0) <= 0)
			break;
		usleep(200000);
	}
	cr_expect_geq(n, 10, "%u", n);
	cr_expect_geq(now_ns(), end);
	close(fd);
}

/* One that waits takes longer than both limits, and holds up nobody. */
Test(watch_http, wait)
{
	uint64_t begin;
	int fd, gone;

	start(&short_limits);
	fake.wait_ms = 3500;
	begin = now_ns();
	fd = connect_from(1);
	send_text(fd, "POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n" END
		  "{\"wait\":true}");
	cr_expect(within(2, fake.n == 1));
	expect(talk(GET("/healthz")), 200, "recording");
	expect(talk(GET("/metrics")), 200, "x 1");
	expect(post("/trigger", "{}"), 202, "");
	cr_expect_lt(now_ns() - begin, ms_ns(3000));
	expect(read_all(fd), 200, "/c/x.scapz");
	cr_expect_geq(now_ns() - begin, ms_ns(3500));
	cr_expect_eq(fake.n_gone, 0);
	fake.wait_ms = 20000;
	for (unsigned i = 0; i < 2; i++) {
		gone = connect_from(1);
		send_text(gone, "POST /trigger HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n" END
			  "{\"wait\":true}");
		cr_expect(within(2, fake.n == 3 + i));
		if (!i) {
			close(gone);
			cr_expect(within(2, fake.n_gone == 1));
		}
	}
	begin = now_ns();
	http_stop(server);
	server = NULL;
	cr_expect_lt(now_ns() - begin, ms_ns(3000), "the end waits for a client");
	cr_expect_eq(fake.n_gone, 2);
	close(gone);
}

/* What is refused is counted; 401s, too. */
Test(watch_http, counted)
{
	start(&long_limits);
	talk(GET("/healthz"));
	talk(GET("/healthz"));
	talk(GET("/no"));
	post("/trigger", "[");
	cr_expect_eq(metric("scap_http_requests_total{code=\"200\"}"), 2);
	cr_expect_eq(metric("scap_http_requests_total{code=\"404\"}"), 1);
	cr_expect_eq(metric("scap_http_requests_total{code=\"400\"}"), 1);
}

/* ---- TLS ------------------------------------------------------------------------------------ */

static const char *shell(const char *fmt, ...)
{
	static char out[8192], command[1000];
	va_list ap;
	size_t n;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	f = popen(command, "r");
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = 0;
	pclose(f);
	return out;
}

Test(watch_http, tls)
{
	char cert[100], key[100];
	uint64_t begin;

	if (system("command -v openssl >/dev/null"))
		cr_skip_test("openssl is not installed");
	snprintf(cert, sizeof(cert), "%s/cert", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	shell("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=scap "
	      "-addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null", key, cert);
	config.tls_cert = cert;
	config.tls_key = key;
	start(&short_limits);
	expect(shell("printf 'GET /healthz HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n"
		     "\\r\\n' | timeout 20 openssl s_client -quiet -ign_eof "
		     "-verify_return_error -CAfile %s "
		     "-connect 127.0.0.1:%u 2>/dev/null", cert, http_port(server)), 200,
	       "recording");
	fake.wait_ms = 2500;
	expect(shell("printf 'POST /trigger HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n"
		     "Content-Length: 13\\r\\n\\r\\n{\"wait\":true}' | timeout 20 openssl s_client "
		     "-quiet -ign_eof -CAfile %s -connect 127.0.0.1:%u 2>/dev/null", cert,
		     http_port(server)), 200, "/c/x.scapz");
	/* Not without TLS, not with an old one; a handshake that never comes is ended. */
	cr_expect_not(strstr(talk(GET("/healthz")), "recording"));
	cr_expect_not(strstr(shell("printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | timeout 20 "
				   "openssl s_client -quiet -tls1_1 -cipher DEFAULT@SECLEVEL=0 "
				   "-connect 127.0.0.1:%u 2>/dev/null", http_port(server)),
			     "recording"));
	begin = now_ns();
	read_all(connect_from(1));
	cr_expect_lt(now_ns() - begin, ms_ns(5000));
	/* The key of another certificate. */
	shell("openssl genrsa -out %s 2048 2>/dev/null", key);
	http_stop(server);
	server = NULL;
	not_started("does not start");
}
