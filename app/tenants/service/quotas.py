"""How much a key may store."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.tenants.errors import QuotaExceededError
from app.tenants.repository import keys as repository
from app.tenants.schemas import Principal


async def count_items(
    session: AsyncSession, principal: Principal, items: int, now: datetime
) -> None:
    """Count items towards a key's day (UTC), in the transaction that stores them.

    Without a quota nothing is counted. With one, the key's writes wait for one another.

    Raises:
        QuotaExceededError: the day's quota would be passed; nothing was counted.
    """
    quota = principal.daily_items
    if not quota or items <= 0:
        return
    today = now.astimezone(UTC).date()
    if items > quota or not await repository.count(
        session, principal.tenant_id, principal.key_id, day=today, items=items, quota=quota
    ):
        raise _exceeded(quota, now.astimezone(UTC))


def _exceeded(quota: int, now: datetime) -> Exception:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    problem = QuotaExceededError(
        f"This key may store {quota} items a day; the day ends at midnight UTC.", limit=quota
    )
    return problem.retry_after((midnight - now).total_seconds())
