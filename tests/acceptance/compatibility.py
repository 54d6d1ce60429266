"""Compares two versions of a contract, and says what in the newer one would break a client.

A request breaks where less is accepted than before, an answer where more may come back than
before, or less. Adding operations, optional members and values of requests breaks nothing.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "patch")
_NOTES = {"description", "title", "summary", "example", "examples", "default", "externalDocs"}
_LEAST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_MOST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_OWNED = re.compile(r"^- \*\*Breaking\*\*: `?(\w+)`?", re.MULTILINE)
_ANY = {"null", "boolean", "integer", "number", "string", "array", "object"}


class Break(NamedTuple):
    """One way in which clients of an operation break."""

    operation: str
    reason: str


def contract(document: Json) -> Json:
    """Return the part of a document that clients depend on: no prose and no examples."""
    kept: Json = _without_notes(document)
    return {name: kept[name] for name in ("openapi", "paths", "components") if name in kept}


def _without_notes(node: object, *, names: bool = False) -> Any:  # noqa: ANN401  -- as it came
    """Drop notes; where ``names`` holds, the keys are names of members, not words of the schema."""
    if isinstance(node, list):
        return [_without_notes(child) for child in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_notes(child, names=key in {"properties", "schemas"} and not names)
        for key, child in node.items()
        if names or key not in _NOTES
    }


def owned(changelog: str) -> set[str]:
    """Return the operations whose breaks the changelog's unreleased part owns."""
    _, _, rest = changelog.partition("## [Unreleased]")
    unreleased = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return set(_OWNED.findall(unreleased))


def breaks(old: Json, new: Json) -> list[Break]:
    """Return every break, in the order of the old document."""
    comparison = _Comparison(old, new)
    return list(dict.fromkeys(comparison.all()))


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self._old = old
        self._new = new
        self._operation = ""
        self._open: set[tuple[str, str, bool]] = set()

    def all(self) -> Iterator[Break]:
        for path, methods in self._old["paths"].items():
            for method in METHODS:
                if method not in methods:
                    continue
                before = methods[method]
                after = self._new["paths"].get(path, {}).get(method)
                self._operation = before["operationId"]
                if after is None:
                    yield self._break(f"{method.upper()} {path} is gone")
                    continue
                if after["operationId"] != before["operationId"]:
                    yield self._break(f"is now called {after['operationId']}")
                yield from self._parameters(before, after)
                yield from self._body(before, after)
                yield from self._responses(before, after)
                if bool(after.get("security")) and not before.get("security"):
                    yield self._break("needs a key now")

    def _break(self, reason: str) -> Break:
        return Break(self._operation, reason)

    def _parameters(self, before: Json, after: Json) -> Iterator[Break]:
        old = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
        new = {(one["in"], one["name"]): one for one in after.get("parameters", ())}
        for key, parameter in old.items():
            place = f"{key[0]} parameter {key[1]}"
            if key not in new:
                yield self._break(f"{place} is gone")
                continue
            yield from self._schema(parameter["schema"], new[key]["schema"], place, sent=True)
        for key, parameter in new.items():
            was = old.get(key)
            if parameter.get("required") and not (was and was.get("required")):
                yield self._break(f"{key[0]} parameter {key[1]} is required now")

    def _body(self, before: Json, after: Json) -> Iterator[Break]:
        old, new = before.get("requestBody"), after.get("requestBody")
        if new and new.get("required") and not (old and old.get("required")):
            yield self._break("a body is required now")
        if not old:
            return
        if not new:
            yield self._break("takes no body any more")
            return
        for kind, media in old["content"].items():
            if kind not in new["content"]:
                yield self._break(f"takes no {kind} any more")
                continue
            yield from self._schema(
                media.get("schema", {}), new["content"][kind].get("schema", {}), "body", sent=True
            )

    def _responses(self, before: Json, after: Json) -> Iterator[Break]:
        for status, response in before["responses"].items():
            if status not in after["responses"]:
                yield self._break(f"response {status} is gone")
                continue
            now = after["responses"][status].get("content", {})
            for kind, media in response.get("content", {}).items():
                if kind not in now:
                    yield self._break(f"response {status} is no longer {kind}")
                    continue
                yield from self._schema(
                    media.get("schema", {}),
                    now[kind].get("schema", {}),
                    f"response {status}",
                    sent=False,
                )

    def _schema(self, old: Json, new: Json, place: str, *, sent: bool) -> Iterator[Break]:
        """Compare what one place may hold; ``sent`` says that clients send it."""
        pair = (old.get("$ref", ""), new.get("$ref", ""), sent)
        if all(pair[:2]):
            if pair in self._open:
                return
            self._open.add(pair)
        yield from self._resolved(
            _resolve(old, self._old), _resolve(new, self._new), place, sent=sent
        )
        self._open.discard(pair)

    def _resolved(self, old: Json, new: Json, place: str, *, sent: bool) -> Iterator[Break]:
        olds, news = _branches(old), _branches(new)
        if len(olds) > 1 or len(news) > 1:
            yield from self._choices(olds, news, place, sent=sent)
            return
        narrow, wide = (new, old) if sent else (old, new)
        verb = "takes" if sent else "may hold"
        # A request may not take less than before; an answer may not hold more.
        lacking = _types(wide) - _types(narrow)
        if lacking:
            change = "no longer" if sent else "now"
            yield self._break(f"{place} {change} {verb} {', '.join(sorted(lacking))}")
            return
        if (values := _values(narrow)) is not None:
            allowed = _values(wide)
            if allowed is None or not allowed <= values:
                extra = sorted(map(str, allowed - values)) if allowed else ["anything"]
                change = "no longer" if sent else "now"
                yield self._break(f"{place} {change} {verb} {', '.join(extra)}")
        if sent:
            yield from self._bounds(old, new, place)
        if "items" in old and "items" in new:
            yield from self._schema(old["items"], new["items"], f"{place}[]", sent=sent)
        yield from self._members(old, new, place, sent=sent)

    def _choices(
        self, olds: list[Json], news: list[Json], place: str, *, sent: bool
    ) -> Iterator[Break]:
        """Compare alternatives: each of the wide side needs one of the narrow side to hold it."""
        for one in olds if sent else news:
            tries = [
                list(self._schema(*((one, other) if sent else (other, one)), place, sent=sent))
                for other in (news if sent else olds)
            ]
            best = min(tries, key=len, default=[])
            yield from best

    def _bounds(self, old: Json, new: Json, place: str) -> Iterator[Break]:
        for name in sorted(_LEAST | _MOST | {"pattern", "format", "multipleOf"}):
            if name not in new or new[name] == old.get(name):
                continue
            was = old.get(name)
            looser = was is not None and (
                (name in _LEAST and new[name] <= was) or (name in _MOST and new[name] >= was)
            )
            if not looser:
                yield self._break(f"{place} has {name} {new[name]} now")

    def _members(self, old: Json, new: Json, place: str, *, sent: bool) -> Iterator[Break]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, member in before.items():
            here = f"{place}.{name}"
            if name not in after:
                yield self._break(f"{here} is gone")
                continue
            yield from self._schema(member, after[name], here, sent=sent)
        required, now_required = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(now_required - required if sent else required - now_required):
            if name in after:
                yield self._break(f"{place}.{name} is {'required' if sent else 'optional'} now")
        if sent and new.get("additionalProperties") is False and not before and after:
            yield self._break(f"{place} takes no other members now")


def _resolve(schema: Json, document: Json) -> Json:
    while "$ref" in schema:
        node: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[step]
        schema = node
    return schema


def _branches(schema: Json) -> list[Json]:
    found = schema.get("anyOf") or schema.get("oneOf")
    return list(found) if found else [schema]


def _types(schema: Json) -> set[str]:
    kinds = schema.get("type")
    if kinds is None:
        values = _values(schema)
        if values is not None:
            return {"string"}
        return set(_ANY) if "properties" not in schema else {"object"}
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    return found | {"integer"} if "number" in found else found


def _values(schema: Json) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None
