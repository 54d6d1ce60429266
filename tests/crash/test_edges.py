import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.launcher.processes import wait_until
from tests.crash.installation import Installation, Process

pytestmark = [
    pytest.mark.pg,
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.fixture
def client(installation: Installation) -> Generator[httpx.Client]:
    with _client(installation) as opened:
        yield opened


@contextmanager
def _client(installation: Installation) -> Generator[httpx.Client]:
    headers = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx.Client(
        base_url=installation.url, headers=headers, timeout=60, trust_env=False
    ) as opened:
        yield opened


def _memories(client: httpx.Client, user: str) -> list[dict[str, Any]]:
    answer = client.get("/v1/memories", params={"user_id": user}).raise_for_status()
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _all_ready(client: httpx.Client, *users: str) -> bool:
    found = [one for user in users for one in _memories(client, user)]
    return bool(found) and all(one["embedding"] == "ready" for one in found)


@contextmanager
def _silenced(process: Process) -> Generator[None]:
    """Let a process take connections and answer nobody meanwhile."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if process.lives:
            os.kill(process.pid, signal.SIGCONT)


def _cut_off(client: httpx.Client, request: httpx.Request, *, body_share: float) -> None:
    """Send a request, or the beginning of it, and reset the connection."""
    head = f"{request.method} {request.url.path} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    body = request.read()
    with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as raw:
        raw.sendall(head.encode() + b"\r\n" + body[: int(len(body) * body_share)])
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("then_wait_s", [0.0, 0.01, 0.05, 1.0])
def test_a_write_cut_off_before_its_answer_is_stored_once_when_repeated(
    client: httpx.Client, then_wait_s: float
) -> None:
    user = f"cut-{uuid4()}"
    body = {"user_id": user, "items": [{"content": "The train leaves at nine."}]}
    request = client.build_request(
        "POST", "/v1/memories", json=body, headers={"Idempotency-Key": user}
    )

    _cut_off(client, request, body_share=1)
    time.sleep(then_wait_s)
    answer = client.send(request)

    assert answer.status_code == 201, answer.text
    assert [one["id"] for one in _memories(client, user)] == [answer.json()["items"][0]["id"]]


def test_a_write_cut_off_within_its_body_stores_nothing_until_it_is_repeated(
    client: httpx.Client,
) -> None:
    user = f"cut-{uuid4()}"
    body = {"user_id": user, "items": [{"content": "The train leaves at ten. " * 100}]}
    request = client.build_request(
        "POST", "/v1/memories", json=body, headers={"Idempotency-Key": user}
    )

    _cut_off(client, request, body_share=0.5)
    time.sleep(0.5)
    stored = _memories(client, user)
    answer = client.send(request)

    assert stored == []
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert len(_memories(client, user)) == 1


def test_a_write_is_acknowledged_though_the_sidecar_is_killed_and_gets_its_vectors_later(
    installation: Installation, client: httpx.Client
) -> None:
    user = f"sidecar-{uuid4()}"
    items = [{"content": f"Carla planted {number} tulips."} for number in range(3)]
    sidecar = installation.part("sidecar")

    with _silenced(sidecar):
        killing = threading.Timer(0.5, sidecar.kill)
        killing.start()
        answer = client.post("/v1/memories", json={"user_id": user, "items": items})
        killing.join()

    assert answer.status_code == 201, answer.text
    assert {one["embedding"] for one in answer.json()["items"]} == {"pending"}
    asked = {"query": "tulips", "user_id": user, "recipe": "lexical"}
    assert len(client.post("/v1/recall", json=asked).json()["hits"]) == 3
    assert wait_until(lambda: _all_ready(client, user), 60, every=0.2)
    job = client.get(f"/v1/jobs/{answer.json()['job_id']}").json()
    assert wait_until(lambda: client.get(f"/v1/jobs/{job['id']}").json()["progress"] == 1, 60)


def test_the_jobs_of_a_killed_worker_are_done_by_another_one_within_a_minute(
    patient_installation: Installation,
) -> None:
    installation = patient_installation
    users = [f"worker-{number}" for number in range(8)]  # twice as many as one worker takes
    second = installation.second_worker()
    with _client(installation) as client:
        with _silenced(installation.part("sidecar")):
            for user in users:
                item = {"content": "Dmitri repaired the roof."}
                answer = client.post("/v1/memories", json={"user_id": user, "items": [item]})
                assert answer.json()["items"][0]["embedding"] == "pending"
            assert wait_until(lambda: _workers_at_work(installation) == 2, 20, every=0.2)
            second.kill()
            second.wait()

        assert wait_until(lambda: _all_ready(client, *users), 60, every=0.2)

    unfinished = "SELECT count(*) FROM jobs WHERE status <> 'succeeded'"
    assert wait_until(lambda: installation.count(unfinished) == 0, 5, every=0.2)
    assert installation.count("SELECT count(*) FROM jobs WHERE attempts = 2") > 0


def _workers_at_work(installation: Installation) -> int:
    return installation.count(
        "SELECT count(DISTINCT worker_id) FROM procrastinate_jobs WHERE status = 'doing'"
    )
