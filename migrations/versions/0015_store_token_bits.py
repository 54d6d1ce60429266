"""Late interaction: the sign bits of each key's token vectors, a table per embedding model."""

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"

# A recall reads these for its candidates only, by key. They are noise to a compressor. A row of a
# long key fills a page, rather than four look-ups in a table behind the table.
ADD_TABLE = """
    CREATE FUNCTION add_token_bits(model integer) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE format(
            'CREATE TABLE %1$I (owner_id bigint NOT NULL, key_ordinal integer NOT NULL, '
            'bits bytea NOT NULL, PRIMARY KEY (owner_id, key_ordinal), '
            'FOREIGN KEY (owner_id, key_ordinal) REFERENCES %2$I ON DELETE CASCADE) '
            'WITH (toast_tuple_target = 8160)',
            'token_bits_' || model, 'embeddings_' || model);
        EXECUTE format('ALTER TABLE %I ALTER bits SET STORAGE EXTERNAL', 'token_bits_' || model);
        PERFORM protect_by_owner('token_bits_' || model);
    END $$
"""
_BEGIN = """
    CREATE OR REPLACE FUNCTION add_embedding_model(model_name text, model_dimensions integer)
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
"""
_ITS_TABLE = """
        PERFORM add_token_bits(id);
"""
_END = """
        RETURN id;
    END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute(ADD_TABLE)
    op.execute("REVOKE ALL ON FUNCTION add_token_bits(integer) FROM PUBLIC")
    op.execute(_BEGIN + _ITS_TABLE + _END)
    op.execute("SELECT add_token_bits(model_id) FROM embedding_models")
    # Keys that have a vector already: the next job of their owner makes their bits.
    op.execute("UPDATE owner_stats SET is_pending = true WHERE keys > 0")


def downgrade() -> None:
    op.execute(_BEGIN + _END)
    op.execute("""
        DO $$ DECLARE made record; BEGIN
            FOR made IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
                AND tablename ~ '^token_bits_[0-9]+$'
            LOOP EXECUTE format('DROP TABLE %I', made.tablename); END LOOP;
        END $$
    """)
    op.execute("DROP FUNCTION add_token_bits(integer)")
