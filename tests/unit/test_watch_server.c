/* SPDX-License-Identifier: MIT */
/* The control socket. */
#include "test_watch_fake.h"

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "watch/control.h"

static char dir[64], path[100], err[300];
static struct watch_config config = { .socket = path, .socket_mode = 0600 };

static void setup(void)
{
	strcpy(dir, "/tmp/scap-control-XXXXXX");
	cr_assert(mkdtemp(dir));
	chmod(dir, 0755);
	snprintf(path, sizeof(path), "%s/run/control.sock", dir);
}

static void teardown(void)
{
	char run[100];

	unlink(path);
	snprintf(run, sizeof(run), "%s/run", dir);
	rmdir(run);
	rmdir(dir);
}

TestSuite(watch_control, .init = setup, .fini = teardown, .timeout = 60);

static struct control *start(uint64_t patience_ns)
{
	struct control *s;

	s = control_open_patient(&config, patience_ns, err, sizeof(err));
	cr_assert(s, "%s", err);
	cr_assert(control_serve(s, &fake_ops, err, sizeof(err)), "%s", err);
	return s;
}

/* One request, one answer. */
static const char *ask(const char *line)
{
	int fd = connect_unix(path);

	cr_assert_geq(fd, 0);
	send_text(fd, line);
	shutdown(fd, SHUT_WR);
	return read_all(fd);
}

Test(watch_control, requests)
{
	struct control *s = start(ms_ns(10000));
	struct stat st;
	int fd;

	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode, S_IFSOCK | 0600, "%o", st.st_mode);
	cr_expect_str_eq(ask("{\"trigger\":\"hand\",\"name\":\"n\",\"why\":\"w\",\"before_ns\":5,"
			     "\"labels\":{\"a\":\"b\"}}\n"),
			 "{\"ok\":true,\"file\":\"/c/x.scapz\"}\n");
	cr_expect_eq(fake.source, TRIGGER_HAND);
	cr_expect_str_eq(fake.name, "n");
	cr_expect_str_eq(fake.label, "a=b");
	cr_expect_eq(fake.before_ns, 5);
	cr_expect_eq(fake.after_ns, UINT64_MAX);
	fake.code = 1;
	/* Without its end, too. */
	cr_expect_str_eq(ask("{\"trigger\":\"hand\"}"),
			 "{\"ok\":false,\"refused\":true,\"error\":\"cool-down\"}\n");
	cr_expect_str_eq(ask("{\"status\":true}\n"), "{\"ok\":true,\"status\":\"recording\"}\n");
	fake.unhealthy = true;
	cr_expect_str_eq(ask("{\"status\":true}\n"),
			 "{\"ok\":false,\"status\":\"disk is full\"}\n");
	cr_expect(strstr(ask("nonsense\n"), "{\"ok\":false,\"error\":\"byte "));
	/* Two at once, and an error between requests. */
	fd = connect_unix(path);
	send_text(fd, "{\"status\":true}\n[]\n{\"status\":true}\n");
	shutdown(fd, SHUT_WR);
	cr_expect_str_eq(read_all(fd), "{\"ok\":false,\"status\":\"disk is full\"}\n"
			 "{\"ok\":false,\"error\":\"the body is no JSON object\"}\n"
			 "{\"ok\":false,\"status\":\"disk is full\"}\n");
	control_stop(s);
	cr_expect(stat(path, &st) < 0);
}

Test(watch_control, long_line)
{
	struct control *s = start(ms_ns(10000));
	char *line = malloc(CONTROL_LINE + 2);
	size_t head = strlen("{\"trigger\":\"hand\",\"why\":\"");

	memset(line, 'x', CONTROL_LINE + 1);
	line[CONTROL_LINE + 1] = 0;
	memcpy(line, "{\"trigger\":\"hand\",\"why\":\"", head);
	strcpy(line + CONTROL_LINE - 3, "\"}\n");
	cr_expect(strstr(ask(line), "\"ok\":true"));
	strcpy(line + CONTROL_LINE - 2, "\"}\n");
	cr_expect_str_eq(ask(line), "{\"ok\":false,\"error\":\"a request has at most 64 KiB\"}\n");
	free(line);
	control_stop(s);
}

/* One byte now and then does not help. */
Test(watch_control, slow)
{
	struct control *s = start(ms_ns(400));
	int fd = connect_unix(path), idle = connect_unix(path);
	uint64_t begin = now_ns();
	unsigned n = 0;

	while (send(fd, " ", 1, MSG_NOSIGNAL) == 1 && n++ < 100)
		usleep(50000);
	cr_expect_lt(now_ns() - begin, ms_ns(2000));
	cr_expect_gt(now_ns() - begin, ms_ns(300));
	close(fd);
	cr_expect_str_eq(read_all(idle), "");
	cr_expect_lt(now_ns() - begin, ms_ns(2500));
	control_stop(s);
}

Test(watch_control, too_many)
{
	struct control *s = start(ms_ns(1000));
	int fds[CONTROL_CLIENTS];

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		fds[i] = connect_unix(path);
	cr_expect(strstr(ask("{\"status\":true}\n"), "16 clients are connected already"));
	/* Those that went have left a place, those that say nothing will. */
	close(fds[0]);
	cr_expect(within(3, strstr(ask("{\"status\":true}\n"), "recording")));
	cr_expect_str_eq(read_all(fds[1]), "");
	for (unsigned i = 2; i < CONTROL_CLIENTS; i++)
		close(fds[i]);
	control_stop(s);
}

Test(watch_control, wait)
{
	struct control *s = start(ms_ns(200));
	uint64_t begin = now_ns();
	int fd = connect_unix(path), gone;

	/* Longer than the client may take. */
	fake.wait_ms = 700;
	send_text(fd, "{\"trigger\":\"hand\",\"wait\":true}\n");
	cr_expect(within(2, fake.n == 1));
	cr_expect(strstr(ask("{\"status\":true}\n"), "recording"));
	cr_expect_lt(now_ns() - begin, ms_ns(600), "a client that waits holds up another");
	cr_expect(strstr(read_all(fd), "\"ok\":true"));
	cr_expect_geq(now_ns() - begin, ms_ns(700));
	/* One that goes away. */
	fake.wait_ms = 20000;
	gone = connect_unix(path);
	send_text(gone, "{\"trigger\":\"hand\",\"wait\":true}\n");
	cr_expect(within(2, fake.n == 2));
	cr_expect_eq(fake.n_gone, 0);
	close(gone);
	cr_expect(within(2, fake.n_gone == 1));
	/* The end does not wait for anybody. */
	gone = connect_unix(path);
	send_text(gone, "{\"trigger\":\"hand\",\"wait\":true}\n");
	cr_expect(within(2, fake.n == 3));
	begin = now_ns();
	control_stop(s);
	cr_expect_lt(now_ns() - begin, ms_ns(3000));
	close(gone);
}

static void not_started(const char *why)
{
	struct control *s = control_open(&config, err, sizeof(err));

	cr_expect_null(s);
	cr_expect(strstr(err, why), "'%s' lacks '%s'", err, why);
	control_stop(s);
}

/* It is ours, and clients wait, before anybody is served; and may be closed like that. */
Test(watch_control, opened_only)
{
	struct control *s = control_open(&config, err, sizeof(err));
	int fd;

	cr_assert(s, "%s", err);
	not_started("is scap watch running?");
	fd = connect_unix(path);
	cr_assert_geq(fd, 0);
	send_text(fd, "{\"status\":true}\n");
	shutdown(fd, SHUT_WR);
	cr_assert(control_serve(s, &fake_ops, err, sizeof(err)), "%s", err);
	cr_expect(strstr(read_all(fd), "recording"));
	control_stop(s);
	s = control_open(&config, err, sizeof(err));
	cr_assert(s, "%s", err);
	control_stop(s);
	cr_expect_eq(access(path, F_OK), -1);
}

Test(watch_control, stale_and_live)
{
	struct control *s = start(ms_ns(1000));
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	not_started("is scap watch running?");
	cr_expect(strstr(ask("{\"status\":true}\n"), "recording"), "the first one is left alone");
	control_stop(s);
	/* A socket that nobody listens at, as a killed one leaves it. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(un.sun_path, path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	s = start(ms_ns(1000));
	cr_expect(strstr(ask("{\"status\":true}\n"), "recording"));
	/* A path that is another's by now stays. */
	unlink(path);
	write_file(path, "mine");
	control_stop(s);
	cr_expect_eq(access(path, F_OK), 0);
	not_started("is no socket");
}

Test(watch_control, bad_config)
{
	struct watch_config good = config;
	char long_path[200];

	memset(long_path, 'x', 199);
	long_path[199] = 0;
	config.socket = long_path;
	not_started("1 to 107 bytes");
	config.socket = "/nonexistent/a/b";
	not_started("No such file");
	config = good;
	config.socket_owner = "no-such-user";
	not_started("control.owner: there is no user");
	config = good;
	config.socket_group = "no-such-group";
	not_started("control.group: there is no group");
}

/* What a process with these ids is told. */
static const char *ask_as(uid_t uid, gid_t gid, gid_t extra)
{
	static char text[512];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		const char *answer = "cannot connect";
		int fd;

		if (setgroups(extra != 0, &extra) || setgid(gid) || setuid(uid))
			_exit(1);
		fd = connect_unix(path);
		if (fd >= 0) {
			send_text(fd, "{\"status\":true}\n");
			shutdown(fd, SHUT_WR);
			answer = read_all(fd);
		}
		_exit(write(fds[1], answer, strlen(answer)) < 0);
	}
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	close(fds[0]);
	waitpid(pid, &status, 0);
	return text;
}

Test(watch_control, peers)
{
	struct control *s;
	struct stat st;

	if (getuid() != 0)
		cr_skip_test("needs root");
	config.socket_mode = 0666;
	s = start(ms_ns(2000));
	cr_expect(strstr(ask_as(0, 0, 0), "recording"));
	cr_expect(strstr(ask_as(12345, 12345, 0), "permission denied"));
	cr_expect(strstr(fake.said, "of user 12345 was refused"), "%s", fake.said);
	fake.said[0] = 0;
	cr_expect(strstr(ask_as(12345, 0, 0), "permission denied"), "a group says nothing here");
	cr_expect_str_eq(fake.said, "", "the log is not to be filled");
	control_stop(s);
	config.socket_owner = "nobody";
	config.socket_group = "users";
	s = start(ms_ns(2000));
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_uid, 65534);
	cr_expect_eq(st.st_gid, 100);
	cr_expect(strstr(ask_as(65534, 12345, 0), "recording"));
	cr_expect(strstr(ask_as(12345, 100, 0), "recording"));
	cr_expect(strstr(ask_as(12345, 12345, 100), "recording"));
	cr_expect(strstr(ask_as(12345, 12345, 101), "permission denied"));
	control_stop(s);
	/* Whoever the recorder becomes may, too, if nobody else is named. */
	config.socket_owner = config.socket_group = NULL;
	config.user = "nobody";
	config.socket_mode = 0600;
	s = start(ms_ns(2000));
	cr_expect(strstr(ask_as(65534, 12345, 0), "recording"));
	cr_expect_str_eq(ask_as(12345, 12345, 0), "cannot connect");
	control_stop(s);
	config.user = NULL;
	config.socket_owner = "nobody";
	config.socket_group = "users";
	/* The mode decides, too. */
	config.socket_mode = 0600;
	s = start(ms_ns(2000));
	cr_expect_str_eq(ask_as(12345, 100, 0), "cannot connect");
	cr_expect(strstr(ask_as(65534, 12345, 0), "recording"));
	control_stop(s);
}
