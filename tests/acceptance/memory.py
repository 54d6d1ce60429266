"""How much memory a process needs, as Linux counts it."""

from pathlib import Path


def forget_peak(pid: int) -> None:
    """Let the peak begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    """Return the most that the process had resident since it was started, or since then."""
    status = Path(f"/proc/{pid}/status").read_text()
    (kilobytes,) = [
        int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")
    ]
    return kilobytes / 1024
