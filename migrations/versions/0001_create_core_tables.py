"""Create the core tables, their row-level security and the application role.

Every key begins with ``owner_id`` or ``tenant_id``, so that on a distributed Postgres an owner's
rows lie together. ``embedding_models`` is the one exception: it belongs to the operator.
"""

from alembic import op

revision: str = "0001"
down_revision: str | None = None

ROLE = """
DO $$ BEGIN
    CREATE ROLE remembrancer_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""

MEMBERSHIP = """
DO $$ DECLARE
    -- From PostgreSQL 16 on, who makes a role is a member of it that may not act as it.
    needed text := CASE WHEN current_setting('server_version_num')::integer >= 160000
        THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    IF NOT pg_has_role(current_user, 'remembrancer_app', needed) THEN
        GRANT remembrancer_app TO CURRENT_USER;
    END IF;
END $$
"""

TABLES = (
    """
    CREATE TABLE tenants (
        tenant_id uuid NOT NULL,
        name text NOT NULL,
        time_zone text NOT NULL DEFAULT 'UTC',
        language text NOT NULL DEFAULT 'en',
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_tenants PRIMARY KEY (tenant_id)
    )
    """,
    """
    CREATE TABLE api_keys (
        tenant_id uuid NOT NULL,
        key_id uuid NOT NULL,
        name text NOT NULL,
        hash bytea NOT NULL,
        hint text NOT NULL,
        scopes text[] NOT NULL,
        bound_kind text,
        bound_external_id text,
        requests_per_minute integer,
        daily_items integer,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT pk_api_keys PRIMARY KEY (tenant_id, key_id),
        CONSTRAINT uq_api_keys_tenant_id_hash UNIQUE (tenant_id, hash),
        CONSTRAINT fk_api_keys_tenant_id_tenants FOREIGN KEY (tenant_id)
            REFERENCES tenants ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_api_keys_hash ON api_keys (hash)",
    """
    CREATE TABLE key_usage (
        tenant_id uuid NOT NULL,
        key_id uuid NOT NULL,
        day date NOT NULL,
        items bigint NOT NULL,
        CONSTRAINT pk_key_usage PRIMARY KEY (tenant_id, key_id, day),
        CONSTRAINT fk_key_usage_tenant_id_key_id_api_keys FOREIGN KEY (tenant_id, key_id)
            REFERENCES api_keys ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE owners (
        owner_id bigint GENERATED ALWAYS AS IDENTITY,
        tenant_id uuid NOT NULL,
        kind text NOT NULL,
        external_id text NOT NULL,
        time_zone text,
        language text,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_owners PRIMARY KEY (owner_id),
        CONSTRAINT uq_owners_tenant_id_kind_external_id UNIQUE (tenant_id, kind, external_id),
        CONSTRAINT ck_owners_kind CHECK (kind IN ('user', 'agent')),
        CONSTRAINT fk_owners_tenant_id_tenants FOREIGN KEY (tenant_id)
            REFERENCES tenants ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE owner_stats (
        owner_id bigint NOT NULL,
        keys integer NOT NULL DEFAULT 0,
        sum_dl bigint NOT NULL DEFAULT 0,
        last_ordinal integer NOT NULL DEFAULT 0,
        last_extra_key integer NOT NULL DEFAULT 0,
        is_pending boolean NOT NULL DEFAULT false,
        CONSTRAINT pk_owner_stats PRIMARY KEY (owner_id),
        CONSTRAINT fk_owner_stats_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners ON DELETE CASCADE
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE sessions (
        owner_id bigint NOT NULL,
        session_id text NOT NULL,
        ordinal integer NOT NULL,
        messages integer NOT NULL,
        last_seq integer NOT NULL,
        last_ordinal integer NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (owner_id, session_id),
        CONSTRAINT fk_sessions_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE episodes (
        owner_id bigint NOT NULL,
        id uuid NOT NULL,
        ordinal integer NOT NULL,
        session_id text,
        seq integer,
        agent_id text,
        role text,
        name text,
        content text NOT NULL,
        occurred_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        metadata jsonb NOT NULL,
        client_key text,
        body_digest bytea NOT NULL,
        digest bytea NOT NULL,
        job_id uuid,
        CONSTRAINT pk_episodes PRIMARY KEY (owner_id, id),
        CONSTRAINT uq_episodes_owner_id_client_key UNIQUE (owner_id, client_key),
        CONSTRAINT uq_episodes_owner_id_digest UNIQUE (owner_id, digest),
        CONSTRAINT fk_episodes_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_episodes_owner_id_session_id_seq ON episodes (owner_id, session_id, seq)",
    """
    CREATE TABLE episode_aliases (
        owner_id bigint NOT NULL,
        client_key text NOT NULL,
        episode_id uuid NOT NULL,
        body_digest bytea NOT NULL,
        CONSTRAINT pk_episode_aliases PRIMARY KEY (owner_id, client_key),
        CONSTRAINT fk_episode_aliases_owner_id_episode_id_episodes
            FOREIGN KEY (owner_id, episode_id) REFERENCES episodes ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_episode_aliases_owner_id_episode_id ON episode_aliases (owner_id, episode_id)",
    """
    CREATE TABLE memories (
        owner_id bigint NOT NULL,
        ordinal integer NOT NULL,
        id uuid NOT NULL,
        tenant_id uuid NOT NULL,
        kind text NOT NULL,
        content text NOT NULL,
        session_id text,
        agent_id text,
        role text,
        name text,
        place text,
        occurred_at timestamptz NOT NULL,
        valid_from timestamptz,
        valid_to timestamptz,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        archived_at timestamptz,
        expires_at timestamptz,
        importance double precision,
        pinned boolean NOT NULL DEFAULT false,
        strength_days double precision NOT NULL DEFAULT 1,
        recalled_at timestamptz,
        recall_count integer NOT NULL DEFAULT 0,
        generated_by text,
        context_ordinal integer,
        metadata jsonb NOT NULL,
        CONSTRAINT pk_memories PRIMARY KEY (owner_id, ordinal),
        CONSTRAINT uq_memories_owner_id_id UNIQUE (owner_id, id),
        CONSTRAINT fk_memories_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_memories_tenant_id_id ON memories (tenant_id, id)",
    """
    CREATE INDEX ix_memories_owner_id_session_id_ordinal
        ON memories (owner_id, session_id, ordinal)
    """,
    """
    CREATE INDEX ix_memories_owner_id_occurred_at_ordinal
        ON memories (owner_id, occurred_at, ordinal)
    """,
    """
    CREATE INDEX ix_memories_owner_id_expires_at ON memories (owner_id, expires_at)
        WHERE expires_at IS NOT NULL AND archived_at IS NULL
    """,
    """
    CREATE TABLE memory_sources (
        owner_id bigint NOT NULL,
        memory_ordinal integer NOT NULL,
        episode_id uuid,
        source_ordinal integer,
        CONSTRAINT uq_memory_sources_source
            UNIQUE NULLS NOT DISTINCT (owner_id, memory_ordinal, episode_id, source_ordinal),
        CONSTRAINT ck_memory_sources_one_source
            CHECK ((episode_id IS NULL) <> (source_ordinal IS NULL)),
        CONSTRAINT fk_memory_sources_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal) REFERENCES memories ON DELETE CASCADE,
        CONSTRAINT fk_memory_sources_owner_id_episode_id_episodes
            FOREIGN KEY (owner_id, episode_id) REFERENCES episodes ON DELETE CASCADE,
        CONSTRAINT fk_memory_sources_owner_id_source_ordinal_memories
            FOREIGN KEY (owner_id, source_ordinal) REFERENCES memories ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_memory_sources_owner_id_episode_id ON memory_sources (owner_id, episode_id)
        WHERE episode_id IS NOT NULL
    """,
    """
    CREATE INDEX ix_memory_sources_owner_id_source_ordinal
        ON memory_sources (owner_id, source_ordinal) WHERE source_ordinal IS NOT NULL
    """,
    """
    CREATE TABLE memory_keys (
        owner_id bigint NOT NULL,
        ordinal integer NOT NULL,
        memory_ordinal integer NOT NULL,
        key_kind text NOT NULL,
        start integer NOT NULL,
        stop integer NOT NULL,
        text text,
        lexemes text[] NOT NULL,
        CONSTRAINT pk_memory_keys PRIMARY KEY (owner_id, ordinal),
        CONSTRAINT fk_memory_keys_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal) REFERENCES memories ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_memory_keys_owner_id_memory_ordinal ON memory_keys (owner_id, memory_ordinal)
        WHERE ordinal < 0
    """,
    """
    CREATE TABLE postings (
        owner_id bigint NOT NULL,
        lexeme text COLLATE "C" NOT NULL,
        key_ordinal integer NOT NULL,
        tf smallint NOT NULL,
        dl smallint NOT NULL,
        CONSTRAINT pk_postings PRIMARY KEY (owner_id, lexeme, key_ordinal) INCLUDE (tf, dl)
    ) WITH (autovacuum_vacuum_insert_scale_factor = 0.02)
    """,
    """
    CREATE TABLE memory_events (
        owner_id bigint NOT NULL,
        event_no bigint GENERATED ALWAYS AS IDENTITY,
        memory_ordinal integer NOT NULL,
        kind text NOT NULL,
        at timestamptz NOT NULL,
        detail jsonb NOT NULL,
        CONSTRAINT pk_memory_events PRIMARY KEY (owner_id, memory_ordinal, event_no),
        CONSTRAINT fk_memory_events_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal) REFERENCES memories ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE jobs (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        owner_id bigint,
        agent_id text,
        kind text NOT NULL,
        status text NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        tasks jsonb NOT NULL,
        error text,
        cancel_requested boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        CONSTRAINT pk_jobs PRIMARY KEY (tenant_id, id),
        CONSTRAINT ck_jobs_status
            CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        CONSTRAINT fk_jobs_tenant_id_tenants FOREIGN KEY (tenant_id)
            REFERENCES tenants ON DELETE CASCADE,
        CONSTRAINT fk_jobs_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_jobs_owner_id_id ON jobs (owner_id, id)",
    "CREATE INDEX ix_jobs_owner_id_kind ON jobs (owner_id, kind) WHERE status = 'queued'",
    "CREATE INDEX ix_jobs_tenant_id_id ON jobs (tenant_id, id) WHERE finished_at IS NULL",
    """
    CREATE TABLE idempotency_keys (
        tenant_id uuid NOT NULL,
        route text NOT NULL,
        key text NOT NULL,
        owner_id bigint,
        request_digest bytea NOT NULL,
        response jsonb,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, route, key),
        CONSTRAINT fk_idempotency_keys_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_idempotency_keys_owner_id ON idempotency_keys (owner_id)",
    """
    CREATE TABLE embedding_models (
        model_id smallint GENERATED ALWAYS AS IDENTITY,
        name text NOT NULL,
        dimensions integer NOT NULL,
        uses_bits boolean NOT NULL DEFAULT false,
        bit_agreement double precision,
        state text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_embedding_models PRIMARY KEY (model_id),
        CONSTRAINT uq_embedding_models_name UNIQUE (name),
        CONSTRAINT ck_embedding_models_state CHECK (state IN ('building', 'active', 'retired'))
    )
    """,
    """
    CREATE UNIQUE INDEX ix_embedding_models_state ON embedding_models (state)
        WHERE state = 'active'
    """,
)

TENANT_TABLES = (
    "api_keys",
    "key_usage",
    "owners",
    "memories",
    "jobs",
    "idempotency_keys",
)
OWNER_TABLES = (
    "owner_stats",
    "sessions",
    "episodes",
    "episode_aliases",
    "memory_sources",
    "memory_keys",
    "postings",
    "memory_events",
)
APPEND_ONLY = ("episodes", "episode_aliases", "memory_events")

FUNCTIONS = (
    # The settings are '' after the transaction that made them, hence nullif.
    """
    CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.tenant_id', true), '')::uuid
    """,
    """
    CREATE FUNCTION protect_by_owner(table_name text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY owner_rows ON %I USING (owner_id = (SELECT o.owner_id FROM owners o '
            'WHERE o.owner_id = nullif(current_setting(''app.owner_id'', true), '''')::bigint))',
            table_name);
        EXECUTE format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO remembrancer_app', table_name);
    END $$
    """,
    """
    CREATE FUNCTION protect_by_tenant(table_name text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY tenant_rows ON %I USING (tenant_id = (SELECT current_tenant()))',
            table_name);
        EXECUTE format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO remembrancer_app', table_name);
    END $$
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute(ROLE)
    op.execute(MEMBERSHIP)
    op.execute("GRANT USAGE ON SCHEMA public TO remembrancer_app")
    for statement in (*TABLES, *FUNCTIONS):
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION protect_by_owner(text) FROM PUBLIC")
    op.execute("REVOKE ALL ON FUNCTION protect_by_tenant(text) FROM PUBLIC")
    for table in TENANT_TABLES:
        op.execute("SELECT protect_by_tenant('" + table + "')")
    for table in OWNER_TABLES:
        op.execute("SELECT protect_by_owner('" + table + "')")
    for table in APPEND_ONLY:
        op.execute("REVOKE UPDATE ON " + table + " FROM remembrancer_app")
    _protect_operator_tables()


def _protect_operator_tables() -> None:
    """Show a tenant its own row; the operator, who says so in the transaction, all of them."""
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON tenants TO remembrancer_app")
    op.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY tenant_rows ON tenants USING (
            tenant_id = (SELECT current_tenant())
            OR (SELECT current_setting('app.operator', true)) = 'on')
    """)
    op.execute("GRANT SELECT, UPDATE ON embedding_models TO remembrancer_app")


def downgrade() -> None:
    op.execute("""
        DO $$ DECLARE made record; BEGIN
            FOR made IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
                AND tablename ~ '^embedding(s|_bits)_[0-9]+$'
            LOOP EXECUTE format('DROP TABLE %I CASCADE', made.tablename); END LOOP;
        END $$
    """)
    for function in (
        "protect_by_owner(text)",
        "protect_by_tenant(text)",
    ):
        op.execute("DROP FUNCTION " + function)
    for table in (
        "embedding_models",
        "idempotency_keys",
        "jobs",
        "memory_events",
        "postings",
        "memory_keys",
        "memory_sources",
        "memories",
        "episode_aliases",
        "episodes",
        "sessions",
        "owner_stats",
        "owners",
        "key_usage",
        "api_keys",
        "tenants",
    ):
        op.execute("DROP TABLE " + table)
    op.execute("DROP FUNCTION current_tenant()")
    op.execute("REVOKE USAGE ON SCHEMA public FROM remembrancer_app")
