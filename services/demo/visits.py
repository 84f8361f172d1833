"""What people do on the site and in the app, and what the shop does about what they buy."""

from datetime import datetime, timedelta
from random import Random

from schemas.event import Identifier, Reference
from services.demo.diary import Diary
from services.demo.lines import HOUR, Line
from services.demo.words import Matter, Order, texts

SITE = "https://tuulik.example"
CARRIER = "Pakivedu"

# The help page of each matter.
SLUGS = {
    "locker": "parcel-lockers", "late": "tracking", "router": "internet-faults", "double_charge": "invoices",
    "refund": "returns", "kettle": "warranty", "wrong_item": "wrong-item", "sign_in": "sign-in",
    "moving": "moving",
    "tv_addon": "tv-packages", "app_payment": "app-payments", "esim": "esim", "hours": "shops",
    "gift_card": "gift-cards", "company_invoice": "company-invoices", "abroad": "delivery-prices",
}  # fmt: skip
# Where in the app each matter is looked for first.
SCREENS = {
    "app_payment": "Invoices", "double_charge": "Invoices", "tv_addon": "Invoices", "sign_in": "Sign in",
    "router": "Internet", "moving": "Internet", "esim": "Mobile",
}  # fmt: skip
FAILURES = {"app_payment": ("P-311", "Payment failed"), "sign_in": ("A-404", "Account not found")}


def browse(diary: Diary, at: datetime, rng: Random, *, signs_in: bool) -> None:
    """A look around in the shop; one who signs in is known from then on."""
    line = _site(diary, at)
    shelves = texts(diary.person.language)["catalogue"]
    for path, title in rng.sample(shelves, rng.randint(2, 5)):
        _view(line, rng, path, title)
    if signs_in:
        sign_in(line, rng)


def sign_in(line: Line, rng: Random) -> None:
    """From an unknown visitor to a customer."""
    person = line.diary.person
    caller = (person.caller,) if line.diary.gives_number else ()
    line.named = (person.browser, person.member, person.sender, *caller)
    line.add(rng.uniform(20, 60), "customer.identified", None, line.customer, traits={"name": person.name})
    _view(line, rng, "account")


def look_for_help(diary: Diary, matter: Matter, at: datetime) -> None:
    """A search on the site and the help page that did not help."""
    line, rng = _site(diary, at), matter.rng
    _view(line, rng, "help")
    line.add(rng.uniform(10, 40), "search.made", query=matter.words("search"), results=rng.randint(0, 9))
    _view(line, rng, f"help/{SLUGS[matter.name]}", matter.words("page"))


def fill_in_form(diary: Diary, matter: Matter, at: datetime, text: str) -> None:
    """The site's form for whoever has something to say; it asks for the mail address, which strangers leave out."""
    line = _site(diary, at)
    fields = {"topic": matter.menu()[-1]}
    if diary.is_known:
        line.named = (diary.person.browser, Identifier(type="email", value=diary.person.email))
        fields |= {"name": diary.person.name, "number": matter.number}
    _view(line, matter.rng, "contact")
    line.add(90, "form.submitted", text, line.customer, form="contact", fields=fields)


def use_app(diary: Diary, matter: Matter, at: datetime) -> None:
    """The app: to the place in question, and the error that some matters show there."""
    person, rng = diary.person, matter.rng
    line = Line(diary, "app", "app", None, (person.app, person.member), at)
    for screen in ("Home", SCREENS.get(matter.name, "Orders")):
        line.add(rng.uniform(3, 20), "screen.viewed", name=screen)
    if matter.name in FAILURES:
        code, message = FAILURES[matter.name]
        for _ in range(rng.randint(1, 3)):
            line.add(rng.uniform(8, 40), "error.shown", message=message, code=code)
    else:
        line.add(rng.uniform(5, 30), "app.event", name="help_opened", properties={"page": SLUGS[matter.name]})


def buy(diary: Diary, order: Order, at: datetime, rng: Random, arrives: str = "delivered") -> None:
    """A purchase on the site with its invoice and its parcel, and how far that comes."""
    person = diary.person
    line = _site(diary, at)
    shelf, title = rng.choice(texts(person.language)["catalogue"])
    _view(line, rng, shelf, title)
    _view(line, rng, "basket")
    sign_in(line, rng)
    line.references = (Reference(type="order", value=order.number),)
    items = [{"name": order.goods, "quantity": 1, "amount": order.amount}]
    line.add(rng.uniform(60, 200), "purchase.made", amount=order.amount, currency="EUR", items=items)
    line = _office(diary, line.at, f"order-{order.number}", line.references)
    line.add(30, "billing.updated", status="paid", amount=order.amount, currency="EUR")
    tracking = f"PV{rng.randint(10**8, 10**9 - 1)}"
    for hours, status in (
        (rng.uniform(5, 20), "shipped"),
        (20, "in_transit"),
        (rng.uniform(12, 40), arrives),
    ):
        line.add(hours * HOUR, "delivery.updated", status=status, tracking=tracking, carrier=CARRIER)


def subscribe(diary: Diary, at: datetime, rng: Random) -> None:
    """A month's invoice for the home connection."""
    number, amount = f"A-{rng.randint(2_080_000, 2_089_999)}", rng.choice(["24.90", "29.90", "34.90"])
    line = _office(diary, at, f"invoice-{number}", (Reference(type="invoice", value=number),))
    due = f"{at + timedelta(days=14):%Y-%m-%d}"
    line.add(0, "billing.updated", status="issued", amount=amount, currency="EUR", due=due)
    if rng.random() < 0.15:
        line.add(16 * 86_400, "billing.updated", status="reminded", amount=amount, currency="EUR")
    line.add(rng.uniform(1, 4) * 86_400, "billing.updated", status="paid", amount=amount, currency="EUR")


def _site(diary: Diary, at: datetime) -> Line:
    return Line(diary, "web", "web", None, (diary.person.browser,), at)


def _office(diary: Diary, at: datetime, conversation: str, about: tuple[Reference, ...]) -> Line:
    return Line(diary, "web", "other", conversation, (diary.person.member,), at, about)


def _view(line: Line, rng: Random, path: str, title: str = "") -> None:
    """A page; those of every shop have their titles with the texts."""
    language = line.diary.person.language
    title = title or texts(language)["pages"][path]
    line.add(rng.uniform(8, 120), "page.viewed", url=f"{SITE}/{language}/{path}", title=title)
