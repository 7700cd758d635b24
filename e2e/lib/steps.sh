# Steps of a test command: each is announced, timed and counted. Sourced by e2e/test and e2e/long.
#
# A step is one check (passed or failed) or a test runner, whose own closing lines are counted. A failing step never ends the run: the
# others still tell what they have to tell, and the run fails at its end.

passed=0
failed=0
failures=()
run_started=$SECONDS
logs=$(mktemp -d "${TMPDIR:-/tmp}/webcall-e2e-XXXXXX")
trap 'rm -rf "$logs"' EXIT

# announce TEXT: a line that stands out.
announce() { printf '\n== [%4ds] %s\n' "$((SECONDS - run_started))" "$1"; }

# check NAME COMMAND...: passes when the command does.
check() {
  local name=$1 started=$SECONDS
  shift
  announce "$name"
  if "$@"; then
    passed=$((passed + 1))
    printf -- '-- %s: ok (%d s)\n' "$name" "$((SECONDS - started))"
  else
    fail "$name" "$((SECONDS - started))"
    return 1
  fi
}

# tests NAME COMMAND...: runs a test runner and adds what it counted.
tests() {
  local name=$1 started=$SECONDS log status=0 ran_passed ran_failed
  log="$logs/$(tr -c 'a-z0-9' _ <<<"$name").log"
  shift
  announce "$name"
  "$@" 2>&1 | tee "$log" || status=$?
  read -r ran_passed ran_failed < <(count_tests "$log")
  passed=$((passed + ran_passed))
  failed=$((failed + ran_failed))
  if ((status == 0 && ran_failed == 0 && ran_passed > 0)); then
    printf -- '-- %s: ok, %d tests (%d s)\n' "$name" "$ran_passed" "$((SECONDS - started))"
    return 0
  fi
  ((ran_passed + ran_failed > 0)) || echo "$name: no test was run"
  if ((ran_failed > 0)); then
    failures+=("$name: $ran_failed tests")
    printf -- '-- %s: FAILED, %d of %d tests (%d s)\n' "$name" "$ran_failed" "$((ran_passed + ran_failed))" "$((SECONDS - started))"
  else
    fail "$name" "$((SECONDS - started))"
  fi
  return 1
}

fail() {
  failed=$((failed + 1))
  failures+=("$1")
  printf -- '-- %s: FAILED (%d s)\n' "$1" "$2"
}

# count_tests LOG: prints "PASSED FAILED", read off the closing lines of cargo test, nextest and node's runner.
count_tests() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^test result: / { p += $4; f += $6 }
    /^ *Summary \[/ {
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) p += $(i - 1)
        if ($i ~ /^(failed|timed)/) f += $(i - 1)
      }
    }
    /^(#|ℹ) pass [0-9]+$/ { p += $3 }
    /^(#|ℹ) (fail|cancelled) [0-9]+$/ { f += $3 }
    END { print p + 0, f + 0 }'
}

# finish: the totals, and the exit code of the run.
finish() {
  announce "done in $(((SECONDS - run_started) / 60)) min $(((SECONDS - run_started) % 60)) s"
  local failure
  for failure in "${failures[@]+"${failures[@]}"}"; do echo "failed: $failure"; done
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0 && passed > 0))
}
