"""What holds of everything an owner has, after any sequence of changes and of background work."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.facts.kernel.timelines import Observation, Version, history
from app.linking.kernel.notes import LABELS, digest
from tests.enrichment.helpers import contents, owner_tables
from tests.enrichment.whims import TAGS
from tests.forgetting.helpers import retention
from tests.memories import invariants
from tests.memories.helpers import Json, Store

_KEYS = """
    SELECT f.conname, f.conrelid::regclass::text, f.confrelid::regclass::text,
        (SELECT array_agg(a.attname::text ORDER BY k.no) FROM unnest(f.conkey)
            WITH ORDINALITY AS k (attnum, no) JOIN pg_attribute a
            ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
        (SELECT array_agg(a.attname::text ORDER BY k.no) FROM unnest(f.confkey)
            WITH ORDINALITY AS k (attnum, no) JOIN pg_attribute a
            ON a.attrelid = f.confrelid AND a.attnum = k.attnum)
    FROM pg_constraint f WHERE f.contype = 'f' AND f.connamespace = 'public'::regnamespace
"""
Held = dict[str, list[Json]]


async def check(store: Store, user_id: str = "alice", *, foreign: str | None = None) -> None:
    """Hold all rows of an owner to what must be true of them; ``foreign`` is another's secret."""
    await invariants.check(store, user_id)
    await no_row_is_an_orphan(store, user_id)
    held = await contents(store, user_id)
    sources_are_there(held)
    tags_stand_in_a_source(held)
    agents_are_kept_apart(held)
    replaced_thoughts_lead_to_an_active_one(held)
    vectors_are_of_notes_and_thoughts(held)
    facts_follow_from_what_was_observed(held)
    conflicts_are_of_older_and_newer(held)
    counts_are_those_of_a_recount(held)
    segments_hold_each_turn_once(held)
    if foreign:
        nothing_is_of_another_owner(held, foreign)


async def no_row_is_an_orphan(store: Store, user_id: str = "alice") -> None:
    """Every row that names another has it, whatever the constraints were worth."""
    scope = await store.scope(user_id)
    known = set(await owner_tables(store))
    for name, table, other, columns, theirs in await store.rows(_KEYS):
        if table not in known:
            continue
        same = " AND ".join(f"o.{b} = t.{a}" for a, b in zip(columns, theirs, strict=True))
        whole = " AND ".join(f"t.{a} IS NOT NULL" for a in columns)
        rows = await store.rows(
            f"SELECT t::text FROM {table} t WHERE t.owner_id = :owner_id AND {whole} "
            f"AND NOT EXISTS (SELECT FROM {other} o WHERE {same})",
            owner_id=scope.owner_id,
        )
        assert not rows, f"orphans in {table} ({name}): {rows}"


def sources_are_there(held: Held) -> None:
    """What was made of memories names only memories that are there, and at least one."""
    ordinals = {row["ordinal"] for row in held["memories"]}
    ids = {row["id"] for row in held["memories"]}
    for row in held["facts"]:
        assert set(row["source_ordinals"]) <= ordinals, "a fact names an erased source"
    for table in ("day_summaries", "shades", "profiles"):
        for row in held[table]:
            assert set(row["source_ordinals"]) <= ordinals, f"{table} names an erased source"
            for document in (row.get("document"), row.get("lines"), row.get("portrait")):
                assert set(_named(document, "sources")) <= ordinals, f"{table} cites an erased one"
                assert set(_named(document, "memory_id")) <= ids, f"{table} shows an erased one"
    for row in held["note_evolutions"]:
        named = {*row["sources"], row["trigger_ordinal"], row["target_ordinal"]}
        assert named <= ordinals, "a change of a note names an erased source"
    for row in held["notes"]:
        assert set(row["neighbours"]) <= ordinals, "a note is near an erased memory"
        assert len(row["neighbours"]) == len(row["cosines"])
    shades = {row["id"] for row in held["shades"]}
    # While topics are found anew, places are stored piece by piece, and the topics behind them.
    if not any(state["wants_full"] for state in held["profile_states"]):
        assert {row["shade_id"] for row in held["shade_members"]} - {None} <= shades
    sourced = {row["memory_ordinal"] for row in held["memory_sources"]}
    derived = {row["ordinal"] for row in held["memories"] if row["generated_by"]}
    assert derived <= sourced, "a derived memory without a source"
    assert derived == {row["memory_ordinal"] for row in held["thoughts"]}


def tags_stand_in_a_source(held: Held) -> None:
    """No note has a tag that is a word of nobody's: neither a broad topic nor said by any memory.

    A word that passed from note to note must not outlive the memory that it came from. Words of an
    edited one may stay until its note is made anew.
    """
    verbatim = {row["ordinal"]: row for row in held["memories"] if not row["generated_by"]}
    if any(_is_stale(note, verbatim[note["memory_ordinal"]]) for note in held["notes"]):
        return
    said = " ".join(row["content"].lower() for row in verbatim.values())
    for row in held["notes"]:
        alien = _alien(row["tags"], said)
        assert not alien, f"second-hand words of nobody: {alien}"
    for row in held["note_evolutions"]:
        alien = _alien([*row["before"]["tags"], *row["after"]["tags"]], said)
        assert not alien, f"second-hand words on record: {alien}"


def _is_stale(note: Json, memory: Json) -> bool:
    made_of: str = note["made_from"]
    return made_of != "\\x" + digest(memory["content"], memory["name"]).hex()


def _alien(tags: list[str], said: str) -> list[str]:
    return [tag for tag in tags if tag not in {*LABELS, *TAGS} and tag not in said]


def _named(document: Any, name: str) -> Iterator[Any]:  # noqa: ANN401  -- any JSON
    """Yield the values of a member wherever it stands."""
    if isinstance(document, list):
        for one in document:
            yield from _named(one, name)
    elif isinstance(document, dict):
        for key, value in document.items():
            if key != name:
                yield from _named(value, name)
            elif isinstance(value, list):
                yield from value
            else:
                yield value


def agents_are_kept_apart(held: Held) -> None:
    """What is made of an agent's memories is that agent's, and links join no two agents'."""
    agents = {row["ordinal"]: row["agent_id"] for row in held["memories"]}
    pairs = [(row["memory_ordinal"], row["source_ordinal"]) for row in held["memory_sources"]]
    pairs += [(row["source_ordinal"], row["target_ordinal"]) for row in held["note_links"]]
    pairs += [(row["memory_ordinal"], row["memory_ordinal"]) for row in held["fact_observations"]]
    for row in held["facts"]:
        made_of = {agents[one] for one in row["source_ordinals"]}
        assert made_of == {row["agent_id"]}, "two agents' memories in one"
    for one, other in pairs:
        assert other is None or agents[one] == agents[other], "two agents' memories in one"


def thoughts_are_of_live_memories(held: Held) -> None:
    """Holds once all mechanisms have worked: no thought says what was archived."""
    hidden = {row["ordinal"] for row in held["memories"] if row["archived_at"]}
    thoughts = {row["memory_ordinal"] for row in held["thoughts"]}
    for row in held["memory_sources"]:
        if row["memory_ordinal"] in thoughts:
            assert row["source_ordinal"] not in hidden, "a thought of an archived memory"


def replaced_thoughts_lead_to_an_active_one(held: Held) -> None:
    """A tombstone names what took its place, and following the names ends."""
    thoughts = {row["memory_ordinal"]: row for row in held["thoughts"]}
    for ordinal, row in thoughts.items():
        seen = [ordinal]
        while row["status"] != "active":
            following = row["replaced_by"]
            assert following in thoughts, f"tombstone {seen[-1]} names nothing"
            assert following not in seen, f"tombstones in a circle: {seen}"
            seen.append(following)
            row = thoughts[following]  # noqa: PLW2901  -- we follow a chain
        assert row["replaced_by"] is None, "an active thought was replaced"
    ids = {row["ordinal"]: row["id"] for row in held["memories"]}
    marks = {row["ordinal"]: row["replaced_by"] for row in held["memories"] if row["replaced_by"]}
    told = {o: ids[row["replaced_by"]] for o, row in thoughts.items() if row["replaced_by"]}
    assert marks == told, "memories and thoughts disagree on tombstones"


def vectors_are_of_notes_and_thoughts(held: Held) -> None:
    """A mechanism's vectors belong to what it made, and none is missing that is noted as made."""
    notes = {row["memory_ordinal"]: row for row in held["notes"]}
    thoughts = {row["memory_ordinal"]: row for row in held["thoughts"]}
    models = {row["version"]: row["model_id"] for row in held["thought_hashes"]}
    for ordinal, row in thoughts.items():
        assert row["hash_version"] in models, f"thought {ordinal} lies under no hash"
    for table, rows in held.items():
        if not table.startswith("derived_vectors_"):
            continue
        model_id = int(table.rpartition("_")[2])
        found = {(row["space"], row["ordinal"]) for row in rows}
        made = {("note", o) for o, row in notes.items() if row["model_id"] == model_id}
        made |= {
            ("thought", o) for o, row in thoughts.items() if models[row["hash_version"]] == model_id
        }
        assert made <= found, f"without a vector: {made - found}"
        known = {("note", o) for o in notes} | {("thought", o) for o in thoughts}
        assert found <= known, f"vectors of nothing: {found - known}"


def facts_follow_from_what_was_observed(held: Held) -> None:
    """Facts are what the observations of their group alone lay out, now and at any time before."""
    groups: dict[Any, list[Observation]] = {}
    for row in held["fact_observations"]:
        key = (row["agent_id"], row["subject_key"], row["group_key"])
        groups.setdefault(key, []).append(_observation(row))
    expected = [
        (*key, one.stretch.object, set(one.stretch.sources), *map(_iso, _times(one)))
        for key, said in groups.items()
        for one in history(said)
    ]
    found = [
        (
            *(row["agent_id"], row["subject_key"], row["group_key"], row["object"]),
            set(row["source_ordinals"]),
            *(_iso(_time(row[name])) for name in _FACT_TIMES),
        )
        for row in held["facts"]
    ]
    assert sorted(map(repr, found)) == sorted(map(repr, expected)), "facts of other observations"


def conflicts_are_of_older_and_newer(held: Held) -> None:
    """A conflict joins two memories of one agent, of which the one was said before the other."""
    said = {
        row["ordinal"]: (datetime.fromisoformat(row["occurred_at"]), row["ordinal"])
        for row in held["memories"]
    }
    agents = {row["ordinal"]: row["agent_id"] for row in held["memories"]}
    stale = {row["memory_ordinal"] for row in held["memory_changes"]}
    for row in held["conflicts"]:
        older, newer = row["older_ordinal"], row["newer_ordinal"]
        assert agents[older] == agents[newer], "two agents' memories in one"
        if not stale & {older, newer}:
            assert said[older] < said[newer], "the newer is the older"


_FACT_TIMES = ("valid_from", "valid_to", "known_from", "known_to")


def _times(one: Version) -> tuple[datetime | None, ...]:
    return one.stretch.valid_from, one.stretch.valid_to, one.known_from, one.known_to


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _observation(row: Json) -> Observation:
    valid_from, valid_to, known_from, known_to = (_time(row[name]) for name in _FACT_TIMES)
    assert valid_from is not None
    assert known_from is not None
    return Observation(
        row["memory_ordinal"],
        row["object"],
        valid_from,
        valid_to,
        known_from,
        known_to,
        is_end=row["is_end"],
        confidence=row["confidence"],
    )


def facts_are_of_live_memories(held: Held) -> None:
    """Holds once all mechanisms have worked: nothing that is known stands on what was archived."""
    hidden = {row["ordinal"] for row in held["memories"] if row["archived_at"]}
    known = {row["memory_ordinal"] for row in held["fact_observations"] if not row["known_to"]}
    assert not known & hidden, "known by an archived memory alone"


def counts_are_those_of_a_recount(held: Held) -> None:
    """Counters and statistics say what counting says."""
    (stats,) = held["owner_stats"]
    assert stats["last_change"] >= max((r["change_no"] for r in held["memory_changes"]), default=0)
    for cursor in held["mechanism_cursors"]:
        assert cursor["ordinal"] <= stats["last_ordinal"], "a cursor ran ahead"
        assert cursor["change_no"] <= stats["last_change"], "a cursor ran ahead"
    for shade in held["shades"]:
        members = [row for row in held["shade_members"] if row["shade_id"] == shade["id"]]
        assert shade["needs_recount"] or shade["size"] == len(members), "a shade's size is wrong"
    for state in held["profile_states"]:
        latest = max((row["version"] for row in held["profiles"]), default=0)
        assert state["version"] == latest
    recalls: dict[int, int] = {}
    for event in held["memory_events"]:
        if event["kind"] == "recalled":
            ordinal = event["memory_ordinal"]
            recalls[ordinal] = recalls.get(ordinal, 0) + event["detail"]["times"]
    for memory in held["memories"]:
        times = recalls.get(memory["ordinal"], 0)
        assert memory["recall_count"] == times, "recalls were lost or counted twice"
        assert memory["strength_days"] == 1 + times


def segments_hold_each_turn_once(held: Held) -> None:
    """Segments are made of turns that are there, of one session and agent, none of them twice."""
    verbatim = {row["ordinal"]: row for row in held["memories"] if not row["generated_by"]}
    seen: set[int] = set()
    for row in held["segments"]:
        members = set(row["members"])
        assert members <= set(verbatim), "a segment names an erased turn"
        assert set(row["representatives"]) <= members, "a segment is stood for by another's turn"
        assert not members & seen, "a turn is in two segments"
        seen |= members
        for ordinal in members:
            turn = verbatim[ordinal]
            same = (turn["session_id"], turn["agent_id"]) == (row["session_id"], row["agent_id"])
            assert same, "two sessions or agents in one segment"


def nothing_is_of_another_owner(held: Held, secret: str) -> None:
    """No row holds a word that only another owner said."""
    for table, rows in held.items():
        for row in rows:
            assert secret not in repr(row).lower(), f"{table} holds another owner's {secret}"


async def was_retained_whole_when_recalled(store: Store, memory_id: str) -> None:
    """R = 1 at the moment of the latest recall."""
    recalled_at = (await retention(store, memory_id))["recalled_at"]
    assert recalled_at is not None, "the recall was not noted"
    found = await retention(store, memory_id, datetime.fromisoformat(recalled_at))
    assert found["retention"] == 1


async def nothing_is_left(store: Store, owner_id: int) -> None:
    """Hold an erased owner to it: no row in any table."""
    for table in [*await owner_tables(store), "owners"]:
        rows = await store.rows(
            f"SELECT t::text FROM {table} t WHERE owner_id = :owner_id", owner_id=owner_id
        )
        assert not rows, f"{table} still holds {rows}"
