"""Memories that contradict each other, and what finds them."""

from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"

_OF_MEMORY = """
        CONSTRAINT fk_{table}_owner_id_{column}_memories FOREIGN KEY (owner_id, {column})
            REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE
"""

STATEMENTS = (
    """
    CREATE TABLE statement_names (
        owner_id bigint NOT NULL,
        name_key text NOT NULL,
        memory_ordinal integer NOT NULL,
        CONSTRAINT pk_statement_names PRIMARY KEY (owner_id, name_key, memory_ordinal),
    """
    + _OF_MEMORY.format(table="statement_names", column="memory_ordinal")
    + ")",
    """
    CREATE INDEX ix_statement_names_owner_id_memory_ordinal
        ON statement_names (owner_id, memory_ordinal)
    """,
    """
    CREATE TABLE denials (
        owner_id bigint NOT NULL,
        memory_ordinal integer NOT NULL,
        no integer NOT NULL,
        clause text NOT NULL,
        stems text[] NOT NULL,
        CONSTRAINT pk_denials PRIMARY KEY (owner_id, memory_ordinal, no),
    """
    + _OF_MEMORY.format(table="denials", column="memory_ordinal")
    + ")",
    """
    CREATE TABLE conflicts (
        owner_id bigint NOT NULL,
        conflict_no bigint GENERATED ALWAYS AS IDENTITY,
        id uuid NOT NULL,
        older_ordinal integer NOT NULL,
        newer_ordinal integer NOT NULL,
        detector text NOT NULL,
        score double precision NOT NULL,
        detected_at timestamptz NOT NULL,
        resolution text,
        resolved_at timestamptz,
        CONSTRAINT pk_conflicts PRIMARY KEY (owner_id, conflict_no),
        CONSTRAINT uq_conflicts_owner_id_id UNIQUE (owner_id, id),
        CONSTRAINT uq_conflicts_owner_id_older_ordinal_newer_ordinal
            UNIQUE (owner_id, older_ordinal, newer_ordinal),
        CONSTRAINT ck_conflicts_detector CHECK (detector IN ('statement', 'fact', 'denial')),
        CONSTRAINT ck_conflicts_resolution CHECK (resolution IN ('newer', 'older', 'both')),
    """
    + _OF_MEMORY.format(table="conflicts", column="older_ordinal").rstrip()
    + ","
    + _OF_MEMORY.format(table="conflicts", column="newer_ordinal")
    + ")",
    """
    CREATE INDEX ix_conflicts_owner_id_newer_ordinal ON conflicts (owner_id, newer_ordinal)
    """,
)

OWNER_TABLES = ("conflicts", "denials", "statement_names")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in STATEMENTS:
        op.execute(statement)
    for table in OWNER_TABLES:
        op.execute("SELECT protect_by_owner('" + table + "')")


def downgrade() -> None:
    for table in OWNER_TABLES:
        op.execute("DROP TABLE " + table)
