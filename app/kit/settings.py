"""What the api, the worker and the operator commands read from the environment.

Nested groups are plain models: a nested ``BaseSettings`` would read unprefixed variables.
The sidecar is a program of its own and has its own settings.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Count = Annotated[int, Ge(0)]
Positive = Annotated[int, Ge(1)]

MOST_ITEMS = 1_000
"""Items in one write, whatever the settings say: it is read and complained about as a whole."""


class Group(BaseModel):
    """A group of settings: frozen, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(Group):
    """Connection pool of one process."""

    pool_size: Positive = Field(10, description="Connections each process keeps to Postgres.")
    pool_timeout_s: Annotated[float, Ge(0.1)] = Field(
        10, description="Seconds a request waits for a free connection before a 503."
    )
    statement_timeout_s: Annotated[float, Ge(1)] = Field(
        120, description="Seconds after which Postgres ends one statement of the api or worker."
    )


class MigrationSettings(Group):
    """How migrations reach the database."""

    database_url: SecretStr | None = Field(
        None, description="URL of the owner of the tables; default: APP_DATABASE_URL."
    )
    app_password: SecretStr | None = Field(
        None,
        description="Password `migrate` gives the role remembrancer_app; unset: its login stays.",
    )


class EmbeddingSettings(Group):
    """The embedder, reached over the OpenAI wire format."""

    url: str = Field("http://127.0.0.1:8081/v1", description="Base URL of /embeddings.")
    key: SecretStr | None = Field(None, description="Bearer token sent to the embedder.")
    model: str = Field("all-MiniLM-L6-v2", description="Model name sent with each request.")
    timeout_s: Annotated[float, Ge(0.1)] = Field(
        30, description="Seconds one request to the embedder may take while writing."
    )
    query_timeout_s: Annotated[float, Ge(0.1)] = Field(
        5, description="Seconds a recall waits for its query vector before it goes on without."
    )
    batch: Positive = Field(64, description="Texts in one request to the embedder.")
    write_budget_s: Annotated[float, Ge(0)] = Field(
        20, description="Seconds a write waits for vectors before it leaves them to a job."
    )


class LanguageModelSettings(Group):
    """The language model; unset means that every mechanism runs its deterministic form."""

    url: str | None = Field(None, description="Base URL of an OpenAI-compatible server.")
    key: SecretStr | None = Field(None, description="Bearer token sent to it.")
    model: str | None = Field(None, description="Model name sent to it.")
    timeout_s: Annotated[float, Ge(0.1)] = Field(
        120, description="Seconds one request to the language model may take."
    )
    attempts: Positive = Field(3, description="Requests for one answer before it is given up.")
    max_output_tokens: Positive = Field(
        2_048, description="Tokens one answer may have; a longer one is cut off, and not used."
    )
    owner_tokens_per_day: Count = Field(
        0, description="Tokens a day (UTC) the model may spend on one owner; 0 = no limit."
    )
    tenant_tokens_per_day: Count = Field(
        0, description="Tokens a day (UTC) the model may spend on one tenant; 0 = no limit."
    )

    @field_validator("url", "model", "key", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        """Take an empty variable, as Compose passes it on, for none."""
        return None if value == "" else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a language model."""
        if (self.url is None) != (self.model is None):
            msg = "set both APP_LLM__URL and APP_LLM__MODEL, or neither"
            raise ValueError(msg)
        return self


class RetrievalSettings(Group):
    """Recall: BM25, dense arm and fusion."""

    bm25_k1: Annotated[float, Ge(0)] = Field(1.2, description="BM25 term saturation.")
    bm25_b: Annotated[float, Ge(0), Le(1)] = Field(0.75, description="BM25 length weight.")
    lexical_weight: Annotated[float, Ge(0)] = Field(
        2.0, description="Weight of the keyword arm in recipe `fused`."
    )
    dense_weight: Annotated[float, Ge(0)] = Field(
        1.0, description="Weight of the dense arm in recipe `fused`."
    )
    rrf_k: Annotated[float, Ge(1)] = Field(60, description="Rank constant of the fusion.")
    depth: Positive = Field(200, description="Hits each arm hands to the fusion, at least.")
    posting_budget: Positive = Field(
        10_000,
        description="Postings of an owner's rarest terms read before others may be skipped.",
    )
    maxscore_from: Count = Field(
        10_000, description="Keys from which the keyword arm skips postings that cannot matter."
    )
    exact_below: Count = Field(
        2_000, description="Owners with fewer keys are scanned exactly, larger ones by bits."
    )
    bit_candidates: Positive = Field(
        800, description="Keys the bit scan hands to the exact re-ranking, at least."
    )
    hnsw_from: Count = Field(
        20_000, description="Keys from which an owner's vectors get an index of neighbours (HNSW)."
    )
    hnsw_ef: Annotated[int, Ge(1), Le(1000)] = Field(
        600, description="Neighbours that a search of that index keeps in view."
    )

    @model_validator(mode="after")
    def _some_arm_counts(self) -> Self:
        """Refuse to weigh both arms with nothing."""
        if self.lexical_weight + self.dense_weight == 0:
            msg = "lexical_weight and dense_weight must not both be 0"
            raise ValueError(msg)
        return self


class LinkingSettings(Group):
    """Notes and the links between them (A-MEM)."""

    neighbours: Annotated[int, Ge(1), Le(50)] = Field(
        5, description="Nearest notes that a new one may be linked to, and may change."
    )
    least_cosine: Annotated[float, Ge(-1), Le(1)] = Field(
        0.5, description="Cosine similarity below which nothing is linked, unless a model says so."
    )
    rebuild_after: Positive = Field(
        100, description="Changes of an owner's notes after which all their vectors are renewed."
    )


class ProfileSettings(Group):
    """Summaries and profiles."""

    refresh_share: Annotated[float, Ge(0), Le(1)] = Field(
        0.1, description="A profile is renewed when this share of what it stands on has changed."
    )
    full_every: Positive = Field(
        10, description="Versions after which all topics of a profile are found anew."
    )
    keep_versions: Positive = Field(100, description="Versions of a profile that are kept.")


class ThoughtSettings(Group):
    """Thoughts in hashed buckets (Think-in-Memory); another value hashes all of them anew."""

    buckets: Annotated[int, Ge(2), Le(1_024)] = Field(
        16, description="Buckets of an owner's thoughts; an even number."
    )
    seed: Count = Field(0, description="Of the random directions that choose a bucket.")

    @field_validator("buckets")
    @classmethod
    def _in_pairs(cls, value: int) -> int:
        """Refuse an odd number: each direction has two ends."""
        if value % 2:
            msg = "must be even"
            raise ValueError(msg)
        return value


class SegmentationSettings(Group):
    """Segments: where one event ends and the next begins (EM-LLM)."""

    signal: Literal["block", "next"] = Field(
        "block", description="What is compared with four turns: the four behind, or the next one."
    )
    gamma: Annotated[float, Ge(0)] = Field(
        1.0, description="Deviations above the mean surprise that begin a segment."
    )
    refinement: Literal["none", "modularity", "conductance"] = Field(
        "modularity", description="By what a beginning is moved once the turns behind it are known."
    )
    least: Annotated[int, Ge(2)] = Field(8, description="Turns of a segment, at least.")
    most: Annotated[int, Ge(16), Le(512)] = Field(128, description="Turns of a segment, at most.")
    gap_minutes: Annotated[float, Ge(0)] = Field(
        30, description="Minutes between two turns above which the later one begins a segment."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse a least size that two segments of a cut one could not have."""
        if 2 * self.least > self.most:
            msg = "least must be at most half of most"
            raise ValueError(msg)
        return self


class LimitSettings(Group):
    """What one request or key may ask."""

    content_bytes: Positive = Field(1_048_576, description="Bytes of one item's content.")
    items: Annotated[int, Ge(1), Le(MOST_ITEMS)] = Field(
        MOST_ITEMS, description="Items in one write; no more than 1,000."
    )
    body_bytes: Positive = Field(16_777_216, description="Bytes of one request body.")
    query_bytes: Positive = Field(8_192, description="Bytes of a recall query.")
    metadata_bytes: Positive = Field(16_384, description="Bytes of one item's metadata as JSON.")
    metadata_depth: Positive = Field(8, description="Nesting depth of metadata.")
    requests_per_minute: Count = Field(
        0, description="Requests a minute per key, unless the key sets its own; 0 = no limit."
    )
    daily_items: Count = Field(
        0, description="Items a day per key, unless the key sets its own; 0 = no quota."
    )


class HttpSettings(Group):
    """Edge of the api."""

    cors_origins: tuple[str, ...] = Field((), description="Origins that browsers may call from.")
    trusted_proxies: str = Field(
        "", description="Comma-separated proxy addresses whose X-Forwarded-* headers count."
    )
    drain_s: Positive = Field(8, description="Seconds open requests get to finish on stop.")
    public_url: str = Field(
        "", description="URL under which clients reach the api; used in problem types."
    )
    key_cache_s: Annotated[float, Ge(0)] = Field(
        2, description="Seconds a replica may go on accepting a key revoked on another one."
    )


class JobSettings(Group):
    """Background work."""

    concurrency: Positive = Field(4, description="Tasks one worker runs at a time.")
    max_attempts: Positive = Field(5, description="Attempts before a job is failed.")
    backoff_s: Annotated[float, Ge(0)] = Field(
        2, description="Wait before the second attempt; doubles with each further one."
    )
    stalled_s: Positive = Field(
        30, description="Seconds without a heartbeat after which a worker's tasks are taken over."
    )
    metrics_port: Annotated[int, Ge(0), Le(65_535)] = Field(
        0, description="Port of a worker's own /metrics, on loopback unless open; 0 = none."
    )


class HousekeepingSettings(Group):
    """What is pruned, and when."""

    every_s: Positive = Field(300, description="Seconds between housekeeping runs.")
    jobs_days: Annotated[float, Ge(0)] = Field(30, description="Days finished jobs are kept.")
    idempotency_days: Annotated[float, Ge(0)] = Field(
        7, description="Days an Idempotency-Key is remembered."
    )
    recall_hours: Annotated[float, Ge(0.1)] = Field(
        24, description="Hours a recall can be voted on; each is kept in about 1 kB."
    )
    events_days: Annotated[float, Ge(0)] = Field(365, description="Days of history kept.")
    usage_days: Annotated[float, Ge(1)] = Field(
        92, description="Days the accounts of the language model are kept."
    )


class LogSettings(Group):
    """Structured logs on standard error; never any text of a memory."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level.")
    format: Literal["json", "console"] = Field("console", description="Shape of a line.")


class Settings(BaseSettings):
    """Everything the api, the worker and the operator commands read from the environment."""

    model_config = SettingsConfigDict(
        env_prefix="APP_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    host: str = Field("127.0.0.1", description="Address the api listens on.")
    port: Annotated[int, Ge(1), Le(65_535)] = Field(8080, description="Port the api listens on.")
    data_dir: Path = Field(Path(".data"), description="Where scripts/serve keeps its data.")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL ≥ 15 with pgvector ≥ 0.7; unset: scripts/serve embeds one."
    )
    bootstrap_key: SecretStr | None = Field(
        None, description="Operator's API key; unset: scripts/serve makes one at first start."
    )
    metrics_open: bool = Field(
        default=False, description="Serve /metrics without a key even beyond loopback."
    )
    database: DatabaseSettings = DatabaseSettings()
    migrations: MigrationSettings = MigrationSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    next_embeddings: EmbeddingSettings | None = Field(
        None, description="A second embedder, to change the model while recall goes on."
    )
    llm: LanguageModelSettings = LanguageModelSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    linking: LinkingSettings = LinkingSettings()
    profiles: ProfileSettings = ProfileSettings()
    thoughts: ThoughtSettings = ThoughtSettings()
    segmentation: SegmentationSettings = SegmentationSettings()
    limits: LimitSettings = LimitSettings()
    http: HttpSettings = HttpSettings()
    jobs: JobSettings = JobSettings()
    housekeeping: HousekeepingSettings = HousekeepingSettings()
    log: LogSettings = LogSettings()

    def required_database_url(self) -> str:
        """Return the database URL; the processes behind scripts/serve cannot do without."""
        if self.database_url is None:
            msg = "APP_DATABASE_URL is not set"
            raise ValueError(msg)
        return self.database_url.get_secret_value()

    def migrations_url(self) -> str:
        """Return the URL of the owner of the tables."""
        url = self.migrations.database_url
        return url.get_secret_value() if url else self.required_database_url()
