"""Who opens the files of ads: those who read the text that came with them."""

import httpx
import pytest
from sqlalchemy import delete, select

from accounts.models import Account
from core.db import unit_of_work
from modules.ads import life
from modules.ads.models import Ad, AdFile
from modules.ads.models_upload import AdUpload
from tests.accounts.helpers import sign_in
from tests.modules.ads.desk import FULL, Desk, files_of, picture
from tests.modules.ads.makers import accept, as_reader, make_moderator, make_person


@pytest.fixture
async def author(places: None, client: httpx.AsyncClient) -> Account:
    account = await make_person()
    await sign_in(client, account)
    return account


async def rows() -> list[AdFile]:
    async with unit_of_work() as session:
        return list(await session.scalars(select(AdFile).order_by(AdFile.ad_id, AdFile.position)))


async def test_files_are_served_to_those_who_may_read_the_ad(author: Account, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**FULL)
    await desk.press("ajouter-fichiers", files=[("une.jpg", picture((30, 20)))])
    (uid,) = files_of(desk.page)
    address, thumb = f"/annonces/fichiers/{uid}", f"/annonces/fichiers/{uid}/vignette"
    reader, moderator, far = await make_person(), await make_moderator(), await make_moderator("13")

    async def seen(account: Account) -> set[int]:
        await sign_in(client, account)
        return {(await client.get(address)).status_code, (await client.get(thumb)).status_code}

    assert await seen(reader) == {404}
    assert await seen(moderator) == {404}
    await sign_in(client, author)
    assert (await desk.press("transmettre")).status_code == 303
    (file,) = await rows()
    address, thumb = f"/annonces/fichiers/{file.uid}", f"/annonces/fichiers/{file.uid}/vignette"
    assert (await seen(reader), await seen(moderator), await seen(far)) == ({404}, {200}, {404})
    async with unit_of_work() as session:
        number = await session.scalar(select(Ad.number))
    assert number is not None
    await accept(number)
    assert await seen(reader) == {200}
    await sign_in(client, await make_person(None, None))
    assert (await client.get(address)).status_code == 403
    client.cookies.clear()
    assert (await client.get(address)).status_code == 401


SEEN = {
    "draft": {"author"},
    "pending": {"author", "moderator", "administrator"},
    "published": {"author", "doctor", "moderator", "other moderator", "administrator"},
    "unpublished": {"author", "moderator", "administrator"},
    "refused": {"author", "moderator", "administrator"},
    "corrected": {"author", "moderator", "administrator"},
    "deleted": set[str](),
}
"""Who opens a file that was on the ad when it was transmitted: those who read the text that came with it."""


@pytest.mark.parametrize("state", SEEN)
async def test_a_file_is_read_as_its_text_is(author: Account, client: httpx.AsyncClient, state: str) -> None:
    people = {
        "author": author,
        "doctor": await make_person(),
        "moderator": await make_moderator("78"),
        "other moderator": await make_moderator("13"),
        "administrator": await make_person(None, None, grants=(("administrator", ""),)),
    }
    desk = (await Desk(client).open()).fill(**(FULL | {"description": "Texte-canari transmis."}))
    await desk.press("ajouter-fichiers", files=[("transmise.jpg", picture((30, 20)))])
    assert (await desk.press("brouillon" if state == "draft" else "transmettre")).status_code == 303
    (sent,) = await rows()
    writer, judge = await as_reader(people["author"]), await as_reader(people["moderator"])
    async with unit_of_work() as session:
        ad = await session.get_one(Ad, sent.ad_id, with_for_update=True)
        if state in ("published", "unpublished"):
            await life.accept(session, judge, ad)
        if state == "unpublished":
            await life.unpublish(session, writer, ad, "other")
        if state in ("refused", "corrected"):
            await life.refuse(session, judge, ad, "")
        if state == "deleted":
            await life.remove(session, writer, ad)
    added = None
    if state == "corrected":
        await desk.open(f"/annonces/{ad.number}/modifier")
        desk.fill(description="Texte-canari corrigé.")
        await desk.press("ajouter-fichiers", files=[("corrigee.jpg", picture((20, 30)))])
        assert (await desk.press("brouillon")).status_code == 303
        added = next(file for file in await rows() if file.uid != sent.uid)
    async with unit_of_work() as session:
        # As a day later: what its author kept aside would be theirs whatever the ad is.
        await session.execute(delete(AdUpload))
    for role, account in people.items():
        await sign_in(client, account)
        told = (await client.get(f"/annonces/{ad.number}")).text
        told += (await client.get(f"/annonces/moderation/{ad.number}")).text
        for address in (f"/annonces/fichiers/{sent.uid}", f"/annonces/fichiers/{sent.uid}/vignette"):
            assert (await client.get(address)).status_code == (200 if role in SEEN[state] else 404), (role, address)
        said = "Texte-canari corrigé." if state == "corrected" and role == "author" else "Texte-canari transmis."
        assert (said in told) == (role in SEEN[state]), role
        if added is not None:
            for address in (f"/annonces/fichiers/{added.uid}", f"/annonces/fichiers/{added.uid}/vignette"):
                assert (await client.get(address)).status_code == (200 if role == "author" else 404), (role, address)
            assert ("Texte-canari corrigé." in told) == (role == "author"), role
    client.cookies.clear()
    assert (await client.get(f"/annonces/fichiers/{sent.uid}")).status_code == 401
    if added is None:
        return
    # Transmitted again, what was added belongs to what the council reads.
    await sign_in(client, people["author"])
    await desk.open(f"/annonces/{ad.number}/modifier")
    assert (await desk.press("transmettre")).status_code == 303
    await sign_in(client, people["moderator"])
    assert (await client.get(f"/annonces/fichiers/{added.uid}")).status_code == 200
