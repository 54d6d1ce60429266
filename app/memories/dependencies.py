"""What routes of this room and the rooms above take."""

from typing import Annotated, cast

from fastapi import Depends, Request

from app.memories.service import Derivations, Spaces, Writer
from app.tenants.dependencies import DatabaseDep, SettingsDep, WriterDep


async def get_spaces(request: Request) -> Spaces:
    """Return the configured embedders and the active model."""
    return cast(Spaces, request.app.state.spaces)


SpacesDep = Annotated[Spaces, Depends(get_spaces)]


async def get_derivations(request: Request) -> Derivations:
    """Return what the mechanisms want to know when memories change."""
    return cast(Derivations, request.app.state.derivations)


DerivationsDep = Annotated[Derivations, Depends(get_derivations)]


async def get_writer(
    database: DatabaseDep,
    spaces: SpacesDep,
    settings: SettingsDep,
    principal: WriterDep,
    derivations: DerivationsDep,
) -> Writer:
    """Return what an edit needs."""
    return Writer(database, spaces, principal, settings.embeddings.write_budget_s, derivations)


MemoryWriterDep = Annotated[Writer, Depends(get_writer)]
