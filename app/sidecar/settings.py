"""What the sidecar reads from the environment: ``APP_SIDECAR__…``, and where the data lies."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.kit.settings import Count, LogSettings, Positive

DEFAULT_MODEL = "all-MiniLM-L6-v2"


def is_loopback(host: str) -> bool:
    """Say whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class SidecarSettings(BaseSettings):
    """Everything the sidecar reads from the environment."""

    model_config = SettingsConfigDict(
        env_prefix="APP_SIDECAR__", frozen=True, extra="ignore", populate_by_name=True
    )

    host: str = Field("127.0.0.1", description="Address the sidecar listens on.")
    port: Annotated[int, Ge(1), Le(65_535)] = Field(8081, description="Port it listens on.")
    token: SecretStr | None = Field(
        None, description="Bearer token callers must send; needed beyond loopback."
    )
    backend: Literal["auto", "onnx", "torch"] = Field(
        "auto", description="auto: torch where there is a GPU or another model, else onnx."
    )
    model: str = Field(DEFAULT_MODEL, description="Name of the embedding model.")
    model_path: Path | None = Field(
        None, description="Folder of the model; default: the packaged one."
    )
    hub: bool = Field(
        default=False, description="Let the torch backend fetch MODEL from a model hub."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where torch computes.")
    dtype: Literal["float32", "float16", "bfloat16"] = Field(
        "float32", description="Number format of torch's weights."
    )
    device_budget_bytes: Positive | None = Field(
        None, description="Most GPU memory torch may take; default: all of it."
    )
    threads: Count = Field(0, description="Threads that compute; 0: all processors.")
    spin: bool = Field(
        default=False, description="Let threads spin while a query runs: for an idle machine."
    )
    max_batch: Positive = Field(256, description="Texts in one batch, at most.")
    batch_tokens: Count = Field(
        0, description="Tokens in one batch, padding counted; 0: what suits the device."
    )
    query_texts: Count = Field(4, description="Requests of so few texts go before larger ones.")
    queue: Positive = Field(8_192, description="Texts that may wait; more are answered 429.")
    max_items: Positive = Field(2_048, description="Texts in one request.")
    body_bytes: Positive = Field(33_554_432, description="Bytes of one request body.")
    cache_dir: Path | None = Field(
        None, description="Where built graphs are kept; default: `sidecar` in APP_DATA_DIR."
    )
    data_dir: Path = Field(Path(".data"), validation_alias=AliasChoices("APP_DATA_DIR", "data_dir"))
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias=AliasChoices("APP_SIDECAR__LOG_LEVEL", "APP_LOG__LEVEL")
    )
    log_format: Literal["json", "console"] = Field(
        "console", validation_alias=AliasChoices("APP_SIDECAR__LOG_FORMAT", "APP_LOG__FORMAT")
    )

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.token is None and not is_loopback(self.host):
            msg = f"APP_SIDECAR__TOKEN must be set to listen on {self.host}, beyond loopback"
            raise ValueError(msg)
        if self.max_items > self.queue:
            msg = "APP_SIDECAR__MAX_ITEMS must not exceed APP_SIDECAR__QUEUE"
            raise ValueError(msg)
        return self

    def graph_dir(self) -> Path:
        """Return the folder that keeps built graphs."""
        return self.cache_dir or self.data_dir / "sidecar"

    def processors(self) -> int:
        """Return how many threads compute: as set, or as many as this process may use."""
        if hasattr(os, "sched_getaffinity"):
            return self.threads or len(os.sched_getaffinity(0))
        return self.threads or os.cpu_count() or 1

    def log(self) -> LogSettings:
        """Return the log settings in the kit's form."""
        return LogSettings(level=self.log_level, format=self.log_format)
