"""Server settings of the embedded Postgres, fit for the machine."""

import os
from pathlib import Path

_MB = 1024 * 1024
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def machine_memory() -> int:
    """Return the bytes of memory we may use: the machine's, or the container's if less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _CGROUP_LIMITS:
        try:
            memory = min(memory, int(path.read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return memory


def server_settings(memory: int, *, durable: bool) -> dict[str, str]:
    """Return the settings for a machine with ``memory`` bytes."""
    settings = {
        "listen_addresses": "''",
        "unix_socket_permissions": "0700",
        "password_encryption": "'scram-sha-256'",
        "max_connections": "60",
        "shared_buffers": _megabytes(memory // 4, 32, 1024),
        "effective_cache_size": _megabytes(memory // 2, 64, 1024 * 1024),
        "work_mem": _megabytes(memory // 256, 4, 32),
        "maintenance_work_mem": _megabytes(memory // 16, 32, 512),
        "jit": "off",  # costs more than it saves on statements of milliseconds
        "random_page_cost": "1.1",
        "max_logical_replication_workers": "0",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "fsync": "on",
        "synchronous_commit": "on",
        # Index-only scans of fresh rows need the visibility map soon.
        "autovacuum_naptime": "15s",
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_vacuum_insert_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.05",
        **_LOGGING,
    }
    return settings if durable else {**settings, **_NOT_DURABLE}


# No text of a memory may reach a log: no statements, no details, no messages of failed statements
# (they quote values). The caller of a failed statement is told all of it.
_LOGGING = {
    "logging_collector": "on",
    "log_directory": "'../log'",
    "log_filename": "'postgresql-%Y%m%d-%H%M%S.log'",
    "log_file_mode": "0600",
    "log_rotation_age": "0",
    "log_rotation_size": "10MB",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "'none'",
    "log_min_duration_statement": "-1",
    "log_timezone": "'UTC'",
}

_NOT_DURABLE = {
    "shared_buffers": "64MB",
    "fsync": "off",  # a commit still survives kill -9, though not the machine's end
    "full_page_writes": "off",
    "max_wal_size": "1GB",
}


def _megabytes(size: int, least: int, most: int) -> str:
    return f"{max(least, min(most, size // _MB))}MB"


def render(settings: dict[str, str]) -> str:
    """Return the text of postgresql.conf."""
    lines = [f"{name} = {value}" for name, value in settings.items()]
    head = "# Written at every start; put settings of your own into custom.conf beside this file."
    return "\n".join([head, *lines, "include_if_exists = 'custom.conf'", ""])
