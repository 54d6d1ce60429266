"""Statements that a later one contradicts, in many wordings; and pairs of which both hold.

Written down before the rules that are to find them, by who then wrote the rules; none was changed
afterwards.
"""

from typing import NamedTuple


class Pair(NamedTuple):
    """Two things that one person said, the older first."""

    older: str
    newer: str


CONTRADICTED = (
    Pair("My flat is in Paris, close to the river.", "I'm living in Rome now."),
    Pair("I live in Toronto with two cats.", "We moved to Vancouver last month!"),
    Pair("I've been living in Ghent for a year.", "I just relocated to Antwerp."),
    Pair("I'm based in Nairobi.", "I have settled in Kampala."),
    Pair("I reside in Utrecht.", "My new home is in Leiden."),
    Pair("I work for Lufthansa.", "I started working at Ryanair on Monday."),
    Pair("I'm working at a small bakery.", "I joined a hotel kitchen this week."),
    Pair("I have a job at the post office.", "I got a new job at the town hall."),
    Pair("I'm employed by Nokia.", "My employer is Ericsson these days."),
    Pair("I work as a waiter.", "I became a paramedic."),
    Pair("I'm a bus driver.", "I'm working as a florist now."),
    Pair("My job is teaching maths.", "I work as a translator."),
    Pair("My name is Ines Duarte.", "My name is Ines Moreau since the wedding."),
    Pair("You can call me Bobby.", "Please call me Robert."),
    Pair("I'm 34 years old.", "I turned 35 yesterday!"),
    Pair("I am 61.", "I'm 62 now."),
    Pair("My favourite colour is green.", "My favorite color is now purple."),
    Pair("Dune is my favourite film.", "My favorite movie is Arrival."),
    Pair("My all-time favourite band is Queen.", "These days my favourite band is Blur."),
    Pair("I drive a Volvo.", "I'm driving an electric Kia now."),
    Pair("My car is a red Golf.", "I drive a Tesla these days."),
    Pair("My phone number is 555 0134.", "My new phone number is 555 0199."),
    Pair("My email is kim@old.example.", "My email address is now kim@new.example."),
    Pair("I'm married to Paul.", "I got married to Henrik in June."),
    Pair("I'm dating Lucia.", "I'm seeing Martha now."),
    Pair("My sister lives in Lyon.", "My sister has moved to Nice."),
    Pair("My dad works at the docks.", "My father works for the council now."),
    Pair("My wife is called Anna Reyes.", "My wife's name is Ana Reyes-Holt now."),
    Pair("I study at Leeds.", "I've transferred to Durham, and study at its law school."),
    Pair("My address is 4 Mill Lane.", "My new address is 19 Station Road."),
    Pair("I use an iPhone 12.", "I switched to a Pixel 9."),
    Pair("My boss is Greta.", "My new boss is Tomas."),
)
"""The newer ends the older."""

COMPATIBLE = (
    Pair("I live in Madrid.", "I lived in Porto as a student."),
    Pair("I live in Malmo.", "I moved to the couch because of my back."),
    Pair("I live in Graz.", "I'm living in fear of the exam."),
    Pair("I live in Cork.", "My brother lives in Galway."),
    Pair("I work at Siemens.", "I work at night mostly."),
    Pair("I work as a nurse.", "I worked as a cook in my twenties."),
    Pair("I work at the museum.", "I used to work at a zoo."),
    Pair("I'm a nurse.", "I'm a vegetarian."),
    Pair("I'm from Ghana.", "I'm from a big family."),
    Pair("My favourite film is Alien.", "My favourite book is Emma."),
    Pair("I drive a Fiat.", "I drive a lot for work."),
    Pair("I'm married to Kofi.", "I'm married to my job, as they say."),
    Pair("I'm 40 years old.", "My son is 12 years old."),
    Pair("I live in Bristol.", "I want to live in Japan one day."),
    Pair("I work at a school.", "I might work at a bank next year."),
    Pair("I moved to Denver.", "I live in a tiny apartment."),
)
"""Both hold."""
