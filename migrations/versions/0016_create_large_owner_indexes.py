"""Create what spares the recalls of large owners the look at every key.

``stem_counts`` holds what recall needs of frequent stems, ``embedding_hnsw_<model>`` (made when the
first owner of a model needs it) an approximate index of the vectors. Both are filled in the
background and cover the ordinals that ``covered_keys`` names; all other keys are read as before.
"""

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"

TABLES = (
    """
    CREATE TABLE covered_keys (
        owner_id bigint NOT NULL,
        index_name text NOT NULL,
        lowest integer NOT NULL,
        highest integer NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_covered_keys PRIMARY KEY (owner_id, index_name),
        CONSTRAINT fk_covered_keys_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE uncovered_keys (
        owner_id bigint NOT NULL,
        model_id smallint NOT NULL,
        key_ordinal integer NOT NULL,
        CONSTRAINT pk_uncovered_keys PRIMARY KEY (owner_id, model_id, key_ordinal),
        CONSTRAINT fk_uncovered_keys_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE stem_counts (
        owner_id bigint NOT NULL,
        lexeme text COLLATE "C" NOT NULL,
        keys integer NOT NULL,
        most_tf smallint NOT NULL,
        least_dl real NOT NULL,
        CONSTRAINT pk_stem_counts PRIMARY KEY (owner_id, lexeme),
        CONSTRAINT fk_stem_counts_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
    """,
)
OWNER_TABLES = ("covered_keys", "uncovered_keys", "stem_counts")

FUNCTIONS = (
    # Only large owners have rows here, so a small owner's writes do not pay for the graph, and a
    # search finds few rows of others on its way.
    """
    CREATE FUNCTION add_hnsw(model integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        whole text := 'embedding_hnsw_' || model;
        dimensions integer;
    BEGIN
        LOCK TABLE embedding_models IN SHARE ROW EXCLUSIVE MODE;
        SELECT m.dimensions INTO STRICT dimensions FROM embedding_models m WHERE m.model_id = model;
        IF to_regclass(whole) IS NOT NULL THEN
            RETURN;
        END IF;
        EXECUTE format(
            'CREATE TABLE %1$I (owner_id bigint NOT NULL, key_ordinal integer NOT NULL, '
            'vector halfvec(%2$s) NOT NULL, PRIMARY KEY (owner_id, key_ordinal), '
            'FOREIGN KEY (owner_id, key_ordinal) REFERENCES %3$I ON DELETE CASCADE) '
            'PARTITION BY HASH (owner_id)', whole, dimensions, 'embeddings_' || model);
        EXECUTE format('ALTER TABLE %I ALTER vector SET STORAGE PLAIN', whole);
        PERFORM protect_by_owner(whole);
        FOR part IN 0..15 LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
                whole || '_' || part, whole, part);
            PERFORM protect_by_owner(whole || '_' || part);
        END LOOP;
        EXECUTE format(
            'CREATE INDEX ON %I USING hnsw (vector halfvec_cosine_ops)', whole);
    END $$
    """,
    # Planned for the values at hand, and so that no plan but the index is left: a plan for any
    # owner would read and sort all of an owner's rows.
    """
    CREATE FUNCTION nearest_by_hnsw(
        model integer, owner bigint, query halfvec, most integer, ef integer
    ) RETURNS TABLE (key_ordinal integer)
    LANGUAGE plpgsql STABLE ROWS 400 SET search_path = public, pg_temp
    SET enable_sort = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    BEGIN
        PERFORM set_config('hnsw.ef_search', ef::text, true),
            set_config('hnsw.iterative_scan', 'relaxed_order', true);
        RETURN QUERY EXECUTE format(
            'SELECT e.key_ordinal FROM %I e WHERE e.owner_id = $1 '
            'ORDER BY e.vector <=> $2 LIMIT $3', 'embedding_hnsw_' || model)
            USING owner, query, most;
    END $$
    """,
)
PRIVILEGED = ("add_hnsw(integer)",)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in (*TABLES, *FUNCTIONS):
        op.execute(statement)
    for table in OWNER_TABLES:
        op.execute("SELECT protect_by_owner('" + table + "')")
    for function in PRIVILEGED:
        op.execute("REVOKE ALL ON FUNCTION " + function + " FROM PUBLIC")
        op.execute("GRANT EXECUTE ON FUNCTION " + function + " TO remembrancer_app")


def downgrade() -> None:
    op.execute("""
        DO $$ DECLARE made record; BEGIN
            FOR made IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
                AND tablename ~ '^embedding_hnsw_[0-9]+$'
            LOOP EXECUTE format('DROP TABLE %I CASCADE', made.tablename); END LOOP;
        END $$
    """)
    op.execute("DROP FUNCTION nearest_by_hnsw(integer, bigint, halfvec, integer, integer)")
    op.execute("DROP FUNCTION add_hnsw(integer)")
    for table in OWNER_TABLES:
        op.execute("DROP TABLE " + table)
