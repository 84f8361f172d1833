"""Mails as programs of many makers write them, in many languages: how an answer quotes or passes on another mail.

Each language gives its words, each program its shape; the words are our own.
"""

from dataclasses import dataclass

QUOTE = "Your parcel has left the warehouse.", "It comes tomorrow."


@dataclass(frozen=True)
class Tongue:
    """What a language says: an answer, attributions, labels, the words for passing on, a telephone's line."""

    reply: str
    gmail: str  # attributions as these write them
    thunderbird: str
    apple: str
    labels: tuple[str, str, str, str]  # from, sent, to, subject
    date: str
    forward: str
    original: str
    mobile: str


TONGUES = {
    "en": Tongue(
        "The parcel did not come.\nWhere is it now?",
        "On Mon, May 4, 2026 at 10:00 AM Shop <help@shop.example> wrote:",
        "On 04/05/2026 10:00, Shop wrote:", "On 4 May 2026, at 10:00, Shop <help@shop.example> wrote:",
        ("From", "Sent", "To", "Subject"), "Monday, May 4, 2026 10:00 AM", "Forwarded message", "Original Message",
        "Sent from my iPhone",
    ),
    "et": Tongue(
        "Pakk ei jõudnud kohale.\nKus see praegu on?",
        "Kuupäev E, 4. mai 2026 kell 10:00 kirjutas Shop <help@shop.example>:",
        "04.05.2026 10:00 Shop kirjutas:", "Shop <help@shop.example> kirjutas 04.05.2026 kell 10:00:",
        ("Saatja", "Saadetud", "Adressaat", "Teema"), "esmaspäev, 4. mai 2026 10:00", "Edastatud kiri", "Algne kiri",
        "Saadetud minu iPhone'ist",
    ),
    "lt": Tongue(
        "Siuntinys neatvyko.\nKur jis dabar?", "2026-05-04, pr, 10:00 Shop <help@shop.example> rašė:",
        "2026-05-04 10:00, Shop rašė:", "Shop <help@shop.example> 2026-05-04 10:00 parašė:",
        ("Nuo", "Išsiųsta", "Kam", "Tema"), "2026 m. gegužės 4 d., pirmadienis 10:00", "Persiųstas laiškas",
        "Pirminis pranešimas", "Išsiųsta iš mano iPhone",
    ),
    "lv": Tongue(
        "Sūtījums nav atnācis.\nKur tas tagad ir?",
        "pirmd., 2026. g. 4. maijs, plkst. 10:00 — lietotājs Shop\n(<help@shop.example>) rakstīja:",
        "04.05.2026 10:00, Shop rakstīja:", "Shop <help@shop.example> 2026. gada 4. maijā plkst. 10:00 rakstīja:",
        ("No", "Nosūtīts", "Kam", "Temats"), "pirmdiena, 2026. gada 4. maijs 10:00", "Pārsūtīts ziņojums",
        "Sākotnējais ziņojums", "Nosūtīts no mana iPhone",
    ),
    "fi": Tongue(
        "Paketti ei tullut perille.\nMissä se on nyt?",
        "ma 4. toukok. 2026 klo 10.00 Shop <help@shop.example> kirjoitti:",
        "Shop kirjoitti 4.5.2026 klo 10.00:", "Shop <help@shop.example> kirjoitti 4.5.2026 kello 10.00:",
        ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"), "maanantai 4. toukokuuta 2026 10.00", "Välitetty viesti",
        "Alkuperäinen viesti", "Lähetetty iPhonesta",
    ),
    "ru": Tongue(
        "Посылка не пришла.\nГде она сейчас?", "пн, 4 мая 2026 г. в 10:00, Shop <help@shop.example>:",
        "04.05.2026 10:00, Shop пишет:", "4 мая 2026 г., в 10:00, Shop <help@shop.example> написал(а):",
        ("От", "Отправлено", "Кому", "Тема"), "4 мая 2026 г. 10:00", "Пересылаемое сообщение", "Исходное сообщение",
        "Отправлено с iPhone",
    ),
    "de": Tongue(
        "Das Paket ist nicht angekommen.\nWo ist es jetzt?",
        "Am Mo., 4. Mai 2026 um 10:00 Uhr schrieb Shop <\nhelp@shop.example>:",
        "Am 04.05.2026 um 10:00 schrieb Shop:", "Am 04.05.2026 um 10:00 schrieb Shop <help@shop.example>:",
        ("Von", "Gesendet", "An", "Betreff"), "Montag, 4. Mai 2026 10:00", "Weitergeleitete Nachricht",
        "Ursprüngliche Nachricht", "Von meinem iPhone gesendet",
    ),
    "pl": Tongue(
        "Paczka nie dotarła.\nGdzie ona teraz jest?", "pon., 4 maj 2026 o 10:00 Shop <help@shop.example> napisał(a):",
        "W dniu 4.05.2026 o 10:00, Shop pisze:",
        "Wiadomość napisana przez Shop <help@shop.example> w dniu 04.05.2026, o godz. 10:00:",
        ("Od", "Wysłano", "Do", "Temat"), "poniedziałek, 4 maja 2026 10:00", "Wiadomość przekazana dalej",
        "Oryginalna wiadomość", "Wysłane z iPhone'a",
    ),
    "sv": Tongue(
        "Paketet kom inte fram.\nVar är det nu?", "Den mån 4 maj 2026 kl 10:00 skrev Shop <help@shop.example>:",
        "Den 2026-05-04 kl. 10:00, skrev Shop:", "4 maj 2026 kl. 10:00 skrev Shop <help@shop.example>:",
        ("Från", "Skickat", "Till", "Ämne"), "den 4 maj 2026 10:00", "Vidarebefordrat meddelande",
        "Ursprungligt meddelande", "Skickat från min iPhone",
    ),
    "eu": Tongue(  # nowhere in our words: by form alone
        "Paketea ez da iritsi.\nNon dago orain?",
        "Shop (<help@shop.example>) erabiltzaileak hau idatzi du (2026 mai. 4, al. (10:00)):",
        "04/05/2026 10:00(e)an, Shop igorleak idatzi zuen:", "Shop <help@shop.example> 2026/05/04 10:00 idatzi zuen:",
        ("Nork", "Bidalia", "Nori", "Gaia"), "2026/05/04 10:00", "Forwarded message", "Jatorrizko mezua",
        "Sent from my iPhone",
    ),
}  # fmt: skip


def _block(tongue: Tongue, bold: str = "") -> str:
    names, values = tongue.labels, ("Shop <help@shop.example>", tongue.date, "Mari <mari@example.com>", "4711")
    return "\n".join(f"{bold}{name}:{bold} {value}" for name, value in zip(names, values, strict=True))


def _marked(lines: tuple[str, ...]) -> str:
    return "\n".join(f"> {line}" for line in lines)


def answers(tongue: Tongue) -> dict[str, str]:
    """An answer by the text of each program; what its sender wrote is the tongue's reply."""
    above, plain = tongue.reply, "\n".join(QUOTE)
    one, two = above.split("\n")
    signature = "-- \nMari Maasikas\n+372 5551 2345"
    return {
        "Gmail": f"{above}\n\n{tongue.gmail}\n\n{_marked(QUOTE)}\n",
        "Gmail, below its quote": f"{tongue.gmail}\n\n{_marked(QUOTE)}\n\n{above}\n",
        "Thunderbird": f"{above}\n\n{tongue.thunderbird}\n{_marked(QUOTE)}\n",
        "Thunderbird, signed": f"{above}\n\n{signature}\n\n{tongue.thunderbird}\n{_marked(QUOTE)}\n",
        "Apple Mail": f"{above}\n\n> {tongue.apple.replace(chr(10), chr(10) + '> ')}\n> \n{_marked(QUOTE)}\n",
        "iPhone": f"{above}\n\n{tongue.mobile}\n\n{tongue.apple}\n\n{_marked(QUOTE)}\n",
        "iPhone, no marks": f"{above}\n\n{tongue.mobile}\n\n{tongue.apple}\n\n{plain}\n",
        "Outlook": f"{above}\n\n{_block(tongue)}\n\n{plain}\n",
        "Outlook, bold": f"{above}\n\n{_block(tongue, '*')}\n\n{plain}\n",
        "Outlook on the web": f"{above}\n\n{'_' * 32}\n{_block(tongue)}\n\n{plain}\n",
        "Outlook 2003": f"{above}\n\n-----{tongue.original}-----\n{_block(tongue)}\n\n{plain}\n",
        "Yahoo": f"{above}\n\n    {tongue.apple.replace(chr(10), ' ')}  \n \n {QUOTE[0]}\n {QUOTE[1]}\n",
        "between the lines": f"{tongue.gmail}\n\n> {QUOTE[0]}\n{one}\n> {QUOTE[1]}\n{two}\n",
    }


def forwards(tongue: Tongue) -> dict[str, str]:
    """The same mail passed on without a word."""
    plain = "\n".join(QUOTE)
    return {
        "Gmail": f"---------- {tongue.forward} ---------\n{_block(tongue)}\n\n{plain}\n",
        "Thunderbird": f"-------- {tongue.forward} --------\n{_block(tongue)}\n\n{plain}\n",
        "Outlook on the web": f"{'_' * 32}\n{_block(tongue)}\n\n{plain}\n",
        "Outlook": f"{_block(tongue)}\n\n{plain}\n",
    }


def pages(tongue: Tongue) -> dict[str, str]:
    """An answer by the HTML of each program."""
    one, two = (f"<div>{line}</div>" for line in tongue.reply.split("\n"))
    cited, said = "".join(f"<p>{line}</p>" for line in QUOTE), tongue.gmail.replace("<", "&lt;").replace(">", "&gt;")
    block = _block(tongue).replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    top = "border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"
    return {
        "Gmail": f'<div dir="ltr">{one}{two}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{said}'
        f'<br></div><blockquote class="gmail_quote" style="border-left:1px solid">{cited}</blockquote></div>',
        "Thunderbird": f'{one}{two}<div class="moz-cite-prefix">{tongue.thunderbird}<br></div>'
        f'<blockquote type="cite" cite="mid:one">{cited}</blockquote>',
        "Apple Mail": f'<body>{one}{two}<br><blockquote type="cite"><div>{said}</div><br>{cited}</blockquote>',
        "Outlook": f'<div class="WordSection1"><p class="MsoNormal">{one}</p>{two}<div><div style="{top}">'
        f'<p class="MsoNormal">{block}<o:p></o:p></p></div></div>{cited}</div>',
        "Outlook on the web": f'{one}{two}<div id="appendonsend"></div><hr tabindex="-1"><div id="divRplyFwdMsg">'
        f"{block}<div>&nbsp;</div></div>{cited}",
        "Yahoo": f'{one}{two}<div id="yahoo_quoted_1" class="yahoo_quoted"><div>{said}</div>{cited}</div>',
        "mail.ru": f'<p>{one}{two}</p><br>{said}<br><blockquote style="border-left:1px solid">{cited}</blockquote>',
    }
