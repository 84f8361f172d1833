"""How facts are said, in the languages of `cues.py`. Pure data: what a deployment adds has the same form.

A pattern is a kind of fact, an expression (its first group is the value, else all of it) and the stems by which a
question asks for it. They are tried in this order, and what one took is no other's.
"""

NUMBER = r"(?:\s*(?:number|no\.?|nr\.?|id|numbris?|numeris|numurs|номер|numero|nummer|is|on|yra|ir|ist|:|#|№)){0,3}\s*"
CODE = r"#?((?=[\w/-]*\d)[A-Za-z0-9][\w/-]{2,24})\b"
ORDER = "order|purchase|tellimus|ostu|užsakym|pasūtījum|заказ|tilau|bestell"
INVOICE = "invoice|bill|arve|sąskait|rēķin|счет|счёт|lasku|rechnung"
CASE = "case|ticket|request|pöördumi|juhtum|kreipini|pieteikum|обращени|заявк|tapau|tiketti|vorgang|anfrage"
CONTRACT = "contract|agreement|leping|sutart|līgum|договор|sopimu|vertrag"
SERIAL = "serial|seerianum|serijos|sērijas|серийн|sarjanum|seriennum|imei|s/n"
ADDRESS = "address|aadress|adres|адрес|osoite|adresse|anschrift"
PRODUCT = "product|model|toode|mudel|produkt|gamini|modeli|prekė|товар|модел|tuote|malli|modell"
STREET = (
    r"(?:street|st|road|rd|avenue|ave|lane|tee|tn|tänav|pst|mnt|puiestee|gatvė|g\.|iela|ielā|ул\.?|улица|katu|tie|"
    r"straße|str\.?)"
)


def _named(stems: str) -> str:
    return rf"(?<!\w)(?:{stems})[^\W\d_]{{0,6}}{NUMBER}{CODE}"


PATTERNS: tuple[tuple[str, str, str], ...] = (
    ("order", _named(ORDER), ORDER),
    ("invoice", _named(INVOICE), INVOICE),
    ("case", _named(CASE), CASE),
    ("contract", _named(CONTRACT), CONTRACT),
    ("serial", _named(SERIAL), SERIAL),
    ("address", rf"\b\d{{1,4}}[a-z]?\s+(?:[A-Z]\w+\s+){{1,3}}{STREET}(?!\w)", ADDRESS),
    ("address", rf"(?<!\w)[^\W\d_]\w+\s+{STREET}\s+\d{{1,4}}[a-z]?(?:\s*-\s*\d{{1,4}})?(?!\w)", ADDRESS),
    ("address", r"(?<!\w)(?:straße|ул\.?|улица)\s+\w+,?\s+\d{1,4}(?!\w)", ADDRESS),
    ("address", r"(?<!\w)\w+(?:straße|strasse|katu|tie)\s+\d{1,4}[a-z]?(?!\w)", ADDRESS),
    (
        "amount",
        r"(?:[€$£]\s?\d[\d ,.]{0,20}\d|[€$£]\s?\d|"
        r"(?<!\w)\d[\d ,.]{0,20}\s?(?:€|\$|£|eur\b|usd\b|euro\w*|dollar\w*|rub\w*|руб\w*|евро|eiro))",
        "how much|amount|price|summa|kui palju|suma|kiek|cik|сколько|сумм|paljonko|betrag|wie viel",
    ),
    (
        "date",
        r"(?<![\w.])(?:\d{4}-\d\d?-\d\d?|\d\d?\.\d\d?\.\d{4}|\d\d?/\d\d?/\d{4}|"
        r"\d\d?(?:st|nd|rd|th)?\.? "
        r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?: \d{4})?)(?!\w)",
        "when did|what date|which day|date of|millal|kuupäev|kada|kurią dieną|kad jūs|когда|дат|milloin|wann|datum",
    ),
    (
        "product",
        rf"(?<!\w)(?:{PRODUCT})[^\W\d_]{{0,6}}(?:\s+(?:is|on|yra|ir|ist)|:)?\s+((?-i:[A-Z])[\w-]*(?:\s[\w-]*\d[\w-]*)?)",
        PRODUCT,
    ),
)  # fmt: skip
WORDED = frozenset({"product"})  # kinds whose values may be without a digit

TRIED = (
    "i tried|i have tried|i've tried|have you tried|did you try|already tried|i restarted|i rebooted|i reset|"
    "i have restarted|i've restarted|i have rebooted|i've rebooted|i have reset|i've reset|i have changed|i've changed|"
    "proovisin|olen proovinud|olete proovinud|taaskäivitasin|olen taaskäivitanud|"
    "bandžiau|perkroviau|jau bandžiau|ar bandėte|mēģināju|mēģinājāt|"
    "я пробовал|я пробовала|я попробовал|пробовали ли вы|вы пробовали|я перезагрузил|я перезагрузила|kokeilin|"
    "oletko kokeillut|oletteko kokeilleet|ich habe versucht|haben sie versucht|ich habe probiert|ich habe neu gestartet"
)
PROMISED = (
    "we will|we'll|i will|i'll|you will receive|you will get|will be refunded|will be sent|teeme|saadame|helistame|"
    "vastame|tagastame|saate|mes išsiųsime|atsiųsime|paskambinsime|grąžinsime|atsakysime|nosūtīsim|piezvanīsim|"
    "atmaksāsim|atbildēsim|мы отправим|мы вернём|мы вернем|мы перезвоним|мы ответим|lähetämme|soitamme|palautamme|"
    "vastaamme|wir werden|wir senden|wir rufen|wir erstatten|sie erhalten"
)
ASKED = (
    "please send|please tell|please confirm|please provide|could you|can you|palun saatke|palun öelge|prašome|lūdzu|"
    "пожалуйста, сообщите|пришлите|voisitko|voisitteko|bitte nennen|bitte senden|können sie"
)

# Units of a promise in days, and days that have a name, from the day something was said.
DAYS = {
    "hour": 1 / 24, "tunni": 1 / 24, "valand": 1 / 24, "stund": 1 / 24, "час": 1 / 24, "tunn": 1 / 24,
    "week": 7, "nädala": 7, "savait": 7, "nedēļ": 7, "недел": 7, "viiko": 7, "woche": 7,
    "day": 1, "päeva": 1, "dien": 1, "дн": 1, "день": 1, "päivä": 1, "tag": 1,
}  # fmt: skip
SOON = {
    "day after tomorrow|ülehomme|poryt|parīt|послезавтра|ylihuomenna|übermorgen": 2,
    "tomorrow|homme|rytoj|rīt|завтра|huomenna|morgen": 1,
    "today|täna|šiandien|šodien|сегодня|tänään|heute": 0,
}
