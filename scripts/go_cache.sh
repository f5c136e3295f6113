# go_cache.sh: builds Go programs once per content of their sources and keeps them outside the tree.
# Sourced by build_oracles, build_controlplane and build_flux; needs bash, coreutils, flock and go.
#
#   cache_open NAME FILE_OR_DIR...   exits 0 with the directory's path when it is already built
#   cache_build MODULE_DIR OUT PACKAGE [LDFLAGS]
#   cache_publish                    makes the directory visible and prints its path

go_minor_min=26
cache_keep_days=14

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Only what the binaries are made of: a README or a test does not cause a rebuild.
content_hash() {
    find "$@" -type f \( -name '*.go' -o -name go.mod -o -name go.sum -o -path '*/scripts/*' \) \
        ! -name '*_test.go' -print0 | LC_ALL=C sort -z |
        while IFS= read -r -d '' file; do
            printf '%s ' "${file#"$root"/}"
            sha256sum <"$file"
        done | sha256sum | cut -c1-16
}

finish() {
    touch "$cache_target"
    ln -s "$(basename "$cache_target")" "$cache_home/.current.$$"
    mv -fT "$cache_home/.current.$$" "$cache_home/current"
    printf '%s\n' "$cache_target"
    exit 0
}

cache_open() {
    local name=$1
    shift
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    cache_home=${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}/$name
    mkdir -p "$cache_home"
    cache_target=$cache_home/$(content_hash "$@" "$root/scripts/go_cache.sh" "$root/scripts/$(basename "$0")")
    [ -d "$cache_target" ] && finish

    # One build at a time; whoever waited finds it done.
    exec 9>"$cache_home/.lock"
    flock -n 9 || { say "$name: waiting for another build"; flock 9; }
    [ -d "$cache_target" ] && finish

    need_go
    cache_work=$cache_home/.work
    rm -rf "$cache_work"
    mkdir "$cache_work"
    cache_log=$cache_home/build.log
    : >"$cache_log"
}

need_go() {
    command -v go >/dev/null || die "go is not in PATH; Go 1.$go_minor_min or newer is needed"
    export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-buildvcs=false CGO_ENABLED=0
    local version
    version=$(go env GOVERSION)
    [[ $version =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge "$go_minor_min" ] ||
        die "$(command -v go) is $version; Go 1.$go_minor_min or newer is needed"
}

# Prints what cache_log gained, once in ten seconds, until the process ends.
show_progress() {
    local pid=$1 what=$2 total=$3 ticks=0
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.5
        ticks=$((ticks + 1))
        [ $((ticks % 20)) -eq 0 ] && say "  $what: $((ticks / 2)) s, $(wc -l <"$cache_log") of at most $total packages compiled"
    done
    wait "$pid"
}

cache_build() {
    local module=$1 out=$2 package=$3 ldflags=${4:-} total
    say "$out: fetching modules"
    if ! (cd "$module" && go list -deps "$package") >"$cache_work/.packages" 2>"$cache_log"; then
        grep -v '^go: downloading' "$cache_log" | tail -n 5 >&2
        die "$out: modules could not be fetched through GOPROXY=$(go env GOPROXY); is the network up?"
    fi
    total=$(wc -l <"$cache_work/.packages")
    say "$out: compiling"
    local start=$SECONDS
    (cd "$module" && exec nice -n 5 go build -v -trimpath -ldflags "-s -w $ldflags" \
        -o "$cache_work/$out" "$package") >"$cache_log" 2>&1 9>&- &
    if ! show_progress $! "$out" "$total"; then
        tail -n 20 "$cache_log" >&2
        die "$out: build failed; the whole log is in $cache_log"
    fi
    say "$out: built in $((SECONDS - start)) s"
}

module_version() { (cd "$1" && go list -m -f '{{.Version}}' "$2"); }

cache_publish() {
    rm -f "$cache_work/.packages"
    mv "$cache_work" "$cache_target"
    find "$cache_home" -mindepth 1 -maxdepth 1 -type d ! -path "$cache_target" \
        -mtime "+$cache_keep_days" -exec rm -rf {} +
    finish
}
