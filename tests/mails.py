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

# Mails of other programs, below the answer: only `THANKS` is the sender's.
THANKS = "Thanks, that worked."
BELOW = [
    "Sam Saffron <info@example.org>于2016年8月16日周二 下午9:52写道：\n\n> hi\n> there",
    "在 2016年1月28日，下午7:04，Some One <a@b.org> 写道：\n\n> hi",
    "发件人: Sam\n发送时间: 2016-08-16 21:52\n收件人: x@y.com\n主题: test\n\nhello",
    (
        "------------------ 原始邮件 ------------------\n发件人: \"Sam\""
        "<x@y.com>;\n发送时间: 2016年8月16日(星期二) 晚上9:52\n"
        "收件人: \"me\"<me@qq.com>;\n主题: test\n\nhello"
    ),
    "2016年1月28日 19:04 Some One <a@b.org>:\n\n> hi",
    (
        "\u202bבתאריך יום ד׳, 6 באפר׳ 2016 ב-22:38 מאת \u202aSam\u202c\u200f <\u202aa@b.org\u202c\u200f>:\u202c\n"
        "\n> hi"
    ),
    "17 Ağustos 2016 14:30 tarihinde Sam <a@b.org> şunları yazdı:\n\n> hi",
    "2016년 8월 16일 (화) 오후 9:52, Sam <a@b.org>님이 작성:\n\n> hi",
    "Sam <a@b.org> ezt írta (időpont: 2016. aug. 16., K, 21:52):\n\n> hi",
    "Den tir. 16. aug. 2016 kl. 21.52 skrev Sam <a@b.org>:\n\n> hi",
    "D. 16. aug. 2016 kl. 21.52 skrev Sam <a@b.org>:\nhi there",
    "Em ter, 16 de ago de 2016 às 21:52, Sam <a@b.org> escreveu:\n\n> hi",
    "El 16 de agosto de 2016, 21:52, Sam<a@b.org> escribió:\n\n> hi",
    "El 16/08/2016 21:52, \"Sam\" <a@b.org> escribió:\n\n> hi",
    "2016-03-03 17:21 GMT+01:00 Some One <a@b.org>:\n\n> hi",
    (
        "________________________________\nFrom: Sam <a@b.org>\nSent: Tuesday, August 16, 2016 9:52 PM\n"
        "To: x\nSubject: foo\n\nhi"
    ),
    (
        "Get Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n"
        "From: Sam <a@b.org>\nSent: Tuesday, August 16, 2016 9:52:00 PM\nTo: x <x@y.com>\nSubject: foo\n\n"
        "hi"
    ),
    (
        "Sent from Yahoo Mail on Android\n\n"
        "  On Tue, Aug 16, 2016 at 9:52 PM, Sam<a@b.org> wrote:   hi there\n how are you"
    ),
    (
        "On Tue, Aug 16, 2016 at 9:52 PM, Samuel The Very Long Named Person\nvia Forum of All Things <\n"
        "incoming+abcdef@example.org> wrote:\n\n> hi"
    ),
    "On Tue, Aug 16, 2016 at 9:52 PM, Samuel <\nincoming+abcdef@example.org> wrote:\n\n> hi",
    "On Tue, Aug 16, 2016 at 9:52 PM, Samuel <incoming@example.org>\n\nwrote:\n\n> hi",
    (
        "*From:* Sam [mailto:a@b.org]\n\n*Sent:* Tuesday, August 16, 2016 9:52 PM\n\n*To:* x\n\n"
        "*Subject:* foo\n\n\nhi"
    ),
    (
        "**From:** Sam <a@b.org>\n**Sent:** Tuesday, August 16, 2016 9:52 PM\n**To:** x\n**Subject:** foo\n"
        "\nhi"
    ),
    (
        "-----Original Message-----\nFrom: bob <b@x.org>\nTo: xxx <xxx@gmail.com>; yy <yy@aol.com>\n"
        "Sent: Mon, Apr 2, 2012 5:49 pm\nSubject: Test\n\nHi"
    ),
    "--- Original Message ---\n\nhi",
    (
        "Begin forwarded message:\n\nFrom: Foo <a@b.org>\nSubject: x\n"
        "Date: January 1, 2019 at 12:00:00 PM GMT+1\nTo: <b@c.org>\n\nLorem"
    ),
    "> Begin forwarded message:\n> \n> From: Foo <a@b.org>\n> Lorem",
    (
        "-------- Forwarded Message --------\nSubject: \tx\nDate: \tTue, 1 Jan 2019 12:00:00 +0000\n"
        "From: \tFoo <a@b.org>\nTo: \tb@c.org\n\nLorem"
    ),
    (
        "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Tuesday, January 1, 2019 12:00 PM, Foo <a@b.org> wrote:\n\n"
        "> Lorem"
    ),
    (
        "------- Forwarded Message -------\nFrom: Foo <a@b.org>\n"
        "Date: On Tuesday, January 1st, 2019 at 12:00\nSubject: x\nTo: b@c.org\n\nLorem"
    ),
    (
        "----------\nForwarded message from Foo <a@b.org>\nDate: January 1, 2019 at 12:00\nSubject: x\n"
        "To: b@c.org\n\nLorem"
    ),
    (
        "---------- Forwarded message ----------\nFrom: Foo <a@b.org>\nDate: 1 Jan 2019, 12:00\n"
        "Subject: x\nTo: b@c.org\n\nLorem"
    ),
    (
        "-------- Пересылаемое сообщение --------\nОт: Foo <a@b.org>\nКому: b@c.org\n"
        "Дата: Вторник, 1 января 2019, 12:00 +03:00\nТема: x\n\nLorem"
    ),
    (
        "----- Forwarded Message ----- From: Foo "
        "<a@b.org>To: b@c.orgSent: Tuesday, January 1, 2019, 12:00:00 PM GMT+1Subject: x\n"
        "Lorem"
    ),
    (
        "   ----- Forwarded Message -----\n From: Foo <a@b.org>\n To: b@c.org\n"
        " Sent: Tuesday, January 1, 2019, 12:00:00 PM GMT+1\n Subject: x\n   Lorem"
    ),
    (
        "From: Foo <a@b.org>\nDate: Tuesday, 1 January 2019 at 12:00\nTo: \"b@c.org\" <b@c.org>\n"
        "Subject: x\nLorem"
    ),
    "1/1/2019, 12:00 \"Foo\" <a@b.org> wrote:\n\n    Lorem\n    ipsum",
    "—\nReply to this email directly or view it on GitHub\n<https://github.com/x>.",
    "On 01/01/2019 12:00 PM, Foo wrote:\n> hi\n\n-- \nBob",
    "------------------------------",
    (
        "Sent from my BlackBerry® wireless device\n\n-----Original Message-----\nFrom: a@b.org\n"
        "Date: Tue, 1 Jan 2019 12:00:00\nTo: <b@c.org>\nSubject: x\n\nhi"
    ),
    "Envoyé de mon iPhone\n\n> Le 1 janv. 2019 à 12:00, Foo <a@b.org> a écrit :\n> \n> hi",
    "De : Foo [mailto:a@b.org]\nEnvoyé : mardi 1 janvier 2019 12:00\nÀ : b\nObjet : x\n\nhi",
    (
        "-------- Message d'origine --------\nDe : Foo <a@b.org>\nDate : 01/01/2019 12:00 (GMT+01:00)\n"
        "À : b@c.org\nObjet : x\n\nhi"
    ),
    "Von: Foo <a@b.org>\nGesendet: Dienstag, 1. Januar 2019 12:00\nAn: b\nBetreff: x\n\nhi",
    (
        "Gesendet: Dienstag, 01. Januar 2019 um 12:00 Uhr\nVon: \"Foo\" <a@b.org>\nAn: b@c.org\n"
        "Betreff: x\n\nhi"
    ),
    (
        "-------- Ursprüngliche Nachricht --------\nVon: Foo \nDatum:01.01.2019 12:00 (GMT+01:00) \n"
        "An: b@c.org \nBetreff: x \n\nhi"
    ),
    (
        "Sent from my Galaxy\n\n\n-------- Original message --------\nFrom: Foo <a@b.org>\n"
        "Date: 1/1/19 12:00 PM (GMT-05:00)\nTo: b@c.org\nSubject: x\n\nhi"
    ),
    (
        "Sent from Mail for Windows 10\n\nFrom: Foo\nSent: Tuesday, 1 January 2019 12:00\nTo: b@c.org\n"
        "Subject: x\n\nhi"
    ),
    "From:   Foo <a@b.org>\nTo:     b@c.org, \nDate:   01/01/2019 12:00\nSubject:        x\n\n\n\nhi",
    "---- On Tue, 01 Jan 2019 12:00:00 +0530 Foo <a@b.org> wrote ----\n\nhi",
    "---- Foo wrote ----\n\nhi",
    "V V tor., 1. jan. 2019 ob 12:00 je oseba Foo <a@b.org> napisala:\n\n> hi",
    "În mar., 1 ian. 2019 la 12:00, Foo <a@b.org> a scris:\n\n> hi",
    "On\xa0Jan 1, 2019, at 12:00\u202fPM, Foo <a@b.org> wrote:\n\nhi",
]
