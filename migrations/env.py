"""Alembic's entry point. The caller hands the URL of the owner of the tables in ``attributes``."""

import sqlalchemy as sa
from alembic import context
from sqlalchemy.schema import SchemaItem

import app.episodes.models
import app.facts.models
import app.feedback.models
import app.forgetting.models
import app.ingestion.models
import app.jobs.models
import app.linking.models
import app.llm.models
import app.memories.models
import app.profiles.models
import app.segmentation.models
import app.tenants.models
import app.thoughts.models  # noqa: F401  -- these imports fill the metadata
from app.kit.database import sqlalchemy_url
from app.kit.orm import Base


def ours(_: SchemaItem, name: str | None, kind: str, *__: object) -> bool:
    """Leave out the queue's tables and those made per embedding model."""
    foreign = (
        "procrastinate_",
        "embeddings_",
        "embedding_bits_",
        "token_bits_",
        "embedding_hnsw_",
        "derived_vectors_",
    )
    return not (kind == "table" and (name or "").startswith(foreign))


def run() -> None:
    """Run the migrations, each in a transaction of its own."""
    engine = sa.create_engine(
        sqlalchemy_url(context.config.attributes["url"]), poolclass=sa.pool.NullPool
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=ours,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
