"""Run the sidecar on the address of its settings: ``python -m app.sidecar``."""

import uvicorn

from app.sidecar.main import create_app, load_settings


def main() -> None:
    """Serve until stopped."""
    settings = load_settings()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,  # longer than callers keep an idle connection
        timeout_graceful_shutdown=8,
    )


if __name__ == "__main__":
    main()
