import pytest

from app.kit.settings import Settings
from tests.api import client_of, new_key, started

pytestmark = pytest.mark.pg

ITEMS = [
    {"content": "I adopted a grey cat called Miso.", "name": "Alice", "role": "user",
     "occurred_at": "2026-01-31T09:30:00+01:00", "client_id": "m1", "metadata": {"n": 1}},
    {"content": "Congratulations! How old is she?", "name": "Bot", "role": "assistant",
     "occurred_at": "2026-01-31T09:31:00+01:00"},
    {"content": "Two years. " + "She sleeps all day long on the sofa. " * 60, "name": "Alice"},
]  # fmt: skip


async def test_what_was_stored_is_recalled_edited_and_erased(settings: Settings) -> None:
    async with started(settings) as app, client_of(app) as client:
        key = await new_key(client)
        client.headers["Authorization"] = f"Bearer {key}"
        body = {"user_id": "alice", "session_id": "s", "items": ITEMS}

        stored = await client.post("/v1/memories", json=body)
        assert stored.status_code == 201, stored.text
        print(stored.json())
        for recipe in ("default", "lexical", "dense"):
            found = await client.post(
                "/v1/recall",
                json={"query": "grey cat Miso", "user_id": "alice", "explain": True,
                      "recipe": recipe, "include": ["sources"]},
            )  # fmt: skip
            assert found.status_code == 200, found.text
            print(found.json()["hits"][0])
            assert found.json()["hits"][0]["content"].startswith("I adopted")
        found = await client.post(
            "/v1/recall",
            json={"query": "cat", "user_id": "alice", "filters": {
                "and": [{"metadata.n": {"gte": 1}}, {"role": {"eq": "user"}}]}},
        )  # fmt: skip
        assert len(found.json()["hits"]) == 1, found.text
        memory_id = stored.json()["items"][0]["id"]
        print((await client.get(f"/v1/memories/{memory_id}")).text)
        edited = await client.patch(f"/v1/memories/{memory_id}", json={"content": "A dog."})
        assert edited.status_code == 200, edited.text
        print((await client.get(f"/v1/memories/{memory_id}/history")).text)
        print((await client.post(f"/v1/memories/{memory_id}:archive")).text)
        print((await client.post(f"/v1/memories/{memory_id}:restore")).text)
        context = await client.post(
            "/v1/context",
            json={"query": "cat", "user_id": "alice", "session_id": "s", "max_tokens": 100},
        )
        print(context.text)
        print((await client.get("/v1/sessions?user_id=alice")).text)
        print((await client.get("/v1/sessions/s/messages?user_id=alice&limit=2")).text[:300])
        print((await client.get("/v1/memories?user_id=alice&limit=2")).text[:300])
        erased = await client.delete(f"/v1/memories/{memory_id}")
        assert erased.status_code == 204, erased.text
        again = await client.post("/v1/memories", json=body)
        print(again.json())
        gone = await client.delete("/v1/users/alice")
        print(gone.text)
