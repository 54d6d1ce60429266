# Sourced by the scripts: finds Python, makes .venv and keeps it in step with the lock files.

say() { printf '%s\n' "$*" >&2; }

# Print the newest Python >= 3.11 there is; APP_PYTHON names one to prefer.
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
