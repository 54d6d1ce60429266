"""Tell users from polls: the worker gives way to what enters an owner, not to every statement."""

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"

_BEGIN = """
    CREATE OR REPLACE FUNCTION enter_owner(
        tenant uuid, owner_kind text, owner_external_id text,
        OUT owner_id bigint, OUT keys integer, OUT time_zone text, OUT language text,
        OUT policies jsonb
    ) RETURNS SETOF record LANGUAGE plpgsql AS $$
    BEGIN
"""
_END = """
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
# A connection's name is the one thing that others see at once and that costs no row: the api's
# say when they last entered an owner, in milliseconds since 1970.
_MARK = """
        IF current_setting('application_name') LIKE 'remembrancer-api%' THEN
            PERFORM set_config('application_name', 'remembrancer-api '
                || floor(extract(epoch FROM clock_timestamp()) * 1000)::text, false);
        END IF;
"""
_QUIET = """
    CREATE OR REPLACE FUNCTION quiet_seconds() RETURNS double precision
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN (SELECT coalesce(extract(epoch FROM clock_timestamp())
                - max(split_part(application_name, ' ', 2)::double precision) / 1000, 1e9)
            FROM pg_stat_activity WHERE application_name ~ '^remembrancer-api [0-9]{13}$'
            AND datname = current_database())
"""
_QUIET_0004 = """
    CREATE OR REPLACE FUNCTION quiet_seconds() RETURNS double precision
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    RETURN (SELECT coalesce(extract(epoch FROM clock_timestamp() - max(state_change)), 1e9)
            FROM pg_stat_activity WHERE application_name = 'remembrancer-api'
            AND datname = current_database())
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute(_BEGIN + _MARK + _END)
    op.execute(_QUIET)


def downgrade() -> None:
    op.execute(_BEGIN + _END)
    op.execute(_QUIET_0004)
