"""Create the queue's own tables (procrastinate). They hold ids only, never text.

The script is that of the installed procrastinate, so a later release of it may hold other tables. A
test compares it with the fingerprint below; the newest migration that has one counts. See ADR 0002.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision: str = "0002"
down_revision: str | None = "0001"

QUEUE_SCHEMA = "c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009"
"""SHA-256 of procrastinate's script, as of 3.10."""

GRANTS = """
DO $$ DECLARE made record; BEGIN
    FOR made IN SELECT tablename FROM pg_tables
        WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate\\_%'
    LOOP
        EXECUTE format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO remembrancer_app', made.tablename);
    END LOOP;
    FOR made IN SELECT sequencename FROM pg_sequences
        WHERE schemaname = current_schema() AND sequencename LIKE 'procrastinate\\_%'
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %I TO remembrancer_app', made.sequencename);
    END LOOP;
END $$
"""

# The queue asks for each candidate whether an earlier task has its lock; without this index, and
# with the statistics of a table that is empty most of the time, that is a scan per candidate.
LOCK_INDEX = """
CREATE INDEX ix_procrastinate_jobs_lock ON procrastinate_jobs (lock, priority DESC, id)
    WHERE status IN ('todo', 'doing')
"""

DROP = """
DO $$ DECLARE made record; BEGIN
    FOR made IN SELECT tablename FROM pg_tables
        WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate\\_%'
    LOOP EXECUTE format('DROP TABLE %I CASCADE', made.tablename); END LOOP;
    FOR made IN SELECT p.oid::regprocedure AS signature FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'procrastinate\\_%'
    LOOP EXECUTE format('DROP FUNCTION %s CASCADE', made.signature); END LOOP;
    FOR made IN SELECT t.typname FROM pg_type t
        WHERE t.typnamespace = current_schema()::regnamespace
        AND t.typname LIKE 'procrastinate\\_%' AND t.typtype IN ('e', 'c')
    LOOP EXECUTE format('DROP TYPE IF EXISTS %I CASCADE', made.typname); END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    # The driver's own cursor: the script holds percent signs and colons of its own.
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute(LOCK_INDEX)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute(DROP)
