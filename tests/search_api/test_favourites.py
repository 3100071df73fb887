"""Offers kept at hand: on the sheet, in the list, with notes that nobody else reads."""

import httpx
from sqlalchemy import update

from accounts.api import add_favourite
from core.db import unit_of_work
from directory.api import Offer
from tests.accounts.helpers import make_account, sign_in, signed_in, submit
from tests.search_api.test_compare import offers


async def test_an_offer_is_kept_noted_and_let_go(api: httpx.AsyncClient) -> None:
    first, second = await offers(2)
    mine = await signed_in(api)
    assert "pas d’offre favorite" in (await api.get("/favoris")).text
    sheet = f"/offres/{first.uid}"
    assert "Garder" in (await api.get(sheet)).text
    for _ in range(2):
        kept = await submit(api, sheet, "/favoris/ajouter", {"offre": str(first.uid), "suite": sheet})
        assert kept.headers["location"] == sheet
    assert "Gardée" in (await api.get(sheet)).text
    note = "Rappeler <b>mardi</b> l’infirmière"
    await submit(api, "/favoris", "/favoris/note", {"offre": str(first.uid), "note": note})
    page = (await api.get("/favoris")).text
    assert page.count('id="note-') == 1
    assert "Rappeler &lt;b&gt;mardi&lt;/b&gt;" in page
    refused = await submit(api, "/favoris", "/favoris/note", {"offre": str(first.uid), "note": "é" * 2001})
    assert refused.status_code == 422
    assert "é" * 2001 in refused.text, "what was typed stays"
    await sign_in(api, await make_account())
    assert "pas d’offre favorite" in (await api.get("/favoris")).text, "another person keeps nothing"
    await submit(api, f"/offres/{second.uid}", "/favoris/retirer", {"offre": str(first.uid)})
    await sign_in(api, mine)
    assert "mardi" in (await api.get("/favoris")).text
    await submit(api, "/favoris", "/favoris/retirer", {"offre": str(first.uid)})
    assert "pas d’offre favorite" in (await api.get("/favoris")).text


async def test_a_note_is_refused_and_saved_on_the_page_where_it_is(api: httpx.AsyncClient) -> None:
    account = await signed_in(api)
    kept = await offers(16)
    async with unit_of_work() as session:
        for one in kept:
            await add_favourite(session, account.id, "offer", str(one.uid))
    last = str(kept[-1].uid)
    second = (await api.get("/favoris?page=2")).text
    assert f'id="note-{last}"' in second
    refused = await submit(api, "/favoris?page=2", "/favoris/note", {"offre": last, "note": "é" * 2001})
    assert refused.status_code == 422
    assert "é" * 2001 in refused.text
    assert f'<a href="#n-{last}">Cette note est trop longue' in refused.text
    assert f'aria-invalid="true" aria-describedby="n-{last}-erreur"' in refused.text
    assert f'id="n-{last}-erreur"' in refused.text
    saved = await submit(api, "/favoris?page=2", "/favoris/note", {"offre": last, "note": "Rappeler"})
    assert saved.headers["location"] == f"/favoris?page=2#note-{last}"
    gone = await submit(api, "/favoris?page=2", "/favoris/retirer", {"offre": last, "suite": "/favoris?page=2"})
    assert gone.headers["location"] == "/favoris?page=2"
    assert (await api.get("/favoris?page=2")).status_code == 200


async def test_what_is_no_longer_shown_says_why(api: httpx.AsyncClient) -> None:
    first = (await offers(1))[0]
    await signed_in(api)
    await submit(api, f"/offres/{first.uid}", "/favoris/ajouter", {"offre": str(first.uid)})
    async with unit_of_work() as session:
        await session.execute(update(Offer).where(Offer.id == first.id).values(status="unpublished"))
    try:
        page = (await api.get("/favoris")).text
        assert "n’est pas publiée" in page
    finally:
        async with unit_of_work() as session:
            await session.execute(update(Offer).where(Offer.id == first.id).values(status="published"))


async def test_strangers_and_unknown_offers(api: httpx.AsyncClient) -> None:
    assert (await api.get("/favoris", headers={"Accept": "text/html"})).headers["location"].startswith("/connexion")
    await signed_in(api)
    unknown = "00000000-0000-0000-0000-000000000001"
    assert (await submit(api, "/favoris", "/favoris/ajouter", {"offre": unknown})).status_code == 404
    assert (await submit(api, "/favoris", "/favoris/ajouter", {"offre": "x"})).status_code == 422
