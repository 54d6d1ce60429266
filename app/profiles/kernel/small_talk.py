"""Memories that say nothing of a person: greetings, thanks, farewells. Pure.

A topic of "Hey, how are you?" tells nothing of anybody, and such turns are so much alike that they
would make the densest cluster of all. They are left out of the profile only; recall finds them.

Source: Second Me (AI-native Memory 2.0), arXiv:2503.08102, whose shades are sides of a person.
Deviation: the paper clusters everything that was said.
"""

PHRASES: dict[str, str] = {
    "english": """
        hello hi hey hiya greetings morning afternoon evening night day weekend today tonight
        tomorrow yesterday lately bye goodbye see soon later talk chat catch time long thank
        appreciate grateful welcome please sorry excuse pardon hear ok okay alright sure yes yeah
        yep no nope right true exactly absolutely definitely totally really indeed course agree
        good great nice fine well better best cool awesome amazing wonderful fantastic lovely
        perfect excellent super glad happy pleased wow oh ah aww haha hmm congrats congratulations
        luck enjoy go going goes come back take care keep stay safe feel free let know sound say
        tell think mean guess hope wish wait want need help problem worry thing something anything
        everything lot much many bit kind friend buddy guy one new got get gotta like would could
    """,
    "german": """
        hallo hi hey moin servus guten tag morgen abend nacht heute gestern wochenende tschüss
        bye ciao bis bald später dann wiedersehen danke dank bedanke bitte gern gerne entschuldigung
        sorry leid ok okay klar ja nein doch genau stimmt natürlich sicher wirklich absolut gut
        super toll schön prima klasse großartig wunderbar perfekt freut freue froh glücklich
        glückwunsch viel viele spaß glück geht gehts gehen komm pass mach machs mal na ach oh wow
        wie sagen sag hören höre reden sprechen wissen weiß denke glaube meine hoffe wünsche brauche
        hilfe problem sache etwas alles nett lieb lange zeit neu neues freund freundin mir dir euch
    """,
    "french": """
        bonjour bonsoir salut coucou matin soir nuit journée aujourd hui demain hier revoir bientôt
        tard plus merci remercie plaisir prie pardon désolé désolée accord ok oui non si bien bon
        bonne super génial parfait excellent vraiment absolument sûr certainement content contente
        heureux heureuse ravi félicitations chance va vas aller comment ça cava quoi neuf nouveau
        longtemps temps parler entendre voir dire pense espère besoin aide problème chose tout
        beaucoup très ami amie wow oh ah
    """,
    "spanish": """
        hola buenos buenas días día tardes noches mañana hoy ayer adiós hasta luego pronto vemos
        gracias favor nada perdón siento vale ok sí claro verdad exacto bueno buena bien genial
        estupendo perfecto maravilloso realmente alegro encantado feliz felicidades suerte va vas
        ir tal cómo estás nuevo tiempo hablar oír ver decir creo espero necesito ayuda problema
        cosa algo todo mucho muchas mucha muchos amigo amiga oh ah
    """,
    "italian": """
        ciao salve buongiorno buonasera buonanotte giorno sera notte oggi domani ieri arrivederci
        presto dopo grazie ringrazio prego favore scusa mi dispiace ok sì certo vero esatto bene
        buono buona bello ottimo fantastico perfetto davvero contento felice piacere auguri fortuna
        va vai andare come stai nuovo tempo parlare sentire vedere dire penso spero bisogno aiuto
        problema cosa qualcosa tutto molto tanto mille amico amica oh ah
    """,
    "portuguese": """
        olá oi bom boa dia tarde noite hoje amanhã ontem tchau adeus até logo breve obrigado
        obrigada nada favor desculpa desculpe ok sim não claro verdade exato bem ótimo legal
        perfeito maravilhoso realmente feliz prazer parabéns sorte vai vais ir tudo como novo tempo
        falar ouvir ver dizer acho espero preciso ajuda problema coisa algo muito muita amigo amiga
        oh ah
    """,
    "dutch": """
        hallo hoi hey dag goedemorgen goedemiddag goedenavond morgen avond nacht vandaag gisteren
        doei tot ziens straks later bedankt dank dankjewel graag alstublieft sorry spijt oké ok ja
        nee klopt zeker natuurlijk echt goed leuk mooi super geweldig prachtig perfect blij fijn
        gefeliciteerd geluk succes gaat gaan hoe nieuw tijd lang praten horen zien zeggen denk hoop
        nodig hulp probleem ding iets alles veel vriend vriendin oh ah wauw
    """,
}
"""Words of small talk by the keyword index's name of the language; other languages have none."""

_FEWEST = 2


def is_small_talk(telling: int, polite: int) -> bool:
    """Tell whether a text is mere small talk.

    Args:
        telling: how many different stems are neither a stop word nor a name nor of small talk.
        polite: how many are of small talk.
    """
    return telling == 0 or (telling < _FEWEST and polite > 0)
