"""Made-up conversations for measuring: seeded, without anybody's data.

Sentences are filled templates, so that stems repeat as they do in talk: a few very often, many
rarely.
"""

import random

PEOPLE = "Alice Bruno Carla Dmitri Elif Farid Greta Hassan Ines Jonas Keiko Luca Mara Nils".split()
TOPICS = {
    "pets": "cat dog parrot hamster tortoise puppy kitten rabbit goldfish pony".split(),
    "food": "lasagne curry pancakes dumplings salad sourdough ramen tacos soup pie".split(),
    "sport": "tennis climbing rowing karate football yoga cycling swimming archery judo".split(),
    "music": "violin piano guitar drums choir opera jazz cello concert band".split(),
    "work": "deadline manager promotion interview budget meeting project contract report".split(),
    "travel": "Lisbon Kyoto Oslo Marrakesh Toronto Cusco Naples Hanoi Tromso Valencia".split(),
    "home": "kitchen garden balcony roof sofa bathroom garage attic curtains bookshelf".split(),
}
OPENINGS = (
    "I finally {did} the {thing}",
    "Yesterday my {kin} {did} a {thing}",
    "We talked about the {thing} for hours",
    "Did I tell you that {who} {did} the {thing}?",
    "Next {when} I want to see the {thing} again",
    "Honestly, the {thing} was {how}",
    "{who} asked me to look after the {thing}",
)
ENDINGS = (
    "and it felt {how}.",
    "because {who} insisted.",
    "although it was {how} at first.",
    "before the {when} was over.",
    "with {who} and {who2}.",
    "and I would do it again next {when}.",
)
DID = "bought sold lost found repaired painted cooked cancelled planned forgot visited".split()
KIN = "sister brother aunt neighbour cousin boss grandmother nephew flatmate".split()
HOW = "wonderful tiring strange expensive calm chaotic brilliant boring risky lovely".split()
WHEN = "week weekend month summer winter spring holiday semester Friday".split()


def sentence(rng: random.Random) -> str:
    """Return one made-up statement."""
    topic = rng.choice(list(TOPICS.values()))
    who, who2 = rng.sample(PEOPLE, 2)
    words = {
        "did": rng.choice(DID),
        "thing": rng.choice(topic),
        "kin": rng.choice(KIN),
        "how": rng.choice(HOW),
        "when": rng.choice(WHEN),
        "who": who,
        "who2": who2,
    }
    text = f"{rng.choice(OPENINGS)} {rng.choice(ENDINGS)}".format(**words)
    if rng.random() < 0.35:
        text += f" Ref {rng.choice('ABCDEFGH')}{rng.randrange(100_000)}."
    return text


def sentences(count: int, *, seed: int) -> list[str]:
    """Return made-up statements, the same for the same seed."""
    rng = random.Random(seed)
    return [sentence(rng) for _ in range(count)]


def questions(count: int, *, seed: int) -> list[str]:
    """Return made-up questions about such statements."""
    rng = random.Random(seed)
    asked = []
    for _ in range(count):
        thing = rng.choice(rng.choice(list(TOPICS.values())))
        asked.append(
            rng.choice(
                (
                    f"When did {rng.choice(PEOPLE)} last talk about the {thing}?",
                    f"What did my {rng.choice(KIN)} do with the {thing}?",
                    f"Who {rng.choice(DID)} the {thing} and how did it feel?",
                    f"How was the {thing} last {rng.choice(WHEN)}?",
                )
            )
        )
    return asked
