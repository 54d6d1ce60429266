"""Days that a memory tells of besides the one it was said on: "I went there last Friday"."""

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"

STATEMENTS = (
    """
    CREATE TABLE told_days (
        owner_id bigint NOT NULL,
        memory_ordinal integer NOT NULL,
        since date NOT NULL,
        until date NOT NULL,
        CONSTRAINT pk_told_days PRIMARY KEY (owner_id, memory_ordinal, since, until),
        CONSTRAINT ck_told_days_in_order CHECK (since <= until),
        CONSTRAINT fk_told_days_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal)
            REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_told_days_owner_id_since ON told_days (owner_id, since)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute("SELECT protect_by_owner('told_days')")


def downgrade() -> None:
    op.execute("DROP TABLE told_days")
