"""Pages of « Mon offre »: the tree of exercises, the sheet beside it, what can be done with an offer."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Service, SignedInDep, add_service, holder
from core import clock, mail
from core.db import SessionDep
from core.errors import Conflict, TooMany
from core.security import csrf_protected
from core.ui import assets, pages
from directory import describe, freshness, offer_steps
from directory.completeness import completeness
from directory.describe_rules import cleaned
from directory.models_draft import OfferDraft
from directory.offer_pages_path import PROFESSIONAL, remember, written
from directory.offer_rights import editable_offer
from directory.offer_tree import tree
from directory.operator_queue import report_error, tell_left
from directory.sheets import offer_sheet

router = APIRouter(include_in_schema=False, prefix="/mon-offre")
Protected: Final = [Depends(csrf_protected)]
TEXT_MAX: Final = 2000

pages.add_templates(Path(__file__).parent / "templates")
mail.add_templates(Path(__file__).parent / "templates")
assets.add_folder("directory", Path(__file__).parent / "static")

add_service(
    Service(
        "mon-offre",
        "Mon offre",
        "Décrire ce que vous faites, vos horaires, vos contacts et où vous vous déplacez.",
        "/mon-offre",
        "pencil",
        holder("professional", "delegate", "site_manager", "administrator"),
        rank=10,
    )
)

DONE: Final = {
    "enregistre": "Votre offre est enregistrée : elle est à jour dans la recherche et sur la fiche publique.",
    "brouillon": "Votre brouillon est gardé. Reprenez-le quand vous voulez ; la fiche publique n’a pas changé.",
    "sans-brouillon": "Il n’y avait plus de brouillon à enregistrer : la fiche montre ce qui est publié.",
    "abandonne": "Le brouillon est abandonné ; la fiche publique n’a pas changé.",
    "plus-de-brouillon": "Il n’y avait plus de brouillon à abandonner : il a été enregistré ou abandonné entre-temps. "
    "La fiche montre ce qui est publié.",
    "depublie": "Votre offre n’est plus publiée. Ce que vous avez écrit est gardé.",
    "republie": "Votre offre est de nouveau publiée.",
    "quitte": "Votre offre n’est plus montrée ici, et l’exploitant est prévenu.",
    "situe": "Le lieu est situé : la recherche et la carte le montrent à ce point.",
    "sans-epingle": "Le lieu est de nouveau montré à la position du registre.",
    "revenu": "Votre offre est revenue à la version choisie. L’historique garde les deux.",
    "lieu-revenu": "Le lieu est revenu à la version choisie, pour toutes ses offres. L’historique garde les deux.",
    "exact": "Merci. Votre offre porte la date d’aujourd’hui : elle est toujours exacte.",
    "signale": "Votre signalement est transmis à l’exploitant.",
}
"""What is said once something is done, by the word that the address carries."""


@dataclass(frozen=True, slots=True)
class Move:
    """A change of status that asks for a confirmation."""

    title: str
    explanation: str
    button: str
    done: str
    statuses: frozenset[str]
    destructive: bool
    write: Any


MOVES: Final = {
    "depublier": Move(
        "Dépublier votre offre",
        "Elle ne sera plus trouvée par la recherche ni montrée aux patients, aux professionnels et aux portails. "
        "Ce que vous avez écrit est gardé : vous pourrez la republier.",
        "Dépublier",
        "depublie",
        frozenset({"published"}),
        True,
        describe.unpublish_offer,
    ),
    "republier": Move(
        "Republier votre offre",
        "Elle sera de nouveau trouvée par la recherche, telle que vous l’avez décrite.",
        "Republier",
        "republie",
        frozenset({"unpublished", "left"}),
        False,
        describe.republish_offer,
    ),
    "je-n-exerce-plus-ici": Move(
        "Vous n’exercez plus ici",
        "L’offre disparaît tout de suite de la recherche. Le registre, lui, se corrige auprès de votre Ordre : il "
        "peut tarder. L’exploitant du répertoire est prévenu.",
        "Je n’exerce plus ici",
        "quitte",
        frozenset({"published", "unpublished"}),
        True,
        describe.leave_offer,
    ),
}


@router.get("")
async def home(
    request: Request, session: SessionDep, person: SignedInDep, q: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Draw the tree and what it is; who has one offer only goes to it."""
    administrator = person.has("administrator")
    found = await tree(session, person, q)
    if found.only is not None and not administrator and not q:
        return RedirectResponse(f"/mon-offre/{found.only.uid}", status_code=303)
    shown = {"tree": found, "offer": None, "administrator": administrator, "q": q}
    return pages.render(request, "directory/my_offers.html", shown)


@router.get("/{uid}")
async def show(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID, fait: str = "") -> Response:
    """Draw an offer as its author sees it: state, completeness, sheet, actions."""
    row = await editable_offer(session, person, uid)
    draft = await session.scalar(select(OfferDraft).where(OfferDraft.offer_id == row.Offer.id))
    number = (row.Practitioner.rpps if row.Practitioner else row.Site.finess) or ""
    shown = {
        "tree": await tree(session, person, number if person.has("administrator") else ""),
        "offer": row.Offer,
        "site": row.Site,
        "role": row.Role,
        "sheet": await offer_sheet(session, uid, PROFESSIONAL, hidden=True),
        "completeness": await completeness(session, row.Offer.id),
        "step_labels": {step.key: step.label for step in offer_steps.STEPS},
        "draft": draft,
        "done": DONE.get(fait),
        "today": clock.local(await clock.now(session)).isoweekday(),
        "base": f"/mon-offre/{uid}",
    }
    return pages.render(request, "directory/my_offer.html", shown)


@router.post("/{uid}/exact", dependencies=Protected)
async def say_exact(session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Say that an offer is still exact; one that nobody described yet has nothing to confirm."""
    offer = (await editable_offer(session, person, uid)).Offer
    if not offer.described or offer.status != "published":
        return RedirectResponse(f"/mon-offre/{uid}", status_code=303)
    position = await freshness.confirm(session, [uid], person.actor)
    return remember(RedirectResponse(f"/mon-offre/{uid}?fait=exact", status_code=303), position)


@router.get("/{uid}/signaler")
async def ask_report(
    request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID, champ: str = ""
) -> Response:
    """Draw the form that tells an error of a register."""
    return await _report_form(request, session, uid, (await editable_offer(session, person, uid)).Offer, champ, "", {})


async def _report_form(
    request: Request,
    session: AsyncSession,
    uid: uuid.UUID,
    offer: Any,
    field: str,
    text: str,
    errors: dict[str, str],
    refused: str = "",
) -> Response:
    sheet = await offer_sheet(session, uid, PROFESSIONAL, hidden=True)
    shown = {
        "offer": offer,
        "sheet": sheet,
        "field": field,
        "text": text,
        "errors": defaultdict(str, errors),
        "summary": [(f"champ-{name}", message) for name, message in errors.items()],
        "refused": refused,
        "base": f"/mon-offre/{uid}",
    }
    status = 429 if refused else 422 if errors else 200
    return pages.render(request, "directory/report.html", shown, status=status)


@router.post("/{uid}/signaler", dependencies=Protected)
async def report(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    uid: uuid.UUID,
    champ: Annotated[str, Form()] = "",
    texte: Annotated[str, Form()] = "",
) -> Response:
    """Hand an error of a register to the operator."""
    offer = (await editable_offer(session, person, uid)).Offer
    sheet = await offer_sheet(session, uid, PROFESSIONAL, hidden=True)
    known = {f"{source.register_name} : {item.label}" for source in sheet.registers for item in source.fields}
    errors = {}
    if champ not in known and champ != "Autre":
        errors["champ"] = "Information concernée : choisissez-la dans la liste."
    if not cleaned(texte):
        errors["texte"] = "Ce qui est faux : dites ce qui devrait être écrit."
    elif len(texte) > TEXT_MAX:
        errors["texte"] = f"Ce qui est faux : {TEXT_MAX} caractères au plus, il y en a {len(texte)}."
    if errors:
        return await _report_form(request, session, uid, offer, champ, texte, errors)
    try:
        await report_error(session, person, offer, champ, cleaned(texte) or "")
    except TooMany as full:
        return await _report_form(request, session, uid, offer, champ, texte, {}, full.detail)
    return RedirectResponse(f"/mon-offre/{uid}?fait=signale", status_code=303)


def _word(request: Request) -> str:
    return request.url.path.rpartition("/")[2]


@router.get("/{uid}/depublier")
@router.get("/{uid}/republier")
@router.get("/{uid}/je-n-exerce-plus-ici")
async def ask_move(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Ask before an offer is unpublished, republished or left."""
    word = _word(request)
    move = MOVES[word]
    offer = (await editable_offer(session, person, uid)).Offer
    if offer.status not in move.statuses:
        return RedirectResponse(f"/mon-offre/{uid}", status_code=303)
    shown = {"offer": offer, "move": move, "word": word, "reason": "", "version": offer.version, "notice": ""}
    return pages.render(request, "directory/move.html", shown | {"base": f"/mon-offre/{uid}"})


@router.post("/{uid}/depublier", dependencies=Protected)
@router.post("/{uid}/republier", dependencies=Protected)
@router.post("/{uid}/je-n-exerce-plus-ici", dependencies=Protected)
async def make_move(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    uid: uuid.UUID,
    version: Annotated[int, Form()] = 0,
    raison: Annotated[str, Form()] = "",
) -> Response:
    """Unpublish, republish or leave an offer."""
    word = _word(request)
    move = MOVES[word]
    offer = (await editable_offer(session, person, uid)).Offer
    try:
        outcome = await move.write(session, uid, person.actor, version, raison[:TEXT_MAX])
    except Conflict as conflict:
        if offer.status not in move.statuses:
            raise
        # Confirming again must act on what the person now sees.
        shown = {"offer": offer, "move": move, "word": word, "reason": raison, "version": offer.version}
        shown |= {"notice": conflict.detail, "base": f"/mon-offre/{uid}"}
        return pages.render(request, "directory/move.html", shown, status=409)
    if word == "je-n-exerce-plus-ici":
        await tell_left(session, person, offer, cleaned(raison[:TEXT_MAX]) or "")
    return written(f"/mon-offre/{uid}?fait={move.done}", outcome)
