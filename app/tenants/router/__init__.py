"""Routes of the room."""

from fastapi import APIRouter

from app.tenants.router import keys, owners, tenants

router = APIRouter()
router.include_router(tenants.router)
router.include_router(keys.router)
router.include_router(owners.router)

__all__ = ["router"]
