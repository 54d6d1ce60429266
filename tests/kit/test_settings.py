import pytest
from pydantic import ValidationError

from app.kit.settings import RetrievalSettings, Settings


def test_both_arms_cannot_weigh_nothing() -> None:
    with pytest.raises(ValidationError, match="must not both be 0"):
        RetrievalSettings(lexical_weight=0, dense_weight=0)

    assert RetrievalSettings(lexical_weight=0).dense_weight > 0


def test_a_group_does_not_read_unprefixed_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RRF_K", "7")
    monkeypatch.setenv("APP_RETRIEVAL__DEPTH", "77")

    settings = Settings()

    assert settings.retrieval.rrf_k == 60
    assert settings.retrieval.depth == 77
