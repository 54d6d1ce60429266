"""Words that the gate must know: numbers, months, days, and how sentences begin."""

from app.llm.kernel import languages


def _words(text: str) -> list[str]:
    return text.split()


MONTHS = languages.MONTHS | {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sept sep", "october oct", "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
GIVEN_NAMES = frozenset(_words("jan april may june august mar")) | languages.NAMES
"""Months that also name people or things: without a day or a year they count as both."""
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
FACTORS = languages.FACTORS | {
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
a about above absolutely accident according accordingly achieve across activity actually add
additionally address adjust admire admit adopt advice advise afraid after afterwards again against
age agree aim ain align all allocate allow almost along already also although always among an
analyse analyze and anger animal anniversary announce another answer anxiety any anyone anything
anytime anyway apart apartment apologise apologize apparently appear apply appointment appreciate
approach are argument around arrange arrive as ask asking aspire assign assist assume at ate
attempt attend attention aunt author average avoid aware away awesome baby back background bake
balance bank based basic be beach bear beauty became because become bed been beer before begin
behavior behaviour behind being believe below beside besides best bet between beyond bicycle big
bike birthday blood boat body book borrow boss both bottle bought box boy bread break breakfast
bridge briefly bring broke brother brought budget bug build building built bus business busy but
butter buy by bye ca calculate call came camera camp campaign can cancer candle cannot capital car
card care career carefully cat catch categorize cats caught cause celebrate celebration certainly
chair challenge change character chat check cheese cherish chicken child children choice choir
choose chose church city class clean clear clearly climate close clothes cloud coach coffee
colleague collect college color colour come comedy comfort commitment common communicate community
commute company compare competition complain complained complaint complete compliment computer
concern concert conclude condition conduct confidence confident configure confirm congrats
congratulate congratulations connect connection consequently consider contact content continue
contract control conversation cook cooked cool coordinate cope cost could count country couple
courage course cousin craft crazy create creativity crisis culture curiosity currently custom
customer customize cut dad daily damage dance danger data date daughter day deadline deal dear
death debt decide decision decline dedicate deeply define definitely degree delay delighted
delivery demand dentist depression describe design desire desk despite dessert detail determine
develop devoted did diet difference difficult difficulty digital dinner disappointment discipline
discount discover discuss disease dish display distance divide do doctor document does dog dogs
done double doubt down draw dream dreamt dress drink drive drove due during duty each eager
earlier early earth easily eat economy education effort either election else emergency emotion
emotional emphasize encounter encourage end energy engage engine enhance enjoy enough ensure enter
environment equipment error especially essay establish evaluate even evening evenings event
eventually ever every everyone everything evidence evidently exactly exam example excite excited
excitement exercise exhibition expand expect expecting expense experience explain explore express
extra eye face facilitate failure fall fame family far farm fashion fat father fault favorite
favourite fear fee feel fell felt festival few fiction field film final finally finance find
finish fire first fish fit fitness flew flight flower focus follow fond food football for foreign
forest forgot form former fortunately found four free freedom frequently fresh friend from
frustration fuel full fun funding furniture further furthermore future gain game garden gather
gave gender generally get gift girl give given glad glass go goal going gold gone good got grade
granddaughter grandfather grandma grandmother grandpa grandparent grandson grateful gratitude
great grew grief group grow guess guest guide guilt guitar gym habit had hair half hand handle
happily happy hard harvest has hate have having he head health heard heart heat height held help
hence her here hero hers herself hey hi high highlight hike hill him himself his history hobby
hold holiday home homework honestly honesty hope horse hospital host hotel hour house how however
humor humour hunger hurt husband ice idea identify if illness image imagine implement importantly
impress improve in include income incorporate increase indeed independence inflation information
initially injury inside inspire install instead insurance integrate intend interest interested
interestingly interview into introduce invitation invite involve is issue it its itself jealousy
job join joke journal journey judge juice just keen keep kept key kids kind kitchen knee knew know
knowledge known label laboratory lack lady laid lake land language large last late lately later
laugh law lawyer lay lead leader leadership learn least leave led left lend length lent less
lesson let letter level leverage library life light like likely limit line link list listen
literature little live loan local location loneliness long look lose loss lost lot love loyalty
luck lucky luggage lunch machine made magazine mail mainly maintain make man manage manager many
map market marriage married mathematics maybe me meal mean meant meanwhile measure medicine
meditation meet meeting member memory mention message met metal might milk mind mine minute miss
mistake mode model modify mom moment money month monthly mood moreover morning most mostly mother
motivate mountain mouse mouth move moved movie much mum museum music must my myself name naturally
nature navigate near nearly need neighbor neighbour neither nephew network never nevertheless new
news newspaper next nice niece night no nobody noise none nonetheless nor not note nothing notice
now number nurse nutrition object observe obviously occasion occasionally ocean of off offer
office often oh old on once one only onto open opinion opportunity opt optimize option or order
organisation organise organization organize origin originally other otherwise our out outfit
outline outside over overall own owner paid pain paint painter paper parent part partner party
passion passionate patience patient pay peace people performance perhaps permission person
personal pet pets phase philosophy phone photo photography physics physiotherapy piano picture
piece pilot pizza place plan plane plant play please plus poem poetry point police policy politics
pool position positive possible possibly pottery poverty power practice practise praise prefer
preference pregnancy preparation prepare present pressure pretty previously price pride prioritise
prioritize priority probably problem process product profession professor profit program programme
progress project promise promote prone property protein proud prove provide psychology public
pupil purchase purpose put quality quantify question queue quite quiz rain raise raised ran rarely
rather reach read reader real realise reality realize really reason recall receive recent recently
reception recipe recommend record recovery reduce refine reflect refund regarding regardless
region regret regular relate relationship relax relief religion rely remain remember remind remote
remove rent repair repeat replace reply report reputation request rescue research resolve respect
respond response responsibility rest restaurant result retired return reveal review rice ride
right risk road rode role roof room route routine rule run sad safety said salary sale salt same
sand sang sat sauce save saw say scale scared scene schedule school science scientist score
sculpture sea search season seat second secret secure security see seek seem seen select self sell
send senior sense sent sentence separately service session set setback several shape share she
shift ship shirt shoe shook shop short shot should show showcase shower sickness side sign silence
similarly simple simplify simply since sincerely sing single sister sit site skill skilled skin
sleep slept small smell smoke snow so soap social society soil sold soldier solution solve some
someone something sometimes son song soon sorry sought sound sounds soup source space speak
specifically speech speed spend spent spirit spoke sport spring staff stage stamp stand start
state station stay step still stock stomach stone stood stop storm story stranger strategy street
strength stress strong structure struggle stuck student study style subject submit subsequently
substitute success such suddenly suffer sugar suggest suit summarise summarize summary sun support
suppose sure surgery surprise swam swore symptom system table tablet tailor take talent talk
taught tax taxi tea teach teacher team technique technology teenager television tell temperature
tend tennis tension tent territory test text than thank thanks that the theater theatre their them
theme themselves then theory therapist therapy there therefore these they thing think this those
though thought three threw thrilled through throughout thus ticket time tip tired title to today
together told tomorrow tonight too took tool topic total tough tour tourist toward towards town
toy trade tradition traffic train trainer transport travel treat treatment tree tried trip trouble
truly trust truth try turn tutor twin two typically ultimately uncertain uncle under understand
understood unfortunately unhappy uniform university unless unlike unsure until up update upon
upset us use used usually utilize vacation validate value variety various vegetable vehicle verify
version very victim video view village violin visit visitor visualize voice volume volunteer wage
wait wake walk want war warm was watch water way we weakness wealth weather website wedding week
weekend weekly weight well went were what whatever wheel when whenever where whereas wherever
whether which while who whoever whole whose why wife wind window wine winner winter wish with
within without wo woke woman won wonder wood word wore work worker workout world worry would wow
write writer wrote yard yay yeah year years yep yes yesterday yet you young your yours yourself
youth yup
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
