# SPDX-License-Identifier: MIT
# Shared by demo-alert and check-alert: the shop in a guest where scap watch runs, and one fault. In
# the kind `event` a trigger of its own notices the harm; in the kind `prometheus` Prometheus and
# Alertmanager on this machine do, through forwarded ports. Sourced after lib.sh and demo.sh.

# What `prometheus` needs and isn't there; succeeds when nothing is missing.
alert_missing()
{
	for p in prometheus prometheus-alertmanager promtool; do
		command -v $p >/dev/null || { echo "$p is not installed"; return 1; }
	done
	qemu-system-x86_64 -netdev help 2>/dev/null | grep -qx user ||
		{ echo "QEMU has no user network"; return 1; }
}

# alert_config KIND: scap watch's configuration.
alert_config()
{
	cat <<-END
		recording: {memory: 64M, ring: /tmp/watch/ring}
		captures:
		  directory: /tmp/watch/captures
		  hook: {command: [/tmp/watch/hook]}
		control: {socket: /tmp/watch/control}
		privileges: {user: nobody}
		after: 3s
	END
	case $1 in
	event) cat <<-END ;;
		triggers:
		  - builtin: http-5xx
		    before: 5s
	END
	prometheus) cat <<-END ;;
		http: {listen: "10.0.2.15:9466", token-file: /tmp/watch/token, metrics-token: true}
		triggers:
		  - on: alert
		    before: 30s
	END
	esac
}

# A free port, of the 4000 from $1 on.
alert_port()
{
	while :; do
		port=$(($1 + $(od -An -N2 -tu2 /dev/urandom) % 4000))
		grep -qi "$(printf ':%04X ' $port)" /proc/net/tcp /proc/net/tcp6 2>/dev/null ||
			{ echo $port; return; }
	done
}

# They end with the shell that started them, however that ends.
alert_daemon()
{
	log=$1
	shift
	setpriv --pdeathsig TERM "$@" >"$log" 2>&1 </dev/null 9>&- &
	alert_pids="$alert_pids $!"
}

alert_get()
{
	"$(vm_busybox)" wget -q -Y off -O - "$@" 2>/dev/null
}

# Ports, token and configurations, and both daemons, in the directory $1.
alert_daemons()
{
	scap_port=$(alert_port 20000)
	prometheus_port=$(alert_port 24000)
	manager_port=$(alert_port 28000)
	(umask 077; od -An -N16 -tx1 /dev/urandom | tr -d ' ' >"$1/token")
	cat >"$1/prometheus.yml" <<-END
		global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
		rule_files: [rules.yml]
		alerting:
		  alertmanagers:
		    - static_configs: [{targets: ["127.0.0.1:$manager_port"]}]
		scrape_configs:
		  - job_name: scap
		    authorization: {credentials_file: token}
		    static_configs: [{targets: ["127.0.0.1:$scap_port"]}]
	END
	cat >"$1/rules.yml" <<-END
		groups:
		  - name: shop
		    rules:
		      - alert: ShopFails
		        expr: sum(rate(scap_program_http_responses_total{code="5xx"}[10s])) > 0
		        for: 3s
		        labels: {severity: page}
		        annotations: {summary: the shop answers with 5xx}
	END
	cat >"$1/alertmanager.yml" <<-END
		route: {receiver: scap, group_wait: 1s}
		receivers:
		  - name: scap
		    webhook_configs:
		      - url: http://127.0.0.1:$scap_port/trigger/alertmanager
		        http_config: {authorization: {credentials_file: $1/token}}
	END
	alert_daemon "$1/prometheus.log" prometheus --config.file="$1/prometheus.yml" \
		--storage.tsdb.path="$1/prometheus" --web.listen-address="127.0.0.1:$prometheus_port"
	alert_daemon "$1/alertmanager.log" prometheus-alertmanager \
		--config.file="$1/alertmanager.yml" --storage.path="$1/alertmanager" \
		--web.listen-address="127.0.0.1:$manager_port" --cluster.listen-address=
}

# Tells the guest once Prometheus has read that the shop works.
alert_go()
{
	query='sum(scap_program_http_responses_total%7Bcode=%222xx%22%7D)%3E0'
	until alert_get "http://127.0.0.1:$prometheus_port/api/v1/query?query=$query" |
			grep -q '"value"'; do
		kill -0 $$ 2>/dev/null || exit 1
		sleep 0.5
	done
	alert_get --header "Authorization: Bearer $(cat "$1/token")" \
		"http://127.0.0.1:$scap_port/metrics" >"$1/metrics"
	: >"$1/share/go"
}

# alert_boot DIR KIND FAULT: results lie in DIR/share/results, see guest/alert.sh.
alert_boot()
{
	alert_pids=
	rm -rf "$1"
	mkdir -p "$1/share/results"
	alert_config "$2" >"$1/share/watch.yaml"
	echo 'insmod /scap/kscap.ko; mount -o remount,size=90% /tmp' >"$1/share/start"
	case $2 in
	event)
		lead=7
		: >"$1/share/go"
		;;
	prometheus)
		lead=32
		alert_daemons "$1"
		cp "$1/token" "$1/share/"
		alert_go "$1" 9>&- &
		alert_pids="$alert_pids $!"
		VM_QEMU="${VM_QEMU:-} -netdev user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:$scap_port-:9466"
		VM_QEMU="$VM_QEMU -device virtio-net-pci,netdev=n,romfile="
		echo 'ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up' >>"$1/share/start"
		;;
	esac
	cat >>"$1/share/start" <<-END
		sh /scap/alert.sh $3 $lead >/share/results/log 2>&1
		rmmod kscap
		sync; echo done >/share/results/done
	END
	demo_guest "$1" 300
	# shellcheck disable=SC2086
	[ -z "$alert_pids" ] || { kill $alert_pids; wait $alert_pids; } 2>/dev/null || :
}

# The capture that came back, if there is exactly one.
alert_capture()
{
	set -- "$1"/share/results/*.scapz
	[ $# = 1 ] && [ -s "$1" ] && echo "$1"
}

# Seconds from the cause that a sentence tells of to the trigger of the capture $1.
alert_delay()
{
	at=$("$build/scap" info "$1" | sed -n 's/^  *at [^ ]* \([0-9:.]*\).*/\1/p')
	echo "$2" | sed -n 's/^Cause: at \([0-9:.]*\) .*/\1/p' | awk -v at="$at" -F: '
		{ split(at, t); d = t[1] * 3600 + t[2] * 60 + t[3] - $1 * 3600 - $2 * 60 - $3
		  printf "%.1f\n", d < -43200 ? d + 86400 : d }'
}
