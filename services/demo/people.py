"""The customers of the demo: made-up people. Mail domains and British numbers are reserved for that."""

import unicodedata
from dataclasses import dataclass
from random import Random

from schemas.event import Identifier, Verification

LANGUAGES = ("et", "lt", "en")
SHARES = (50, 30, 20)  # per cent

# First names and family names that go together; Lithuanian family names tell men, wives and daughters apart.
NAMES: dict[str, list[tuple[str, str]]] = {
    "et": [
        ("Mari Kadri Liis Kersti Anneli Triin Piret Helena Maarja Kaja Ülle Marge Ene Laura Eliise Johanna "
         "Jaan Toomas Rein Margus Priit Andres Siim Rasmus Kaspar Tõnu Indrek Meelis Raivo Karl Madis Oskar",
         "Tamm Saar Sepp Mägi Kask Kukk Rebane Ilves Pärn Koppel Luik Oja Raud Lepik Kallas Põder Laur Vaher "
         "Mets Kuusk Roos Teder Jõgi Karu Liiv Aas Sild Nurm Känd Uibo"),
    ],
    "lt": [
        ("Jonas Mantas Tomas Lukas Andrius Darius Rokas Vytautas Paulius Domantas Algirdas Marius",
         "Kazlauskas Petrauskas Jankauskas Žukauskas Butkus Paulauskas Vasiliauskas Urbonas Navickas"),
        ("Rasa Daiva Jurgita Inga Vilma Asta Rūta",
         "Kazlauskienė Petrauskienė Jankauskienė Žukauskienė Butkienė Paulauskienė Urbonienė Navickienė"),
        ("Ieva Gabija Austėja Eglė Monika Ugnė Simona",
         "Kazlauskaitė Petrauskaitė Jankauskaitė Žukauskaitė Butkutė Paulauskaitė Urbonaitė Navickaitė"),
    ],
    "en": [
        ("Anna Emma Olivia Grace Sophie Lucy Hannah Megan Daniel James Thomas Oliver Harry Owen Peter Liam",
         "Baker Carter Fisher Hughes Morgan Palmer Reid Spencer Turner Walsh Wright Young Ellis Grant Hayes"),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A customer: who they are and by what each channel knows them."""

    number: int
    name: str
    language: str
    email: str
    phone: str
    account: str
    device: str
    handset: str

    @property
    def first_name(self) -> str:
        """What they are called in a greeting."""
        return self.name.split()[0]

    @property
    def caller(self) -> Identifier:
        """The number that a call came from, attested by the network."""
        return Identifier(type="phone", value=self.phone, verification=Verification.verified)

    @property
    def sender(self) -> Identifier:
        """The address that a mail came from."""
        return Identifier(type="email", value=self.email, verification=Verification.verified)

    @property
    def browser(self) -> Identifier:
        """The cookie of the site."""
        return Identifier(type="device", value=self.device)

    @property
    def app(self) -> Identifier:
        """The installation of the app."""
        return Identifier(type="device", value=self.handset)

    @property
    def member(self) -> Identifier:
        """The account, when they are signed in."""
        return Identifier(type="account", value=self.account, verification=Verification.verified)


def person(number: int, rng: Random) -> Person:
    """The customer of this number; every number is somebody else."""
    language = rng.choices(LANGUAGES, SHARES)[0] if number else "en"
    first_names, family_names = rng.choice(NAMES[language])
    name = f"{rng.choice(first_names.split())} {rng.choice(family_names.split())}" if number else "Anna Kask"
    return Person(
        number=number,
        name=name,
        language=language,
        email=_email(name, number, rng),
        phone=_phone(language, number),
        account=f"TL-{20210 + number * 13}",
        device=f"web-{rng.getrandbits(48):012x}",
        handset=f"app-{rng.getrandbits(48):012x}",
    )


def _email(name: str, number: int, rng: Random) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    first, last = plain.split()
    local = rng.choice([f"{first}.{last}", f"{last}.{first}", f"{first}{last}", f"{first[0]}.{last}"])
    return f"{local}{number or ''}@{rng.choice(['mail', 'post', 'inbox'])}.example"


def _phone(language: str, number: int) -> str:
    """E.164. British ones from the range that Ofcom keeps for drama, the others in their countries' form."""
    prefix, digits = {"et": ("+37255", 100_000), "lt": ("+37061", 200_000), "en": ("+447700", 900_000)}[language]
    return f"{prefix}{digits + number * (1 if language == 'en' else 37)}"
