"""The curves of an owner's memories, as numbers and as a picture."""

import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pygal  # type: ignore[import-untyped]  # it has no types
from pygal.style import Style  # type: ignore[import-untyped]  # it has no types
from sqlalchemy.ext.asyncio import AsyncSession

from app.forgetting import repository
from app.forgetting.schemas import Curve, CurvePoint, ForgettingRead, Role, RunRead
from app.forgetting.service.law import Law
from app.forgetting.service.lives import Life, lives, moments_between
from app.memories import service as memories
from app.memories.kernel import in_zone
from app.memories.service import Among, FadingMemory
from app.tenants import service as tenants
from app.tenants.schemas import OwnerName, Principal, Scope

# pygal looks after imports of its own plug-ins by a hook that Python warns of; we use no plug-ins.
sys.meta_path[:] = [hook for hook in sys.meta_path if type(hook).__module__ != pygal.__name__]

BACK = timedelta(days=7)
AHEAD = timedelta(days=30)
STEP = timedelta(hours=6)
_EACH = 2
"""Memories of each role."""
_LEGEND = 48
"""Characters of a memory that its legend shows."""
_RUNS = 20
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_COLOURS = {
    "recalled": ("#0072b2", "#56b4e9"),
    "strongest": ("#007a5a", "#66c2a4"),
    "weakest": ("#b34700", "#e69f00"),
}
_LABELS = {"recalled": "just recalled", "strongest": "strongest", "weakest": "weakest"}
_DAY = timedelta(days=1)


async def curves(
    session: AsyncSession, principal: Principal, owner: OwnerName, *, now: datetime
) -> ForgettingRead:
    """Return the curves of the memories recalled last, the strongest and the weakest.

    Raises:
        OwnerNotFoundError: the tenant has no such owner.
    """
    scope = await tenants.enter_known(session, principal.tenant_id, owner)
    local = await tenants.effective_settings(session, scope)
    law = Law(local.policies.forgetting)
    shown = await _choose(session, scope, law, now=now)
    told = await lives(session, scope, law, [one for _, one in shown])
    held = await memories.by_ordinals(session, scope, [one.ordinal for _, one in shown])
    contents = {memory.ordinal: _beginning(memory.content) for memory in held}
    return ForgettingRead(
        now=now,
        time_zone=local.time_zone,
        policy=law.policy,
        curves=[
            _curve(law, role, one, contents[one.ordinal], told[one.ordinal], now=now)
            for role, one in shown
        ],
        runs=[
            RunRead.model_validate(run)
            for run in await repository.latest(session, scope, limit=_RUNS)
        ],
    )


async def _choose(
    session: AsyncSession, scope: Scope, law: Law, *, now: datetime
) -> list[tuple[Role, FadingMemory]]:
    """Return a few memories of each role, none twice."""
    if law.policy.law == "none":
        return []
    among = Among(law.policy.kinds, now)
    most = 3 * _EACH
    by_role: dict[Role, list[FadingMemory]] = {
        "recalled": await memories.last_recalled(session, scope, among, limit=most),
        "strongest": await memories.strongest(session, scope, among, limit=most),
        "weakest": await memories.weakest(
            session,
            scope,
            among,
            clock=law.policy.clock,
            importance_days=law.policy.importance_days,
            limit=most,
        ),
    }
    chosen: list[tuple[Role, FadingMemory]] = []
    taken: set[int] = set()
    for role, found in by_role.items():
        fresh = [one for one in found if one.ordinal not in taken][:_EACH]
        taken |= {one.ordinal for one in fresh}
        chosen += [(role, one) for one in fresh]
    return chosen


def _curve(
    law: Law, role: Role, one: FadingMemory, content: str, life: Life, *, now: datetime
) -> Curve:
    moments = set(moments_between(now - BACK, now + AHEAD, STEP))
    for mark in life.marks:  # a recall is a jump: both of its sides are drawn
        if now - BACK < mark.at < now + AHEAD:
            moments |= {mark.at, mark.at - timedelta(microseconds=1)}
    along = sorted(moments)
    return Curve(
        role=role,
        memory_id=one.id,
        content=content,
        strength_days=law.strength(one),
        recalled_at=one.recalled_at,
        fades_at=law.fades_at(one),
        points=[
            CurvePoint(at=at, retention=retained)
            for at, retained in zip(along, life.along(along), strict=True)
            if retained is not None
        ],
    )


def _beginning(content: str) -> str:
    """Return the first words, on one line, in characters that XML can hold."""
    line = " ".join(_UNPRINTABLE.sub(" ", content).split())
    return line if len(line) <= _LEGEND else line[: _LEGEND - 1].rstrip() + "…"


def draw(found: ForgettingRead, owner: OwnerName) -> bytes:
    """Return the curves as SVG: one line a memory, days from left to right, no scripts."""
    zone = ZoneInfo(found.time_zone)
    name = _beginning(owner.external_id)
    chart = pygal.XY(_config(found, zone), style=_style(found.curves))
    chart.title = f"How the memories of {owner.kind} {name} fade"
    for curve in found.curves:
        points = [((point.at - found.now) / _DAY, point.retention) for point in curve.points]
        label = f"{_LABELS[curve.role]}, S = {curve.strength_days:.3g} d: {curve.content}"
        chart.add(label, points)
    chart.add("now", [(0, 0), (0, 1)], stroke_style={"dasharray": "3, 5", "width": 1.5})
    chart.add_xml_filter(_without_scripts)
    return bytes(chart.render())


def _config(found: ForgettingRead, zone: ZoneInfo) -> pygal.Config:
    local = in_zone(found.now, zone)

    def day(distance: float) -> str:
        moment = in_zone(found.now + distance * _DAY, zone)
        return f"{moment.day} {moment:%b}"

    return pygal.Config(
        width=1000,
        height=640,
        js=(),
        show_dots=False,
        include_x_axis=True,
        range=(0, 1),
        xrange=(-BACK / _DAY, AHEAD / _DAY),
        x_labels=list(range(-7, 31, 7)),
        x_value_formatter=day,
        y_labels=[0, 0.25, 0.5, 0.75, 1],
        value_formatter=lambda retained: f"{retained:.2f}",
        x_title=f"now: {local:%Y-%m-%d %H:%M}, {found.time_zone}",
        y_title="retention, R = e^(-t/S)",
        legend_at_bottom=True,
        legend_at_bottom_columns=1,
        truncate_legend=-1,
        no_data_text="No memory fades yet",
        explicit_size=True,
    )


def _style(shown: Sequence[Curve]) -> Style:
    used: dict[str, int] = {}
    colours = []
    for curve in shown:
        number = used.get(curve.role, 0)
        used[curve.role] = number + 1
        colours.append(_COLOURS[curve.role][number % _EACH])
    return Style(
        background="#ffffff",
        plot_background="#ffffff",
        foreground="#333333",
        foreground_strong="#111111",
        foreground_subtle="#999999",
        colors=(*colours, "#666666"),
        font_family="sans-serif",
        title_font_size=16,
        guide_stroke_color="#dddddd",
        major_guide_stroke_color="#dddddd",
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=13,
        stroke_width=2.5,
    )


def _without_scripts(root: Any) -> Any:  # noqa: ANN401  -- the library's tree
    """Remove what only serves scripts: the picture is shown as it is."""
    for parent in list(root.iter()):
        for child in list(parent):
            if str(child.tag).endswith("script"):
                parent.remove(child)
    return root
