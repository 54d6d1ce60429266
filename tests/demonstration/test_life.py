"""The demo: a life by a clock of its own."""

import json
import math
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pytest

from app.embeddings.fake import FakeEmbedder
from app.kit import clock as service_clock
from scripts.demonstration import house, life, pages, story

_DAYS = 5


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that the database server may enter as another user."""
    made = Path(tempfile.mkdtemp(prefix="remembrancer-test-demo-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


async def test_a_life_is_told_fades_and_is_put_down_in_files(
    directory: Path, tmp_path: Path
) -> None:
    told = dict(islice(story.own().items(), 2))
    count = sum(map(len, told.values()))
    clock = house.Clock(datetime.combine(min(told), datetime.min.time(), UTC))
    with clock.ruling():
        async with house.opened(directory, FakeEmbedder(), "Nora") as opened:
            account = await life.live(opened, clock, told, _DAYS)
    written = pages.write(account.pages, tmp_path)

    night = account.timeline[1]
    assert (night.live, night.archived) == (count, 0)  # nothing goes while the story is told
    hours = {"2026-03-02": 39, "2026-03-03": 15}  # from noon to three at night
    for day, mean in night.retention_by_day.items():
        assert mean == pytest.approx(math.exp(-hours[day] / 24), abs=0.001)
    assert account.preview["faded"] == count  # nothing recalled: all of it would go
    last = account.timeline[-1]
    assert last.live + last.archived == count
    assert 0 < last.live < count  # what was recalled stayed
    assert {path.name for path in written} >= {"forgetting.svg", "profile.md", "graph.json"}
    assert "<svg" in account.pages["told/forgetting.svg"]
    summaries = json.loads(account.pages["told/summaries.json"])
    assert [one["day"] for one in summaries] == [day.isoformat() for day in told]
    assert (datetime.now(UTC) - service_clock.now()).total_seconds() < 60  # our clock is back


def test_a_file_of_dated_conversations_is_a_story(tmp_path: Path) -> None:
    history = {"2026-01-02": [{"query": "Hello.", "response": " "}]}
    file = tmp_path / "bank.json"
    file.write_text(json.dumps({" Ivy ": {"history": history}}))
    turns = [story.Turn("user", "Ivy", "Hello.")]
    assert story.read(file, "Ivy") == {date(2026, 1, 2): turns}
