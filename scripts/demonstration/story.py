"""What the demo tells: a small story of ours, or a user of a file of dated conversations."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

OWN_USER = "Nora"


class Turn(NamedTuple):
    """Something that was said."""

    role: str
    name: str
    text: str


Story = Mapping[date, list[Turn]]
"""What was said, by day."""

_OWN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "2026-03-02": (
        ("I moved to Lisbon on Saturday, the flat is near the river.", "How is the new flat?"),
        ("Bright, but the kitchen tap leaks. I work as a bookbinder.", "A plumber can fix that."),
    ),
    "2026-03-03": (
        ("I adopted a grey cat today, her name is Miso.", "Congratulations! How old is Miso?"),
        ("She is two years old and afraid of the vacuum cleaner.", "Give her a quiet corner."),
    ),
    "2026-03-04": (
        ("My sister Ines visits me next week, we will go surfing.", "Which beach will you try?"),
        ("Costa da Caparica. I have surfed since I was twelve.", "Then the waves know you."),
    ),
    "2026-03-05": (
        ("I bound a book of sea stories for a museum.", "Which leather did you use?"),
        ("Goat leather, dyed blue. The museum pays well.", "It must look beautiful."),
    ),
    "2026-03-06": (
        ("Miso has learned to open the fridge.", "You may need a lock."),
        ("The plumber came at last, the tap is dry.", "One worry less."),
    ),
    "2026-03-07": (
        ("Ines and I surfed all day, the water was cold.", "Did you warm up afterwards?"),
        ("We cooked fish soup, my grandmother's recipe.", "That sounds like a good day."),
    ),
}


def own() -> Story:
    """Return the story that comes with the demo."""
    return {
        date.fromisoformat(day): [
            turn
            for said, answer in exchanges
            for turn in (Turn("user", OWN_USER, said), Turn("assistant", "Companion", answer))
        ]
        for day, exchanges in _OWN.items()
    }


def read(path: Path, user: str) -> Story:
    """Return the story of a user of a file in MemoryBank's form.

    Raises:
        KeyError: the file knows no such user.
    """
    bank = {name.strip(): entry for name, entry in json.loads(path.read_text("utf-8")).items()}
    return {
        date.fromisoformat(day): [
            turn
            for one in exchanges
            for turn in (
                Turn("user", user, one["query"]),
                Turn("assistant", "Companion", one["response"]),
            )
            if turn.text.strip()
        ]
        for day, exchanges in sorted(bank[user]["history"].items())
    }
