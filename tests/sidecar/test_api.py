"""The routes of a running sidecar."""

import base64
import json
import socket
import time
from typing import Any

import httpx
import numpy as np
import pytest

from tests.sidecar.conftest import TOKEN
from tests.sidecar.live import LiveSidecar

MODEL = "all-MiniLM-L6-v2"


def embed(client: httpx.Client, texts: object, **more: object) -> httpx.Response:
    return client.post("/v1/embeddings", json={"model": MODEL, "input": texts, **more})


def test_a_string_and_a_list_of_it_have_the_same_vector(client: httpx.Client) -> None:
    alone, listed = (embed(client, texts).json() for texts in ("a text", ["a text"]))

    assert alone == listed
    assert alone["object"] == "list"
    assert alone["model"] == MODEL
    assert alone["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    (row,) = alone["data"]
    assert (row["object"], row["index"], len(row["embedding"])) == ("embedding", 0, 384)


def test_base64_holds_the_float32_of_the_float_answer(client: httpx.Client) -> None:
    texts = ["one", "two"]
    floats, packed = (
        embed(client, texts, encoding_format=form).json()["data"] for form in ("float", "base64")
    )

    for number, text in zip(floats, packed, strict=True):
        raw = np.frombuffer(base64.b64decode(text["embedding"]), "<f4")
        assert raw.tolist() == number["embedding"]


def test_token_bits_hold_one_row_for_each_token_of_the_text(client: httpx.Client) -> None:
    rows = embed(client, ["Hello, world!", "a"], token_bits=True).json()["data"]

    assert [row["token_bits"]["shape"] for row in rows] == [[4, 384], [1, 384]]
    first = np.frombuffer(base64.b64decode(rows[0]["token_bits"]["bits"]), np.uint8)
    signs = np.unpackbits(first.reshape(4, 48), axis=1)
    vector = np.array(rows[0]["embedding"])
    # A dimension in which all tokens agree tells the sign of their mean, specials aside.
    agreed = (signs.sum(axis=0) == 4) | (signs.sum(axis=0) == 0)
    assert ((vector > 0) == signs[0])[agreed].mean() > 0.9
    assert "token_bits" not in embed(client, ["a"]).json()["data"][0]


def test_dimensions_are_accepted_only_as_they_are(client: httpx.Client) -> None:
    assert embed(client, "a", dimensions=384).status_code == 200
    assert refusal(embed(client, "a", dimensions=256)) == (422, "unsupported-request")


def test_windows_count_tokens_and_fit_the_model(client: httpx.Client) -> None:
    text = " ".join(f"word{number}" for number in range(400))

    answer = client.post("/v1/windows", json={"model": MODEL, "input": [text, "short", ""]})

    rows = answer.json()["data"]
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert rows[1:] == [
        {"index": 1, "tokens": 1, "windows": [{"start": 0, "end": 5}]},
        {"index": 2, "tokens": 0, "windows": []},
    ]
    spans = [(window["start"], window["end"]) for window in rows[0]["windows"]]
    assert len(spans) > 2
    usage = embed(client, [text[start:end] for start, end in spans]).json()["usage"]
    assert rows[0]["tokens"] < usage["total_tokens"] < rows[0]["tokens"] + 36 * len(spans)


@pytest.mark.parametrize("wrong", [{"max_tokens": 255}, {"max_tokens": 20, "overlap": 10}])
def test_windows_that_cannot_be_are_refused(client: httpx.Client, wrong: dict[str, int]) -> None:
    answer = client.post("/v1/windows", json={"model": MODEL, "input": "a", **wrong})

    assert refusal(answer) == (422, "unsupported-request")


def test_the_served_model_is_listed_with_its_shape(client: httpx.Client) -> None:
    (model,) = client.get("/v1/models").json()["data"]

    assert (model["id"], model["dimensions"], model["max_tokens"]) == (MODEL, 384, 256)
    assert time.time() - 3_600 < model["created"] <= time.time()


def refusal(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return answer.status_code, body["code"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": MODEL, "input": []}, 422, "invalid-request"),
        ({"model": MODEL, "input": ""}, 422, "invalid-request"),
        ({"model": MODEL, "input": ["a", ""]}, 422, "invalid-request"),
        ({"model": MODEL, "input": "a\x00b"}, 422, "invalid-request"),
        ({"model": MODEL, "input": "\ud800"}, 422, "invalid-request"),
        ({"model": MODEL, "input": [[1, 2]]}, 422, "invalid-request"),
        ({"model": MODEL}, 422, "invalid-request"),
        ({"model": MODEL, "input": "a", "encoding_format": "hex"}, 422, "invalid-request"),
        ({"model": "other", "input": "a"}, 404, "model-not-found"),
        ({"model": MODEL, "input": ["a"] * 65}, 413, "too-many-texts"),
        ({"model": MODEL, "input": "a" * 1_000_001}, 413, "body-too-large"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_embedded_is_refused_with_a_code(
    client: httpx.Client, body: dict[str, Any], status: int, code: str
) -> None:
    content = json.dumps(body).encode("ascii")  # httpx itself refuses a lone surrogate

    answer = client.post(
        "/v1/embeddings", content=content, headers={"Content-Type": "application/json"}
    )

    assert refusal(answer) == (status, code)


def test_a_body_that_is_not_json_is_refused(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/embeddings", content=b'{"model":', headers={"Content-Type": "application/json"}
    )

    assert refusal(answer) == (422, "invalid-json")


def test_a_refusal_does_not_quote_the_text(client: httpx.Client) -> None:
    assert "secret" not in embed(client, ["secret\x00"]).text


def test_texts_of_a_caller_who_hangs_up_are_not_computed(
    live: LiveSidecar, client: httpx.Client
) -> None:
    before = metric(client, "remembrancer_sidecar_dropped_texts_total")
    body = httpx.Request(
        "POST", "http://x", json={"model": MODEL, "input": ["long text " * 200] * 64}
    ).content
    head = (
        "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(head.encode() + body)
        time.sleep(0.3)

    deadline = time.monotonic() + 10
    while metric(client, "remembrancer_sidecar_dropped_texts_total") == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert embed(client, "still here").status_code == 200


def test_metrics_count_texts_and_tokens(client: httpx.Client) -> None:
    before = settled(client)

    assert embed(client, ["Hello, world!", "a"]).status_code == 200

    assert settled(client) == (before[0] + 2, before[1] + 6 + 3)


def settled(client: httpx.Client) -> tuple[float, float]:
    """Return texts and tokens encoded so far, once no batch of an earlier test is running."""
    previous = None
    while True:
        names = ("remembrancer_sidecar_texts_total", "remembrancer_sidecar_tokens_total")
        now = (metric(client, names[0]), metric(client, names[1]))
        if now == previous:
            return now
        previous = now
        time.sleep(1)


def metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


def test_the_process_stays_within_its_memory(live: LiveSidecar, client: httpx.Client) -> None:
    embed(client, ["a text of the full window, again and again " * 40] * 64)

    assert live.resident_bytes() < 700_000_000
