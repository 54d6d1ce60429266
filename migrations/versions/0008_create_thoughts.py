"""Think-in-Memory: thoughts in hashed buckets."""

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"

STATEMENTS = (
    """
    CREATE TABLE thought_hashes (
        owner_id bigint NOT NULL,
        version integer NOT NULL,
        model_id smallint NOT NULL,
        seed bigint NOT NULL,
        dimensions integer NOT NULL,
        buckets smallint NOT NULL,
        CONSTRAINT pk_thought_hashes PRIMARY KEY (owner_id, version),
        CONSTRAINT fk_thought_hashes_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    # A tombstone whose successor goes is made active again by the service, within the same
    # transaction; SET NULL keeps an erase from failing on the order of its deletes.
    """
    CREATE TABLE thoughts (
        owner_id bigint NOT NULL,
        memory_ordinal integer NOT NULL,
        agent_id text,
        head text NOT NULL,
        relation text,
        tails text[] NOT NULL,
        head_key text NOT NULL,
        relation_key text,
        hash_version integer NOT NULL,
        bucket smallint NOT NULL,
        status text NOT NULL DEFAULT 'active',
        replaced_by integer,
        is_organised boolean NOT NULL DEFAULT false,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz,
        CONSTRAINT pk_thoughts PRIMARY KEY (owner_id, memory_ordinal),
        CONSTRAINT ck_thoughts_status CHECK (status IN ('active', 'forgotten', 'merged')),
        CONSTRAINT fk_thoughts_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal)
            REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE,
        CONSTRAINT fk_thoughts_owner_id_replaced_by_thoughts
            FOREIGN KEY (owner_id, replaced_by)
            REFERENCES thoughts (owner_id, memory_ordinal) ON DELETE SET NULL (replaced_by)
    )
    """,
    """
    CREATE INDEX ix_thoughts_owner_id_hash_version_bucket
        ON thoughts (owner_id, hash_version, bucket)
    """,
    """
    CREATE INDEX ix_thoughts_owner_id_head_key_relation_key
        ON thoughts (owner_id, head_key, relation_key)
    """,
    """
    CREATE INDEX ix_thoughts_owner_id_replaced_by ON thoughts (owner_id, replaced_by)
        WHERE replaced_by IS NOT NULL
    """,
    """
    CREATE INDEX ix_thoughts_owner_id_bucket ON thoughts (owner_id, bucket)
        WHERE NOT is_organised AND status = 'active'
    """,
)

OWNER_TABLES = ("thoughts", "thought_hashes")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in STATEMENTS:
        op.execute(statement)
    for table in OWNER_TABLES:
        op.execute("SELECT protect_by_owner('" + table + "')")


def downgrade() -> None:
    for table in OWNER_TABLES:
        op.execute("DROP TABLE " + table)
