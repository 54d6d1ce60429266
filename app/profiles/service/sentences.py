"""Memories as sentences of stems, the way the keyword index reads them."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import words
from app.memories import service as memories
from app.memories.models import Memory
from app.profiles.kernel import extracts, small_talk
from app.profiles.kernel.documents import Line
from app.profiles.kernel.extracts import Sentence, shortened
from app.tenants.schemas import LocalSettings, OwnerKind, Scope

_LONGEST = 20_000
_ANSWER_WEIGHT = 0.5
_PROGRAMS = frozenset({"system", "tool", "function", "developer"})
_SECOND_HAND = frozenset({"assistant", "ai", "bot"})


def speaks(memory: Memory, kind: OwnerKind) -> bool:
    """Tell whether a memory is of the owner's own words, or of somebody they spoke with.

    What an assistant said tells nothing of a user; an agent's own memories are its own.
    """
    role = (memory.role or "").lower()
    return role not in _PROGRAMS and not (kind == "user" and role in _SECOND_HAND)


def says_something(memory: Memory, known: Collection[str], local: LocalSettings) -> bool:
    """Tell whether a memory is more than small talk; ``known`` are the stems of its keyword key."""
    if not known:
        return True
    text, algorithm = memory.content[:_LONGEST], local.text_search_config
    small, telling, polite = _small_talk(algorithm), set(), set()
    for word in words.words(text):
        stem = _stem(word.text, algorithm)
        if stem in small:
            polite.add(stem)
        elif stem in known and not (writes_names_apart(local) and _is_name(text, word)):
            telling.add(stem)
    return not small_talk.is_small_talk(len(telling), len(polite))


def _is_name(text: str, word: words.Word) -> bool:
    return word.text[0].isupper() and not extracts.starts_sentence(text, word.start)


@lru_cache(maxsize=32)
def _small_talk(algorithm: str) -> frozenset[str]:
    return frozenset(
        _stem(word, algorithm) for word in small_talk.PHRASES.get(algorithm, "").split()
    )


async def read(
    session: AsyncSession,
    scope: Scope,
    local: LocalSettings,
    kind: OwnerKind,
    held: Sequence[Memory],
) -> list[Sentence]:
    """Return the sentences of live memories, in order."""
    stems = await memories.lexemes(session, scope, [memory.ordinal for memory in held])
    algorithm = local.text_search_config
    found: list[Sentence] = []
    for memory in held:
        weight = 1.0 if speaks(memory, kind) else _ANSWER_WEIGHT
        known = stems.get(memory.ordinal, set())
        texts = words.sentences(memory.content[:_LONGEST])
        found += [_sentence(text, memory.ordinal, known, algorithm, weight) for text in texts]
    return found


def of_line(line: Line, known: Mapping[int, set[str]], local: LocalSettings) -> Sentence:
    """Return a line of a summary as a sentence; ``known`` are the stems of its sources."""
    stems = {stem for source in line.sources for stem in known.get(source, ())}
    source = line.sources[0] if line.sources else 0
    return _sentence(line.text, source, stems, local.text_search_config, 1.0)


def _sentence(text: str, source: int, known: set[str], algorithm: str, weight: float) -> Sentence:
    pairs = [(_stem(word.text, algorithm), word.text) for word in words.words(text)]
    kept = [(stem, word) for stem, word in pairs if stem in known]
    return Sentence(
        shortened(text),
        source,
        tuple(stem for stem, _ in kept),
        tuple(word for _, word in kept),
        weight,
    )


@lru_cache(maxsize=50_000)
def _stem(word: str, algorithm: str) -> str:
    return words.stem(word, algorithm)


def first_sentence(memory: Memory) -> str:
    """Return how a memory begins."""
    found = words.sentences(memory.content[:_LONGEST])
    return shortened(found[0]) if found else ""


def writes_names_apart(local: LocalSettings) -> bool:
    """Tell whether a capital inside a sentence marks a name: not where all nouns have one."""
    return local.text_search_config != "german"
