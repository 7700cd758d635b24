# Installs what a part of the tests needs and this machine lacks. Sourced by e2e/test and e2e/long; needs $root.

# What to install for a command that is missing.
declare -A package_of=(
  [chromium]=chromium [firefox-esr]=firefox-esr [pulseaudio]=pulseaudio [ip]=iproute2
  [initdb]=postgresql [pebble]=pebble [janus]=janus [taskset]=util-linux [node]=nodejs [redis-server]=redis-server [turnserver]=coturn [nft]=nftables
  [faketime]=faketime [openssl]=openssl [certutil]=libnss3-tools [prlimit]=util-linux [nsenter]=util-linux
)

# need COMMAND...: Debian's packages, by root or by sudo; otherwise names them and fails.
need() {
  local command packages=()
  for command in "$@"; do present "$command" || packages+=("${package_of[$command]}"); done
  ((${#packages[@]} > 0)) || return 0
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
      echo "missing, and no right to install: ${packages[*]}" >&2
      return 1
    fi
    as_root=(sudo -n)
  fi
  if ! command -v apt-get >/dev/null; then
    echo "missing, and no apt-get to install it: ${packages[*]}" >&2
    return 1
  fi
  announce "install ${packages[*]}"
  "${as_root[@]}" apt-get update -q >/dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${packages[@]}" >/dev/null
  for command in "$@"; do
    present "$command" || { echo "${package_of[$command]} was installed, yet there is no $command" >&2; return 1; }
  done
}

present() {
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null && return 0
  [[ $1 == initdb ]] && compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

# Node serves the tests only; the build never needs it.
need_node() {
  local version
  version=$(node --version 2>/dev/null || echo none)
  if [[ ! $version =~ ^v([0-9]+)\.([0-9]+) ]] || ((BASH_REMATCH[1] < 20 || (BASH_REMATCH[1] == 20 && BASH_REMATCH[2] < 11))); then
    echo "Node 20.11 or newer is needed for the tests; found: $version" >&2
    return 1
  fi
}

# npm_packages FOLDER: exactly what its lock file names, installed again only when that changed.
npm_packages() {
  local folder=$1 stamp
  need_node || return 1
  stamp=$(sha256sum "$folder/package-lock.json" | cut -d' ' -f1)
  [[ $(cat "$folder/node_modules/.installed" 2>/dev/null) == "$stamp" ]] && return 0
  (cd "$folder" && npm ci --no-fund --no-audit --loglevel=error) && echo "$stamp" >"$folder/node_modules/.installed"
}

# cargo_tool NAME VERSION: a cargo subcommand, built from source when it is missing.
cargo_tool() {
  cargo "$1" --version >/dev/null 2>&1 && return 0
  announce "install cargo-$1 $2"
  env -u CARGO_TARGET_DIR cargo install --locked --quiet "cargo-$1" --version "$2"
}
