"""What columns of the tables are made by, and the metadata they share."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)
NOW = sa.text("now()")


def id(name: str, **options: object) -> sa.Column[object]:
    """A UUID."""
    return sa.Column(name, UUID(as_uuid=True), nullable=bool(options.pop("nullable", False)), **options)  # type: ignore[arg-type]


def text(name: str, **options: object) -> sa.Column[str]:
    """Words of any length."""
    return sa.Column(name, sa.Text, nullable=bool(options.pop("nullable", False)), **options)  # type: ignore[arg-type]


def time(name: str, **options: object) -> sa.Column[object]:
    """A moment."""
    kind = TIMESTAMP(timezone=True)
    return sa.Column(name, kind, nullable=bool(options.pop("nullable", False)), **options)  # type: ignore[arg-type]


def count(name: str) -> sa.Column[int]:
    """A number that starts at none."""
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
