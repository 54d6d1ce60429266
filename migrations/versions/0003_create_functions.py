"""Create the functions that the application calls beyond its rights, or to save a round trip."""

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

FUNCTIONS = (
    # A key's tenant is unknown until the key is found: this one look-up crosses tenants.
    """
    CREATE FUNCTION find_api_key(digest bytea) RETURNS SETOF api_keys
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT * FROM api_keys WHERE hash = digest;
    END
    """,
    """
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
    """,
    # Re-embedding serves all tenants: whose keys still lack a vector of the new model?
    """
    CREATE FUNCTION embedding_gaps(model integer, most integer, before timestamptz)
    RETURNS TABLE (tenant_id uuid, owner_id bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN QUERY EXECUTE format(
            'SELECT o.tenant_id, o.owner_id FROM owners o WHERE EXISTS ('
            'SELECT FROM memory_keys k JOIN memories m ON m.owner_id = k.owner_id '
            'AND m.ordinal = k.memory_ordinal AND m.created_at < $2 '
            'WHERE k.owner_id = o.owner_id AND NOT EXISTS ('
            'SELECT FROM %I e WHERE e.owner_id = k.owner_id AND e.key_ordinal = k.ordinal)) '
            'LIMIT $1', 'embeddings_' || model) USING most, before;
    END $$
    """,
    # The application owns no table, yet a new embedding model needs two: this function makes them.
    """
    CREATE FUNCTION add_embedding_model(model_name text, model_dimensions integer)
    RETURNS smallint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        id smallint;
    BEGIN
        IF model_dimensions NOT BETWEEN 1 AND 4000 THEN
            RAISE 'an embedding model has 1 to 4000 dimensions, not %', model_dimensions;
        END IF;
        LOCK TABLE embedding_models IN SHARE ROW EXCLUSIVE MODE;
        SELECT model_id INTO id FROM embedding_models WHERE name = model_name;
        IF FOUND THEN
            RETURN id;
        END IF;
        INSERT INTO embedding_models (name, dimensions, state)
        VALUES (model_name, model_dimensions, CASE
            WHEN EXISTS (SELECT FROM embedding_models WHERE state = 'active') THEN 'building'
            ELSE 'active' END)
        RETURNING model_id INTO id;
        EXECUTE format(
            'CREATE TABLE %1$I (owner_id bigint NOT NULL, key_ordinal integer NOT NULL, '
            'vector halfvec(%2$s) NOT NULL, PRIMARY KEY (owner_id, key_ordinal), '
            'FOREIGN KEY (owner_id, key_ordinal) REFERENCES memory_keys ON DELETE CASCADE)',
            'embeddings_' || id, model_dimensions);
        EXECUTE format('ALTER TABLE %I ALTER vector SET STORAGE PLAIN', 'embeddings_' || id);
        EXECUTE format(
            'CREATE TABLE %1$I (owner_id bigint NOT NULL, key_ordinal integer NOT NULL, '
            'bits bit(%2$s) NOT NULL, '
            'PRIMARY KEY (owner_id, key_ordinal) INCLUDE (bits), '
            'FOREIGN KEY (owner_id, key_ordinal) REFERENCES %3$I ON DELETE CASCADE) '
            'WITH (autovacuum_vacuum_insert_scale_factor = 0.02)',
            'embedding_bits_' || id, model_dimensions, 'embeddings_' || id);
        PERFORM protect_by_owner('embeddings_' || id);
        PERFORM protect_by_owner('embedding_bits_' || id);
        RETURN id;
    END $$
    """,
)

PRIVILEGED = (
    "find_api_key(bytea)",
    "add_embedding_model(text, integer)",
    "embedding_gaps(integer, integer, timestamptz)",
)
"""What runs with the owner's rights, and only the application may call."""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in FUNCTIONS:
        op.execute(statement)
    for function in PRIVILEGED:
        op.execute("REVOKE ALL ON FUNCTION " + function + " FROM PUBLIC")
        op.execute("GRANT EXECUTE ON FUNCTION " + function + " TO remembrancer_app")


def downgrade() -> None:
    for function in (*PRIVILEGED, "enter_owner(uuid, text, text)"):
        op.execute("DROP FUNCTION " + function)
