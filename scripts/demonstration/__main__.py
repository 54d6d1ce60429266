"""Tell a story day by day, let a month pass, and write what became of it.

scripts/demo [--bank memory_bank_en.json --user Linda] [--days 30] [--out demo]

Without a file it tells a small story of its own. The clock is the story's, so a whole life takes
about a minute. Written: forgetting curves (svg, json), profile (md, json), graph, thoughts,
summaries of days, what would be archived when, and how much lived on each day.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.embeddings.client import HttpEmbedder
from app.kit import logging
from app.kit.settings import EmbeddingSettings, LogSettings
from scripts.bench.sidecar import running_sidecar
from scripts.demonstration import house, life, pages, story


async def _live(
    told: story.Story, user: str, days: int, directory: Path, settings: EmbeddingSettings
) -> dict[str, str]:
    """Live the story in a service of its own; return what became of it, by name of file."""
    embedder = HttpEmbedder(settings)
    clock = house.Clock(datetime.combine(min(told), datetime.min.time(), UTC))
    try:
        with clock.ruling():
            async with house.opened(directory, embedder, user) as opened:
                account = await life.live(opened, clock, told, days)
                return account.pages | {
                    "archiving.json": pages.as_json(account.preview),
                    "timeline.json": pages.as_json([one._asdict() for one in account.timeline]),
                }
    finally:
        await embedder.aclose()


@contextmanager
def _throw_away() -> Iterator[Path]:
    # Not private: the database server may run as another user.
    directory = Path(tempfile.mkdtemp(prefix="remembrancer-demo-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Tell, wait and write."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="scripts/demo",
    )
    parser.add_argument("--bank", type=Path, help="a file in MemoryBank's form")
    parser.add_argument("--user", default=story.OWN_USER, help="whose story of the file")
    parser.add_argument("--days", type=int, default=30, help="days that pass after the story")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="where the files go")
    parser.add_argument("--from", dest="base", type=Path, default=Path(), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    base: Path = arguments.base
    user: str = arguments.user
    told = story.read(base / arguments.bank, user) if arguments.bank else story.own()
    logging.configure(LogSettings(level="warning"), process="demo")
    started = time.monotonic()
    with _throw_away() as directory, running_sidecar() as (url, token):
        settings = EmbeddingSettings(url=url, key=token)
        texts = asyncio.run(_live(told, user, arguments.days, directory, settings))
    written = pages.write(texts, base / arguments.out)
    print(
        f"{len(told)} days told and {arguments.days} lived in {time.monotonic() - started:.0f} s:"
    )
    for path in written:
        print(f"  {path}")


if __name__ == "__main__":
    main()
