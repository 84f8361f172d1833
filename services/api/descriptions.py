"""One event in a short English sentence. Pure; reads the canonical JSON of the codec."""

from collections.abc import Callable, Mapping
from typing import Any

from services.api.oddities import data_of
from services.api.phrases import (
    counted,
    joined,
    lasting,
    money,
    numbers,
    path,
    plain,
    quoted,
    shortened,
)

Wire = Mapping[str, Any]  # an event as canonical CloudEvents JSON
Data = Mapping[str, Any]  # its `data`
Sentence = Callable[[Wire, Data], str]

SENTENCES: dict[str, Sentence] = {}

AUTOMATIC = {"reply": "Automatic reply", "bounce": "Mail came back", "list": "Mailing list"}
WHO = {"customer": "Customer", "agent": "Agent", "bot": "Bot", "system": "System"}


def describe(event: Wire) -> str:
    """One event in a sentence; a type that is not known by its name and words."""
    data = data_of(event)
    return SENTENCES.get(event["type"], _unknown)(event, data)


def who(event: Wire) -> str:
    """Who did it: an agent or bot by name, the others by what they are."""
    author = data_of(event).get("author") or {}
    role = author.get("role") or ("customer" if event.get("direction") == "inbound" else "agent")
    if role in ("agent", "bot") and author.get("name"):
        return str(author["name"])
    return WHO.get(role, "Somebody")


def _says(type: str) -> Callable[[Sentence], Sentence]:
    def add(sentence: Sentence) -> Sentence:
        SENTENCES[type] = sentence
        return sentence

    return add


def _with_words(start: str, data: Data) -> str:
    return f"{start}: {quoted(data['text'])}" if data.get("text") else start


def _unknown(event: Wire, data: Data) -> str:
    if data.get("text"):
        return _with_words(event["type"], data)
    simple = {name: value for name, value in data.items() if isinstance(value, str | int | float)}
    fields = [f"{plain(name)} {shortened(str(value), 60)}" for name, value in simple.items()]
    return f"{event['type']}: {joined(*fields[:4])}" if fields else str(event["type"])


@_says("message.received")
@_says("message.sent")
def _message(event: Wire, data: Data) -> str:
    start = AUTOMATIC.get(data.get("automatic", "")) or f"{who(event)} wrote"
    about = f" about {quoted(data['subject'], 80)}" if data.get("subject") else ""
    return _with_words(joined(start + about, counted(len(data.get("attachments") or ()), "file")), data)


@_says("message.edited")
def _edited(event: Wire, data: Data) -> str:
    return _with_words(f"{who(event)} wrote it anew", data)


@_says("message.deleted")
def _deleted(event: Wire, data: Data) -> str:
    return f"{who(event)} took a message back"


@_says("message.reacted")
def _reacted(event: Wire, data: Data) -> str:
    emoji = data.get("emoji")
    return f"{who(event)} reacted with {emoji}" if emoji else f"{who(event)} took a reaction back"


@_says("message.failed")
def _failed(event: Wire, data: Data) -> str:
    return joined("A message of ours did not arrive", shortened(str(data.get("reason") or ""), 120))


@_says("call.ringing")
def _ringing(event: Wire, data: Data) -> str:
    verb = "We called" if event.get("direction") == "outbound" else "Called"
    return joined(verb, data.get("queue") and f"waiting in {data['queue']}")


@_says("call.started")
def _call_started(event: Wire, data: Data) -> str:
    role = (data.get("author") or {}).get("role")
    by = data.get("agent") or (role in ("agent", "bot") and who(event))
    return f"Call answered by {by}" if by else "Call answered"


@_says("call.menu_choice")
def _menu(event: Wire, data: Data) -> str:
    steps = " › ".join(map(str, data.get("path") or ())) or data.get("choice") or "an option"
    return _with_words(joined(f"Chose {steps} in the phone menu", data.get("reason")), data)


@_says("call.turn")
def _turn(event: Wire, data: Data) -> str:
    speaker = data.get("speaker") or ("agent" if event.get("direction") == "outbound" else "customer")
    name = (data.get("author") or {}).get("name") if speaker == "agent" else None
    return _with_words(f"{name or WHO.get(speaker, 'Somebody')} said", data)


@_says("call.transferred")
def _transferred(event: Wire, data: Data) -> str:
    desks = {"from": data.get("from") or {}, "to": data.get("to") or {}}
    names = {word: desk.get("agent") or desk.get("queue") for word, desk in desks.items()}
    way = "".join(f" {word} {name}" for word, name in names.items() if name)
    return joined(f"Call handed on{way}", data.get("reason"))


@_says("call.held")
def _held(event: Wire, data: Data) -> str:
    length = lasting(data.get("seconds"))
    return joined("Put on hold" + (length and f" for {length}"), data.get("reason"))


@_says("call.recorded")
def _recorded(event: Wire, data: Data) -> str:
    return joined("Call recorded", lasting(data.get("seconds")))


@_says("call.ended")
def _call_ended(event: Wire, data: Data) -> str:
    talk = lasting(data.get("talk_seconds"))
    return joined("Call ended", plain(data.get("disposition")), talk and f"{talk} of talk")


@_says("chat.started")
def _chat_started(event: Wire, data: Data) -> str:
    place = path(data.get("url"))
    return _with_words("Opened a chat" + (place and f" on {place}"), data)


@_says("chat.ended")
def _chat_ended(event: Wire, data: Data) -> str:
    length = lasting(data.get("seconds"))
    return joined("Chat ended", plain(data.get("disposition")), length and f"after {length}")


@_says("page.viewed")
def _page(event: Wire, data: Data) -> str:
    title = data.get("title") or data.get("name") or path(data.get("url"))
    return f"Viewed {quoted(title, 80)}" if title else "Viewed a page"


@_says("form.submitted")
def _form(event: Wire, data: Data) -> str:
    form = data.get("form")
    return _with_words(f"Sent the form {quoted(form, 80)}" if form else "Sent a form", data)


@_says("search.made")
def _search(event: Wire, data: Data) -> str:
    results = data.get("results")
    found = None if results is None else counted(results, "result") or "no results"
    return joined(f"Searched for {quoted(data.get('query', ''), 80)}", found)


@_says("error.shown")
def _error(event: Wire, data: Data) -> str:
    code = f" ({data['code']})" if data.get("code") not in (None, "") else ""
    message = f": {shortened(str(data['message']), 200)}" if data.get("message") else ""
    return f"Saw an error{code}{message}"


@_says("screen.viewed")
def _screen(event: Wire, data: Data) -> str:
    return f"Opened the screen {quoted(data.get('name', ''), 80)}"


@_says("app.event")
def _app_event(event: Wire, data: Data) -> str:
    return _with_words(f"In the app: {plain(data.get('name'))}", data)


@_says("feedback.received")
def _feedback(event: Wire, data: Data) -> str:
    kind = str(data.get("kind", ""))
    best = {"nps": 10, "ces": 7}.get(kind, data.get("scale", 5))
    return _with_words(f"Rated {data.get('score')} of {best} ({kind.upper()})", data)


@_says("review.posted")
def _review(event: Wire, data: Data) -> str:
    rating, scale = data.get("rating"), data.get("scale", 5)
    stars = "" if rating is None else f", {rating} of {scale}"
    site = f" on {data['site']}" if data.get("site") else ""
    return _with_words(f"Wrote a review{site}{stars}", data)


@_says("shop.visited")
def _shop(event: Wire, data: Data) -> str:
    place = f" in {data['place']}" if data.get("place") else ""
    return _with_words(joined(f"Came to the shop{place}", plain(data.get("reason")), data.get("outcome")), data)


@_says("purchase.made")
def _purchase(event: Wire, data: Data) -> str:
    goods = [str(item["name"]) for item in data.get("items") or () if item.get("name")]
    named = joined(*goods[:3], "more" if len(goods) > 3 else "") or "something"
    price = money(data)
    return f"Bought {named}" + (price and f" for {price}") + numbers(data)


@_says("delivery.updated")
def _delivery(event: Wire, data: Data) -> str:
    carrier = f" with {data['carrier']}" if data.get("carrier") else ""
    due = data.get("due") and f"due {str(data['due'])[:10]}"
    return joined(f"Parcel {plain(data.get('status'))}{carrier}", due) + numbers(data)


@_says("billing.updated")
def _billing(event: Wire, data: Data) -> str:
    due = data.get("due") and f"due {data['due']}"
    return joined(f"Invoice {plain(data.get('status'))}", money(data), due) + numbers(data)


@_says("note.written")
def _note(event: Wire, data: Data) -> str:
    return _with_words(f"Note by {who(event)}", data)


@_says("customer.identified")
def _identified(event: Wire, data: Data) -> str:
    name = (data.get("traits") or {}).get("name") or (data.get("author") or {}).get("name")
    handles = [one["value"] for one in data.get("identifiers") or () if one.get("type") != "device"]
    known = name or joined(*handles[:3])
    return f"Became known as {known}" if known else "Became known"


@_says("customer.merged")
def _merged(event: Wire, data: Data) -> str:
    return joined(f"{who(event)} joined {_handle(data, 'left')} and {_handle(data, 'right')}", data.get("reason"))


@_says("customer.unmerged")
def _unmerged(event: Wire, data: Data) -> str:
    parted = f"{who(event)} took {_handle(data, 'left')} and {_handle(data, 'right')} apart"
    return joined(parted, data.get("reason"))


@_says("identifier.barred")
def _barred(event: Wire, data: Data) -> str:
    return joined(f"{who(event)} barred {_handle(data, 'identifier')} from linking", data.get("reason"))


@_says("issue.joined")
def _same(event: Wire, data: Data) -> str:
    return joined(f"{who(event)} said that two passages tell one issue", data.get("reason"))


@_says("issue.parted")
def _other(event: Wire, data: Data) -> str:
    return joined(f"{who(event)} said that two passages tell two issues", data.get("reason"))


@_says("issue.answered")
def _answered(event: Wire, data: Data) -> str:
    about = "an issue that is known" if data.get("same") else "another issue than was thought"
    return joined(f"Customer told {who(event)} that it is about {about}", data.get("reason"))


@_says("issue.stated")
def _stated(event: Wire, data: Data) -> str:
    return joined(f"{who(event)} said that an issue is {data.get('state')}", data.get("reason"))


def _handle(data: Data, name: str) -> str:
    return str((data.get(name) or {}).get("value") or "an identifier")
