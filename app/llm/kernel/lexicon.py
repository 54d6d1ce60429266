"""Words that the gate must know: numbers, months, days, and how sentences begin."""


def _words(text: str) -> list[str]:
    return text.split()


MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sept sep", "october oct", "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
GIVEN_NAMES = frozenset(_words("jan april may june august mar"))
"""Months that also name people: without a day or a year they count as both."""
WEEKDAYS = {
    name: number
    for number, name in enumerate(
        _words("monday tuesday wednesday thursday friday saturday sunday")
    )
}

_UNITS = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
)

CARDINALS = {
    **{word: value for value, word in enumerate(_UNITS)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
}
ORDINALS = {word: value for value, word in enumerate(_ORDINALS, 1)}
COUNTS = {"once": 1, "single": 1, "twice": 2, "both": 2, "couple": 2, "pair": 2, "dozen": 12}
"""Words that state a number only where they are read, never where they are checked."""
VAGUE = frozenset({"zero", "one", "first", "second"})
"""Words that mostly state no number: `one of them`, `at first`, `every second`."""
FACTORS = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 10**6,
    "billion": 10**9,
    "k": 1_000,
    "mn": 10**6,
    "bn": 10**9,
}

NOT_NAMES = frozenset(
    _words(
        "i user users assistant ai ok okay mr mrs ms miss dr prof sir madam am pm tv dvd cd usb "
        "pdf url diy faq ps bc ad ceo god internet"
    )
)
"""Words that stand with a capital and name nobody."""

OPENERS = frozenset(
    _words("""
a about above absolutely according accordingly achieve across actually add additionally address
adjust admire admit adopt advise afraid after afterwards again against agree aim ain align all
allocate allow almost along already also although always among an analyse analyze and announce
another answer any anyone anything anytime anyway apart apologise apologize apparently appear
apply appreciate approach are around arrange arrive art as ask asking aspire assign assist assume
at ate attempt attend autumn average avoid aware away awesome back bake balance based basic be
bear became because become been before begin behind being believe below beside besides best bet
between beyond big birthday book borrow both bought break breakfast briefly bring broke brother
brought budget build built busy but buy by bye ca calculate call came can cannot capital care
career carefully cat catch categorize cats caught celebrate certainly challenge change chat check
cherish child children choose chose city clean clear clearly close collect come comfort common
communicate community commute company compare complain complained complete compliment concern
concert conclude conduct confident configure confirm congrats congratulate congratulations connect
consequently consider contact content continue conversation cook cooked cool coordinate cope could
count couple course crazy create currently customize cut daily dance date daughter day deal dear
decide decline dedicate deeply define definitely delighted describe desire despite detail
determine develop devoted did difficult digital dinner discover discuss display divide do does dog
dogs done double doubt down draw dream dreamt drew drink drive drove due during each eager earlier
early easily eat either else emotion emotional emphasize encounter encourage end engage enhance
enjoy enough ensure enter error especially establish evaluate even evening evenings event
eventually ever every everyone everything evidently exactly exam example excite excited exercise
expand expect expecting experience explain explore express extra face facilitate fall family far
father favorite favourite fear feel fell felt few final finally find finish first fit flew flight
focus follow fond food for foreign forgot form former fortunately found four free frequently fresh
friend from full fun further furthermore gain game garden gather gave generally get gift give
given glad go goal going gone good got grateful great grew group grow guess had half handle
happily happy hard has hate have having he health heard height held help hence her here hers
herself hey hi high highlight him himself his hobby hold holiday home honestly hope host hotel
house how however hurt husband idea identify if imagine implement importantly impress improve in
include incorporate increase indeed initially inside inspire install instead integrate intend
interest interested interestingly into introduce invite involve is it its itself job join just
keen keep kept key kids kind knew know known label lack laid large last late lately later laugh
lay lead learn least leave led left lend length lent less let level leverage life like likely
limit link list listen little live local long look lose lost lot love lucky lunch made mainly
maintain make man manage many mark married maybe me meal mean meant meanwhile measure meet meeting
member memory mention message met might mine miss modify moment month monthly moreover morning
most mostly mother motivate move moved movie much museum music must my myself name naturally
navigate near nearly need neighbor neighbour neither never nevertheless new news next nice night
no nobody none nonetheless nor not note nothing notice now number observe obviously occasionally
of off offer office often oh old on once one only onto open opt optimize or order organise
organize originally other otherwise our out outline outside over overall own paid paint parent
part partner party passionate pay people perhaps person personal pet pets phone photo photography
pizza place plan play please plus point positive possible possibly practice practise praise prefer
prepare present pretty previously pride prioritise prioritize probably project promote prone proud
prove provide purchase put quantify quite raise raised ran rarely rather reach read real realise
realize really reason recall receive recent recently recipe recommend record reduce refine reflect
regarding regardless regret regular relate relationship relax rely remain remember remind remote
remove repeat replace reply report request research resolve respond rest restaurant retired return
reveal review right rode room rose run sad said same sang sat save saw say scared schedule school
search season second secure see seek seem seen select self sell send senior sense sent sentence
separately set setback several share she shook short shot should show showcase side similarly
simple simplify simply since sincerely sing single sister sit skill skilled sleep slept small so
social sold solve some someone something sometimes son song soon sorry sought sounds speak
specifically spend spent spoke spring stand start state stay still stood stop story stress strong
structure struggle stuck study submit subsequently substitute such suddenly suffer suggest
summarise summarize summary summer support suppose sure surprise swam swore tailor take talk
taught teach team tell tend test than thank thanks that the their them themselves then there
therefore these they thing think this those though thought three threw thrilled through throughout
thus time tip tired title to today together told tomorrow tonight too took tool topic total tough
toward towards tradition travel treat tried trip truly trust try turn two typically ultimately
uncertain under understand understood unfortunately unhappy unless unlike unsure until up update
upon upset us use used usually utilize vacation validate value various verify very view visit
visualize volunteer wait wake walk want warm was watch way we wedding week weekend weekly well
went were what whatever when whenever where whereas wherever whether which while who whoever whole
whose why wife will winter wish with within without wo woke woman won wonder wore work workout
worry would wow write wrote yay yeah year years yep yes yesterday yet you young your yours
yourself yup
""")
)
"""Words that often begin a sentence, and then stand with a capital."""
