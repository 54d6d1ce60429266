"""The operator's commands."""

import contextlib
import os
from collections.abc import Generator

import typer
from pydantic import ValidationError

from app import __version__
from app.kit.settings import Settings
from app.launcher.errors import LaunchError

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@cli.callback()
def _describe() -> None:
    """Remembrancer: agent memory over HTTP."""


@cli.command()
def serve() -> None:
    """Run everything: database, migrations, sidecar, worker and api, until Ctrl-C."""
    from app.launcher.supervisor import Supervisor  # noqa: PLC0415  -- each command loads its own

    with _one_sentence():
        Supervisor(Settings(), dict(os.environ), _say).run()


@cli.command()
def migrate() -> None:
    """Bring the database to the schema of this release."""
    from app.launcher import migrations  # noqa: PLC0415

    with _one_sentence():
        settings = Settings()
        if settings.database_url is None and settings.migrations.database_url is None:
            msg = "APP_DATABASE_URL is not set; the embedded database migrates when it starts."
            raise LaunchError(msg)
        migrations.upgrade(settings.migrations_url())
        if (password := settings.migrations.app_password) is not None:
            migrations.allow_app_login(settings.migrations_url(), password.get_secret_value())
    _say("the database has the newest schema")


@cli.command()
def api() -> None:
    """Run the api alone, on APP_HOST and APP_PORT."""
    from app.launcher import plan  # noqa: PLC0415

    with _one_sentence():
        command = plan.api_arguments(Settings())
        os.execv(command[0], command)  # noqa: S606  -- the same process: signals reach the server


@cli.command()
def worker() -> None:
    """Run the background work."""
    from app.worker import main  # noqa: PLC0415

    with _one_sentence():
        main()


@cli.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@cli.command()
def key() -> None:
    """Print the API key that the first start made."""
    with _one_sentence():
        path = Settings().data_dir / "api_key"
        try:
            typer.echo(path.read_text().strip())
        except OSError as error:
            msg = f"There is no API key in {path} yet; it is made at the first start."
            raise LaunchError(msg) from error


def _say(message: str) -> None:
    with contextlib.suppress(OSError):  # a closed terminal must not keep us from stopping
        typer.echo(message)


@contextlib.contextmanager
def _one_sentence() -> Generator[None]:
    """Turn what the operator can mend into one sentence and a non-zero exit."""
    try:
        yield
    except LaunchError as error:
        _complain(str(error))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "APP_" + "__".join(str(part).upper() for part in first["loc"])
        _complain(f"The setting {name} is wrong: {first['msg']}.")


def _complain(sentence: str) -> None:
    with contextlib.suppress(OSError):
        typer.echo(f"Error: {sentence}", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    cli()
