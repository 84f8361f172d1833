"""What the customer said, and of which kind it is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.event import Author, Event, Role
from services.timeline.statements import Kind, classify, essence, spoken, statement, told_before, words_of

THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def wrote(text: str, **more: Any) -> Event:
    return Event(**{"id": "1", "source": "desk", "type": "message.received", "occurred_at": THEN, "channel": "email",
                    "text": text} | more)  # fmt: skip


def test_a_quoted_reply_is_not_an_explanation() -> None:
    mail = "Thanks, that solved it!\n\nOn Mon, 2 Mar 2026 at 08:00, Ann <a@b.ee> wrote:\n> My card is stuck in the ATM"
    said = statement(wrote(mail), "i")
    assert said is not None
    assert (said.matter, said.kind) == ("thanks, that solved it", Kind.closing)


@pytest.mark.parametrize("role", [Role.agent, Role.bot, Role.system])
def test_only_the_customer_speaks_for_the_customer(role: Role) -> None:
    assert statement(wrote("Your card is stuck in the ATM", author=Author(role=role)), "i") is None


def test_of_a_call_only_the_customers_turns_count() -> None:
    turns = [wrote("My card is stuck", type="call.turn", channel="phone", data={"speaker": who})
             for who in ("customer", "agent")]  # fmt: skip
    assert [words_of(turn) for turn in turns] == ["My card is stuck", ""]


def test_forms_and_searches_are_the_customers_words() -> None:
    search = wrote("", type="search.made", channel="web", data={"query": "return a parcel"})
    form = wrote("", type="form.submitted", data={"fields": {"who": "Ann", "why": "The lamp is broken"}})
    assert (words_of(search), words_of(form)) == ("return a parcel", "The lamp is broken")


def test_automatic_mail_says_nothing() -> None:
    assert not words_of(wrote("I am out of office until Monday", data={"headers": {"auto-submitted": "auto-replied"}}))


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("Where is my parcel? It should have come on Monday.", "en", Kind.explanation),
        ("Any news?", "en", Kind.followup),
        ("it is stil not workng", "en", Kind.followup),
        ("ok thank you bye", "en", Kind.closing),
        ("Thank you very much for all the assistance", "en", Kind.closing),
        ("Thanks, my card is stuck", "en", Kind.explanation),
        ("Thanks, but the lamp is still broken", "en", Kind.explanation),
        ("Aitäh, aga minu pakk ei ole kohale jõudnud", "et", Kind.explanation),
        ("Any news on order 48213?", "en", Kind.explanation),
        ("okaythankyou Drew", "en", Kind.closing),
        ("Yes, that is the right account", "en", Kind.closing),
        ("No internet connection", "en", Kind.explanation),
        ("What's the name of this song", "en", Kind.explanation),
        ("it was a pleasure talking with you", "en", Kind.smalltalk),
        ("Minu pakk ei ole kohale jõudnud", "et", Kind.explanation),
        ("Kas on uudiseid?", "et", Kind.followup),
        ("Suur aitäh abi eest!", "et", Kind.closing),
        ("Ar yra naujienų?", "lt", Kind.followup),
        ("Ačiū, viskas gerai", "lt", Kind.closing),
        ("Vai ir jaunumi?", "lv", Kind.followup),
        ("Liels paldies!", "lv", Kind.closing),
        ("Есть новости?", "ru", Kind.followup),
        ("Большое спасибо!", "ru", Kind.closing),
        ("Onko mitään uutta?", "fi", Kind.followup),
        ("Kiitos avusta", "fi", Kind.closing),
        ("Gibt es Neuigkeiten?", "de", Kind.followup),
        ("Vielen Dank", "de", Kind.closing),
        ("How are you?", "en", Kind.smalltalk),
        ("Mon colis n'est jamais arrivé", "fr", Kind.explanation),
        ("Merci", "fr", Kind.smalltalk),
    ],
)
def test_kinds_are_told_in_many_languages(text: str, language: str, kind: Kind) -> None:
    assert classify(essence(text, language), language) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Any news?", Kind.followup),
        ("I am still waiting for your reply", Kind.followup),
        ("Thanks, that solved it!", Kind.closing),
        ("Never came", Kind.explanation),
        ("Any news on 48213?", Kind.explanation),
    ],
)
def test_what_a_channel_says_it_is_about_makes_nothing_an_explanation_that_is_none(text: str, kind: Kind) -> None:
    assert classify(essence(text, "en"), "en", refers=True) == kind


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("As I told your colleague, the lamp is broken", "en"),
        ("Nagu ma juba selgitasin, lamp on katki", "et"),
        ("Kaip jau sakiau, lempa sugedo", "lt"),
        ("Kā jau teicu, lampa ir saplīsusi", "lv"),
        ("Как я уже говорила, лампа сломана", "ru"),
        ("Kuten jo kerroin, lamppu on rikki", "fi"),
        ("Wie ich bereits sagte, die Lampe ist kaputt", "de"),
    ],
)
def test_customers_who_told_before_say_so(text: str, language: str) -> None:
    assert told_before(text, language)
    assert spoken(text) == language
    assert not told_before(text.split(",")[1], language)
