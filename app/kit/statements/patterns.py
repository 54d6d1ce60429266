"""How English says the relations that are read by rule. Pure.

Source: ours; Think-in-Memory (arXiv 2311.08719) has a language model read them.
"""

import re

FILLER = (
    r"(?:(?:and|but|so|well|yes|yeah|yep|no|oh|wow|hey|hi|hello|thanks|actually|honestly|also|"
    r"by the way|anyway|recently|lately|currently|now|these days|please)\b[\s,!.]*){0,3}"
)
_ADVERB = (
    r"(?:(?:really|also|still|just|currently|now|absolutely|actually|always|usually|often|"
    r"recently|finally|truly|especially)\s+){0,2}"
)
_NOW = r"(?:\s+(?:now|currently|just|still|actually|finally|recently)){0,2}"
_AM = rf"(?:am|'m|\u2019m|are|'re|\u2019re){_NOW}"
_HAVE = rf"(?:(?:have|'ve|\u2019ve){_NOW}\s+)?"
_HAS = rf"(?:has{_NOW}\s+)?"
_MANY = r"(?=(?:an?|one|two|three|four|five|six|seven|\d+|some|several|many|lots)\b)"
_ONE = r"(?=(?:an?|the)\s+(?!bit\b|little\b|lot\b|few\b|couple\b|while\b|huge\b|big\b))"
_JOB = (
    r"(?:(?:got|found|landed|started|accepted)\s+(?:a|my)(?:\s+new)?|have\s+an?(?:\s+new)?)\s+job"
)
_YEARS = r"(?=\d{1,3}\b(?:\s+years\s+old)?(?:\s+now)?[\s.,!]*$)"
_TURNED = r"(?=\d{1,3}\b\s*(?:[.,!]|$|yesterday|today|last|this|in|on|a\s))"
_COLLEGE = (
    r"(?=[^,.!]*\b(?:university|college|school|academy|institute|conservatory)\b"
    r"(?=\s*(?:[.,!]|$|of\b|in\b|for\b|now\b|this\b|last\b)))"
)

# What the first person says ("live in"), what is said of others ("lives in"), and how it is kept.
VERBS: tuple[tuple[str, str, str], ...] = (
    (rf"(?:live|reside|{_AM}\s+(?:living|residing|based)|{_HAVE}been\s+living|"
     rf"{_HAVE}settled(?:\s+down)?)\s+in|{_HAVE}(?:moved|relocated)(?:\s+back)?\s+to",
     rf"(?:lives|resides|is{_NOW}\s+(?:living|based)|{_HAS}settled(?:\s+down)?)\s+in|"
     rf"{_HAS}(?:moved|relocated)(?:\s+back)?\s+to", "lives in"),
    (rf"work\s+(?:at|for)|{_AM}\s+(?:working\s+(?:at|for)|employed\s+(?:at|by))|"
     rf"{_HAVE}started\s+work(?:ing)?\s+(?:at|for)|{_HAVE}{_JOB}\s+(?:at|with)",
     rf"works\s+(?:at|for)|is{_NOW}\s+(?:working\s+(?:at|for)|employed\s+(?:at|by))|"
     rf"{_HAS}started\s+work(?:ing)?\s+(?:at|for)|{_HAS}{_JOB}\s+(?:at|with)", "works at"),
    (rf"work\s+as|{_AM}\s+working\s+as", rf"works\s+as|is{_NOW}\s+working\s+as", "works as"),
    (rf"study\s+at|{_AM}\s+(?:studying|a\s+student|enrolled)\s+at|attend\s+{_COLLEGE}|"
     rf"{_HAVE}transferred\s+to\s+{_COLLEGE}",
     rf"studies\s+at|is{_NOW}\s+(?:studying|a\s+student|enrolled)\s+at|attends\s+{_COLLEGE}",
     "studies at"),
    (rf"{_AM}\s+(?:called|named)", "is (?:called|named)", "is named"),
    (r"go\s+by\s+(?!the\b|a\b)(?:the\s+name\s+)?", r"goes\s+by\s+(?!the\b|a\b)", "goes by"),
    (rf"(?:{_AM}|got|{_HAVE}gotten)\s+married\s+to|married\s+(?=[A-Z])",
     r"(?:is|got)\s+married\s+to|married\s+(?=[A-Z])", "is married to"),
    (rf"(?:{_AM}|got)\s+engaged\s+to", r"(?:is|got)\s+engaged\s+to", "is engaged to"),
    (rf"{_AM}\s+dating", rf"is{_NOW}\s+dating", "is dating"),
    (rf"{_AM}\s+(?:originally\s+)?from|come\s+from", "is (?:originally )?from|comes from",
     "is from"),
    (r"was\s+born\s+in", "was born in", "was born in"),
    (r"was\s+born\s+on", "was born on", "was born on"),
    (rf"{_AM}\s+{_YEARS}|turned\s+{_TURNED}",
     rf"is (?=\d{{1,3}} years old\b)|turned\s+{_TURNED}", "is aged"),
    (rf"drive|{_AM}\s+driving", rf"drives|is{_NOW}\s+driving", "drives"),
    (r"love", "loves", "loves"),
    (r"like(?!\s+(?:that|this|it|how|what)\b)", "likes", "likes"),
    (r"enjoy", "enjoys", "enjoys"),
    (r"prefer", "prefers", "prefers"),
    (r"hate|can(?:'|\u2019)?t\s+stand", "hates", "hates"),
    (r"(?:do\s+not|don(?:'|\u2019)t)\s+like|dislike", "dislikes|doesn't like", "dislikes"),
    (r"play(?!\s+(?:with|around)\b)", "plays", "plays"),
    (r"speak", "speaks", "speaks"),
    (r"collect", "collects", "collects"),
    (rf"{_AM}\s+learning|learn", "is learning", "is learning"),
    (rf"study|{_AM}\s+studying", "studies", "studies"),
    (rf"{_AM}\s+allergic\s+to", "is allergic to", "is allergic to"),
    (rf"{_AM}\s+(?:interested\s+in|into)", "is interested in", "is interested in"),
    (rf"{_AM}\s+afraid\s+of", "is afraid of", "is afraid of"),
    (rf"volunteer\s+(?:at|for)|{_AM}\s+volunteering\s+(?:at|for)", "volunteers (?:at|for)",
     "volunteers at"),
    (rf"{_HAVE}adopted\s+{_MANY}", rf"adopted\s+{_MANY}", "adopted"),
    (rf"(?:have|own|{_HAVE}got)\s+{_MANY}", "owns", "has"),
    (rf"want\s+to|{_AM}\s+planning\s+to|plan\s+to", "wants to|plans to", "wants to"),
    (rf"(?:{_AM}|became|{_HAVE}become)\s+{_ONE}", "", "is"),
)  # fmt: skip

# "We" says where the speaker lives, too; of other things it leaves open whose they are.
_SUBJECT = (
    r"(?:I|we(?=(?:\s+|['\u2019](?:ve|re)\s+)(?:(?:just|now|recently|finally|have|are)\s+){0,2}"
    r"(?:live|living|moved|relocated)\b))"
)
FIRST = re.compile(
    rf"^{FILLER}{_SUBJECT}\s*{_ADVERB}(?:"
    + "|".join(f"(?P<r{number}>{first})" for number, (first, _, _) in enumerate(VERBS))
    + r")\b\s*(?P<tail>.+)$",
    re.IGNORECASE,
)
_THIRD_VERBS = "|".join(
    f"(?P<r{number}>{third})" for number, (_, third, _) in enumerate(VERBS) if third
)
KIN = re.compile(
    rf"^{FILLER}my\s+(?P<who>[a-z][\w-]*(?:\s+[a-z][\w-]*)??(?:\s+[A-Z][\w-]+)??)\s+{_ADVERB}"
    rf"(?:{_THIRD_VERBS})\b\s*(?P<tail>.+)$",
    re.IGNORECASE,
)
NAMED = re.compile(
    rf"^(?P<who>[A-Z][\w'\u2019-]+(?:\s+[A-Z][\w'\u2019-]+)??)\s+{_ADVERB}(?:{_THIRD_VERBS})"
    r"\b\s*(?P<tail>.+)$"
)
_IS = r"(?:\s+is|'s|\u2019s)(?:\s+(?:now|currently|still|actually))?"
ITS_NAME = re.compile(
    rf"^{FILLER}my\s+(?P<who>[\w-]+(?:\s+[\w-]+)?)(?:'s|\u2019s)\s+name{_IS}\s+(?P<tail>.+)$",
    re.IGNORECASE,
)
CALL_ME = re.compile(
    rf"^{FILLER}(?:(?:you\s+can|everyone|everybody|people)\s+)?calls?\s+me\s+(?P<tail>.+)$",
    re.IGNORECASE,
)
FAVOURITE = re.compile(
    rf"^{FILLER}my\s+(?:(?:all[- ]time|absolute|new|current)\s+)*favou?rite\s+"
    rf"(?P<what>[\w-]+(?:\s+[\w-]+){{0,2}}?){_IS}\s+(?P<tail>.+)$",
    re.IGNORECASE,
)
IS_FAVOURITE = re.compile(
    rf"^{FILLER}(?P<tail>[A-Z0-9][^,;]*?)\s+is(?:\s+(?:now|still))?\s+my\s+"
    r"(?:(?:all[- ]time|absolute|new|current)\s+)*favou?rite\s+"
    r"(?P<what>[\w-]+(?:\s+[\w-]+){0,2})[\s.!]*$",
)

_OWN = {
    r"(?:full\s+|first\s+)?name": "is named",
    r"(?:home|house|flat|apartment|place)(?=.{1,20}?\sin\s)": "lives in",
    r"employer": "works at",
    r"(?:job|profession|occupation)(?=.{1,20}?\s(?:an?)\s)": "works as",
    r"car(?=.{1,20}?\s(?:an?)\s)": "drives",
    r"age(?=.{1,20}?\s\d)": "is aged",
    r"(?:tele|mobile\s+|cell\s+|cell)?(?:phone\s+)?number": "phone number is",
    r"e-?mail(?:\s+address)?": "email is",
    r"(?:home\s+|postal\s+|street\s+)?address": "address is",
    r"(?:smart)?phone(?=.{1,20}?\s(?:an?)\s)": "phone is",
    r"(?:husband|wife|spouse)": "is married to",
    r"(?:fianc(?:e|\u00e9)e?)": "is engaged to",
    r"(?:girlfriend|boyfriend)": "is dating",
    r"(?:boss|manager|supervisor)": "boss is",
    r"(?:doctor|gp)": "doctor is",
    r"dentist": "dentist is",
    r"(?:landlord|landlady)": "landlord is",
    r"(?:birthday|birth\s*date|date\s+of\s+birth)": "was born on",
}
OWN_RELATIONS = tuple(_OWN.values())
OWN = re.compile(
    rf"^{FILLER}my\s+(?:(?:new|current|own)\s+)?(?:"
    + "|".join(f"(?P<r{number}>{what})" for number, what in enumerate(_OWN))
    + rf"){_IS}\s+(?:in\s+)?(?P<tail>.+)$",
    re.IGNORECASE,
)
"""What a speaker says that is his own, and that he has one of."""

FIRST_PERSON = re.compile(
    rf"^{FILLER}(?:I|I['\u2019](?:m|ve)|we|we['\u2019](?:re|ve)|my|our)\s", re.IGNORECASE
)
CHATTER = re.compile(
    rf"^{FILLER}(?:I|we)\s+(?:really\s+|totally\s+|can\s+)?(?:think|guess|hope|know|see|agree|mean|"
    r"wonder|understand|bet|imagine|suppose|appreciate|wish|thought|can(?:'|\u2019)?t\s+wait|should|"
    r"could|would|will|might|may)\b",
    re.IGNORECASE,
)
CLAUSES = re.compile(
    r"\s*;\s+|,?\s+(?:and|but|so)\s+(?=(?:I|my|we|our)(?:\s|['\u2019](?:m|ve|re)\b))"
)
TAIL_END = re.compile(
    r"\s*(?:[,;(!?\u2014\u2026]|:\s|\s[-\u2013]\s|\.(?:\s|$)|\s(?:because|since|when|while|which|who|where|"
    r"but|so|though|although|if|until|after|before|now|nowadays|too|as\s+well|right\s+now|these\s+days|"
    r"at\s+the\s+moment|currently|recently|lately|yesterday|today|tonight|tomorrow|"
    r"(?:last|this|next)\s+(?:week|weekend|month|year|spring|summer|autumn|fall|winter|night|morning)|"
    r"(?:a|an|one|two|three|\d+)\s+(?:days?|weeks?|months?|years?)\s+ago|"
    r"and\s+(?:I|my|we|it|he|she|they)|years\s+old|anymore|"
    r"very\s+much|a\s+lot)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
NOBODY = re.compile(
    r"(?:it|he|she|they|we|you|this|that|these|those|there|here|what|who|which|everyone|everybody|"
    r"someone|somebody|nobody|anyone|everything|something|nothing|one|people|life|music|work|today|"
    r"yesterday|tomorrow)\b",
    re.IGNORECASE,
)
BESIDES = re.compile(
    r"\s(?:as|with|and|near|since|for|last|this|in|on|from|together|right|again|by)\s.*$"
    r"|\s(?:again|together)$",
    re.DOTALL,
)
"""What is said besides the one tail of a functional relation."""
# Whom or what these words stand for, the sentence alone does not tell.
UNTOLD = re.compile(
    r"\b(?:it|its|that|this|them|they|their|him|he|his|she|her|you|your|yours|those|these|there|"
    r"here|how|what|everything|my|me|myself|our|us)\b",
    re.IGNORECASE,
)
NOT_NOW = re.compile(
    r"\b(?:used\s+to|years?\s+ago|when\s+(?:I|we)\s+(?:was|were)|(?:as|was)\s+an?\s+(?:kid|child|teen\w*|"
    r"student|baby)|back\s+(?:in|then)|in\s+(?:19|20)\d\d|temporar\w+|until|former\w*|previous\w*|"
    r"at\s+the\s+time|would|if|might|may|could|wish|dream\w*|imagine|pretend|almost|nearly|also|"
    r"part[- ]time|second\s+(?:job|home)|both|for\s+(?:a|the|two|three|\d+)\s+"
    r"(?:days?|weeks?|months?|weekend|summer|winter|semester))\b",
    re.IGNORECASE,
)
"""Said of another time, of no time, or of one thing of several: nothing is ended by it."""
