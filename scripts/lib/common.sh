# Shared by the shell scripts: where the repository is, how to speak, how to stop.
# Source it; do not run it.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=$root/.cache

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# version_at_least 1.94 "$(rustc …)": compares dotted numbers.
version_at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# Largest agent, in bytes: customers download it over slow lines while they are on the telephone.
readonly max_agent_bytes=$((5 * 1000 * 1000))

# Level 1 of zstd uses the two fast strategies; without the others it is half as large.
readonly zstd_flags="-DZSTD_EXCLUDE_GREEDY_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_LAZY_BLOCK_COMPRESSOR \
-DZSTD_EXCLUDE_LAZY2_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_BTLAZY2_BLOCK_COMPRESSOR \
-DZSTD_EXCLUDE_BTOPT_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_BTULTRA_BLOCK_COMPRESSOR"

# Says how large an agent is; too large is an error.
check_agent_size() {
  local bytes
  bytes=$(stat -c %s "$1")
  note "$1: $bytes bytes"
  [ "$bytes" -lt "$max_agent_bytes" ] || die "the agent is larger than $max_agent_bytes bytes"
}
