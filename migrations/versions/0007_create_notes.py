"""A-MEM: notes of memories, links between them, and how they evolved."""

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"

STATEMENTS = (
    """
    CREATE TABLE notes (
        owner_id bigint NOT NULL,
        memory_ordinal integer NOT NULL,
        agent_id text,
        keywords text[] NOT NULL,
        tags text[] NOT NULL,
        context text NOT NULL,
        category text,
        generated_by text NOT NULL,
        made_from bytea NOT NULL,
        version integer NOT NULL DEFAULT 1,
        embed_version integer NOT NULL DEFAULT 0,
        model_id smallint NOT NULL DEFAULT 0,
        is_linked boolean NOT NULL DEFAULT false,
        neighbours integer[] NOT NULL DEFAULT '{}',
        cosines real[] NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_notes PRIMARY KEY (owner_id, memory_ordinal),
        CONSTRAINT fk_notes_owner_id_memory_ordinal_memories FOREIGN KEY (owner_id, memory_ordinal)
            REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_notes_owner_id_model_id ON notes (owner_id, model_id, memory_ordinal)",
    """
    CREATE TABLE note_links (
        owner_id bigint NOT NULL,
        source_ordinal integer NOT NULL,
        target_ordinal integer NOT NULL,
        kind text NOT NULL,
        reason text NOT NULL,
        weight double precision NOT NULL,
        generated_by text NOT NULL,
        evolution_no integer,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_note_links PRIMARY KEY (owner_id, source_ordinal, target_ordinal),
        CONSTRAINT ck_note_links_later_to_earlier CHECK (source_ordinal > target_ordinal),
        CONSTRAINT fk_note_links_owner_id_source_ordinal_notes
            FOREIGN KEY (owner_id, source_ordinal)
            REFERENCES notes (owner_id, memory_ordinal) ON DELETE CASCADE,
        CONSTRAINT fk_note_links_owner_id_target_ordinal_notes
            FOREIGN KEY (owner_id, target_ordinal)
            REFERENCES notes (owner_id, memory_ordinal) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_note_links_owner_id_target_ordinal
        ON note_links (owner_id, target_ordinal, source_ordinal)
    """,
    """
    CREATE TABLE note_evolutions (
        owner_id bigint NOT NULL,
        evolution_no integer NOT NULL,
        id uuid NOT NULL,
        trigger_ordinal integer NOT NULL,
        target_ordinal integer NOT NULL,
        action text NOT NULL,
        sources integer[] NOT NULL,
        before jsonb NOT NULL,
        after jsonb NOT NULL,
        generated_by text NOT NULL,
        at timestamptz NOT NULL,
        reverted_at timestamptz,
        CONSTRAINT pk_note_evolutions PRIMARY KEY (owner_id, evolution_no),
        CONSTRAINT uq_note_evolutions_owner_id_id UNIQUE (owner_id, id),
        CONSTRAINT ck_note_evolutions_action
            CHECK (action IN ('strengthen', 'update_neighbor')),
        CONSTRAINT fk_note_evolutions_owner_id_trigger_ordinal_notes
            FOREIGN KEY (owner_id, trigger_ordinal)
            REFERENCES notes (owner_id, memory_ordinal) ON DELETE CASCADE,
        CONSTRAINT fk_note_evolutions_owner_id_target_ordinal_notes
            FOREIGN KEY (owner_id, target_ordinal)
            REFERENCES notes (owner_id, memory_ordinal) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_note_evolutions_owner_id_trigger_ordinal
        ON note_evolutions (owner_id, trigger_ordinal)
    """,
    """
    CREATE INDEX ix_note_evolutions_owner_id_target_ordinal
        ON note_evolutions (owner_id, target_ordinal, evolution_no)
    """,
)

OWNER_TABLES = ("notes", "note_links", "note_evolutions")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in STATEMENTS:
        op.execute(statement)
    for table in OWNER_TABLES:
        op.execute("SELECT protect_by_owner('" + table + "')")


def downgrade() -> None:
    for table in reversed(OWNER_TABLES):
        op.execute("DROP TABLE " + table)
