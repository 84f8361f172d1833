"""What the `data` of touchpoints beside talk and visits holds: surveys, reviews, shops, purchases, parcels, bills."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from schemas.data import Amount, Currency, Data, Number
from schemas.event import Name, Short, Strict


class Contact(Strict):
    """A dealing that the customer had, by the source it came from and that source's own key for it."""

    source: Short = Field(description="The registered source, as `tellonce sources list` shows it.")
    conversation: Short


class Feedback(Data):
    """A survey's answer; its words are in `text`."""

    kind: Literal["nps", "ces", "csat"]
    score: Number = Field(description="nps 0 to 10, ces 1 to 7, csat 1 to `scale` 5, or 0 to `scale` 100.")
    scale: Literal[5, 100] = Field(default=5, description="csat only.")
    contact: Contact | None = Field(
        default=None, description="What it is about, where that came from another source than the survey."
    )

    @model_validator(mode="after")
    def _in_range(self) -> "Feedback":
        hundred = self.kind == "csat" and self.scale == 100
        low, high = (0, 100) if hundred else {"nps": (0, 10), "ces": (1, 7), "csat": (1, 5)}[self.kind]
        if not low <= self.score <= high:
            raise ValueError(f"score: {self.kind} goes from {low} to {high}, not {self.score:g}")
        return self


class Review(Data):
    """What somebody wrote in public about the company or its goods; the words are in `text`."""

    rating: Number | None = None
    scale: Annotated[Number, Field(gt=0)] = Field(default=5, description="The best rating there is.")
    title: str | None = None
    site: str | None = Field(default=None, examples=["trustpilot", "google"])
    url: str | None = None


class ShopVisit(Data):
    """A visit to a shop or office; what was said there is in `text`."""

    place: str | None = Field(default=None, description="The shop.")
    reason: str | None = Field(default=None, examples=["question", "return", "repair"])
    outcome: str | None = None


class Item(Data):
    """A line of a purchase."""

    name: str | None = None
    sku: str | None = None
    quantity: Annotated[Number, Field(ge=0)] = 1
    amount: Amount | None = None


class Purchase(Data):
    """What was bought; the order's number is in `references`."""

    amount: Amount | None = None
    currency: Currency | None = None
    items: list[Item] = Field(default=[])


class Delivery(Data):
    """How far a parcel is."""

    status: Name = Field(examples=["shipped", "in_transit", "delayed", "delivered", "lost", "returned"])
    tracking: str | None = None
    carrier: str | None = None
    due: str | AwareDatetime | None = Field(default=None, description="The promised day or moment.")


class Billing(Data):
    """How an invoice stands; its number is in `references`."""

    status: Name = Field(examples=["issued", "paid", "reminded", "failed", "refunded"])
    amount: Amount | None = None
    currency: Currency | None = None
    due: str | None = Field(default=None, description="The day it is to be paid.")
