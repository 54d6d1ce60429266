"""Numbers in words, and months, of languages besides English."""

import pytest

from app.llm.gate import supported
from app.llm.kernel import languages

WORDS = {
    "zwei": 2, "zw\u00f6lf": 12, "siebzehn": 17, "drei\u00dfig": 30, "f\u00fcnfunddrei\u00dfig": 35,
    "einundzwanzig": 21, "deux": 2, "quatorze": 14, "dix-sept": 17, "vingt et un": 21,
    "vingt-deux": 22, "soixante-dix": 70, "soixante et onze": 71, "soixante-dix-huit": 78,
    "quatre-vingts": 80, "quatre-vingt-un": 81, "quatre-vingt-dix-neuf": 99, "cuatro": 4,
    "diecis\u00e9is": 16, "veintid\u00f3s": 22, "treinta y cinco": 35, "cuarenta y dos": 42,
    "cinque": 5, "diciannove": 19, "trenta": 30, "cinco": 5, "dezesseis": 16, "trinta e cinco": 35,
    "vijf": 5, "zestien": 16, "twee\u00ebntwintig": 22, "tachtig": 80, "drei Millionen": 3_000_000,
    "vinte mil": 20_000, "deux mille": 2_000, "zes honderd": 600,
}  # fmt: skip


@pytest.mark.parametrize(("written", "value"), WORDS.items())
def test_a_number_in_words_is_held_to_the_sources(written: str, value: int) -> None:
    text = f"xx {written} xx"

    assert supported(text, [f"xx {value} xx"]).dropped == ()
    assert supported(f"xx {value} xx", [text]).dropped == ()
    assert supported(text, [text]).dropped == ()
    (dropped,) = supported(text, [f"xx {value + 1} xx"]).dropped
    assert dropped.unsupported == (written.replace("-", " "),)


@pytest.mark.parametrize(
    "line", [*languages._TO_TWENTY, *languages._TENS], ids=lambda line: line.split()[0]
)
def test_every_number_word_has_one_value_in_its_line(line: str) -> None:
    words = [word.replace("\u00df", "ss") for word in line.split() if word != "-"]
    values = [languages.NUMBERS[word] for word in words]

    assert values == sorted(values)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Le 8 mai 2023.", "2023-05-08"),
        ("Am 8. M\u00e4rz 2023.", "2023-03-08"),
        ("El 8 de mayo de 2023.", "2023-05-08"),
        ("Il 1\u00ba maggio.", "1 maggio"),
        ("L\u2019incontro \u00e8 in agosto.", "2023-08-02"),
        ("Foi em fevereiro.", "2023-02-02"),
        ("Het was in maart 2023.", "2023-03-02"),
        ("Es war im Dezember.", "2023-12-24"),
        ("C\u2019\u00e9tait en ao\u00fbt.", "2023-08-24"),
        ("Le 1er juin.", "2023-06-01"),
    ],
)
def test_months_of_any_language_mean_the_same(text: str, source: str) -> None:
    assert supported(text, [source], language="simple").dropped == ()


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("xx 9 mai 2023.", "9 mai 2023"),
        ("xx 8. M\u00e4rz 2023.", "8 M\u00e4rz 2023"),
        ("xx 8 de junio de 2023.", "8 de junio de 2023"),
        ("xx im Dezember.", "Dezember"),
        ("xx en febrero.", "febrero"),
        ("xx em setembro de 2023.", "setembro de 2023"),
    ],
)
def test_a_month_that_no_source_holds_is_dropped(text: str, claim: str) -> None:
    (dropped,) = supported(text, ["2023-05-08: xx im en em de"], language="simple").dropped

    assert dropped.unsupported == (claim,)


@pytest.mark.parametrize(
    "text",
    [
        "I have seen it once, and the rent is due.",
        "They seize the quince, and doze.",
        "Onze hond is oud.",
        "Elle est tr\u00e8s contente de son v\u00e9lo neuf.",
        "Tu sei felice.",
        "The result is null.",
        "Marco is happy.",
        "Marco and Otto are happy.",
        "Mai vista cosa simile.",
    ],
)
def test_what_is_no_number_in_another_language_is_not_held_to_it(text: str) -> None:
    source = text.replace(".", "") if "Marco" in text else "nothing"

    assert supported(text, [source], language="simple").dropped == ()


def test_a_true_summary_is_kept_and_a_wrong_one_is_not() -> None:
    source = "2024-07-03: Ich habe zwei T\u00f6chter, die eine ist 12, und wohne seit 2019 in Ulm."
    true = "Sie hat 2 T\u00f6chter. Eine ist zw\u00f6lf. Sie wohnt seit 2019 in Ulm."
    wrong = "Sie hat drei T\u00f6chter. Eine ist dreizehn. Im Juni war sie in Ulm."

    assert supported(true, [source], language="simple").text == true
    assert supported(wrong, [source], language="simple").text == ""
