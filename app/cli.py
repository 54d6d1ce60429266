"""The operator's commands."""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Annotated

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
        typer.echo(_first_key(Settings()))


evaluate = typer.Typer(no_args_is_help=True, help="Run a paper's suite against a service.")
cli.add_typer(evaluate, name="evaluate")

_Url = Annotated[
    str | None, typer.Option(help="Of the service; default: the one on APP_HOST and APP_PORT.")
]
_Key = Annotated[
    str | None, typer.Option(help="An API key that may write; default: that of the first start.")
]


@evaluate.command()
def longmemeval(
    path: Annotated[Path, typer.Argument(help="A file of the data set, as published.")],
    url: _Url = None,
    key: _Key = None,
    output: Annotated[Path, typer.Option(help="Ranked ids, a line each.")] = Path("ranked.jsonl"),
    granularity: Annotated[str, typer.Option(help="`session` or `turn`.")] = "session",
    speakers: Annotated[str, typer.Option(help="Whose turns are stored: `user`, `all`.")] = "user",
    limit: Annotated[int | None, typer.Option(help="Only so many questions.")] = None,
) -> None:
    """LongMemEval: rank the sessions or turns that answer each question; print the figures."""
    from app.evaluation import service  # noqa: PLC0415

    async def run() -> object:
        async with service.HttpApi(*_service(url, key)) as api:
            return await service.longmemeval(
                api,
                path,
                output,
                granularity="turn" if granularity == "turn" else "session",
                speakers="all" if speakers == "all" else "user",
                limit=limit,
            )

    with _one_sentence():
        typer.echo(json.dumps(_evaluated(run), indent=1))


@evaluate.command()
def sort(
    path: Annotated[Path, typer.Argument(help="A text, or a directory of texts (*.txt).")],
    url: _Url = None,
    key: _Key = None,
    excerpts: Annotated[int, typer.Option(help="Of each text and length.")] = 1,
    per_bin: Annotated[int, typer.Option(help="Pairs of each excerpt and bin.")] = 2,
    unordered: Annotated[bool, typer.Option(help="Store without order: a check.")] = False,
) -> None:
    """SORT: ask which of two segments of a text came first; print the accuracy of each cell."""
    from app.evaluation import service  # noqa: PLC0415

    async def run() -> object:
        async with service.HttpApi(*_service(url, key)) as api:
            return await service.sort(
                api, path, excerpts=excerpts, per_bin=per_bin, is_ordered=not unordered
            )

    with _one_sentence():
        typer.echo(json.dumps(_evaluated(run), indent=1))


def _evaluated(run: Callable[[], Coroutine[None, None, object]]) -> object:
    """Run a suite; what the operator can mend ends as one sentence."""
    from app.evaluation import service  # noqa: PLC0415

    try:
        return asyncio.run(run())
    except (service.CallFailedError, service.FormatError, OSError) as error:
        raise LaunchError(str(error)) from error


def _service(url: str | None, key: str | None) -> tuple[str, str]:
    """Return where the measured service is, and a key for it."""
    settings = Settings()
    where = url or f"http://{settings.host}:{settings.port}"
    return where, key or _first_key(settings)


def _first_key(settings: Settings) -> str:
    path = settings.data_dir / "api_key"
    try:
        return path.read_text().strip()
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
