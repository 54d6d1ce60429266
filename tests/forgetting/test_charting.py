"""The curves of an owner's memories: as numbers, and as a picture that is safe to show."""

import math
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from tests.api import code_of
from tests.forgetting.helpers import age, follow, settle
from tests.memories.helpers import Json, Store

pytestmark = pytest.mark.pg

SVG = "/v1/users/alice/forgetting.svg"
JSON = "/v1/users/alice/forgetting.json"


async def _lived(store: Store) -> None:
    """Store three memories five days ago; one was recalled often, one just now."""
    await store.remember("A grey cat.", "Rain in May.", "A brown dog.")
    await age(store, 2)
    for _ in range(3):
        await store.recall("cat", recipe="lexical", reinforce=True)
    await settle(store)
    await age(store, 3)
    await store.recall("dog", recipe="lexical", reinforce=True)
    await settle(store)


async def test_the_curves_are_those_of_the_recalled_the_strongest_and_the_weakest(
    store: Store,
) -> None:
    await _lived(store)

    found = await store.get(JSON)

    shown = [(curve["role"], curve["content"], curve["strength_days"]) for curve in found["curves"]]
    assert shown == [
        ("recalled", "A brown dog.", 2),
        ("recalled", "A grey cat.", 4),
        ("strongest", "Rain in May.", 1),
    ]


async def test_of_many_each_role_has_its_own(store: Store) -> None:
    await store.remember(*[f"Word number {number}." for number in range(8)], infer="none")
    await age(store, 1)
    rows = "UPDATE memories SET strength_days = ordinal WHERE tenant_id = :t"
    await store.rows(rows, t=store.tenant_id)
    # Of these equals the second is found first: it retains more than the first.
    await store.recall("word", recipe="lexical", limit=1, reinforce=True)
    await settle(store)

    found = await store.get(JSON)

    roles: dict[str, list[float]] = {}
    for curve in found["curves"]:
        roles.setdefault(curve["role"], []).append(curve["strength_days"])
    assert roles == {"recalled": [3], "strongest": [8, 7], "weakest": [1, 3]}


async def test_a_curve_tells_the_memorys_life_unrounded(store: Store) -> None:
    await _lived(store)

    found = await store.get(JSON)

    now = datetime.fromisoformat(found["now"])
    cat: Json = next(curve for curve in found["curves"] if curve["content"] == "A grey cat.")
    points = [
        ((datetime.fromisoformat(point["at"]) - now) / timedelta(days=1), point["retention"])
        for point in cat["points"]
    ]
    assert points[0][0] >= -5.01
    assert points[-1][0] == 30
    recalled = (datetime.fromisoformat(cat["recalled_at"]) - now) / timedelta(days=1)
    assert recalled == pytest.approx(-3, abs=0.01)
    after = [(t - recalled, retained) for t, retained in points if t >= recalled]
    assert all(retained == pytest.approx(math.exp(-t / 4)) for t, retained in after)
    assert dict(points)[recalled] == 1
    before = [retained for t, retained in points if t < recalled]
    assert before[-1] == pytest.approx(math.exp(-2), rel=0.01)


async def test_the_picture_is_well_formed_labelled_and_without_scripts(store: Store) -> None:
    await _lived(store)

    answer = await store.client.get(SVG)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    root = ET.fromstring(answer.content)
    texts = {"".join(node.itertext()).strip() for node in root.iter()}
    assert "How the memories of user alice fade" in texts
    assert "retention, R = e^(-t/S)" in texts
    assert "just recalled, S = 2 d: A brown dog." in texts
    assert b"<script" not in answer.content
    assert not any(name.endswith("href") for node in root.iter() for name in node.attrib)


async def test_what_users_wrote_is_text_in_the_picture(store: Store) -> None:
    nasty = "</text><script>alert(1)</script>\x0b\x1b & \ufffe \"quoted\" 'and'"
    await store.remember(nasty)

    answer = await store.client.get(SVG)

    root = ET.fromstring(answer.content)
    assert not any(str(node.tag).endswith("script") for node in root.iter())
    assert any("<script>alert(1)" in "".join(node.itertext()) for node in root.iter())


async def test_an_owner_without_memories_has_an_empty_picture(store: Store) -> None:
    await follow(store, law="exponential")

    assert (await store.get(JSON))["curves"] == []
    ET.fromstring((await store.client.get(SVG)).content)


async def test_where_nothing_fades_there_is_no_curve(store: Store) -> None:
    await store.remember("A cat.")
    await follow(store, law="none")

    assert (await store.get(JSON))["curves"] == []


async def test_agents_have_curves_of_their_own(store: Store) -> None:
    await store.remember("I found a bug.", user_id=None, agent_id="fixer")

    found = await store.get("/v1/agents/fixer/forgetting.json")
    picture = await store.client.get("/v1/agents/fixer/forgetting.svg")

    assert [curve["content"] for curve in found["curves"]] == ["I found a bug."]
    assert b"agent fixer" in picture.content


@pytest.mark.parametrize("path", ["forgetting.json", "forgetting.svg"])
async def test_an_unknown_user_is_not_found(store: Store, path: str) -> None:
    answer = await store.client.get(f"/v1/users/nobody/{path}")

    assert (answer.status_code, code_of(answer)) == (404, "owner-not-found")
