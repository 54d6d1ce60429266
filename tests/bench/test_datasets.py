"""Data sets of others, in the forms they come in."""

import json
from pathlib import Path

from scripts.bench.mechanisms import datasets


def test_a_conversation_becomes_items_and_questions(tmp_path: Path) -> None:
    docs = [
        {
            "id": f"D1:{n}",
            "session": 1,
            "date": "1:56 pm on 8 May, 2023",
            "speaker": "Ann",
            "text": t,
        }
        for n, t in enumerate(("Hi.", "I ski."))
    ]
    queries = [
        {"q": "Sport?", "gold": ["D1:1"], "cat": "1 multi-hop"},
        {"q": "Trap?", "gold": ["D1:1"], "cat": "5 adversarial"},
    ]
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"id": "c", "docs": docs, "queries": queries}))
    (found,) = datasets.conversations(file)
    times = [item["occurred_at"] for item in found.items]
    assert times == ["2023-05-08T13:56:00+00:00", "2023-05-08T13:56:20+00:00"]
    assert [question.gold for question in found.questions] == [{"D1:1"}]


def test_a_question_that_names_a_day_of_talk_is_dated(tmp_path: Path) -> None:
    history = {"2023-05-03": [{"query": "I saw a film.", "response": "Which?"}]}
    (tmp_path / "memory_bank_en.json").write_text(json.dumps({" Ivy ": {"history": history}}))
    asked = {"Ivy": ["What did I see on May 3rd?", "And on May 4th?", "What film?"]}
    (tmp_path / "probing_questions_en.jsonl").write_text(json.dumps(asked) + "\n")
    diaries = datasets.diaries(tmp_path)
    assert [item["role"] for item in diaries["Ivy"]] == ["user", "assistant"]
    dated = datasets.dated_questions(tmp_path, diaries)
    assert dated == [("Ivy", "What did I see on May 3rd?", "2023-05-03")]
