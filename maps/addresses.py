"""Addresses of a commune that look like what somebody types, for choosing one by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from maps.models import Address
from maps.streets import split_street, street_key

SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class FoundAddress:
    """An address of the national base: how it is written, and its WGS84 position."""

    id: str
    label: str
    lat: float
    lon: float


async def find_addresses(
    session: AsyncSession, commune_codes: Sequence[str], typed: str, limit: int = SHOWN
) -> list[FoundAddress]:
    """Return the addresses of some communes nearest in spelling to a text, its number first, in order.

    Args:
        session: unit of work.
        commune_codes: INSEE codes.
        typed: number and street as people write them; nothing is found without a letter of a street.
        limit: most addresses returned.
    """
    parts = split_street(typed)
    key = street_key(parts.street or "")
    if len(key) < 2 or not commune_codes:
        return []
    number = parts.number or 0
    likeness = func.similarity(Address.street_key, key)
    apart = func.abs(Address.number - number) if number else Address.number
    rows = await session.execute(
        select(
            Address.id,
            Address.number,
            Address.repetition,
            Address.street,
            Address.postal_code,
            func.ST_Y(func.geometry(Address.point)).label("lat"),
            func.ST_X(func.geometry(Address.point)).label("lon"),
        )
        .where(
            Address.commune_code.in_(list(commune_codes)),
            (likeness > 0.35) | Address.street_key.contains(key, autoescape=True),
        )
        .order_by(
            case((Address.street_key == key, 0), else_=1),
            func.round((1 - likeness) * 10),
            apart,
            Address.number,
            Address.repetition,
            Address.id,
        )
        .limit(limit)
    )
    return [
        FoundAddress(
            row.id,
            f"{row.number}{f' {row.repetition}' if row.repetition else ''} {row.street}, {row.postal_code}",
            row.lat,
            row.lon,
        )
        for row in rows
    ]
