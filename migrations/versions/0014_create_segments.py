"""EM-LLM: segments of what was said."""

from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"

STATEMENTS = (
    """
    CREATE TABLE segments (
        owner_id bigint NOT NULL,
        first_ordinal integer NOT NULL,
        last_ordinal integer NOT NULL,
        session_id text,
        agent_id text,
        reason text NOT NULL,
        noticed_ordinal integer NOT NULL,
        surprise double precision,
        needs_ordinal integer,
        members integer[] NOT NULL,
        representatives integer[] NOT NULL,
        model_id smallint NOT NULL,
        means halfvec[] NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz NOT NULL,
        is_stale boolean NOT NULL DEFAULT false,
        CONSTRAINT pk_segments PRIMARY KEY (owner_id, first_ordinal),
        CONSTRAINT ck_segments_reason CHECK (reason IN ('start', 'gap', 'surprise', 'size')),
        CONSTRAINT fk_segments_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_segments_owner_id_session_id_first_ordinal
        ON segments (owner_id, session_id, first_ordinal)
    """,
    """
    CREATE INDEX ix_segments_owner_id_stale ON segments (owner_id, first_ordinal) WHERE is_stale
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute("SELECT protect_by_owner('segments')")


def downgrade() -> None:
    op.execute("DROP TABLE segments")
