"""The suites as the operator calls them."""

import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from app.cli import cli
from app.evaluation.service import CallFailedError, HttpApi, longmemeval
from tests.evaluation.helpers import instance

runner = CliRunner()
_NOWHERE = ("--url", "http://127.0.0.1:9", "--key", "rk_any")


def test_a_file_that_is_not_in_the_format_ends_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[{}]")

    shown = runner.invoke(cli, ["evaluate", "longmemeval", str(tmp_path / "data.json"), *_NOWHERE])

    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: question 0: KeyError")


def test_a_service_that_is_away_ends_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "tale.txt").write_text("It was dark. " * 100)

    shown = runner.invoke(cli, ["evaluate", "sort", str(tmp_path), *_NOWHERE])

    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: PUT /v1/users/evaluation-")


async def _answer(request: web.Request) -> web.Response:
    if request.headers["Authorization"] != "Bearer rk_any":
        return web.json_response({"code": "invalid-key"}, status=401)
    body = await request.json() if request.can_read_body else {}
    if request.path == "/v1/memories":
        items = [{"id": f"m{number}"} for number in range(len(body["items"]))]
        return web.json_response({"items": items}, status=201)
    return web.json_response({"hits": [{"id": "m2"}, {"id": "m0"}]})


def _server() -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _answer)
    return TestServer(app)


async def test_ranked_ids_are_written_a_line_each(tmp_path: Path) -> None:
    path, output = tmp_path / "data.json", tmp_path / "ranked.jsonl"
    path.write_text(json.dumps([instance(), instance(question_id="q2_abs")]))

    async with _server() as server, HttpApi(str(server.make_url("")), "rk_any") as api:
        means = await longmemeval(
            api, path, output, granularity="session", speakers="user", limit=None
        )

    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["question_id"] for line in lines] == ["q1", "q2_abs"]
    assert lines[0]["ranked_ids"] == ["answer_aa11", "noise_1"]
    assert lines[0]["metrics"]["recall_all@1"] == 1
    assert (means["answerable"]["n"], means["with_target"]["n"]) == (1, 1)


async def test_a_refusal_is_told(tmp_path: Path) -> None:
    async with _server() as server, HttpApi(str(server.make_url("")), "rk_other") as api:
        with pytest.raises(CallFailedError, match="401"):
            await api.call("GET", "/v1/users")
