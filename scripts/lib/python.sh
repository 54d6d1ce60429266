# Sourced by the scripts: finds Python, makes .venv and keeps it in step with the lock files.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

# Print the path of a Python >= 3.11; APP_PYTHON names one to prefer.
find_python() {
    local candidate
    for candidate in "${APP_PYTHON:-}" python3.13 python3.12 python3.11 python3 python python3.14; do
        if [ -n "$candidate" ] && "$candidate" -c \
            'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    say "No Python 3.11 or newer with venv was found; install one (Debian: apt install python3-venv)."
    return 1
}

# Show what pip downloads, one line a file.
show_downloads() {
    local line
    while IFS= read -r line; do
        case $line in
            *Downloading*.metadata*) ;;
            *Downloading*) say "  ${line#"${line%%[![:space:]]*}"}" ;;
        esac
    done
}

pip_install() {
    .venv/bin/python -m pip install --no-input --disable-pip-version-check --progress-bar off \
        "$@" </dev/null | show_downloads
}

# The stamp of an installed layer is the checksum of what it was installed from.
layer_files() {
    case $1 in
        base) echo requirements.lock ;;
        torch) echo requirements-torch.lock requirements-torch.txt ;;
        *) echo "requirements-$1.lock" ;;
    esac
}

layer_stamp() {
    # shellcheck disable=SC2046  # a list of names without blanks
    cat $(layer_files "$1") | cksum
}

# Make .venv hold the base and the named layers; costs milliseconds when it does.
ensure_venv() {
    if ! .venv/bin/python -c '' >/dev/null 2>&1; then
        local python
        python=$(find_python)
        say "making .venv with $python"
        rm -rf .venv
        "$python" -m venv .venv
    fi
    local layer missing=() requirements=()
    mkdir -p .venv/layers
    for layer in base "$@"; do
        if [ ! -f "$(layer_files "$layer" | cut -d ' ' -f 1)" ]; then
            say "There is no extra \"$layer\"; APP_EXTRAS takes torch and demo."
            return 1
        fi
        if [ "$(cat ".venv/layers/$layer" 2>/dev/null)" != "$(layer_stamp "$layer")" ]; then
            missing+=("$layer")
            requirements+=(-r "$(layer_files "$layer" | cut -d ' ' -f 1)")
        fi
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing: ${missing[*]}"
    pip_install --no-deps --require-hashes "${requirements[@]}"
    for layer in "${missing[@]}"; do
        # With its dependencies: a build for a GPU brings its libraries.
        if [ "$layer" = torch ]; then pip_install -r requirements-torch.txt; fi
        layer_stamp "$layer" >".venv/layers/$layer"
    done
}
