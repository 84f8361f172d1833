"""What the demo's people say, in their languages, from `texts/`."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from schemas.event import Reference
from services.demo.people import Person

AGENTS = {
    "en": ("Martin", "Ieva", "Helen"),
    "et": ("Katrin", "Martin", "Liina"),
    "lt": ("Eglė", "Jonas", "Ieva"),
}
TECHNICIANS = {"en": "Karl", "et": "Karl", "lt": "Tomas"}
TEAMS = {"en": "Tartu", "et": "Tallinn", "lt": "Vilnius"}
LOCKERS = {
    "en": ("Jaama 4", "Sadama 9", "Turu 12"),
    "et": ("Jaama 4", "Sadama 9", "Turu 12"),
    "lt": ("Stoties g. 5", "Uosto g. 9"),
}
QUESTIONS = ("hours", "gift_card", "company_invoice", "abroad")
GOODS = {"kettle": 0, "wrong_item": 1}  # which of the products these are about
TROUBLES = (
    "locker", "late", "router", "double_charge", "refund", "kettle",
    "wrong_item", "sign_in", "moving", "tv_addon", "app_payment", "esim",
)  # fmt: skip


@cache
def texts(language: str) -> dict[str, Any]:
    """All texts of a language: phrases by name, and `matters` by name."""
    return json.loads((files("services.demo") / "texts" / f"{language}.json").read_text("utf-8"))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Order:
    """Something bought in the shop; `amount` in euros."""

    number: str
    goods: str
    amount: str


@dataclass(frozen=True)
class Matter:
    """One thing that one person comes with, and the words for it; numbers and places are filled in."""

    name: str
    person: Person
    slots: dict[str, str]
    rng: Random

    @property
    def is_question(self) -> bool:
        """Nothing is wrong, they only want to know."""
        return self.name in QUESTIONS

    @property
    def references(self) -> tuple[Reference, ...]:
        """What it is about, by the number people use for it: an order, an invoice, or nothing."""
        said = str(self._own["written"])
        kinds = [kind for kind in ("order", "invoice") if f"{{{kind}}}" in said]
        return tuple(Reference(type=kind, value=self.slots[kind]) for kind in kinds)

    @property
    def number(self) -> str:
        """What they give when asked for a number."""
        return self.references[0].value if self.references else self.person.account

    def phrase(self, kind: str, **slots: str) -> str:
        """A phrase that fits any matter, one of its forms by chance."""
        return self._filled(texts(self.person.language)[kind], slots)

    def words(self, kind: str) -> str:
        """The matter's own words of a kind, such as `written`, one of its forms by chance."""
        return self._filled(self._own[kind], {})

    def turns(self) -> list[str]:
        """What they say about it on the phone, turn by turn."""
        return [turn.format(**self.slots) for turn in self.rng.choice(self._own["spoken"])]

    def menu(self) -> list[str]:
        """The way through the IVR."""
        return list(self._own["menu"])

    @property
    def queue(self) -> str:
        """Where calls about it wait, by the shop's own name, which is the same in all languages."""
        return str(texts("en")["matters"][self.name]["menu"][0])

    @property
    def team(self) -> str:
        """Who answers in this language."""
        return TEAMS[self.person.language]

    def cue(self, channel: str) -> str:
        """How they say that they have already explained it on that channel; empty if they don't."""
        cues: list[str] = texts(self.person.language)["cues"][channel]
        return self.rng.choice([*cues, ""])

    def letter(self, body: str) -> str:
        """A mail of the customer's with this body."""
        return f"{self.phrase('greetings')}\n\n{body}\n\n{self.phrase('partings')}\n{self.person.name}"

    def reply(self, body: str, agent: str) -> str:
        """A mail of an agent's with this body."""
        greeting = self.phrase("agent_greeting", name=self.person.first_name)
        return f"{greeting}\n\n{body}\n\n{self.phrase('agent_parting', agent=agent)}"

    def quoted(self, text: str, name: str, at: datetime) -> str:
        """How a mail program quotes an earlier mail."""
        lines = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
        return f"{self.phrase('quote', date=f'{at:%d.%m.%Y %H:%M}', name=name)}\n{lines}"

    @property
    def _own(self) -> dict[str, Any]:
        return texts(self.person.language)["matters"][self.name]  # type: ignore[no-any-return]

    def _filled(self, forms: str | list[str], slots: dict[str, str]) -> str:
        form = forms if isinstance(forms, str) else self.rng.choice(forms)
        return form.format(**self.slots, **slots)


def sentences(*parts: str) -> str:
    """The parts that are there, one after another, each with a full stop."""
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part)


def order(matter: str, language: str, rng: Random) -> Order:
    """An order of the goods that the matter of this name is about, else of anything."""
    products = texts(language)["products"]
    goods, amount = products[GOODS[matter]] if matter in GOODS else rng.choice(products)
    return Order(f"T-{rng.randint(40_000, 49_999)}", goods, amount)


def matter(name: str, person: Person, order: Order, rng: Random) -> Matter:
    """The matter of this name with its numbers and places."""
    amount = order.amount if name == "refund" else f"{rng.randint(9, 89)}.{rng.choice(['00', '50', '90'])}"
    slots = {
        "order": order.number,
        "invoice": f"A-{rng.randint(2_090_000, 2_099_999)}",
        "amount": f"{amount if person.language == 'en' else amount.replace('.', ',')} €",
        "locker": rng.choice(LOCKERS[person.language]),
        "code": f"{rng.randint(0, 999_999):06}",
        "days": str(rng.randint(2, 6)),
    }
    return Matter(name, person, slots, rng)
