"""Settings: each by a flag of the command line or a `TELLONCE_…` variable, each with a default that works."""

import json
import os
from pathlib import Path
from re import Pattern

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.event import CHANNELS, Name
from services.identifiers import Rules
from services.masking import Masking
from services.ours import Ours


class FactPattern(BaseModel):
    """A kind of fact to look for in what customers say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Name
    expression: Pattern[str] = Field(description="Its first group, or all of it, is the value.")
    asks: str = Field(default="", description="Stems of words by which a question asks for it, parted by |.")


class Settings(BaseSettings):
    """Everything that can be set, read from the environment (`TELLONCE_DATABASE`, `TELLONCE_LOG`, …)."""

    model_config = SettingsConfigDict(env_prefix="TELLONCE_", frozen=True)

    data: Path | None = Field(default=None, description="Folder of the embedded database.")
    database: str | None = Field(
        default=None, description="postgresql://… Left out: the embedded PostgreSQL in the data folder."
    )
    log: str = Field(default="postgres", description="postgres (a table in the database) or kafka://host:port,…")
    log_partitions: int = Field(default=3, ge=1, description="Partitions of the event log when it is created.")
    log_replication: int = Field(default=1, ge=1, description="Kafka: copies of each partition; 3 in production.")
    log_options: dict[str, str | int | bool] = Field(
        default_factory=dict,
        description="Kafka: further client settings as JSON, such as security_protocol, ssl_cafile, sasl_mechanism.",
    )
    log_days: int | None = Field(
        default=None,
        ge=1,
        description="Days for which a log in PostgreSQL keeps what is on the timelines; left out: for ever.",
    )
    group: str = Field(default="tellonce.timeline", description="Name under which timeline workers share partitions.")

    host: str = "127.0.0.1"
    api_port: int = 8080
    ingest_port: int = 8081
    ingest_processes: int = Field(
        default=2 if (os.cpu_count() or 1) > 1 else 1,
        ge=1,
        description="Processes of the ingest service on its port: at most one for each core of the machine.",
    )
    timeline_port: int = Field(default=8082, description="Port of the worker's /healthz, /readyz and /metrics.")
    analyse_port: int = Field(default=8083, description="The same of the analyser.")
    public_url: str | None = Field(default=None, description="Address under which users reach the API.")
    ingest_url: str | None = Field(
        default=None,
        description="Address under which vendors reach ingest, where it is signed; left out: what the request says.",
    )
    cors_origins: list[str] = Field(default=["*"], description="Sites whose pages may post events.")

    channels: list[str] = Field(default=list(CHANNELS), description="Channel names that are accepted.")
    default_region: str = Field(default="EE", description="Region of phone numbers without a country code.")
    placeholders: list[str] = Field(default=[], description="Further identifier values that stand for nobody.")
    placeholder_patterns: list[str] = Field(default=[], description="The same as regular expressions (full match).")
    limits: dict[str, int] = Field(default={}, description="Identifiers of a type one customer may have.")

    secret_patterns: list[Pattern[str]] = Field(
        default=[], description="Regular expressions; what they find in texts and data is masked before it is kept."
    )

    fact_patterns: list[FactPattern] = Field(
        default=[],
        description='Further facts that customers tell, as JSON: [{"kind": "meter", "expression": "meter (\\d+)", '
        '"asks": "meter"}].',
    )

    embeddings: bool = Field(
        default=False,
        description="Ask a sentence model too whether texts tell the same matter; needs tellonce[embeddings].",
    )

    smtp_port: int | None = Field(default=None, description="Take mails by SMTP on this port.")
    lmtp_port: int | None = Field(default=None, description="Take mails by LMTP on this port.")
    mail_source: str | None = Field(default=None, description="Source of mails whose recipient names none.")
    mail_certificate: Path | None = Field(default=None, description="Certificates for STARTTLS, in PEM.")
    mail_key: Path | None = Field(default=None, description="Their private key, in PEM.")
    mail_port: int | None = Field(
        default=None, description="Port of the mail listener's /healthz, /readyz and /metrics."
    )
    mail_sign_in: bool = Field(default=False, description="SMTP clients have to sign in with a source's key.")
    mail_own: list[str] = Field(
        default=[], description="Our mail addresses and domains: mails that they write are answers to customers."
    )
    mail_trusted: list[str] = Field(
        default=[],
        description="Names in Authentication-Results of our mail servers, whose word on a sender counts.",
    )

    request_timeout: float = Field(default=30.0, description="Seconds until a request must be there, body and all.")
    max_body: int = Field(default=1_000_000, description="Bytes of a request's body, inflated.")
    max_mail: int = Field(default=35_000_000, description="The same where it holds a mail, and of a mail by SMTP.")
    max_events: int = Field(default=500, description="Events in one request.")
    max_depth: int = Field(default=32, description="How deep a request's JSON may nest.")
    byte_budget: int = Field(default=64_000_000, description="Bytes in flight to the log before ingest answers 503.")
    append_timeout: float = Field(default=2.0, description="Seconds until an append that is not durable is a 503.")

    agent_figures: bool = Field(default=False, description="Figures may be told of single agents.")
    analyst_passages: bool = Field(
        default=False, description="Analysts may read what customers said where it is the evidence of a figure."
    )

    batch_size: int = Field(default=1000, description="Records a worker takes at once.")
    dead_share: float = Field(default=0.2, description="Share of unreadable records at which the worker stops.")
    dead_window: int = Field(default=500, description="Records over which that share is taken.")

    @property
    def is_kafka(self) -> bool:
        """Whether the event log is Kafka."""
        return self.log.startswith("kafka:")

    def environment(self) -> dict[str, str]:
        """What was set, as the variables that another process reads it from."""
        told = self.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}
        return {f"TELLONCE_{name.upper()}": value for name, value in written.items()}

    def rules(self) -> Rules:
        """How this deployment reads identifiers."""
        return Rules(
            self.default_region,
            frozenset(value.lower() for value in self.placeholders),
            tuple(self.placeholder_patterns),
            self.limits,
        )

    def masking(self) -> Masking:
        """What this deployment never keeps."""
        return Masking(self.secret_patterns)

    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """What this deployment's customers tell besides, as `services.timeline.patterns` has it."""
        return tuple((one.kind, one.expression.pattern, one.asks) for one in self.fact_patterns)

    def ours(self) -> Ours:
        """Which mail addresses are ours, and which mail servers."""
        return Ours.of(self.mail_own, self.mail_trusted)
