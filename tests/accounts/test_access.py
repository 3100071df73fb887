"""Each role on each page: who may open it, who is refused, who is asked to sign in."""

import uuid

import httpx

from accounts.service import ROLES
from tests.accounts.helpers import form_token, signed_in

SCOPES = {
    "professional": "rpps:10101010101",
    "delegate": "rpps:10101010101",
    "site_manager": "finess:780000287",
    "moderator": "council:78",
    "coordinator": "departement:78",
    "agent": "region:11",
}
EVERYBODY = {*ROLES, "none"}
PAGES = {
    "/accueil": EVERYBODY,
    "/messages": EVERYBODY,
    "/compte/delegations": EVERYBODY,
    "/assistance/mes-demandes": EVERYBODY,
    "/assistance/demandes": {"administrator", "agent"},
    "/administration/comptes": {"administrator"},
}
WRITES = {
    "/assistance/demandes/1001": {"administrator", "agent"},
    f"/administration/comptes/{uuid.UUID(int=1)}/droits": {"administrator"},
    f"/administration/comptes/{uuid.UUID(int=1)}/droits/retirer": {"administrator"},
    f"/administration/comptes/{uuid.UUID(int=1)}/rpps": {"administrator"},
    f"/administration/comptes/{uuid.UUID(int=1)}/deconnecter": {"administrator"},
    f"/administration/comptes/{uuid.UUID(int=1)}/fermer": {"administrator"},
}
LINKED = {"/assistance/demandes": "Demandes d’assistance", "/administration/comptes": "Comptes et droits"}
PAGE = {"Accept": "text/html"}


async def test_pages_open_to_the_roles_that_they_are_for(client: httpx.AsyncClient) -> None:
    for role in (*ROLES, "none"):
        await signed_in(client, *([] if role == "none" else [(role, SCOPES.get(role, ""))]))
        for path, roles in PAGES.items():
            answer = await client.get(path, headers=PAGE)
            assert answer.status_code == (200 if role in roles else 403), (role, path)
        home = (await client.get("/accueil")).text
        for path, title in LINKED.items():
            assert (f'href="{path}"' in home and title in home) == (role in PAGES[path]), (role, path)
        values = {"_csrf": form_token(home), "action": "close", "version": "1", "droit": "1", "sur": "oui"}
        for path, roles in WRITES.items():
            answer = await client.post(path, data={**values, "role": "administrator"}, headers=PAGE)
            # Whoever may write there finds that there is nothing.
            assert answer.status_code == (404 if role in roles else 403), (role, path)


async def test_pages_ask_whoever_is_not_signed_in_to_sign_in(client: httpx.AsyncClient) -> None:
    for path in PAGES:
        answer = await client.get(path, headers=PAGE)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/connexion?suite=%2F"), path
        assert (await client.get(path, headers={"Accept": "application/json"})).status_code == 401
    assert (await client.get("/assistance", headers=PAGE)).status_code == 200
    assert (await client.get("/aide", headers=PAGE)).status_code == 200


async def test_no_form_is_taken_from_elsewhere(client: httpx.AsyncClient) -> None:
    await signed_in(client, ("administrator", ""), ("professional", "rpps:10101010101"))
    others = (
        "/accueil/favoris",
        "/messages/lus",
        f"/messages/{uuid.UUID(int=1)}/lu",
        "/assistance",
        "/assistance/mes-demandes/1001",
        "/assistance/suivi/x",
        "/compte/delegations/inviter",
        "/compte/delegations/demander",
        "/compte/delegations/terminer",
        f"/compte/delegations/repondre/{uuid.UUID(int=1)}",
        "/compte/delegations/invitation/x",
    )
    values = {"action": "accept", "version": "1", "droit": "1", "service": "aide"}
    for path in (*WRITES, *others):
        assert (await client.post(path, data=values)).status_code == 403, path
