"""Who knows an issue: the queue and the agent to route its customer to, by who dealt with it. Pure.

Each contact speaks for those who dealt with it, half as much for every fortnight since, and half where they called it
resolved and the customer came back. Contacts that only a bot or a phone menu touched speak for nobody.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.api.hints import Familiar, Routing

HALVED = timedelta(days=14)  # time in which a contact comes to speak half as much
DOUBT = 0.5  # what speaks for something else altogether


class Touch(NamedTuple):
    """A contact of an issue and who dealt with it; '' for nobody."""

    at: datetime
    queue: str
    agent: str
    resolved: bool  # as they said


def routing(touches: Sequence[Touch], now: datetime) -> Routing:
    """Who knows it best, each with how sure that is."""
    ordered = sorted(touches)
    return Routing(
        queue=_familiar([(one.queue, one) for one in ordered], now),
        agent=_familiar([(one.agent, one) for one in ordered], now),
    )


def fading(at: datetime, now: datetime) -> float:
    """What is left of the weight of something that happened then."""
    return float(0.5 ** (max(now - at, timedelta()) / HALVED))


def _familiar(named: Sequence[tuple[str, Touch]], now: datetime) -> Familiar | None:
    weights, touched = defaultdict[str, float](float), defaultdict[str, list[Touch]](list)
    for name, touch in named:
        if name:
            came_back = touch.resolved and touch != named[-1][1]
            weights[name] += fading(touch.at, now) * (0.5 if came_back else 1)
            touched[name].append(touch)
    if not weights:
        return None
    best = max(weights, key=lambda name: (round(weights[name], 6), touched[name][-1].at, name))
    sure = weights[best] / (sum(weights.values()) + DOUBT)
    last = touched[best][-1]
    return Familiar(
        name=best, last_at=last.at, contacts=len(touched[best]), resolved=last.resolved, sure=round(sure, 2)
    )
