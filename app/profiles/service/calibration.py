"""Thresholds of the embedder in use, from sentences whose topics are known."""

from dataclasses import dataclass

import numpy as np

from app.embeddings.protocol import Embedder, Vectors
from app.profiles.kernel import clusters
from app.profiles.kernel.clusters import Thresholds

REFERENCE: tuple[tuple[str, ...], ...] = (
    (
        "I baked sourdough bread this morning and the crust came out perfect.",
        "My favourite dinner is a spicy lentil curry with rice.",
        "We tried the new Italian restaurant and I loved the pasta.",
        "I am learning to cook Thai food from a recipe book.",
        "She brought a homemade apple pie for dessert.",
        "I cannot eat peanuts, so I always check what is in the sauce.",
    ),
    (
        "I ran ten kilometres along the river before work.",
        "My knee hurts after yesterday's football match.",
        "I signed up for a yoga class at the gym.",
        "We are training for the marathon in spring.",
        "Swimming twice a week keeps me fit.",
        "I lifted weights and then stretched for half an hour.",
    ),
    (
        "My manager moved the deadline of the project to Friday.",
        "I have a job interview at a software company next week.",
        "The meeting with our clients took the whole afternoon.",
        "I got promoted to team leader at the office.",
        "My colleague is leaving and I take over her tasks.",
        "I worked late to finish the quarterly report.",
    ),
    (
        "Our cat sleeps on the keyboard all day.",
        "I took the dog to the vet because he was limping.",
        "We adopted two kittens from the animal shelter.",
        "The parrot has learned to whistle a tune.",
        "My puppy chewed my shoes again.",
        "I feed the rabbits every morning before school.",
    ),
    (
        "We flew to Lisbon and walked through the old town.",
        "I booked a hotel by the sea for our holidays.",
        "The train to the mountains was delayed by an hour.",
        "I lost my passport at the airport last summer.",
        "Next year I want to travel through Japan by bus.",
        "We visited three museums on our trip to Paris.",
    ),
    (
        "I listen to jazz records in the evening.",
        "She plays the violin in a youth orchestra.",
        "The concert last night was loud and wonderful.",
        "I am practising a new song on my guitar.",
        "My favourite band released an album today.",
        "He sings in the choir of his church.",
    ),
    (
        "My mother calls me every Sunday.",
        "My sister is getting married in June.",
        "Grandfather told us stories of his childhood.",
        "My son started walking last week.",
        "We have a family reunion with all our cousins.",
        "My brother and I argued about our parents' house.",
    ),
    (
        "I have felt anxious and could not sleep for days.",
        "My therapist suggested writing down my worries.",
        "I am sad and lonely since we broke up.",
        "Meditation helps me to calm down when I am stressed.",
        "I cried a lot yesterday but feel better now.",
        "Sometimes I am so nervous that my hands shake.",
    ),
    (
        "I am reading a novel about a lighthouse keeper.",
        "The library has a new shelf of science fiction.",
        "That film by the Korean director made me think.",
        "I finished the last season of the detective series.",
        "My book club discusses poetry this month.",
        "The author's short stories are better than her novels.",
    ),
    (
        "My laptop crashed and I lost my files.",
        "I wrote a Python script that sorts my photos.",
        "The new phone has a better camera than the old one.",
        "I built a small robot with a circuit board.",
        "Our internet connection is too slow for video calls.",
        "I upgraded the memory of my computer.",
    ),
    (
        "The exam in mathematics was harder than expected.",
        "My professor gave us an essay about the French Revolution.",
        "I study biology at the university.",
        "She passed her English language test.",
        "I have homework in chemistry for tomorrow.",
        "The students prepared a presentation for class.",
    ),
    (
        "The tomatoes on my balcony are finally ripe.",
        "I planted roses and lavender in the garden.",
        "It rained so much that the seedlings drowned.",
        "We pruned the apple tree before winter.",
        "The herbs need more sun than they get here.",
        "I spent the weekend weeding the vegetable beds.",
    ),
)
"""Twelve everyday topics of conversation with six sentences each, written for this purpose."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What clusters of an embedder's vectors are measured by."""

    thresholds: Thresholds
    mean: Vectors
    """Of the reference sentences. Shape [d]."""


async def calibrate(embedder: Embedder) -> Calibration:
    """Return the embedder's thresholds.

    Raises:
        EmbedderError: it is away.
    """
    vectors = await embedder.embed([text for topic in REFERENCE for text in topic])
    topics = np.repeat(np.arange(len(REFERENCE)), [len(topic) for topic in REFERENCE])
    mean: Vectors = vectors.mean(axis=0)
    return Calibration(clusters.calibrated(clusters.centered(vectors, mean), topics), mean)


class Calibrations:
    """The thresholds of each embedder, found once: the reference sentences never change."""

    def __init__(self) -> None:
        self._by_model: dict[str, Calibration] = {}

    async def of(self, embedder: Embedder) -> Calibration:
        """Return the embedder's thresholds.

        Raises:
            EmbedderError: it is away.
        """
        if embedder.model not in self._by_model:
            self._by_model[embedder.model] = await calibrate(embedder)
        return self._by_model[embedder.model]
