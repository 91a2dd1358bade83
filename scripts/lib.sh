# Shared by the scripts of this folder; source it. It installs what is missing on Debian and Ubuntu, and asks for root only
# when something is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }

# have WHAT: is it there? A program by its name, or the C client's headers.
have() {
    case "$1" in
    libmariadb) pkg-config --exists libmariadb 2>/dev/null ;;
    mariadbd | mariadb-install-db) PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# need WHAT=PACKAGE …: installs the packages of what is missing.
need() {
    local pair missing=()
    for pair in "$@"; do
        have "${pair%%=*}" || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if ! command -v apt-get >/dev/null; then
        say "Missing: ${missing[*]}. Install them with your package manager (macOS: brew install mariadb mariadb-connector-c pkg-config hledger ledger)."
        exit 69
    fi
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        say "Installing ${missing[*]} needs root."
        root=(sudo)
    fi
    say "Installing ${missing[*]} …"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

need_swift() {
    have swift && return 0
    say "The Swift toolchain (6.2 or newer) is missing: https://www.swift.org/install"
    exit 69
}

# What the software itself needs.
need_runtime() {
    need_swift
    need pkg-config=pkg-config libmariadb=libmariadb-dev mariadbd=mariadb-server mariadb-install-db=mariadb-server
}

# What the tests need besides.
need_tests() {
    need_runtime
    need openssl=openssl mariadb=mariadb-client mariadb-binlog=mariadb-client hledger=hledger ledger=ledger
}
