# Relayed packets: pictures (1200 bytes, four at once) and voices (172 bytes, one at a time) through ten, 200 and 2,000 allocations, up
# and down in turn. Sourced by e2e/rivals.

needs=(turnserver)
loads=('1200 10' '1200 200' '1200 2000' '172 10' '172 200' '172 2000')
servers=(webcall coturn)

bench() { taskset -c "$generator_cpu" "$webcall" bench turn --payload "$1" --allocations "$2" --seconds "$seconds" --json "${@:3}"; }

measure_webcall() { "$webcall" bench turn --payload "$1" --allocations "$2" --seconds "$seconds" --no-floor --json; }

measure_coturn() {
  start_coturn || return 1
  WEBCALL_BENCH_PASSWORD=builder bench "$1" "$2" --target 127.0.0.1:3479 --user bob --pid "$server_pid"
  local status=$?
  stop_server
  return $status
}

# coturn 4.6.1 of Debian with its best settings for this: one relay thread, UDP alone, no log, no bandwidth limits, as many allocations as
# are asked for. It has no option to receive or send several packets at once. `--udp-recvmmsg` and `--udp-gso` are of later versions: they
# are set where the installed one knows them.
start_coturn() {
  local turnserver batching=() option
  turnserver=$(PATH="$PATH:/usr/sbin" command -v turnserver)
  for option in --udp-recvmmsg --udp-gso; do
    "$turnserver" --help 2>&1 | grep -q -- "$option" && batching+=("$option")
  done
  mkdir -p "$work/coturn"
  (
    # Each allocation is a socket.
    ulimit -n "$(ulimit -Hn)"
    exec taskset -c "$server_cpu" "$turnserver" -n -m 1 --no-cli --no-tcp --no-tls --no-dtls --no-tcp-relay --allow-loopback-peers \
      --lt-cred-mech --user bob:builder --realm bench --listening-ip 127.0.0.1 --listening-port 3479 --relay-ip 127.0.0.1 \
      --min-port 2000 --max-port 32000 --userdb "$work/coturn/db" --pidfile "$work/coturn/pid" --log-file /dev/null --simple-log --no-stdout-log \
      --no-software-attribute "${batching[@]}"
  ) >"$work/coturn.log" 2>&1 &
  server_pid=$!
  for _ in {1..100}; do
    grep -qsi ':0D97 ' /proc/net/udp && return 0 # 3479
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -5 "$work/coturn.log" >&2
  return 1
}
