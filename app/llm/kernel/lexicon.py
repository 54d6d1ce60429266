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

_ENGLISH = frozenset(
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

_GERMAN = frozenset(
    _words("""
aber alle als also am an auch auf aus außerdem bald bei beide beim bis da dabei dadurch dafür
danach dann darum das dass dem den denn der des deshalb dessen die dies diese dieser dieses doch
dort du durch ein eine einem einen einer eines er es etwas euch für gern gestern hat heute hier
ich ihm ihn ihnen ihr ihre ihren ihrer im immer in ja jede jeder jetzt kein keine letzte man
manchmal mehr mein meine mit morgen nach nachdem neben nicht nie noch nun nur ob obwohl oder oft
ohne schon sehr seine sein seit sie sind so sogar später statt trotz trotzdem über um und uns
unser unter viele vielleicht vom von vor während war wann warum was weil weiter wenn wer wie wir
wird wo zu zuerst zuletzt zum zur zusammen zwei zwischen nutzer nutzerin benutzer
""")
)
_FRENCH = frozenset(
    _words("""
a à alors après au aujourd aussi autre autres aux avant avec beaucoup bien c ça car ce cela
cependant ces cet cette chaque chez comme d dans de demain depuis des deux donc du elle elles en
encore enfin ensuite entre est et être grâce hier il ils j je jamais l la là le les leur leurs
lorsqu lorsque lui m ma mais malgré même mes moi mon n ne ni non nos notre nous on ou où oui par
parce parfois pas pendant peut plus plusieurs pour pourquoi puis quand que quel quelle quelques
qui quoi s sa sans se selon ses si son souvent sous sur t ta tandis tes toi ton toujours tous tout
toute très trois tu un une utilisateur utilisatrice vers voici voilà vos votre vous y
""")
)
_SPANISH = frozenset(
    _words("""
a además ahora al algo alguien algunos ante antes aquel aquí así aún aunque ayer bajo cada casi
como con contra cosas cuando cuándo de del desde después dice donde dos durante e el él ella ellas
ellos en entonces entre era es esa ese eso esta está estas este esto estos fue ha había hasta hay
hoy incluso la las le les lo los luego más me mi mientras mis mucho muchos muy nada ni no nos
nosotros nunca o otra otro para pero por porque primero pues que qué quien quiere se según ser si
sí siempre sin sobre solo sólo son su sus también tampoco tan tanto te tiene toda todas todo todos
tras tres tu un una unas uno unos usuaria usuario usted y ya yo
""")
)
_ITALIAN = frozenset(
    _words("""
a ad adesso ai al alla alle allo altri anche ancora appena c che chi ci ciò come con contro così
cui d da dal dalla davvero degli dei del della delle dello dopo dove due durante e è ed era fino
forse fra già gli grazie ha ho i ieri il in infine inoltre insieme io l la le lei lo loro lui ma
mai me mentre mi mia mio molti molto n ne negli nei nel nella nessuno no noi non nostro o ogni
oggi oltre ora per perché però più poi prima quando quanto quasi quella quelle quello questa
queste questo qui quindi se secondo sei sempre senza si sì siamo solo sono sotto spesso su sua sue
suo tra tre tu tutti tutto un una uno utente vi voi
""")
)
_PORTUGUESE = frozenset(
    _words("""
a à agora ainda além algo alguém alguns ali ante antes ao aos apenas apesar após aquele aqui as às
assim até bem cada com como contra contudo da das de dela dele depois desde dessa desse deve do
dois dos durante e é ela elas ele eles em enquanto então entre era essa esse esta está estas este
eu foi há hoje isso isto já lá lhe mais mas me mesmo meu minha muito muitos na nada não nas nem no
nos nós nossa nosso nunca o onde ontem os ou outra outro para pela pelo pois por porém porque
portanto primeiro quando quase que quem se segundo sem sempre ser seu sim sob sobre sua talvez
também te tem toda todas todo todos três tu tudo um uma usuária usuário utilizador você
""")
)
_DUTCH = frozenset(
    _words("""
aan al alle alleen als altijd andere bij daar daarna daarom dan dat de deze die dit doen door dus
een eerst en er gebruiker gisteren haar had heb hebben heeft hem het hier hij hoe hun iedereen
iets ik in is ja je jij kan later maar me meer men met mij mijn misschien morgen na naar naast
niet niets nog nooit nu of om omdat ondanks onder ons ook op over pas samen sinds soms te tegen
terwijl toch toen tot tussen twee u uit uw vaak van vandaag veel voor waar waarom wanneer want was
wat we welke wie wij zal ze zei zelf zich zij zijn zo zoals zonder zou
""")
)
OPENERS = {
    "english": _ENGLISH,
    "german": _GERMAN,
    "french": _FRENCH,
    "spanish": _SPANISH,
    "italian": _ITALIAN,
    "portuguese": _PORTUGUESE,
    "dutch": _DUTCH,
}
"""Words that often begin a sentence, and then stand with a capital, by language."""
