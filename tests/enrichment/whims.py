"""A language model in a mood: it answers every question in form, and decides by dice."""

import random
import re

from app.llm.fake import Scripted, ScriptedModel
from app.llm.protocol import Prompt

_SOURCE = re.compile(r'<source id="([^"]+)">\n(.*?)\n</source>', re.DOTALL)
_EMPTY = {"should_evolve": False, "actions": [], "suggested_connections": []}
_UNCHANGED: dict[str, list[str]] = {
    "tags_to_update": [],
    "new_context_neighborhood": [],
    "new_tags_neighborhood": [],
}

TAGS = ("life", "days", "home")
"""Tags that it gives of itself, whatever was said."""


class Whims:
    """Says what its sources say; links, forgets and merges at random."""

    def __init__(self, generator: random.Random) -> None:
        self._random = generator
        self.model = ScriptedModel(self.answer, model="whims")

    def answer(self, prompt: Prompt) -> Scripted:
        """Answer in the form that the prompt's name asks for."""
        kind = prompt.name.rpartition(".")[2].removeprefix("improved_").removeprefix("merged_")
        shown: list[tuple[str, str]] = _SOURCE.findall(prompt.user)
        found: Scripted = getattr(self, f"_{kind}")(shown)
        return found

    def _is_so(self, share: float = 0.5) -> bool:
        return self._random.random() < share

    def _note(self, shown: list[tuple[str, str]]) -> Scripted:
        said = shown[0][1]
        words = re.findall(r"\w+", said)
        # The last word is the memory's own: where it goes, it is followed.
        return {"keywords": words[:3], "context": said[:80], "tags": ["life", words[-1].lower()]}

    def _evolution(self, shown: list[tuple[str, str]]) -> Scripted:
        others = [int(number) for number, _ in shown[1:]]
        actions = [one for one in ("strengthen", "update_neighbor") if self._is_so()]
        if not actions:
            return {**_EMPTY, **_UNCHANGED}
        chosen = [one for one in others if self._is_so()]
        return {
            "should_evolve": True,
            "actions": actions,
            "suggested_connections": [{"id": one, "reason": "It is alike."} for one in chosen],
            "tags_to_update": ["life", self._tag(shown)],
            "new_context_neighborhood": [
                self._random.choice(["It is about life.", "It is about the home."]) for _ in others
            ],
            "new_tags_neighborhood": [["home", self._tag(shown)] for _ in others],
        }

    def _tag(self, shown: list[tuple[str, str]]) -> str:
        """Return a tag of any of the notes that are shown."""
        notes = "\n".join(text for _, text in shown)
        found: list[str] = re.findall(r"^tags: (.+)$", notes, re.MULTILINE)
        return self._random.choice([tag for line in found for tag in line.split(", ")])

    def _think(self, shown: list[tuple[str, str]]) -> Scripted:
        return {
            "thoughts": [
                {
                    "turn": int(number),
                    "text": said,
                    "head": said.partition(":")[0],
                    "relation": "says",
                    "tail": said.split()[-1],
                }
                for number, said in shown
                if self._is_so(0.7)
            ]
        }

    def _read(self, shown: list[tuple[str, str]]) -> Scripted:
        return {
            "facts": [
                {
                    "turn": int(number),
                    "sentence": said.partition(": ")[2],
                    "subject": said.partition(":")[0],
                    "relation": "says",
                    "object": said.split()[-1],
                    "single": self._is_so(),
                    "ended": self._is_so(0.2),
                }
                for number, said in shown
                if self._is_so(0.7)
            ]
        }

    def _organise(self, shown: list[tuple[str, str]]) -> Scripted:
        ids = [int(number) for number, _ in shown]
        self._random.shuffle(ids)
        if self._is_so():
            return {"forget": [{"id": ids[0], "because": ids[1]}], "merge": []}
        if self._is_so():
            return {"forget": [], "merge": []}
        said = {int(number): text.partition(" ")[2] for number, text in shown}
        parts = ids[: self._random.randint(2, 3)]
        merged = {
            "ids": parts,
            "text": " ".join(said[one] for one in parts),
            "head": said[parts[0]].partition(":")[0],
            "relation": "says",
            "tails": [said[one].split()[-1] for one in parts],
        }
        return {"forget": [], "merge": [merged]}

    def _lines(self, shown: list[tuple[str, str]]) -> Scripted:
        return {"lines": [{"text": said, "sources": [place]} for place, (_, said) in
                          enumerate(shown[:3], 1)]}  # fmt: skip

    _day_summary = _summary = _lines

    def _portrait(self, _: list[tuple[str, str]]) -> Scripted:
        return {"traits": "Patient.", "mood": "Calm.", "strategy": "Be brief."}

    _day_portrait = _portrait

    def _shade(self, shown: list[tuple[str, str]]) -> Scripted:
        text = shown[-1][1][:100]
        return {
            "name": "A topic",
            "aspect": "",
            "icon": "*",
            "description": text,
            "content": text,
            "description_second_person": text,
            "content_second_person": text,
        }

    def _merges(self, shown: list[tuple[str, str]]) -> Scripted:
        together = list(range(1, len(shown) + 1))[:2]
        return {"groups": [together] if self._is_so(0.3) else []}

    def _biography(self, shown: list[tuple[str, str]]) -> Scripted:
        return {"third_person": shown[0][1][:100], "second_person": shown[0][1][:100]}
