"""The graph built from the packaged weights, and its cache."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.sidecar.encoders import onnx, weights
from app.sidecar.encoders.onnx import OnnxEncoder, load_graph
from app.sidecar.errors import ModelLoadError
from app.sidecar.settings import SidecarSettings
from tests.sidecar.encoders.texts import padded

# First dimensions of "Hello, world!" as the published model's own library gives them.
HELLO = [-0.0381, 0.0329, -0.0055, 0.0144]


@pytest.fixture
def source() -> Path:
    return weights.default_model_dir(SidecarSettings()) / "model.safetensors"


def run(encoder: OnnxEncoder, texts: list[str], *, urgent: bool) -> NDArray[np.float32]:
    ids, lengths = padded(encoder.tokenizer.ids(texts))
    return encoder.encode(ids, lengths, signs=False, urgent=urgent).vectors


def test_a_known_text_has_its_published_vector(encoder: OnnxEncoder) -> None:
    vector = run(encoder, ["Hello, world!"], urgent=True)[0]

    np.testing.assert_allclose(vector[:4], HELLO, atol=2e-4)


@pytest.mark.parametrize("urgent", [True, False])
def test_padding_and_neighbours_do_not_change_a_vector(encoder: OnnxEncoder, urgent: bool) -> None:
    texts = ["Short.", "A rather longer text about boats. " * 20, "In between, more or less."]

    together = run(encoder, texts, urgent=urgent)

    for text, vector in zip(texts, together, strict=True):
        alone = run(encoder, [text], urgent=True)[0]
        assert alone @ vector > 0.99999
        assert abs(np.linalg.norm(vector) - 1) < 1e-5


def test_signs_are_those_of_states_whose_mean_is_the_vector(encoder: OnnxEncoder) -> None:
    ids, lengths = padded(encoder.tokenizer.ids(["One text.", "Another text, longer than it."]))

    encoded = encoder.encode(ids, lengths, signs=True, urgent=False)

    assert encoded.signs is not None
    assert encoded.signs.shape == (*ids.shape, encoder.dimensions)
    # Where nearly all tokens are positive the mean can hardly be negative, and the other way.
    for vector, signs, length in zip(encoded.vectors, encoded.signs, lengths, strict=True):
        share = signs[:length].mean(axis=0)
        assert (vector[share == 1] > 0).all()
        assert (vector[share == 0] < 0).all()
        assert 0 < share.mean() < 1


def test_a_cached_graph_is_used_without_the_weights(
    encoder: OnnxEncoder, settings: SidecarSettings
) -> None:
    built = load_graph(Path("absent.safetensors"), settings.graph_dir())

    assert len(built) > 80_000_000


@pytest.mark.parametrize("damage", ["cut", "flipped", "no digest"])
def test_a_damaged_cache_is_rebuilt(
    damage: str, encoder: OnnxEncoder, cache_dir: Path, source: Path, tmp_path: Path
) -> None:
    for path in cache_dir.iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / "killed.tmp").touch()
    (graph,) = tmp_path.glob("*.onnx")
    whole = graph.read_bytes()
    if damage == "cut":
        graph.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped":
        graph.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:
        graph.with_suffix(".sha256").unlink()

    assert load_graph(source, tmp_path) == whole
    assert graph.read_bytes() == whole
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".onnx", ".sha256"]


def test_a_folder_that_cannot_be_written_costs_no_start(source: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()

    assert len(load_graph(source, blocked / "cache")) > 80_000_000


def test_other_weights_are_refused(source: Path, tmp_path: Path) -> None:
    changed = tmp_path / "model.safetensors"
    changed.write_bytes(source.read_bytes()[:-1] + b"\x00")

    with pytest.raises(ModelLoadError, match="SHA-256"):
        load_graph(changed, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_changed_graph_has_a_new_version(source: Path, tmp_path: Path) -> None:
    # When this fails because the graph was changed on purpose: raise the version, note the size.
    assert (onnx.GRAPH_VERSION, len(load_graph(source, tmp_path))) == (1, 90_270_086)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux tells processors")
def test_a_thread_is_where_it_was_after_a_query(encoder: OnnxEncoder) -> None:
    before = os.sched_getaffinity(0)

    run(encoder, ["Where was I?"], urgent=True)

    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize(
    ("processors", "threads", "expected"),
    [
        pytest.param({0, 1}, 2, (0, 1), id="as many threads as processors"),
        pytest.param({3, 5}, 2, (3, 5), id="a container's processors"),
        pytest.param({0, 1, 2, 3, 4, 5, 6, 7}, 4, (), id="a larger machine"),
        pytest.param({0}, 1, (), id="one processor"),
    ],
)
def test_threads_stay_on_processors_where_they_fill_the_machine(
    monkeypatch: pytest.MonkeyPatch, processors: set[int], threads: int, expected: tuple[int, ...]
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: processors, raising=False)

    assert onnx._own_processors(threads) == expected
