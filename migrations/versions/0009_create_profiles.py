"""Create profiles: summaries of days, shades with their members, versions of profiles."""

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"

TABLES = (
    """
    CREATE TABLE day_summaries (
        owner_id bigint NOT NULL,
        day date NOT NULL,
        time_zone text NOT NULL,
        is_stale boolean NOT NULL,
        digest bytea,
        lines jsonb NOT NULL,
        portrait jsonb NOT NULL,
        source_ordinals integer[] NOT NULL,
        generated_by text,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_day_summaries PRIMARY KEY (owner_id, day),
        CONSTRAINT fk_day_summaries_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_day_summaries_owner_id_day ON day_summaries (owner_id, day) WHERE is_stale",
    """
    CREATE TABLE shades (
        owner_id bigint NOT NULL,
        id uuid NOT NULL,
        size integer NOT NULL,
        total bytea NOT NULL,
        is_stale boolean NOT NULL,
        needs_recount boolean NOT NULL,
        document jsonb NOT NULL,
        source_ordinals integer[] NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_shades PRIMARY KEY (owner_id, id),
        CONSTRAINT fk_shades_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE shade_members (
        owner_id bigint NOT NULL,
        memory_ordinal integer NOT NULL,
        shade_id uuid,
        distance double precision,
        CONSTRAINT pk_shade_members PRIMARY KEY (owner_id, memory_ordinal),
        CONSTRAINT fk_shade_members_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal)
            REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_shade_members_owner_id_shade_id_distance
        ON shade_members (owner_id, shade_id, distance)
    """,
    """
    CREATE TABLE profiles (
        owner_id bigint NOT NULL,
        version integer NOT NULL,
        is_full boolean NOT NULL,
        document jsonb NOT NULL,
        source_ordinals integer[] NOT NULL,
        generated_by text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_profiles PRIMARY KEY (owner_id, version),
        CONSTRAINT fk_profiles_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE profile_states (
        owner_id bigint NOT NULL,
        tenant_id uuid NOT NULL,
        version integer NOT NULL,
        full_version integer NOT NULL,
        members integer NOT NULL,
        changes integer NOT NULL,
        erasures integer NOT NULL,
        is_forced boolean NOT NULL,
        wants_full boolean NOT NULL,
        model_id smallint,
        calibration jsonb NOT NULL,
        origin bytea,
        next_close_at timestamptz,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_profile_states PRIMARY KEY (owner_id),
        CONSTRAINT fk_profile_states_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_profile_states_tenant_id_next_close_at
        ON profile_states (tenant_id, next_close_at)
    """,
)

OWNER_TABLES = ("day_summaries", "shades", "shade_members", "profiles")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in TABLES:
        op.execute(statement)
    for table in OWNER_TABLES:
        op.execute("SELECT protect_by_owner('" + table + "')")
    op.execute("SELECT protect_by_tenant('profile_states')")


def downgrade() -> None:
    for table in (*OWNER_TABLES, "profile_states"):
        op.execute("DROP TABLE " + table)
