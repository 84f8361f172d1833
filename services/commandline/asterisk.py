"""`tellonce ami`: an Asterisk's events, as they happen."""

import signal
from functools import partial
from threading import Event
from typing import Annotated

import typer

from services import ports
from services.errors import Invalid
from services.ingest.ami import listen, poster
from services.ingest.measures import Measures, Peer
from services.ingest.operations import application
from services.server import aside

PORT = 5038

app = typer.Typer()


@app.command(epilog="Example:  TELLONCE_AMI_SECRET=… tellonce ami pbx.example --user tellonce "
             "--to 'http://127.0.0.1:8081/v1/sources/pbx?key=KEY'")  # fmt: skip
def ami(
    context: typer.Context,
    host: Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="The Asterisk whose manager is listened to.")],
    user: Annotated[str, typer.Option(help="A user of manager.conf with read = call,cdr,agent,user.")],
    secret: Annotated[str, typer.Option(envvar="TELLONCE_AMI_SECRET", help="Their secret.")],
    to: Annotated[str, typer.Option(help="The address of the source, of kind asterisk, with its key.")],
    status_port: Annotated[
        int | None, typer.Option(help="Port of /healthz, /readyz and /metrics; none if left out.")
    ] = None,
) -> None:
    """Listen to Asterisk's manager (AMI) and post what happens there to a source; connect again when it ends."""
    name, _, port = host.partition(":")
    if port and not port.isdecimal():
        raise Invalid(f"{host!r} is no host with a port.", code="bad_address", hint="Write it as pbx.example:5038.")
    if status_port:
        ports.check(context.obj.host, status_port, "--status-port")
    stop, measures = Event(), Measures()
    peer = Peer("manager", measures)
    deliver = poster(to, partial(measures.timed, "ami"))
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    with aside(application(measures.registry, {"manager": peer.check}), context.obj.host, status_port):
        listen(name, int(port or PORT), user, secret, deliver, stop, peer.tell)
