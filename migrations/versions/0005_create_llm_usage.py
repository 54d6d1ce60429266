"""Create the accounts of the language model."""

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"

OWNERS = """
    CREATE TABLE llm_usage (
        owner_id bigint NOT NULL,
        day date NOT NULL,
        tenant_id uuid NOT NULL,
        calls bigint NOT NULL,
        prompt_tokens bigint NOT NULL,
        completion_tokens bigint NOT NULL,
        CONSTRAINT pk_llm_usage PRIMARY KEY (owner_id, day),
        CONSTRAINT fk_llm_usage_owner_id_owners FOREIGN KEY (owner_id)
            REFERENCES owners (owner_id) ON DELETE CASCADE,
        CONSTRAINT fk_llm_usage_tenant_id_tenants FOREIGN KEY (tenant_id)
            REFERENCES tenants (tenant_id) ON DELETE CASCADE
    )
"""

# A tenant's sum has rows of its own: an owner that is erased takes his, and the tenant has paid.
TENANTS = """
    CREATE TABLE llm_tenant_usage (
        tenant_id uuid NOT NULL,
        day date NOT NULL,
        calls bigint NOT NULL,
        prompt_tokens bigint NOT NULL,
        completion_tokens bigint NOT NULL,
        CONSTRAINT pk_llm_tenant_usage PRIMARY KEY (tenant_id, day),
        CONSTRAINT fk_llm_tenant_usage_tenant_id_tenants FOREIGN KEY (tenant_id)
            REFERENCES tenants (tenant_id) ON DELETE CASCADE
    )
"""

# Metrics are the installation's: what all tenants together spent.
TOTAL = """
    CREATE FUNCTION llm_usage_on(
        which date, OUT calls bigint, OUT prompt_tokens bigint, OUT completion_tokens bigint
    ) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT coalesce(sum(u.calls), 0)::bigint, coalesce(sum(u.prompt_tokens), 0)::bigint,
            coalesce(sum(u.completion_tokens), 0)::bigint
        FROM llm_tenant_usage u WHERE u.day = which;
    END
"""

TABLES = ("llm_usage", "llm_tenant_usage")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for statement in (OWNERS, TENANTS, TOTAL):
        op.execute(statement)
    for table in TABLES:
        op.execute("SELECT protect_by_tenant('" + table + "')")
    op.execute("REVOKE ALL ON FUNCTION llm_usage_on(date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION llm_usage_on(date) TO remembrancer_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION llm_usage_on(date)")
    for table in TABLES:
        op.execute("DROP TABLE " + table)
