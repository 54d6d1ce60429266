"""Routes of the room."""

from app.tenants.router import keys, owners, tenants

routers = (tenants.router, keys.router, owners.router)

__all__ = ["routers"]
