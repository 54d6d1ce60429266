"""ChroKnowledge: bitemporal facts, and the observations of memories that they are laid out from."""

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"

STATEMENTS = (
    """
    CREATE TABLE fact_observations (
        owner_id bigint NOT NULL,
        memory_ordinal integer NOT NULL,
        no integer NOT NULL,
        agent_id text,
        subject text NOT NULL,
        relation text NOT NULL,
        object text NOT NULL,
        subject_key text NOT NULL,
        relation_key text NOT NULL,
        group_key text NOT NULL,
        is_functional boolean NOT NULL,
        is_end boolean NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz,
        observed_at timestamptz NOT NULL,
        known_from timestamptz NOT NULL,
        known_to timestamptz,
        confidence double precision NOT NULL,
        generated_by text NOT NULL,
        CONSTRAINT pk_fact_observations PRIMARY KEY (owner_id, memory_ordinal, no),
        CONSTRAINT fk_fact_observations_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal)
            REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_fact_observations_owner_id_subject_key_group_key
        ON fact_observations (owner_id, subject_key, group_key)
    """,
    """
    CREATE TABLE facts (
        owner_id bigint NOT NULL,
        fact_no bigint GENERATED ALWAYS AS IDENTITY,
        id uuid NOT NULL,
        agent_id text,
        subject text NOT NULL,
        relation text NOT NULL,
        object text NOT NULL,
        subject_key text NOT NULL,
        relation_key text NOT NULL,
        group_key text NOT NULL,
        is_functional boolean NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz,
        known_from timestamptz NOT NULL,
        known_to timestamptz,
        confidence double precision NOT NULL,
        source_ordinals integer[] NOT NULL,
        generated_by text NOT NULL,
        CONSTRAINT pk_facts PRIMARY KEY (owner_id, fact_no),
        CONSTRAINT uq_facts_owner_id_id UNIQUE (owner_id, id),
        CONSTRAINT ck_facts_sources CHECK (cardinality(source_ordinals) > 0),
        CONSTRAINT fk_facts_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_facts_owner_id_subject_key_group_key
        ON facts (owner_id, subject_key, group_key)
    """,
)

OWNER_TABLES = ("facts", "fact_observations")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in STATEMENTS:
        op.execute(statement)
    for table in OWNER_TABLES:
        op.execute("SELECT protect_by_owner('" + table + "')")


def downgrade() -> None:
    for table in OWNER_TABLES:
        op.execute("DROP TABLE " + table)
