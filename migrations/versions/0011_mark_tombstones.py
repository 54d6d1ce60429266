"""Memories that a mechanism replaced by others say so."""

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"

# Thoughts that were replaced before. The walls between owners are for the service: this runs as
# the tables' owner, whom they do not stop.
_MARK = """
    UPDATE memories m SET replaced_by = successor.id
    FROM thoughts t
    JOIN memories successor
        ON successor.owner_id = t.owner_id AND successor.ordinal = t.replaced_by
    WHERE m.owner_id = t.owner_id AND m.ordinal = t.memory_ordinal AND t.status <> 'active'
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("ALTER TABLE memories ADD COLUMN replaced_by uuid")
    op.execute(_MARK)


def downgrade() -> None:
    op.execute("ALTER TABLE memories DROP COLUMN replaced_by")
