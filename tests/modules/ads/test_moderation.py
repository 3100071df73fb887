"""The table of moderators, an ad to judge, decisions, histories, by role and state."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from datetime import date

import httpx
import openpyxl
import pytest
from sqlalchemy import select

from accounts.models import Account
from core.db import unit_of_work
from core.errors import Conflict
from directory.models import Practitioner, Role, Site
from modules.ads import life, moderation
from modules.ads.models import Ad
from modules.ads.schemas import Period
from tests.accounts.helpers import form_token, sign_in, submit
from tests.modules.ads.makers import (
    as_reader,
    make_ad,
    make_content,
    make_moderator,
    make_person,
    reread,
)
from web.app import app

PAGE = "/annonces/moderation"


def numbers(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'href="/annonces(?:/moderation)?/(\d+)"', page)]


async def signed(client: httpx.AsyncClient, account: Account) -> None:
    client.cookies.clear()
    await sign_in(client, account)


@pytest.fixture
async def second(clean_database: object) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        yield opened


async def decide(client: httpx.AsyncClient, ad: Ad, verb: str, version: int, **more: str) -> httpx.Response:
    opened = await client.get(PAGE)
    data = {"_csrf": form_token((await client.get(f"{PAGE}/motifs")).text), "version": str(version)} | more
    assert opened.status_code == 200
    return await client.post(f"{PAGE}/{ad.number}/{verb}", data=data)


async def test_the_table_holds_the_ads_of_the_council_and_no_draft(client: httpx.AsyncClient, places: None) -> None:
    here, there = await make_person(council="78"), await make_person(council="75")
    kept = [await make_ad(here, state) for state in ("pending", "published", "unpublished", "refused")]
    for state in ("draft", "deleted"):
        await make_ad(here, state)
    other = await make_ad(there, "published")
    await signed(client, await make_moderator("78"))
    page = (await client.get(PAGE)).text
    assert numbers(page) == [ad.number for ad in reversed(kept)]
    assert "1 – 4 sur 4" in page
    assert re.search(r"À traiter\s*<span[^>]*>1</span>", page)
    everywhere = (await client.get(PAGE, params={"filtres": "oui"})).text
    assert set(numbers(everywhere)) == {kept[1].number, other.number}
    # Another council's is read as readers read it.
    assert f'href="/annonces/{other.number}"' in everywhere
    assert f'href="{PAGE}/{kept[1].number}"' in everywhere


async def test_filters_are_kept_in_the_address_and_refused_at_their_field(
    client: httpx.AsyncClient, places: None
) -> None:
    author = await make_person()
    other = await make_person()
    ads = [
        await make_ad(author, "pending"),
        await make_ad(author, "refused", category="succession"),
        await make_ad(other, "published"),
    ]
    await signed(client, await make_moderator())
    cases: list[tuple[dict[str, str | list[str]], list[int]]] = [
        ({"numero": str(ads[0].number)}, [0]),
        ({"statut": ["pending", "refused"]}, [0, 1]),
        ({"statut": "pending,refused"}, [0, 1]),
        ({"rpps": author.rpps or ""}, [0, 1]),
        ({"categorie": "succession"}, [1]),
        ({"du": "2000-01-01", "au": "2000-12-31"}, []),
        ({"du": "2000-01-01", "au": "9999-12-31"}, [0, 1, 2]),
        ({"remontees": "oui"}, []),
    ]
    for params, expected in cases:
        answer = await client.get(PAGE, params=params)
        assert answer.status_code == 200
        assert set(numbers(answer.text)) == {ads[at].number for at in expected}, params
    for name, value in (
        ("numero", "abc"),
        ("numero", "9" * 30),
        ("rpps", "x"),
        ("du", "31/12/2026"),
        ("categorie", "z"),
        ("statut", "draft"),
    ):
        answer = await client.get(PAGE, params={name: value, "filtres": "oui", "mes": "oui"})
        assert answer.status_code == 422, name
        assert 'class="error-summary"' in answer.text
        assert f'href="#{name}"' in answer.text
    assert (await client.get(PAGE, params={"tri": "mot de passe"})).status_code == 422


@pytest.mark.parametrize("column", ["numero", "titre", "statut", "categorie", "par", "maj"])
async def test_every_column_sorts_both_ways(client: httpx.AsyncClient, places: None, column: str) -> None:
    people = [await make_person(name=(first, last)) for first, last in (("Zoé", "Abel"), ("Ada", "Élan"), ("A", "Zo"))]
    kinds = (("adjuvat", "Été à Mantes"), ("succession", "abc"), ("remplacement", "Zébulon"))
    made = [
        await make_ad(who, state, category=kind, title=title)
        for who, state, (kind, title) in zip(people, ("pending", "published", "refused"), kinds, strict=True)
    ]
    key = {
        "numero": [0, 1, 2],
        "titre": [1, 0, 2],
        "statut": [0, 1, 2],
        "categorie": [0, 2, 1],
        "par": [0, 1, 2],
        "maj": [0, 1, 2],
    }[column]
    await signed(client, await make_moderator())
    for direction, order in (("asc", key), ("desc", list(reversed(key)))):
        page = (await client.get(PAGE, params={"tri": column, "sens": direction})).text
        assert numbers(page) == [made[at].number for at in order], direction
        assert f'aria-sort="{direction}ending"' in page


async def test_an_ad_is_judged_with_its_author_its_changes_and_its_signals(
    client: httpx.AsyncClient, places: None
) -> None:
    author = await make_person(name=("Anne-Claire", "Périnet"))
    ad = await make_ad(author, "published", title="Je cherche un remplaçant", places=("commune:78361",))
    writer = await as_reader(author)
    changed = await make_content(
        title="Je cherche un remplaçant tout de suite",
        description="Appelez le 0 6.12 34-56 78, ou dr . martin (at) exemple point fr, ou www.exemple.fr",
        places=("departement:78",),
        periods=(Period(starts_on=date(2031, 1, 1)),),
    )
    async with unit_of_work() as session:
        mine = await life.own(session, writer, ad.number)
        assert await life.revise(session, writer, mine, changed, mine.ends_on)
    await signed(client, await make_moderator())
    page = (await client.get(f"{PAGE}/{ad.number}")).text
    assert str(author.rpps) in page
    assert "Anne-Claire Périnet" in page
    assert "Médecin inscrit au tableau" in page
    assert re.search(r"<ins>.*tout de suite", page)
    assert re.search(r"<del>.*Mantes-la-Jolie", page)
    assert "Un numéro de téléphone est écrit" in page
    assert "Une adresse mail est écrite" in page
    assert "Un lien est écrit" in page


async def test_a_council_sees_that_an_author_practises_elsewhere(client: httpx.AsyncClient, places: None) -> None:
    author, other = await make_person(), await make_person()
    async with unit_of_work() as session:
        site = Site(key="essai:13", kind="practice", name="CABINET DU PORT", commune_code="13055")
        session.add(site)
        await session.flush()
        known = await session.scalar(select(Practitioner.id).where(Practitioner.rpps == author.rpps))
        session.add(Role(key="essai:13", practitioner_id=known, site_id=site.id, profession="10", mode="L"))
    ad, near = await make_ad(author, "pending"), await make_ad(other, "pending")
    await signed(client, await make_moderator())
    page = (await client.get(f"{PAGE}/{ad.number}")).text
    assert "Bouches-du-Rhône (13)" in page
    assert "Autre département que le conseil" in page
    assert "Autre département que le conseil" not in (await client.get(f"{PAGE}/{near.number}")).text


async def test_a_copy_and_an_unchanged_refusal_are_seen(client: httpx.AsyncClient, places: None) -> None:
    author, other = await make_person(), await make_person(council="75")
    first = await make_ad(other, "published", title="Cabinet à Limay, remplaçant cherché pour juillet et août")
    ad = await make_ad(author, "refused", title="Cabinet à Limay, remplaçant cherché pour juillet et août !")
    writer = await as_reader(author)
    async with unit_of_work() as session:
        await life.submit(session, writer, await life.own(session, writer, ad.number))
    await signed(client, await make_moderator())
    page = (await client.get(f"{PAGE}/{ad.number}")).text
    assert "Le contenu est le même que celui qui a été refusé" in page
    assert f"à l’annonce n°\u00a0{first.number}" in page
    assert f'href="/annonces/{first.number}"' in page
    assert "Cette annonce a été refusée 1 fois" in page


async def test_accepting_asks_first_and_leads_to_the_next(client: httpx.AsyncClient, places: None) -> None:
    author = await make_person()
    first, second = await make_ad(author, "pending"), await make_ad(author, "pending")
    await signed(client, await make_moderator())
    asked = await client.get(f"{PAGE}/{first.number}/accepter")
    assert "Êtes-vous sûr" in asked.text
    assert (await reread(first)).state == "pending"
    done = await submit(
        client,
        f"{PAGE}/{first.number}/accepter",
        f"{PAGE}/{first.number}/accepter",
        {"version": str(first.version)},
    )
    assert done.status_code == 303
    assert done.headers["location"] == f"{PAGE}/{second.number}?fait={first.number}&quoi=accept"
    assert (await reread(first)).state == "published"
    following = await client.get(done.headers["location"])
    assert f"L’annonce n° {first.number} est acceptée" in following.text
    last = await decide(client, second, "refuser", second.version, reason="Trop court.")
    assert last.headers["location"].startswith(f"{PAGE}?")
    assert (await reread(second)).state == "refused"
    # A published ad may be refused, an ad that is no longer waiting is not accepted.
    later = await decide(client, first, "refuser", (await reread(first)).version)
    assert later.status_code == 303
    assert (await reread(first)).state == "refused"
    again = await decide(client, first, "accepter", (await reread(first)).version)
    assert again.status_code == 409


async def test_who_comes_second_is_told_who_decided_what(
    client: httpx.AsyncClient, second: httpx.AsyncClient, places: None
) -> None:
    ad = await make_ad(await make_person(), "pending")
    await signed(client, await make_moderator(name=("Paule", "Première")))
    await signed(second, await make_moderator(name=("Denis", "Deuxième")))
    answers = await asyncio.gather(
        decide(client, ad, "accepter", ad.version),
        decide(second, ad, "refuser", ad.version, reason="Motif tapé longuement"),
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    loser = next(answer for answer in answers if answer.status_code == 409)
    winner = "Paule Première" if answers[0].status_code == 303 else "Denis Deuxième"
    verb = "accepté" if answers[0].status_code == 303 else "refusé"
    assert f"{winner} (CD78) a déjà {verb} cette annonce le" in loser.text
    if loser is answers[1]:
        assert "Motif tapé longuement" in loser.text
    # The national level is told the council, not the name.
    await signed(client, await make_person(None, None, grants=(("administrator", ""),)))
    national = await decide(client, ad, "accepter", ad.version)
    assert national.status_code == 409
    assert f"CD78 a déjà {verb} cette annonce" in national.text
    assert winner not in national.text.split("error-summary")[1].split("</section>")[0]


async def test_two_sessions_at_once_one_wins(places: None) -> None:
    ad = await make_ad(await make_person(), "pending")
    moderators = [await as_reader(await make_moderator()) for _ in range(2)]

    async def one(at: int) -> str:
        try:
            async with unit_of_work() as session:
                await moderation.decide(session, moderators[at], ad.number, ad.version, "accept")
        except Conflict:
            return "conflict"
        return "done"

    assert sorted(await asyncio.gather(one(0), one(1))) == ["conflict", "done"]


async def test_who_may_not(client: httpx.AsyncClient, places: None) -> None:
    ad = await make_ad(await make_person(council="75"), "pending")
    draft = await make_ad(await make_person(), "draft")
    await signed(client, await make_moderator("78"))
    for number in (ad.number, draft.number, 2**31 - 1):
        assert (await client.get(f"{PAGE}/{number}")).status_code == 404
        assert (await client.get(f"{PAGE}/{number}/accepter")).status_code == 404
    assert (await decide(client, ad, "accepter", ad.version)).status_code == 404
    assert (await decide(client, ad, "refuser", ad.version)).status_code == 404
    assert (await reread(ad)).state == "pending"
    reader = await make_person()
    await signed(client, reader)
    for path in ("", ".xlsx", f"/{ad.number}", "/motifs", "/messages", "/statistiques", "/statistiques.xlsx"):
        assert (await client.get(PAGE + path)).status_code == 403, path
    assert (await client.get("/annonces/regles")).status_code == 200
    await signed(client, await make_person(None, None))
    assert (await client.get("/annonces/regles")).status_code == 403
    client.cookies.clear()
    assert (await client.get(PAGE, headers={"accept": "text/html"})).status_code == 303


async def test_nobody_moderates_their_own_ad(client: httpx.AsyncClient, places: None) -> None:
    doctor = await make_person(grants=(("moderator", "council:78"),))
    ad = await make_ad(doctor, "pending")
    await signed(client, doctor)
    page = (await client.get(f"{PAGE}/{ad.number}")).text
    assert "Vous êtes l’auteur de cette annonce" in page
    assert "/accepter" not in page
    assert (await decide(client, ad, "accepter", ad.version)).status_code == 403
    assert (await reread(ad)).state == "pending"


async def test_a_model_fills_the_reason_without_script_and_a_long_reason_is_kept(
    client: httpx.AsyncClient, places: None
) -> None:
    ad = await make_ad(await make_person(), "pending")
    await signed(client, await make_moderator())
    added = await submit(
        client,
        f"{PAGE}/motifs",
        f"{PAGE}/motifs",
        {"council": "78", "title": "Coordonnées", "text": "Retirez vos coordonnées."},
    )
    assert added.status_code == 303
    model = re.search(
        r'<option value="(\d+)" data-text="Retirez vos coordonnées\.">', (await client.get(f"{PAGE}/{ad.number}")).text
    )
    assert model
    filled = await decide(client, ad, "refuser", ad.version, action="fill", model=model[1], reason="Bonjour.")
    assert "Bonjour.\n\nRetirez vos coordonnées.</textarea>" in filled.text
    assert (await reread(ad)).state == "pending"
    long = await decide(client, ad, "refuser", ad.version, reason="a" * 1001)
    assert long.status_code == 422
    assert "a" * 1001 in long.text
    assert 'href="#reason"' in long.text
    assert (await reread(ad)).state == "pending"


async def test_the_history_reads_as_councils_say_it(client: httpx.AsyncClient, places: None) -> None:
    author = await make_person(name=("Anne-Claire", "Périnet"))
    ad = await make_ad(author, "pending")
    await signed(client, await make_moderator("78", name=("Paule", "Conseil")))
    await decide(client, ad, "refuser", ad.version, reason="Votre annonce ne respecte pas les règles.")
    page = (await client.get(f"{PAGE}/{ad.number}", params={"historique": "refus"})).text
    assert 'Refus <span class="num">(1)</span>' in page
    told = page.split('class="moderation-history"')[1]
    assert "<strong>CD78</strong>" in told
    assert "a passé le statut à Refusée" in told
    assert "Motif\u00a0: Votre annonce ne respecte pas les règles." in told
    assert "En attente" not in told
    newest = (await client.get(f"{PAGE}/{ad.number}", params={"historique": "statuts"})).text
    oldest = (await client.get(f"{PAGE}/{ad.number}", params={"historique": "statuts", "ordre": "anciens"})).text
    for text, first in ((newest, "Refusée"), (oldest, "a créé le brouillon")):
        assert text.split('class="moderation-history"')[1].index(first) < text.split('class="moderation-history"')[
            1
        ].index("En attente")
    assert "<strong>Anne-Claire Périnet</strong>" in newest


async def test_what_an_author_corrects_is_theirs_until_it_is_sent(client: httpx.AsyncClient, places: None) -> None:
    author = await make_person()
    ad = await make_ad(author, "refused", title="Titre transmis")
    writer = await as_reader(author)
    async with unit_of_work() as session:
        mine = await life.own(session, writer, ad.number)
        await life.save(
            session, mine, await make_content(title="Titre secret", description="06 12 34 56 78"), mine.ends_on
        )
    await signed(client, await make_moderator())
    page = (await client.get(f"{PAGE}/{ad.number}")).text
    listed = (await client.get(PAGE)).text
    told = (await client.get(f"/api/v1/ads/moderation/{ad.number}")).text
    for text in (page, listed, told):
        assert "Titre transmis" in text
        assert "Titre secret" not in text
    assert "Un numéro de téléphone" not in page


async def test_the_excel_file_holds_what_the_filters_say_and_no_formula(
    client: httpx.AsyncClient, places: None
) -> None:
    author = await make_person()
    await make_ad(author, "pending", title="=SOMME(A1)")
    await make_ad(author, "published", title="Autre")
    await signed(client, await make_moderator())
    answer = await client.get(f"{PAGE}.xlsx", params={"statut": "pending"})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    rows = list(book["Annonces"].values)
    assert [row[1] for row in rows[1:]] == ["'=SOMME(A1)"]
    assert ("Statuts", "En attente") in list(book["À propos"].values)


async def test_the_national_level_moderates_all_and_writes_national(client: httpx.AsyncClient, places: None) -> None:
    ad = await make_ad(await make_person(council="75"), "pending")
    await signed(client, await make_person(None, None, grants=(("administrator", ""),)))
    assert numbers((await client.get(PAGE, params={"conseil": "75"})).text) == [ad.number]
    assert numbers((await client.get(PAGE, params={"conseil": "78"})).text) == []
    assert (await decide(client, ad, "accepter", ad.version)).status_code == 303
    page = (await client.get(f"{PAGE}/{ad.number}", params={"historique": "statuts"})).text
    assert "<strong>Conseil national</strong>" in page
