"""ReLoop2: recalls that may be voted on, and the errors that votes found."""

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"

STATEMENTS = (
    """
    CREATE TABLE recalls (
        tenant_id uuid NOT NULL,
        recall_id uuid NOT NULL,
        owner_id bigint NOT NULL,
        agent_id text,
        model_id smallint,
        query halfvec,
        ordinals integer[] NOT NULL,
        predictions real[] NOT NULL,
        CONSTRAINT pk_recalls PRIMARY KEY (tenant_id, recall_id),
        CONSTRAINT fk_recalls_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_recalls_owner_id ON recalls (owner_id)",
    """
    CREATE TABLE votes (
        owner_id bigint NOT NULL,
        slot smallint NOT NULL,
        recall_id uuid NOT NULL,
        memory_ordinal integer NOT NULL,
        model_id smallint,
        query halfvec,
        rank smallint NOT NULL,
        predicted real NOT NULL,
        useful real NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_votes PRIMARY KEY (owner_id, slot),
        CONSTRAINT uq_votes_owner_id_recall_id_memory_ordinal
            UNIQUE (owner_id, recall_id, memory_ordinal),
        CONSTRAINT fk_votes_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal)
            REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_votes_owner_id_memory_ordinal ON votes (owner_id, memory_ordinal)",
    "ALTER TABLE owners ADD votes integer NOT NULL DEFAULT 0",
)

# Whether an owner has voted is read with the owner: who never did, pays nothing.
_ENTER = """
    CREATE FUNCTION enter_owner(
        tenant uuid, owner_kind text, owner_external_id text,
        OUT owner_id bigint, OUT keys integer, OUT time_zone text, OUT language text,
        OUT policies jsonb /*out*/
    ) RETURNS SETOF record LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('application_name') LIKE 'remembrancer-api%' THEN
            PERFORM set_config('application_name', 'remembrancer-api '
                || floor(extract(epoch FROM clock_timestamp()) * 1000)::text, false);
        END IF;
        PERFORM set_config('app.tenant_id', tenant::text, true);
        SELECT o.owner_id, coalesce(o.time_zone, t.time_zone), coalesce(o.language, t.language),
            t.policies || o.policies /*column*/
        INTO enter_owner.owner_id, enter_owner.time_zone, enter_owner.language,
            enter_owner.policies /*into*/
        FROM owners o JOIN tenants t ON t.tenant_id = o.tenant_id
        WHERE o.tenant_id = tenant AND o.kind = owner_kind AND o.external_id = owner_external_id;
        IF FOUND THEN
            PERFORM set_config('app.owner_id', enter_owner.owner_id::text, true);
            SELECT s.keys INTO enter_owner.keys FROM owner_stats s
            WHERE s.owner_id = enter_owner.owner_id;
            RETURN NEXT;
        END IF;
    END $$
"""
_WITH_VOTES = (
    _ENTER.replace("/*out*/", ", OUT votes integer")
    .replace("/*column*/", ", o.votes")
    .replace("/*into*/", ", enter_owner.votes")
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute("SELECT protect_by_tenant('recalls')")
    op.execute("SELECT protect_by_owner('votes')")
    op.execute("DROP FUNCTION enter_owner(uuid, text, text)")
    op.execute(_WITH_VOTES)


def downgrade() -> None:
    op.execute("DROP FUNCTION enter_owner(uuid, text, text)")
    op.execute(_ENTER)
    op.execute("ALTER TABLE owners DROP votes")
    op.execute("DROP TABLE votes")
    op.execute("DROP TABLE recalls")
