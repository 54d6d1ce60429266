"""What one client of the load benchmark does: 80 % recalls, 20 % writes of single messages."""

import os
import random

from locust import FastHttpUser, constant, constant_throughput, task

from scripts.bench import corpus

OWNERS = int(os.environ.get("BENCH_OWNERS", "200"))
RATE = float(os.environ.get("BENCH_RATE", "0"))
QUESTIONS = corpus.questions(500, seed=5)
SENTENCES = corpus.sentences(2_000, seed=6)


class Chatbot(FastHttpUser):
    """Recalls and writes for random users; as fast as it can, or at a rate."""

    wait_time = constant_throughput(RATE) if RATE else constant(0)
    network_timeout = 30
    connection_timeout = 30

    def on_start(self) -> None:
        """Seed this client's choices."""
        self.rng = random.Random()
        self.headers = {"Authorization": f"Bearer {os.environ['BENCH_KEY']}"}

    def _user(self) -> str:
        return f"load-{self.rng.randrange(OWNERS)}"

    @task(4)
    def recall(self) -> None:
        """Ask one question."""
        body = {"query": self.rng.choice(QUESTIONS), "user_id": self._user(), "limit": 10}
        with self.client.post(
            "/v1/recall", json=body, headers=self.headers, name="recall", catch_response=True
        ) as answer:
            if answer.status_code != 200 or answer.json()["degraded"]:
                answer.failure(f"{answer.status_code} {answer.text[:200]}")
            elif not answer.json()["hits"]:
                answer.failure("no hits")
            else:
                answer.success()

    @task(1)
    def write(self) -> None:
        """Store one message."""
        item = {"content": self.rng.choice(SENTENCES), "name": self.rng.choice(corpus.PEOPLE)}
        body = {"user_id": self._user(), "session_id": "load", "items": [item]}
        with self.client.post(
            "/v1/memories", json=body, headers=self.headers, name="write", catch_response=True
        ) as answer:
            if answer.status_code == 201:
                answer.success()
            else:
                answer.failure(f"{answer.status_code} {answer.text[:200]}")
