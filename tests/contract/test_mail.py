"""A mail is accepted when the log has it, and not before, whichever log it is."""

import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from schemas.codec import decode
from tests.contract.conftest import Away
from tests.contract.logs import Log, Work, until
from tests.test_mailserver import Post, certificate, mail, serving  # noqa: F401 - a fixture


@pytest.fixture
def post(log: Log, engine: sa.Engine, certificate: Path) -> Iterator[Post]:  # noqa: F811
    with closing(log.appender()) as appender, serving(engine, appender, certificate) as found:
        yield found


def sent(post: Post, id: str) -> int:
    """What a mail is answered."""
    with post.smtp() as client:
        try:
            client.send_message(mail(id))
        except smtplib.SMTPResponseException as refusal:
            return refusal.smtp_code
        except smtplib.SMTPRecipientsRefused as refusals:
            return min(code for code, _ in refusals.recipients.values())
    return 250


def kept(log: Log, engine: sa.Engine, *ids: str) -> set[str]:
    """The ids of all events in the log, once these are among them."""
    with log.reader() as reader:
        work = Work(engine, reader)
        found = lambda: {decode(line).id for _, _, value in work.done for line in value.split(b"\n")}  # noqa: E731
        until(lambda: found() >= set(ids), work.step)
        return found()


def test_a_mail_that_is_accepted_is_in_the_log(post: Post, log: Log, engine: sa.Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = [f"{number}@example.ee" for number in range(20)]
        assert set(pool.map(lambda id: sent(post, id), ids)) == {250}
    with post.lmtp() as client:
        client.ehlo()
        client.sendmail("", ["sales@x.ee"], bytes(mail("lmtp@example.ee")))
    assert kept(log, engine, *ids, "lmtp@example.ee") == {*ids, "lmtp@example.ee"}


def test_while_the_log_is_away_a_mail_is_put_off_and_later_it_is_there_as_one_event(
    post: Post, log: Log, engine: sa.Engine, away: Away
) -> None:
    assert sent(post, "before@example.ee") == 250
    with away():
        assert sent(post, "meanwhile@example.ee") == 451
    until(lambda: sent(post, "meanwhile@example.ee") == 250)
    ids = {"before@example.ee", "meanwhile@example.ee"}
    assert kept(log, engine, *ids) == ids
