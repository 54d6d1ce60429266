"""Verbs of the room, one file per noun."""

from app.tenants.service.erasure import erase_owner, erase_tenant
from app.tenants.service.keyring import KeyRing
from app.tenants.service.keys import (
    create_key,
    ensure_bootstrap,
    list_keys,
    read_key,
    revoke_key,
)
from app.tenants.service.local_settings import (
    change_owner_settings,
    change_tenant_settings,
    effective_settings,
    owner_settings,
    tenant_settings,
)
from app.tenants.service.owners import (
    count_vote,
    enter,
    enter_known,
    entered,
    entering,
    get_or_create_owner,
    list_owners,
    may_see,
    name_of,
    name_owner,
    owners_that_archive,
)
from app.tenants.service.quotas import count_items
from app.tenants.service.tenants import create_tenant, list_tenants, read_tenant

__all__ = [
    "KeyRing",
    "change_owner_settings",
    "change_tenant_settings",
    "count_items",
    "count_vote",
    "create_key",
    "create_tenant",
    "effective_settings",
    "ensure_bootstrap",
    "enter",
    "enter_known",
    "entered",
    "entering",
    "erase_owner",
    "erase_tenant",
    "get_or_create_owner",
    "list_keys",
    "list_owners",
    "list_tenants",
    "may_see",
    "name_of",
    "name_owner",
    "owner_settings",
    "owners_that_archive",
    "read_key",
    "read_tenant",
    "revoke_key",
    "tenant_settings",
]
