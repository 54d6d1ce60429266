"""Prompts are versioned: a changed text needs a new version, and a new line here."""

import hashlib
from datetime import UTC, datetime

import pytest

from app.llm.protocol import Prompt
from app.thoughts import prompts
from app.thoughts.kernel.organising import Member

MEMBER = Member(
    4, 0, None, "Alice", "likes", ("tea",), "Alice likes tea.", datetime(2026, 1, 31, tzinfo=UTC)
)
THINK = prompts.think([(1, "Alice: I like tea.")])
ORGANISE = prompts.organise([MEMBER])
SNAPSHOTS = {
    ("thoughts.think", 1): "e8b8ecb831de730c",
    ("thoughts.organise", 1): "8b52e78ef1d661b6",
}


@pytest.mark.parametrize("prompt", [THINK, ORGANISE], ids=lambda prompt: prompt.name)
def test_a_prompt_is_as_it_was_when_its_version_was_given(prompt: Prompt) -> None:
    digest = hashlib.sha256((prompt.system + "\n" + prompt.user).encode()).hexdigest()[:16]

    assert digest == SNAPSHOTS[prompt.name, prompt.version]


def test_prompts_show_texts_between_fences_under_their_numbers() -> None:
    assert THINK.user == '<source id="1">\nAlice: I like tea.\n</source>'
    assert ORGANISE.user == '<source id="4">\n2026-01-31 Alice likes tea.\n</source>'
