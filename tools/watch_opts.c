/* SPDX-License-Identifier: MIT */
#include "watch_opts.h"

const struct opt watch_opts[] = {
	{ WATCH_OPT_CONFIG, 'c', "config", "FILE", "scap-watch.yaml(5); - is standard input" },
	{ WATCH_OPT_BEFORE, 'B', "before", "TIME",
	  "a capture begins so long before its trigger (30s)" },
	{ WATCH_OPT_AFTER, 'A', "after", "TIME", "and ends so long after it (10s)" },
	{ WATCH_OPT_TRIGGER, 't', "trigger", "NAME",
	  "http-5xx, crash or oom; or NAME=FILTER: any event for which\n"
	  "FILTER is true; may be repeated" },
	{ WATCH_OPT_DIR, 0, "dir", "DIR", "where captures go (/var/lib/scap)" },
	{ WATCH_OPT_MEMORY, 0, "memory", "BYTES", "of the ring that holds the past (256M)" },
	{ WATCH_OPT_RING, 0, "ring", "FILE", "its file (/run/scap/ring)" },
	{ WATCH_OPT_KERNEL_RING, 0, "kernel-ring", "BYTES", "per CPU, as --ring of scap record" },
	{ WATCH_OPT_SNAPLEN, 's', "snaplen", "BYTES", "as for scap record" },
	{ WATCH_OPT_SYSCALL, 0, "syscall", "NAME,...",
	  "only these system calls, as for scap record" },
	{ WATCH_OPT_CGROUP, 0, "cgroup", "PATH",
	  "only what runs below this cgroup; may be repeated" },
	{ WATCH_OPT_SOCKET, 0, "socket", "FILE", "for scap trigger (" WATCH_SOCKET ")" },
	{ WATCH_OPT_LISTEN, 0, "listen", "ADDRESS",
	  "HTTP, for alerts and /metrics: 127.0.0.1:9466, [::1]:9466,\n"
	  "unix:FILE" },
	{ WATCH_OPT_TOKEN_FILE, 0, "token-file", "FILE",
	  "its only line is what alerts must bring" },
	{ WATCH_OPT_TLS_CERT, 0, "tls-cert", "FILE", "HTTPS, with this certificate (PEM)" },
	{ WATCH_OPT_TLS_KEY, 0, "tls-key", "FILE", "and its key" },
	{ WATCH_OPT_USER, 0, "user", "NAME", "run as this user once recording has begun" },
	{ WATCH_OPT_NO_SECCOMP, 0, "no-seccomp", NULL,
	  "do without the filter of system calls" },
	{ WATCH_OPT_CHECK, 0, "check-config", NULL,
	  "say whether the configuration is right, and end" },
	{ WATCH_OPT_PRINT, 0, "print-config", NULL, "show all of it as YAML, and end" },
	{ 0 }
};

const char watch_usage[] = "[OPTION...]";

const char watch_details[] =
	"Records the whole machine into a ring of bounded size, for days. A trigger writes a\n"
	"capture of what happened from a while before it to a while after it: an event that a\n"
	"filter chooses, an alert that comes by HTTP, scap trigger, or SIGUSR1. SIGHUP reads the\n"
	"configuration again; SIGTERM and SIGINT end it. The command line wins over the file.\n";

const char watch_examples[] =
	"  scap watch --trigger http-5xx --trigger crash\n"
	"  scap watch --trigger 'slow=evt.type=fsync and evt.latency > 1s' --before 1m\n"
	"  scap watch -c /etc/scap/watch.yaml --check-config\n";
