"""Texts to token ids, and long texts to windows the model can read whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer

Span = tuple[int, int]


class Windows(NamedTuple):
    """A text's length in tokens, specials not counted, and its windows in characters."""

    tokens: int
    spans: list[Span]


class TextTokenizer:
    """One model's tokeniser: truncates to the model's window, never pads."""

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int) -> None:
        # Two copies of one state: truncation is a property of the tokeniser, not of a call.
        self._whole = Tokenizer.from_str(tokenizer.to_str())
        self._whole.no_padding()
        self._whole.no_truncation()
        self._cut = Tokenizer.from_str(self._whole.to_str())
        self._cut.enable_truncation(max_tokens)
        self.max_tokens = max_tokens
        specials = self._whole.encode("a").special_tokens_mask
        self.leading = specials.index(0)
        self.trailing = specials[::-1].index(0)

    @classmethod
    def from_file(cls, path: Path, *, max_tokens: int) -> "TextTokenizer":
        """Read a ``tokenizer.json``."""
        return cls(Tokenizer.from_file(str(path)), max_tokens=max_tokens)

    @property
    def window(self) -> int:
        """Tokens of a text the model reads, specials not counted."""
        return self.max_tokens - self.leading - self.trailing

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's token ids, specials included, cut at the model's window."""
        return [encoding.ids for encoding in self._cut.encode_batch_fast(list(texts))]

    def windows(self, text: str, *, size: int, overlap: int) -> Windows:
        """Cut a text into windows of at most ``size`` tokens that share about ``overlap``.

        Cuts fall between words where a word fits a window; together the windows cover the text.
        Each is checked by tokenising it alone, because a cut inside a word changes its tokens.
        """
        encoding = self._whole.encode(text, add_special_tokens=False)
        tokens = len(encoding.ids)
        if tokens <= size:
            return Windows(tokens, [(0, len(text))] if text else [])
        starts = _word_starts(encoding.word_ids, [start for start, _ in encoding.offsets])
        spans = _cover(starts, tokens, len(text), size=size, overlap=overlap)
        return Windows(tokens, sorted(set(self._checked(text, spans, size))))

    def _checked(self, text: str, spans: list[Span], size: int) -> list[Span]:
        """Return the spans, halving those that hold more than ``size`` tokens."""
        pieces = self._whole.encode_batch_fast(
            [text[start:end] for start, end in spans], add_special_tokens=False
        )
        checked: list[Span] = []
        for (start, end), piece in zip(spans, pieces, strict=True):
            if len(piece.ids) <= size or end - start < 2:
                checked.append((start, end))
            else:
                middle = (start + end) // 2
                checked += self._checked(text, [(start, middle), (middle, end)], size)
        return checked


class _Starts(NamedTuple):
    """Where tokens begin."""

    characters: list[int]
    of_word: list[bool]


def _word_starts(words: Sequence[int | None], starts: list[int]) -> _Starts:
    previous = [None, *words[:-1]]
    fresh = [word is None or word != before for word, before in zip(words, previous, strict=True)]
    return _Starts(starts, fresh)


def _cover(starts: _Starts, tokens: int, length: int, *, size: int, overlap: int) -> list[Span]:
    """Return spans of characters that hold runs of about ``size`` tokens.

    One character may be several tokens, so every step looks for one that begins further on.
    """
    spans: list[Span] = []
    first = begin = 0
    while first + size < tokens:
        border = _word_border(starts, first + size // 2, first + size)
        last = _beyond(starts, border, begin)
        if last == tokens:
            break
        spans.append((begin, starts.characters[last]))
        first = _beyond(starts, _word_border(starts, first + 1, last - overlap), begin)
        begin = starts.characters[first]
    return [*spans, (begin, length)]


def _beyond(starts: _Starts, token: int, character: int) -> int:
    """Return the first token from this one on that begins behind a character."""
    while token < len(starts.characters) and starts.characters[token] <= character:
        token += 1
    return token


def _word_border(starts: _Starts, low: int, high: int) -> int:
    """Return the last token in (low, high] that begins a word; ``high`` if none does."""
    for token in range(high, low, -1):
        if starts.of_word[token]:
            return token
    return high
