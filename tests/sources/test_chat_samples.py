"""Every recorded sample of a chat system becomes events, or nothing where it tells nothing; none is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sources.chats import becomes

FOLDERS = {
    "chatwoot": "chatwoot", "intercom": "intercom", "messenger": "messenger", "whatsapp": "whatsapp", "slack": "slack",
    "sunshine_v1": "sunshine",
}  # fmt: skip
SILENT = {  # receipts, a linked account
    "webhook_09.json", "webhook_11.json", "conversation_read.0.json", "delivery_success.0.json",
}  # fmt: skip


def bodies(file: Path) -> dict[str, Any]:
    """The body in a file, or its several named ones."""
    held = json.loads(file.read_text())
    several = file.parent.name == "whatsapp" and "object" not in held
    return held if several else {"": held}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_sample_becomes_events(folder: str, shared: Path) -> None:
    files = sorted((shared / "fixtures/chat" / folder).glob("*.json"))
    assert files
    for file in files:
        for name, body in bodies(file).items():
            events = becomes(FOLDERS[folder], body)
            assert not [one for one in events if "refused" in one], (file.name, name, events)
            assert bool(events) == (file.name not in SILENT), (file.name, name, events)
            if any("handshake" in one for one in events):
                continue
            said = [one for one in events if one["type"].startswith("message.")]
            assert all(one["conversation"] for one in said), (file.name, name, events)
            assert becomes(FOLDERS[folder], body) == events, "a retry says the same"
