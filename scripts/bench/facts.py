"""What facts and conflicts bring: what replaces what, contradictions, answers as of a date.

    python -m scripts.bench.facts PART... --data DIRECTORY [--every N] [--record]

Parts: ``updates`` (fact sets of which one is contradicted later), ``contradictions`` (questions
that two messages answer differently), ``situated`` (questions with dated answers), ``talk`` (how
often talk is taken for contradictions). Baseline and figure come from the same rows: recall is
asked once with conflicts switched off, and once with them on. ``--every`` takes each Nth case.
"""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple
from urllib.parse import quote

from scripts.bench import evidence
from scripts.bench.load import Installation
from scripts.bench.mechanisms.datasets import conversations
from scripts.bench.mechanisms.figures import difference
from scripts.bench.mechanisms.service import Service

_FIRST = datetime(2026, 1, 5, 12, tzinfo=UTC)
_FORMS = ("%B %d, %Y", "%Y")
_LIMIT = 11
Json = dict[str, Any]


class Measured(NamedTuple):
    """Figures of one part."""

    n: str
    rows: list[Json]
    raw: Json


class Bench(NamedTuple):
    """What a part measures on."""

    service: Service
    data: Path
    every: int

    def switch(self, user: str, *, conflicts: bool) -> None:
        """Switch all mechanisms of a user off but facts, and conflicts as said."""
        names = ("linking", "thoughts", "summaries", "profiles", "segments")
        off = dict.fromkeys(names, False)
        mechanisms = off | {"facts": True, "conflicts": conflicts}
        self.service.call("PUT", f"/v1/users/{user}/settings", {"mechanisms": mechanisms})

    def ranked(self, user: str, query: str, *, limit: int = _LIMIT) -> list[Any]:
        """Return the documents of the hits, best first."""
        hits = self.service.recall(user, query, limit=limit)
        return [hit["metadata"]["doc"] for hit in hits]

    def flagged(self, user: str) -> list[Json]:
        """Return the conflicts found of a user."""
        path = f"/v1/conflicts?user_id={user}&status=all&limit=200"
        found: list[Json] = self.service.call("GET", path)["items"]
        return found


def _lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _items(texts: Sequence[str]) -> list[Json]:
    return [
        {
            "content": text,
            "occurred_at": (_FIRST + timedelta(hours=number)).isoformat(),
            "metadata": {"doc": number},
        }
        for number, text in enumerate(texts)
    ]


def updates(bench: Bench) -> Measured:
    """Contradict one fact of a set; ask before and after."""
    cases = _lines(bench.data / "letta_update_dev.jsonl")[:: bench.every]
    found: dict[str, dict[bool, list[float]]] = {
        name: {False: [], True: []} for name in ("update", "read@1", "read@3")
    }
    sets: dict[tuple[str, ...], str] = {}
    falsely = 0
    for number, case in enumerate(cases):
        told = case["agent_args"]["extra"]
        facts, old = told["facts"], set(told["supporting_fact_indices"])
        if tuple(facts) not in sets:
            reader = sets.setdefault(tuple(facts), f"read{len(sets)}")
            bench.switch(reader, conflicts=True)
            bench.service.store(reader, _items(facts))
            falsely += len({one["newer"]["memory_id"] for one in _sure(bench.flagged(reader))})
        user, reader = f"update{number}", sets[tuple(facts)]
        bench.switch(user, conflicts=True)
        bench.service.store(user, _items([*facts, told["contradicting_fact"]]))
        for is_on in (True, False):
            for one in (user, reader):
                bench.switch(one, conflicts=is_on)
            ranked = bench.ranked(user, case["input"])
            places = {doc: place for place, doc in enumerate(ranked)}
            new = places.get(len(facts), _LIMIT)
            found["update"][is_on].append(all(new < places.get(one, _LIMIT) for one in old))
            ranked = bench.ranked(reader, case["input"])
            for k in (1, 3):
                found[f"read@{k}"][is_on].append(len(old & set(ranked[:k])) / len(old))
    rows = _update_rows(found, falsely / (10 * len(sets)))
    return Measured(f"updates: {len(cases)} questions, {len(sets)} sets", rows, {})


def _update_rows(found: dict[str, dict[bool, list[float]]], flagged: float) -> list[Json]:
    """Return what the update questions gave, with and without."""
    means = {name: {on: round(fmean(v), 4) for on, v in one.items()} for name, one in found.items()}
    lost = {name: difference(found[name][False], found[name][True]) for name in found}
    return [
        evidence.row(
            "what is new outranks all that it replaces", means["update"][True], target="≥ .95",
            baseline=means["update"][False], holds=means["update"][True] >= 0.95,
        ),
        *(
            evidence.row(
                f"recall@{k} of sets without a contradiction: {lost[f'read@{k}']}",
                means[f"read@{k}"][True], target="≥ baseline - .01",
                baseline=means[f"read@{k}"][False], holds=lost[f"read@{k}"].mean >= -0.01,
            )
            for k in (1, 3)
        ),
        evidence.row(
            "statements of those sets taken for a replacement, a statement",
            round(flagged, 4),
        ),
    ]  # fmt: skip


def _sure(found: Sequence[Json]) -> list[Json]:
    return [one for one in found if one["confidence"] >= 0.5]


def contradictions(bench: Bench) -> Measured:
    """Ask what two messages of a chat answer differently."""
    chats = conversations(bench.data / "beam_dev.jsonl")[:: bench.every]
    both: dict[bool, list[float]] = {False: [], True: []}
    share: dict[bool, list[float]] = {False: [], True: []}
    others: dict[bool, list[float]] = {False: [], True: []}
    flagged = messages = 0
    for chat in chats:
        user = f"chat{chat.name}"
        bench.switch(user, conflicts=True)
        bench.service.store(user, chat.items)
        messages += sum(item["role"] == "user" for item in chat.items)
        flagged += len(bench.flagged(user))
        for is_on in (True, False):
            bench.switch(user, conflicts=is_on)
            for question in chat.questions:
                ranked = bench.ranked(user, question.text, limit=10)
                recall = len(question.gold & set(ranked)) / len(question.gold)
                if question.category.startswith("contradiction"):
                    both[is_on].append(recall == 1)
                    share[is_on].append(recall)
                else:
                    others[is_on].append(recall)
    rows = [
        evidence.row(
            "contradiction questions with all statements in the first 10",
            round(fmean(both[True]), 4), target="≥ .75", baseline=round(fmean(both[False]), 4),
            holds=fmean(both[True]) >= 0.75,
        ),
        evidence.row("the same as recall@10", round(fmean(share[True]), 4),
                     baseline=round(fmean(share[False]), 4)),
        evidence.row(
            f"recall@10 of all other questions: {difference(others[False], others[True])}",
            round(fmean(others[True]), 4), target="≥ baseline - .01",
            baseline=round(fmean(others[False]), 4),
            holds=fmean(others[True]) >= fmean(others[False]) - 0.01,
        ),
        evidence.row("conflicts found, a user's message", round(flagged / messages, 4)),
    ]  # fmt: skip
    asked = f"{len(both[True])} questions, {len(others[True])} others"
    return Measured(
        f"contradictions: {asked}, {len(chats)} chats",
        rows,
        {"both": both[True], "before": both[False]},
    )


def talk(bench: Bench) -> Measured:
    """Count conflicts that are found among people who talk."""
    talks = conversations(bench.data / "locomo_dev.jsonl")[:: bench.every]
    turns, found = 0, []
    for one in talks:
        user = f"talk{one.name}"
        bench.switch(user, conflicts=True)
        bench.service.store(user, one.items)
        turns += len(one.items)
        found += bench.flagged(user)
    rows = [
        evidence.row("turns of conversations taken for one side of a conflict, a turn",
                     round(len({side["memory_id"] for one in found
                                for side in (one["older"], one["newer"])}) / turns, 4)),
        evidence.row("of them by which a turn is replaced",
                     round(len({one["older"]["memory_id"] for one in _sure(found)
                                if one["winner"]}) / turns, 4)),
    ]  # fmt: skip
    shown = [(one["detector"], one["older"]["memory_id"]) for one in found]
    return Measured(f"talk: {turns} turns", rows, {"found": len(shown)})


def situated(bench: Bench) -> Measured:
    """Tell when each answer began to be right; ask as of other dates."""
    questions: dict[str, list[Json]] = {}
    for row in _lines(bench.data / "situatedqa" / "temp.dev.jsonl"):
        questions.setdefault(row["question"], []).append(row)
    changing = [
        (text, rows)
        for text, rows in questions.items()
        if len({row["answer"][0] for row in rows if row["date_type"] == "start"}) > 1
        and not re.search(r"[\"\u201c\u201d]", text)
    ][:: bench.every]
    exact: list[float] = []
    newest: list[float] = []
    user = "situated"
    bench.switch(user, conflicts=False)
    items = [
        {"content": f'The answer to "{text}" is "{answer}".', "occurred_at": when.isoformat()}
        for text, rows in changing
        for when, answer in sorted(_starts(rows).items())
    ]
    bench.service.store(user, items)
    for text, rows in changing:
        last = max(_starts(rows).items())[1]
        for row in rows:
            if not row["date_type"].startswith("sampled"):
                continue
            as_of = _moment(row["date"], is_end=row["date_type"] == "sampled_year")
            right = {_plain(one) for one in row["answer"]}
            params = {"user_id": user, "subject": text, "as_of": as_of.isoformat()}
            query = "&".join(f"{name}={quote(value, safe='')}" for name, value in params.items())
            held = bench.service.call("GET", f"/v1/facts?{query}")["items"]
            exact.append(len(held) == 1 and _plain(held[0]["object"]) in right)
            newest.append(_plain(last) in right)
    rows = [
        evidence.row(
            "answers as of a date that match exactly; baseline: the newest answer",
            round(fmean(exact), 4), target="more than the baseline",
            baseline=round(fmean(newest), 4), holds=fmean(exact) > fmean(newest),
        )
    ]  # fmt: skip
    return Measured(f"situated: {len(exact)} dates of {len(changing)} questions", rows, {})


def _starts(rows: Sequence[Json]) -> dict[datetime, str]:
    """Return when each answer began; a day says it better than the year that it lies in."""
    started = [row for row in rows if row["date_type"] == "start"]
    exact = {row["date"][-4:] for row in started if len(row["date"]) > 4}
    kept = [row for row in started if len(row["date"]) > 4 or row["date"] not in exact]
    return {_moment(row["date"]): row["answer"][0] for row in kept}


def _moment(text: str, *, is_end: bool = False) -> datetime:
    for form in _FORMS:
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return found.replace(month=12, day=31) if is_end else found
    msg = f"no date: {text}"
    raise ValueError(msg)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


PARTS: dict[str, Callable[[Bench], Measured]] = {
    "updates": updates,
    "contradictions": contradictions,
    "talk": talk,
    "situated": situated,
}


def main() -> None:
    """Measure parts and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="+", choices=sorted(PARTS))
    parser.add_argument("--data", type=Path, required=True, help="where the data sets lie")
    parser.add_argument("--every", type=int, default=1, help="take each Nth case")
    parser.add_argument("--record", action="store_true", help="keep the result as evidence")
    arguments = parser.parse_args()
    with Installation(0) as installation, Service(installation.url, installation.key) as service:
        bench = Bench(service, arguments.data, arguments.every)
        for part in arguments.parts:
            measured = PARTS[part](bench)
            print(json.dumps(measured._asdict(), indent=1, ensure_ascii=False), flush=True)
            if arguments.record:
                _record(part, arguments.every, measured)


def _record(part: str, every: int, measured: Measured) -> None:
    limited = f" --every {every}" if every > 1 else ""
    evidence.write(
        f"facts_{part}",
        name=f"Facts and conflicts: {part}",
        command=f"python -m scripts.bench.facts {part} --data DIRECTORY{limited} --record",
        n=measured.n,
        rows=measured.rows,
        notes="The rules were written after looking at these sets, so figures on them are "
        "optimistic; see docs/explanation/facts.md.",
        raw=measured.raw,
    )


if __name__ == "__main__":
    main()
