"""Numbers and months of languages besides English, as words without accents. Pure.

A text is read in all of them at once: whose language it is in, the gate need not know.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TO_TWENTY = (
    "zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn "
    "siebzehn achtzehn neunzehn zwanzig",
    "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize - - - "
    "vingt",
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis "
    "diecisiete dieciocho diecinueve veinte",
    "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici "
    "sedici diciassette diciotto diciannove venti",
    "dois tres quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis "
    "dezessete dezoito dezenove vinte",
    "twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien "
    "zeventien achttien negentien twintig",
)
_TENS = (
    "dreißig vierzig funfzig sechzig siebzig achtzig neunzig",
    "trente quarante cinquante soixante septante huitante nonante",
    "treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "trenta quaranta cinquanta sessanta settanta ottanta novanta",
    "trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "dertig veertig vijftig zestig zeventig tachtig negentig",
)
_MORE = {
    "null": 0, "nul": 0, "cero": 0, "zwo": 2, "duas": 2, "quatorze": 14, "dezasseis": 16,
    "dezassete": 17, "dezanove": 19, "veintiuno": 21, "veintiun": 21, "veintiuna": 21,
    "veintidos": 22, "veintitres": 23, "veinticuatro": 24, "veinticinco": 25, "veintiseis": 26,
    "veintisiete": 27, "veintiocho": 28, "veintinueve": 29, "vingts": 20, "octante": 80,
}  # fmt: skip
_MONTHS = (
    "januar februar marz april mai juni juli august september oktober november dezember",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "janner feber - - - - - - setiembre - - -",
)


def _numbers() -> dict[str, int]:
    found = dict(_MORE)
    for line in _TO_TWENTY:
        found |= {word: value for value, word in enumerate(line.split(), 2) if word != "-"}
    for line in _TENS:
        found |= {word.replace("ß", "ss"): ten * 10 for ten, word in enumerate(line.split(), 3)}
    return found | _glued(_TO_TWENTY[0], _TENS[0], "und") | _glued(_TO_TWENTY[5], _TENS[5], "en")


def _glued(low: str, tens: str, link: str) -> dict[str, int]:
    """Return what German and Dutch write as one word: "einundzwanzig", "eenentwintig"."""
    first = "ein" if link == "und" else "een"
    units = [first, *low.split()[:8]]
    whole = [low.rpartition(" ")[2], *tens.replace("ß", "ss").split()]
    return {
        f"{unit}{link}{ten}": 10 * place + value
        for place, ten in enumerate(whole, 2)
        for value, unit in enumerate(units, 1)
    }


NUMBERS = _numbers()
"""From two on: one is also an article."""
ONES = _words("un une uno una um uma")
"""One, behind tens: "vingt et un"."""
LINKS = _words("y e et")
"""Between tens and a unit: "treinta y cinco"."""
FACTORS = {
    "hundert": 100, "honderd": 100, "tausend": 1_000, "duizend": 1_000, "mille": 1_000,
    "mila": 1_000, "mil": 1_000, "millionen": 10**6, "millions": 10**6, "millones": 10**6,
    "millon": 10**6, "milioni": 10**6, "milione": 10**6, "milhoes": 10**6, "milhao": 10**6,
    "miljoen": 10**6, "milliarden": 10**9, "milliards": 10**9, "miliardi": 10**9,
    "miljard": 10**9,
}  # fmt: skip
DOUBTFUL = _words(
    "null nul cero dos tres due sei sept neuf elf onze once dois doze seize quince otto venti"
)
"""Words that are something else in another language: read as a number, never held to it."""

MONTHS = {
    word: number
    for line in _MONTHS
    for number, word in enumerate(line.split(), 1)
    if word != "-"
}  # fmt: skip
NAMES = _words("mars mai marco abril avril mayo julio juli mei augustus maio marz")
"""Months that are also something or somebody else."""
OF = _words("of de di del van")
"""Between a day and its month, or a month and its year."""


def value_of(words: list[str]) -> tuple[int, int] | None:
    """Return the number that some folded words begin with, and how many of them say it.

    ``None``: they begin with no number of these languages.
    """
    first = NUMBERS.get(words[0]) if words else None
    if first is None:
        return None
    value, used = first, 1
    if words[0] == "quatre" and words[1:2] in (["vingt"], ["vingts"]):
        value, used = 80, 2
    if words[0] == "dix" and 7 <= NUMBERS.get(words[1] if len(words) > 1 else "", 0) <= 9:
        return 10 + NUMBERS[words[1]], 2
    if value < 20 or value % 10:
        return value, used
    is_linked = words[used : used + 1] != [] and words[used] in LINKS
    at = used + is_linked
    word = words[at] if at < len(words) else ""
    unit = 1 if word in ONES and (is_linked or value == 80) else NUMBERS.get(word, 0)
    most = 19 if value in {60, 80} else 9
    if not 1 <= unit <= most or (is_linked and unit > 11):
        return value, used
    # "dix-sept" of "soixante-dix-sept"
    rest = NUMBERS.get(words[at + 1], 0) if unit == 10 and at + 1 < len(words) else 0
    is_seventeen = 7 <= rest <= 9
    return value + unit + (rest if is_seventeen else 0), at + 1 + is_seventeen
