"""Create the log of forgetting: what was archived, when, and by which policy."""

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"

TABLE = """
    CREATE TABLE forgetting_runs (
        owner_id bigint NOT NULL,
        run_no bigint GENERATED ALWAYS AS IDENTITY,
        ran_at timestamptz NOT NULL,
        policy jsonb NOT NULL,
        examined integer NOT NULL DEFAULT 0,
        archived integer NOT NULL DEFAULT 0,
        CONSTRAINT pk_forgetting_runs PRIMARY KEY (owner_id, run_no),
        CONSTRAINT fk_forgetting_runs_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE
    )
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute(TABLE)
    op.execute("SELECT protect_by_owner('forgetting_runs')")


def downgrade() -> None:
    op.execute("DROP TABLE forgetting_runs")
