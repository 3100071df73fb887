"""People whom the registers know, and what councils do with an account, for the tests of standings."""

import re
from collections.abc import Collection, Iterator, Mapping

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import (
    KnownPerson,
    Standing,
    standing_of,
    use_known_people,
)
from accounts.models import Account
from accounts.models_coordinates import OrdinalFile
from core.db import unit_of_work
from directory.api import offer_known_people
from tests.accounts.helpers import form_token, make_account

PAGE = "/moderation/internes"
VISIT = "/coordonnees/premiere-visite"
GENERAL = "R38|SM54"
DOCTOR, STUDENT, HOSPITAL = "10101010101", "10101010102", "10101010105"
KNOWN = {
    DOCTOR: KnownPerson(
        "doctor", GENERAL, "78", "9 rue de Metz, 78200 Mantes", "cabinet@exemple.fr", "+33639981234", "0199001234"
    ),
    STUDENT: KnownPerson("intern"),
    HOSPITAL: KnownPerson("doctor", phone="0199001235"),
}


@pytest.fixture
def registers(client: httpx.AsyncClient) -> Iterator[None]:
    """A register of two people."""

    async def source(_session: AsyncSession, numbers: Collection[str]) -> Mapping[str, KnownPerson]:
        return {number: KNOWN[number] for number in numbers if number in KNOWN}

    async def specialties(_session: AsyncSession) -> Mapping[str, str]:
        return {GENERAL: "Médecine générale", "R38|SM40": "Pédiatrie"}

    use_known_people(source, specialties)
    yield
    offer_known_people()


async def attached(council: str, **more: str) -> Account:
    account = await make_account(name=("Julie", more.pop("name", "Marchand")), rpps=more.pop("rpps", None))
    async with unit_of_work() as session:
        session.add(OrdinalFile(account_id=account.id, council=council))
    return account


async def give(client: httpx.AsyncClient, account: Account, **typed: str) -> httpx.Response:
    where = f"{PAGE}/{account.uid}"
    page = await client.get(where)
    found = re.search(rf'action="{where}".*?name="version" value="(\d+)"', page.text, re.S)
    version = found[1] if found else "0"
    return await client.post(where, data={"_csrf": form_token(page.text), "version": version} | typed)


async def standing_now(account: Account) -> Standing | None:
    async with unit_of_work() as session:
        return await standing_of(session, account.id)
