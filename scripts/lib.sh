# Sourced by `demo` and `test`: finds or installs what they need, starts private services in a
# temporary folder, and ends every one of them by its process id, whatever happens.
# shellcheck shell=sh disable=SC2034

moto_version=5.2.5
parliament_version=1.6.4
# parliament finds its data with `pkg_resources`, which setuptools announces to leave out after 80.
setuptools_version=80.9.0
target=${CARGO_TARGET_DIR:-target}

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# --- what must be installed ----------------------------------------------------------------------

# Whether the thing is on this machine.
has() {
    case $1 in
        static-busybox) command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1 ;;
        venv) python3 -c 'import ensurepip' 2>/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# The Debian package that brings the thing.
package_of() {
    case $1 in
        cc) echo build-essential ;;
        # Debian 13 put the client into a package of its own.
        docker) if apt-cache show docker-cli >/dev/null 2>&1; then echo docker-cli; else echo docker.io; fi ;;
        dockerd) echo docker.io ;;
        htpasswd) echo apache2-utils ;;
        static-busybox) echo busybox-static ;;
        venv) echo python3-venv ;;
        *) echo "$1" ;;
    esac
}

# need THING...: installs what is missing, after a question where somebody can answer it.
need() {
    command -v cargo >/dev/null || die "cargo is missing; install Rust as https://rustup.rs says"
    packages=
    for thing; do has "$thing" || packages="$packages $(package_of "$thing")"; done
    [ -n "$packages" ] || return 0
    command -v apt-get >/dev/null ||
        die "this machine has no apt-get; install what Debian calls$packages and run this again"
    install="apt-get install --yes --no-install-recommends$packages"
    [ "$(id -u)" = 0 ] || die "not root, so this must be run first: sudo $install"
    if [ -t 0 ] && [ -t 2 ]; then
        printf '%s\nRun this? [y/N] ' "$install" >&2
        read -r answer
        case $answer in [yY]*) ;; *) die "nothing was installed; run it yourself: $install" ;; esac
    fi
    say "installing$packages"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && $install; } >"$work/apt.log" 2>&1 || die "apt-get failed: $(tail -n 5 "$work/apt.log")"
    for thing; do has "$thing" || die "\`$thing\` is still missing after: $install"; done
}

# --- services --------------------------------------------------------------------------------------

bridge=
work=$(mktemp -d "${TMPDIR:-/tmp}/longshore.XXXXXX")
pids=

# launch NAME COMMAND...: starts it in the background, with stdout in NAME.out and stderr in NAME.log.
launch() {
    out=$work/$1.out log=$work/$1.log
    shift
    "$@" >"$out" 2>"$log" &
    pid=$!
    pids="$pid $pids"
}

# await WHAT COMMAND...: until the command succeeds, at most 60 seconds and while $pid lives.
await() {
    what=$1 tries=300
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ "$tries" = 0 ] || ! kill -0 "$pid" 2>/dev/null; then
            tail -n 20 "$log" >&2
            die "$what did not start"
        fi
        sleep 0.2
    done
}

# What a script has to do before its services end; it may say something else here.
tidy() { :; }

# dockerd ends its own containerd when it is asked to end, so that waiting for it is enough.
stop_services() {
    status=$?
    set +e
    trap - EXIT
    trap '' INT TERM
    tidy >/dev/null 2>&1
    for pid in $pids; do
        kill "$pid" 2>/dev/null
        wait "$pid"
    done
    # The network namespaces of dead containers may stay mounted.
    awk -v dir="$work/" 'index($2, dir) == 1 { print $2 }' /proc/self/mounts | sort -r |
        while read -r mount; do umount "$mount"; done
    [ -z "$bridge" ] || busybox ip link delete "$bridge"
    rm -rf "$work"
    exit "$status"
}
trap stop_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A daemon that shares nothing with any other on this machine: neither data, socket nor bridge, nor
# the names in a containerd that already runs. (With --bridge=none it would remove the other's
# docker0.) Sets DOCKER_HOST.
start_docker() {
    [ "$(id -u)" = 0 ] || die "only root can start a Docker daemon; start one yourself, see \`make help\`"
    DOCKER_HOST=unix://$work/docker.sock
    export DOCKER_HOST
    unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
    bridge=ls$$
    busybox ip link add "$bridge" type bridge
    launch dockerd dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" \
        --pidfile "$work/dockerd.pid" --bridge "$bridge" --iptables=false --ip6tables=false --ip-forward=false \
        --containerd-namespace "longshore-$$" --containerd-plugins-namespace "longshore-plugins-$$"
    await dockerd docker version
}

# install_python NAME PACKAGE...: installs Python packages into $target/NAME. Sets venv.
install_python() {
    venv=$target/$1
    shift
    [ ! -e "$venv/complete" ] || return 0
    say "installing $* into $venv"
    { python3 -m venv --clear "$venv" &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" &&
        touch "$venv/complete"; } >"$work/pip.log" 2>&1 || die "pip failed: $(tail -n 5 "$work/pip.log")"
}

# IAM's linter. Sets parliament.
install_parliament() {
    install_python "parliament-$parliament_version" "parliament==$parliament_version" "setuptools==$setuptools_version"
    parliament=$venv/bin/parliament
}

# moto answers as ECR and STS. Sets moto_server and moto_url.
start_moto() {
    install_python "moto-$moto_version" "moto[server]==$moto_version"
    moto_server=$venv/bin/moto_server
    launch moto "$moto_server" --host 127.0.0.1 --port 0
    await moto grep -q 'Running on' "$log"
    moto_url=$(sed -n 's/.*Running on \(http[^ ]*\).*/\1/p' "$log")
}
