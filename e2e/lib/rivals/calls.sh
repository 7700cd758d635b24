# Calls: one sends to many, and ten to ten. Sourced by e2e/rivals.

needs=(janus)
loads=('1 10' '1 50' '10 10')
servers=(webcall janus)

bench() { taskset -c "$generator_cpu" "$webcall" bench fanout --publishers "$1" --subscribers "$2" --seconds "$seconds" --no-floor --json "${@:3}"; }

measure_webcall() { "$webcall" bench fanout --publishers "$1" --subscribers "$2" --seconds "$seconds" --no-floor --json; }

measure_janus() {
  start_janus || return 1
  bench "$1" "$2" --janus 127.0.0.1:8188 --pid "$server_pid"
  local status=$?
  stop_server
  return $status
}

# Janus 1.x of Debian with its best settings for this: ICE-lite, a fixed pool of event loops as large as its processors, nothing else on.
start_janus() {
  local lib others
  lib=$(dirname "$(find /usr/lib -path '*/janus/plugins/libjanus_videoroom.so' | head -1)")
  mkdir -p "$work/janus"
  others=$(find "$lib" -name '*.so' ! -name 'libjanus_videoroom.so' -printf '%f,' | sed 's/,$//')
  local transports
  transports=$(find "$lib/../transports" -name '*.so' ! -name 'libjanus_websockets.so' -printf '%f,' | sed 's/,$//')
  cat >"$work/janus/janus.jcfg" <<EOF
general: { configs_folder = "$work/janus"; plugins_folder = "$lib"; transports_folder = "$lib/../transports"; events_folder = "$work";
  loggers_folder = "$work"; debug_level = 2; session_timeout = 60; event_loops = 1; hide_dependencies = true }
media: { ipv6 = false; rtp_port_range = "20000-24000"; slowlink_threshold = 0 }
nat: { ice_lite = true; full_trickle = false; ice_tcp = false; ice_enforce_list = "lo"; ignore_mdns = true }
certificates: { dtls_ciphers = "DEFAULT" }
plugins: { disable = "$others" }
transports: { disable = "$transports" }
events: { broadcast = false }
EOF
  echo 'general: { json = "compact"; ws = true; ws_port = 8188; ws_ip = "127.0.0.1"; wss = false }' >"$work/janus/janus.transport.websockets.jcfg"
  echo 'general: { }' >"$work/janus/janus.plugin.videoroom.jcfg"
  [[ -f $work/loopback.so ]] || cc -shared -fPIC -O2 -o "$work/loopback.so" e2e/lib/loopback.c -ldl || return 1
  LD_PRELOAD="$work/loopback.so" taskset -c "$server_cpu" janus -F "$work/janus" >"$work/janus.log" 2>&1 &
  server_pid=$!
  for _ in {1..100}; do
    (exec 3<>/dev/tcp/127.0.0.1/8188) 2>/dev/null && return 0
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -5 "$work/janus.log" >&2
  return 1
}
