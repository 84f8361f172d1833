"""What somebody wrote in a mail themselves, told from what it repeats and from what stands around it."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks import replies
from services import hypertext
from services.timeline.quotes import Kind
from services.timeline.text import cleaned
from tests.mails import BELOW, QUOTE, THANKS, TONGUES, answers, forwards, pages


def said(text: str) -> list[str]:
    return [line for line in cleaned(text).reply.split("\n") if line]


@pytest.mark.parametrize("program", answers(TONGUES["en"]))
@pytest.mark.parametrize("tongue", TONGUES)
def test_an_answer_is_told_from_what_it_quotes(tongue: str, program: str) -> None:
    words = TONGUES[tongue]
    assert said(answers(words)[program]) == words.reply.split("\n")


@pytest.mark.parametrize("program", pages(TONGUES["en"]))
@pytest.mark.parametrize("tongue", TONGUES)
def test_html_says_itself_what_is_quoted(tongue: str, program: str) -> None:
    words, html = TONGUES[tongue], pages(TONGUES[tongue])[program]
    for text in ("", hypertext.text(html)):
        mail = cleaned(text, html)
        assert [line for line in mail.reply.split("\n") if line] == words.reply.split("\n")
        assert mail.whole == hypertext.text(html)


@pytest.mark.parametrize("program", forwards(TONGUES["en"]))
@pytest.mark.parametrize("tongue", TONGUES)
def test_a_forward_without_a_word_says_that_it_is_one(tongue: str, program: str) -> None:
    mail = cleaned(forwards(TONGUES[tongue])[program])
    assert mail.reply == ""
    assert mail.only_forwards
    assert all(line in mail.cut[-1].text for line in QUOTE)


@pytest.mark.parametrize("below", BELOW)
def test_what_other_programs_put_below_an_answer_is_cut(below: str) -> None:
    assert said(f"{THANKS}\n\n{below}") == [THANKS]


def test_answers_between_the_lines_stay_where_they_are() -> None:
    text = "On Tue, Shop <help@shop.example> wrote:\n\n> When?\n\nToday.\n\n> Where?\n>> At home?\n\nHere."
    assert cleaned(text).reply == "Today.\n\nHere."


def test_an_answer_below_the_quote_stays() -> None:
    assert cleaned(f"> How is it?\n> Fine?\n\n{THANKS}").reply == THANKS


def parts(text: str) -> list[tuple[str, str]]:
    return [(part.kind.value, part.text.strip()) for part in cleaned(text).parts]


def test_nothing_is_lost_and_each_cut_says_why() -> None:
    text = (
        "Hello,\n\nthe parcel did not come.\n\nBest regards\nMari\n\n-- \nMari Maasikas\n+372 5551 2345\n\n"
        "On Mon, May 4, 2026 at 10:00 AM Shop <help@shop.example> wrote:\n> It has left.\n"
    )
    assert parts(text) == [
        ("greeting", "Hello,"),
        ("own", "the parcel did not come."),
        ("closing", "Best regards\nMari"),
        ("signature", "-- \nMari Maasikas\n+372 5551 2345"),
        ("quote", "On Mon, May 4, 2026 at 10:00 AM Shop <help@shop.example> wrote:\n> It has left."),
    ]
    mail = cleaned(text)
    assert mail.whole == text
    assert mail.reply == "Hello,\n\nthe parcel did not come.\n\nBest regards\nMari"
    assert mail.statement == "the parcel did not come."
    assert not mail.only_forwards


@pytest.mark.parametrize(
    "text",
    [
        "I have seen this:\n\nOrder: 4711\nDate: 4 May 2026\nPlace: Tartu\n\nWhat now?",
        "From: Tallinn\nTo: Riga\nDate: 4 May 2026 10:00\nSeats: 2\n\nCan I change it?",
        "Name: Mari Maasikas\nEmail: mari@example.com\nDate: 4 May 2026\nProblem: it is broken",
        "Two matters.\n\n-----\n\nFirst, the parcel.\n\n-----\n\nSecond, the invoice. Could you send it?",
        "Parcel\n------\nIt did not come.\n\nInvoice\n=======\nIt is wrong.",
        "On 4 May your colleague wrote to me:\nthat it would come the next day. It did not.",
        "Sent from my house on Monday, the parcel is still not there.",
        "My problem is with my iPhone",
        "The letter you sent was confidential, but not for me.",
        "It costs:\n\n* 5 euros\n* 7 euros\n\nWhich one is right?",
        "At 10:00 I was told:\n\nit comes today.",
        "Original message was lost, please send it again.",
        "|a|b|\n|1|2|",
        "--verbose does nothing",
        "Hello, my parcel did not come",
        "Thanks for the parcel, but it is broken.",
        "I live at <mari@example.com> since 4 May 2026 10:00\n\nand this is it:\n\nhelp",
        "On Monday I will come.\nOn Tuesday too:\n\n* one\n* two",
        "Forward this to your manager:\n\nI am not content.",
    ],
)
def test_what_people_write_themselves_is_left(text: str) -> None:
    mail = cleaned(text)
    assert mail.reply == text
    assert not mail.cut


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my iPhone",
        "Sent from Outlook for Android<https://aka.ms/one>",
        "Get [Outlook for iOS](https://aka.ms/two)",
        "Saadetud minu Samsung Galaxy nutitelefonist",
        "Отправлено с мобильного устройства",
        "Отправлено из Почты Mail.ru для Android",
        "Von meinem Samsung Galaxy Smartphone gesendet.",
        "Envoyé de mon iPad",
        "Sent from my phone, please excuse any typos.",
        "--\nMari",
        "—\nReply to this mail directly",
        "_______________________________________________\nlist mailing list\nlist@example.com",
        "-----\nMari Maasikas\nwww.example.com",
        "-----BEGIN PGP SIGNATURE-----\n\nabc=\n-----END PGP SIGNATURE-----",
    ],
)
def test_what_a_program_adds_is_a_signature(text: str) -> None:
    mail = cleaned(f"It did not come.\n\n{text}")
    assert mail.reply == "It did not come."
    assert {part.kind for part in mail.cut} == {Kind.signature}


@pytest.mark.parametrize(
    "text",
    [
        "This e-mail is confidential and intended only for the recipient named above. If you are not that person, "
        "please tell the sender and delete it.",
        "Käesolev kiri on konfidentsiaalne ja mõeldud üksnes selle adressaadile. Kui Te ei ole õige saaja, "
        "palume kirjast teatada ja see kustutada.",
        "Šis laiškas yra konfidencialus ir skirtas tik jo gavėjui. Jeigu laišką gavote per klaidą, prašome apie tai "
        "pranešti siuntėjui ir laišką ištrinti.",
        "Настоящее письмо конфиденциально и предназначено только для адресата. Если Вы получили его по ошибке, "
        "сообщите отправителю и удалите письмо.",
        "Please consider the environment before printing this e-mail.",
    ],
)
def test_a_disclaimer_is_cut_in_any_language(text: str) -> None:
    mail = cleaned(f"It did not come.\n\n{text}")
    assert mail.reply == "It did not come."
    assert [part.kind for part in mail.cut] == [Kind.disclaimer]


@pytest.mark.parametrize(
    ("greeting", "closing"),
    [
        ("Dear Mr Smith,", "Kind regards,"), ("Tere!", "Lugupidamisega"), ("Laba diena,", "Pagarbiai,"),
        ("Labdien!", "Ar cieņu,"), ("Hei,", "Ystävällisin terveisin"), ("Здравствуйте!", "С уважением,"),
        ("Sehr geehrte Damen und Herren,", "Mit freundlichen Grüßen"), ("Dzień dobry,", "Z poważaniem"),
        ("Hej!", "Med vänliga hälsningar"),
    ],
)  # fmt: skip
def test_greeting_and_closing_are_theirs_but_say_nothing(greeting: str, closing: str) -> None:
    text = f"{greeting}\n\n4711 did not come.\n\n{closing}\nMari Maasikas\nTel. 5551 2345"
    mail = cleaned(text)
    assert mail.reply == text
    assert mail.statement == "4711 did not come."


def test_a_forward_with_a_word_keeps_the_word() -> None:
    mail = cleaned("See below.\n\n" + forwards(TONGUES["et"])["Gmail"])
    assert mail.reply == "See below."
    assert [part.kind for part in mail.cut] == [Kind.forward]
    assert not mail.only_forwards


def test_plain_text_counts_where_the_html_says_something_else() -> None:
    assert cleaned("It is blue.", "<p>It is red.</p>").reply == "It is blue."


SEEN = {line for tongue in TONGUES.values() for text in answers(tongue).values() for line in text.split("\n")}
TEXTS = st.text() | st.lists(st.sampled_from(sorted(SEEN)) | st.text(max_size=20)).map("\n".join)


@given(TEXTS)
@example("a\r\nb\rc\n")
@example("From: a@b.example\n\n> x\nDate: 4 May 2026\nSubject: c\nTo: d\n--\n-- ")
def test_the_reply_is_lines_of_the_mail_and_cleaning_it_again_changes_nothing(text: str) -> None:
    mail = cleaned(text)
    assert len(mail.reply) <= len(text)
    assert set(mail.reply.split("\n")) <= {*mail.whole.split("\n"), ""}
    assert mail.whole == text.replace("\r\n", "\n").replace("\r", "\n")
    assert cleaned(mail.reply).reply == mail.reply


@given(st.lists(st.sampled_from(["<div>", "</div>", "<blockquote>", "</p>", "<br>", "<hr>", "<x", "a", "> b", "&gt;"])))
def test_any_html_is_cleaned(pieces: list[str]) -> None:
    html = "".join(pieces)
    mail = cleaned("", html)
    assert mail.whole == hypertext.text(html)
    assert cleaned(mail.reply).reply == mail.reply


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><![if !supportLists]>two<![endif]>", "one\ntwo"),
        ("one<![<![", "one<![<!["),
        ("<p>one</p><a two", "one\n<a two"),
        ("one <!-- two <b>three</b>", "one <!-- two three"),
        ("one<!-- two --> three", "one three"),
    ],
)
def test_html_that_nobody_closed_is_read(html: str, text: str) -> None:
    assert hypertext.text(html) == text


@pytest.mark.timeout(60)
@pytest.mark.parametrize("opened", ["<a ", "<a b=c ", "<x y='", "<!--", "<![", "<?", "</a ", "<!"])
@pytest.mark.parametrize("end", ["", ">", "'>"])
def test_html_opened_without_end_is_read_to_its_end(opened: str, end: str) -> None:
    hypertext.text(opened * 50_000 + end)  # with a square of the length this would take minutes


def test_what_is_measured_counts_lines_too_many_and_lines_lost(tmp_path: Path) -> None:
    for folder, text in (("emails", "One.\n\n> Two."), ("trimmed", "One.\nThree.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(text)
    (tmp_path / "email_b.txt").write_text(f"{replies.CRISP} dolor nec nibh.\n\nMore.")
    figures = replies.measure(tmp_path)
    assert (figures["leaking"], figures["losing"]) == (["crisp/email_b.txt"], ["discourse/a.txt"])
    assert figures["corpora"]["all"] == {"mails": 2, "expected": 2, "exact": 0, "leaks": 1, "losses": 1}


def test_public_corpora_are_cleaned_as_well_as_measured(shared: Path) -> None:
    figures = replies.measure(shared / "fixtures" / "email")
    assert figures["losing"] == []
    assert figures["leaking"] == []
    told = figures["corpora"]["all"]
    assert told["mails"] >= 35
    assert told["exact"] == told["expected"]


def test_html_of_nothing_but_tags_is_read_as_the_words_between_them() -> None:
    assert hypertext.text("<b>My</b>" + "<i>" * hypertext.MANY + "parcel &amp; I") == "My parcel & I"
