"""Create what mechanisms stand on: policies, a feed of changes, cursors, derived vectors."""

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"

TABLES = (
    "ALTER TABLE tenants ADD policies jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE owners ADD policies jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE memories ADD infer boolean NOT NULL DEFAULT true",
    "ALTER TABLE owner_stats ADD last_change integer NOT NULL DEFAULT 0",
    """
    CREATE TABLE memory_changes (
        owner_id bigint NOT NULL,
        memory_ordinal integer NOT NULL,
        change_no integer NOT NULL,
        CONSTRAINT pk_memory_changes PRIMARY KEY (owner_id, memory_ordinal),
        CONSTRAINT uq_memory_changes_owner_id_change_no UNIQUE (owner_id, change_no),
        CONSTRAINT fk_memory_changes_owner_id_memory_ordinal_memories
            FOREIGN KEY (owner_id, memory_ordinal)
            REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE mechanism_cursors (
        owner_id bigint NOT NULL,
        mechanism text NOT NULL,
        ordinal integer NOT NULL,
        change_no integer NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_mechanism_cursors PRIMARY KEY (owner_id, mechanism),
        CONSTRAINT fk_mechanism_cursors_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
)

OWNER_TABLES = ("memory_changes", "mechanism_cursors")

# Texts that a mechanism makes of a memory (a note, a thought) are compared among themselves, never
# by recall: they have a table of their own per model, beside that of the keys.
ADD_DERIVED = """
    CREATE FUNCTION add_derived_vectors(model integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        model_dimensions integer;
    BEGIN
        LOCK TABLE embedding_models IN SHARE ROW EXCLUSIVE MODE;
        SELECT dimensions INTO STRICT model_dimensions FROM embedding_models
        WHERE model_id = model;
        IF to_regclass('derived_vectors_' || model) IS NOT NULL THEN
            RETURN model;
        END IF;
        EXECUTE format(
            'CREATE TABLE %1$I (owner_id bigint NOT NULL, space text NOT NULL, '
            'ordinal integer NOT NULL, vector halfvec(%2$s) NOT NULL, bits bit(%2$s) NOT NULL, '
            'PRIMARY KEY (owner_id, space, ordinal) INCLUDE (bits), '
            'FOREIGN KEY (owner_id, ordinal) '
            'REFERENCES memories (owner_id, ordinal) ON DELETE CASCADE)',
            'derived_vectors_' || model, model_dimensions);
        EXECUTE format(
            'ALTER TABLE %I ALTER vector SET STORAGE PLAIN', 'derived_vectors_' || model);
        PERFORM protect_by_owner('derived_vectors_' || model);
        RETURN model;
    END $$
"""

ENTER_OWNER = """
    CREATE FUNCTION enter_owner(
        tenant uuid, owner_kind text, owner_external_id text,
        OUT owner_id bigint, OUT keys integer, OUT time_zone text, OUT language text,
        OUT policies jsonb
    ) RETURNS SETOF record LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM set_config('app.tenant_id', tenant::text, true);
        SELECT o.owner_id, coalesce(o.time_zone, t.time_zone), coalesce(o.language, t.language),
            t.policies || o.policies
        INTO enter_owner.owner_id, enter_owner.time_zone, enter_owner.language,
            enter_owner.policies
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

ENTER_OWNER_0003 = """
    CREATE FUNCTION enter_owner(
        tenant uuid, owner_kind text, owner_external_id text,
        OUT owner_id bigint, OUT keys integer, OUT time_zone text, OUT language text
    ) RETURNS SETOF record LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM set_config('app.tenant_id', tenant::text, true);
        SELECT o.owner_id, coalesce(o.time_zone, t.time_zone), coalesce(o.language, t.language)
        INTO enter_owner.owner_id, enter_owner.time_zone, enter_owner.language
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

# How long ago the api last spoke to the database: the worker gives way while users wait.
QUIET = """
    CREATE FUNCTION quiet_seconds() RETURNS double precision
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN (SELECT coalesce(extract(epoch FROM clock_timestamp() - max(state_change)), 1e9)
            FROM pg_stat_activity WHERE application_name = 'remembrancer-api'
            AND datname = current_database())
"""


PRIVILEGED = ("add_derived_vectors(integer)", "quiet_seconds()")
"""What runs with the owner's rights, and only the application may call."""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in (*TABLES, ADD_DERIVED, QUIET):
        op.execute(statement)
    for function in PRIVILEGED:
        op.execute("REVOKE ALL ON FUNCTION " + function + " FROM PUBLIC")
        op.execute("GRANT EXECUTE ON FUNCTION " + function + " TO remembrancer_app")
    op.execute("DROP FUNCTION enter_owner(uuid, text, text)")
    op.execute(ENTER_OWNER)
    for table in OWNER_TABLES:
        op.execute("SELECT protect_by_owner('" + table + "')")
    op.execute("SELECT add_derived_vectors(model_id) FROM embedding_models")


def downgrade() -> None:
    op.execute("""
        DO $$ DECLARE made record; BEGIN
            FOR made IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
                AND tablename ~ '^derived_vectors_[0-9]+$'
            LOOP EXECUTE format('DROP TABLE %I', made.tablename); END LOOP;
        END $$
    """)
    for table in OWNER_TABLES:
        op.execute("DROP TABLE " + table)
    op.execute("ALTER TABLE owner_stats DROP last_change")
    op.execute("ALTER TABLE memories DROP infer")
    op.execute("ALTER TABLE owners DROP policies")
    op.execute("ALTER TABLE tenants DROP policies")
    for function in (*PRIVILEGED, "enter_owner(uuid, text, text)"):
        op.execute("DROP FUNCTION " + function)
    op.execute(ENTER_OWNER_0003)
