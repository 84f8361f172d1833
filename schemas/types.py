"""The types of events we know. Others are kept and shown as they are."""

from functools import cache
from typing import Any, NamedTuple

from schemas.data import (
    Answered,
    Bar,
    Call,
    CallEnd,
    Changed,
    ChatEnd,
    ChatStart,
    Correction,
    Data,
    Failure,
    Form,
    Hold,
    Identified,
    MenuChoice,
    Message,
    Named,
    Note,
    Page,
    Pair,
    Reaction,
    Recording,
    Search,
    Stated,
    Transfer,
    Turn,
    Undelivered,
)
from schemas.event import Direction
from schemas.touchpoints import Billing, Delivery, Feedback, Purchase, Review, ShopVisit


class EventType(NamedTuple):
    """A type we know: the model of its `data`, where and which way it goes unless the event says so."""

    name: str
    data: type[Data]
    channel: str | None
    direction: Direction
    summary: str

    def checked(self, data: dict[str, Any]) -> dict[str, Any]:
        """The data with known fields in their one form, unset ones left out. Raises ValidationError."""
        if _has_one_form(self.data, data):
            return data
        return self.data.model_validate(data).model_dump(mode="json", by_alias=True, exclude_unset=True)


def _has_one_form(model: type[Data], data: dict[str, Any]) -> bool:
    """Whether data has but known fields that have no other form than they are given in, and fields of others."""
    kinds, needed = _kinds(model)
    found = data.keys() & kinds.keys()
    return needed <= found and all(data[name].__class__ is kinds[name] for name in found)


@cache
def _kinds(model: type[Data]) -> tuple[dict[str, type], frozenset[str]]:
    """The class of what each known field must hold to stay as it is, NEVER if nothing does; the needed fields."""
    kinds: dict[str, type] = {}
    for name, field in model.model_fields.items():
        kind = None if field.metadata else ALWAYS_AS_GIVEN.get(field.annotation)
        kinds |= dict.fromkeys((name, field.alias or name), kind or NEVER)
    needed = frozenset(name for name, field in model.model_fields.items() if field.is_required())
    return kinds, needed


ALWAYS_AS_GIVEN: dict[Any, type] = {str: str, str | None: str, dict[str, Any]: dict}
NEVER = type("Never", (), {})
IN, OUT, INTERNAL = Direction.inbound, Direction.outbound, Direction.internal

_TYPES = (
    EventType("message.received", Message, None, IN, "The customer wrote a mail, chat line or text."),
    EventType("message.sent", Message, None, OUT, "The company wrote to the customer."),
    EventType("message.edited", Changed, None, IN, "A message was written anew."),
    EventType("message.deleted", Changed, None, IN, "A message was taken back."),
    EventType("message.reacted", Reaction, None, IN, "A sign was put on a message, or taken off."),
    EventType("message.failed", Undelivered, None, INTERNAL, "A message did not reach the customer."),
    EventType("call.ringing", Call, "phone", IN, "A call rings or waits in a queue."),
    EventType("call.started", Call, "phone", IN, "A call was answered."),
    EventType("call.menu_choice", MenuChoice, "phone", IN, "The caller chose in the IVR."),
    EventType("call.turn", Turn, "phone", IN, "One party of a call said something."),
    EventType("call.transferred", Transfer, "phone", INTERNAL, "A call was handed on."),
    EventType("call.held", Hold, "phone", INTERNAL, "The caller was put on hold."),
    EventType("call.recorded", Recording, "phone", INTERNAL, "A recording of a call is there."),
    EventType("call.ended", CallEnd, "phone", INTERNAL, "A call ended."),
    EventType("chat.started", ChatStart, "chat", IN, "A chat was opened."),
    EventType("chat.ended", ChatEnd, "chat", INTERNAL, "A chat was closed."),
    EventType("page.viewed", Page, "web", IN, "A page of the site was opened."),
    EventType("form.submitted", Form, "web", IN, "A form was sent."),
    EventType("search.made", Search, "web", IN, "The customer searched."),
    EventType("error.shown", Failure, "web", OUT, "The customer saw an error."),
    EventType("screen.viewed", Named, "app", IN, "A screen of the app was opened."),
    EventType("app.event", Named, "app", IN, "Something happened in the app."),
    EventType("feedback.received", Feedback, None, IN, "The customer answered a survey."),
    EventType("review.posted", Review, "social", IN, "Somebody wrote a review in public."),
    EventType("shop.visited", ShopVisit, "in_person", IN, "The customer came to a shop."),
    EventType("purchase.made", Purchase, None, IN, "The customer bought something."),
    EventType("delivery.updated", Delivery, None, INTERNAL, "A delivery changed its status."),
    EventType("billing.updated", Billing, None, INTERNAL, "An invoice changed its status."),
    EventType("note.written", Note, None, INTERNAL, "An agent wrote a note."),
    EventType("customer.identified", Identified, None, INTERNAL, "A source says who somebody is."),
    EventType("customer.merged", Pair, "other", INTERNAL, "A person said that two customers are one."),
    EventType("customer.unmerged", Pair, "other", INTERNAL, "A person said that a customer is two."),
    EventType("identifier.barred", Bar, "other", INTERNAL, "A person said that it stands for nobody."),
    EventType("issue.joined", Correction, "other", INTERNAL, "A person said that two passages tell one issue."),
    EventType("issue.parted", Correction, "other", INTERNAL, "A person said that two passages tell two issues."),
    EventType("issue.answered", Answered, "other", INTERNAL, "The customer said whether it is about a known issue."),
    EventType("issue.stated", Stated, "other", INTERNAL, "A person said how an issue stands."),
)

TYPES: dict[str, EventType] = {type.name: type for type in _TYPES}
