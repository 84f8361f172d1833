"""`tellonce up`: everything on this machine, in one process group."""

import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.console import Console

from schemas.codec import decode, encode
from services import access, demo, embedded, health, ports, processes
from services.access import Role
from services.commandline import instances
from services.commandline.access import address, link, reachable
from services.commandline.imports import progress
from services.commandline.opening import Instance, check
from services.database import engine
from services.embedded import Server
from services.errors import Conflict
from services.eventlog.opening import ensure_topics, open_appender
from services.files import Item
from services.importing import Import, Tally
from services.processes import Child
from services.secrets import kept
from services.settings import Settings
from services.timeline import migrate
from services.timeline.tables import events, imports
