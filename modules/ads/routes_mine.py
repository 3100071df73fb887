"""JSON API: one's own ads, written, transmitted and managed as the pages do."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, UploadFile
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import specialties
from core.db import SessionDep, unit_of_work
from core.errors import Forbidden, InvalidInput, NotFound, TooLarge
from core.openapi import ERRORS, PROBLEM
from core.security import accept_files, same_site
from maps.api import ready
from modules.ads import files, forms, life, mine, writing
from modules.ads.models import Ad
from modules.ads.people import AuthorDep, Reader
from modules.ads.schemas_mine import (
    AdIn,
    Category,
    EndIn,
    HistoryLine,
    NewAdIn,
    OwnAd,
    OwnAds,
    OwnFileOut,
    OwnPlaceOut,
    PeriodOut,
    ReasonIn,
    State,
)
from modules.ads.states import AUTHOR, WRITABLE, actions
from modules.ads.views import AdView, FileView, views

FILES: Final = "/api/v1/ads/mine/files"
accept_files(re.escape(FILES), files.LARGEST_FILE + 65_536)


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": PROBLEM}}}


_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    **ERRORS,
    401: _problem("Personne n’est connecté"),
    403: _problem("Réservé aux médecins, aux docteurs juniors et aux internes connus du répertoire"),
}
_STALE: Final[dict[int | str, dict[str, Any]]] = {
    409: _problem("L’annonce a changé depuis la version lue, ou son état ne le permet pas")
}


async def _ours(request: Request) -> None:
    if not same_site(request):
        raise Forbidden("Cette demande vient d’un autre site : rien n’a été modifié.")


router = APIRouter(prefix="/api/v1/ads/mine", tags=["Annonces"], responses=_ERRORS)
Written: Final = [Depends(_ours)]
NumberPath = Annotated[int, Path(ge=1, le=2_147_483_647, description="Numéro de l’annonce")]


async def _version(
    if_match: Annotated[
        str, Header(description="La version lue, entre guillemets, telle que la donne `ETag`.", max_length=40)
    ],
) -> int:
    found = re.fullmatch(r'\s*(?:W/)?"?(\d{1,9})"?\s*', if_match, re.ASCII)
    if found is None:
        said = "La version lue est attendue, entre guillemets, telle que la donne ETag."
        raise InvalidInput(said, fields={"If-Match": said})
    return int(found[1])


VersionDep = Annotated[int, Depends(_version)]


@router.get("", summary="Mes annonces")
async def listing(
    session: SessionDep,
    author: AuthorDep,
    state: State | None = None,
    category: Category | None = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> OwnAds:
    """Renvoie mes annonces par pages de 30, la dernière modifiée d’abord."""
    total = await mine.count(session, author, state or "", category or "")
    offset = (page - 1) * mine.PAGE
    ads = await mine.listing(session, author, state or "", category or "", offset=offset)
    return OwnAds(total=total, page=page, pages=max(1, -(-total // mine.PAGE)), ads=await _shown(session, ads))


@router.post("", summary="Écrire un brouillon", status_code=201, dependencies=Written, responses=_STALE)
async def create(session: SessionDep, author: AuthorDep, response: Response, said: NewAdIn) -> OwnAd:
    """Garde une nouvelle annonce en brouillon ; `submit` la transmet au conseil."""
    asked = await _asked(session, author, said)
    done = await writing.begin(session, author, asked, said.id)
    response.headers["Location"] = f"/api/v1/ads/mine/{done.ad.number}"
    return await _one(session, done.ad, response)


@router.post(
    "/files",
    summary="Envoyer une photo ou un PDF",
    status_code=201,
    dependencies=Written,
    responses={413: _problem("Plus de 15 Mo"), 429: _problem("Trop de fichiers à la suite")},
)
async def send_file(request: Request, author: AuthorDep, file: UploadFile) -> OwnFileOut:
    """Vérifie et garde une photo (JPEG, PNG) ou un PDF, 15 Mo au plus ; une annonce le prend ensuite par son `id`.

    Ce qui n’est sur aucune annonce est effacé au bout d’un jour.
    """
    if getattr(request.state, "form_too_long", False) or (file.size or 0) > files.LARGEST_FILE:
        raise TooLarge(files.HEAVY, fields={"file": files.HEAVY})
    async with unit_of_work() as session:
        await files.allow_one(session, author.account_id)
    try:
        kept = await files.check(file.filename or "", await file.read())
    except InvalidInput as error:
        raise InvalidInput(error.detail, fields={"file": error.detail}) from error
    async with unit_of_work() as session:
        upload = await files.stage(session, author.account_id, kept)
    return _file(files.view_of(upload))


@router.get("/{number}", summary="Une de mes annonces")
async def read(session: SessionDep, author: AuthorDep, response: Response, number: NumberPath) -> OwnAd:
    """Renvoie une de mes annonces, avec sa version dans `ETag`."""
    return await _one(session, await _own(session, author, number), response)


@router.put("/{number}", summary="Remplacer le contenu d’une annonce", dependencies=Written, responses=_STALE)
async def replace(
    session: SessionDep, author: AuthorDep, response: Response, number: NumberPath, version: VersionDep, said: AdIn
) -> OwnAd:
    """Remplace ce que dit une annonce.

    D’une annonce publiée, un autre contenu la dépublie et la transmet de nouveau au conseil ; une autre date de fin
    seule est immédiate.
    """
    asked = await _asked(session, author, said)
    ad = await life.own(session, author, number, version)
    asked = writing.Asked(asked.content, asked.ends_on, asked.files, transmit=ad.state == "published")
    done = await writing.change(session, author, ad, asked)
    return await _one(session, done.ad, response)


@router.delete("/{number}", summary="Supprimer une annonce", status_code=204, dependencies=Written, responses=_STALE)
async def delete(session: SessionDep, author: AuthorDep, number: NumberPath, version: VersionDep) -> None:
    """Supprime une annonce : ce qu’elle disait est effacé, son numéro n’est pas redonné."""
    await life.remove(session, author, await life.own(session, author, number, version))


@router.post("/{number}/submit", summary="Transmettre au conseil", dependencies=Written, responses=_STALE)
async def submit(
    session: SessionDep, author: AuthorDep, response: Response, number: NumberPath, version: VersionDep
) -> OwnAd:
    """Transmet un brouillon, une annonce refusée ou dépubliée au conseil départemental."""
    ad = await life.own(session, author, number, version)
    await life.submit(session, author, ad)
    return await _one(session, ad, response)


@router.post("/{number}/unpublish", summary="Dépublier", dependencies=Written, responses=_STALE)
async def unpublish(
    session: SessionDep, author: AuthorDep, response: Response, number: NumberPath, version: VersionDep, said: ReasonIn
) -> OwnAd:
    """Retire une annonce publiée ; elle pourra être publiée de nouveau."""
    ad = await life.own(session, author, number, version)
    await life.unpublish(session, author, ad, said.reason)
    return await _one(session, ad, response)


@router.post("/{number}/republish", summary="Publier de nouveau", dependencies=Written, responses=_STALE)
async def republish(
    session: SessionDep, author: AuthorDep, response: Response, number: NumberPath, version: VersionDep, said: EndIn
) -> OwnAd:
    """Publie de nouveau : tout de suite si le contenu est le dernier accepté, sinon après vérification."""
    ad = await life.own(session, author, number, version)
    await life.republish(session, author, ad, said.ends_on)
    return await _one(session, ad, response)


@router.post("/{number}/extend", summary="Changer la fin de publication", dependencies=Written, responses=_STALE)
async def extend(
    session: SessionDep, author: AuthorDep, response: Response, number: NumberPath, version: VersionDep, said: EndIn
) -> OwnAd:
    """Change la date de fin de publication, immédiatement."""
    ad = await life.own(session, author, number, version)
    await life.extend(session, author, ad, said.ends_on)
    return await _one(session, ad, response)


@router.get("/{number}/history", summary="Historique d’une annonce")
async def history(session: SessionDep, author: AuthorDep, number: NumberPath) -> list[HistoryLine]:
    """Renvoie ce qui est arrivé à une annonce, le plus récent d’abord."""
    lines = await mine.history(session, await _own(session, author, number))
    return [
        HistoryLine(
            at=line.at,
            action=line.action,
            label=line.label,
            who=line.who,
            reason=line.reason or None,
            state=line.to_state,
        )
        for line in lines
    ]


async def _own(session: AsyncSession, author: Reader, number: int) -> Ad:
    ad = await mine.one(session, author, number)
    if ad is None:
        raise NotFound("Cette annonce n’existe pas, ou n’est pas l’une des vôtres.")
    return ad


async def _asked(session: AsyncSession, author: Reader, said: AdIn) -> writing.Asked:
    """Read a body as the form reads what is typed.

    Raises:
        InvalidInput: something cannot be kept, a draft even.
    """
    await ready()
    typed = forms.Typed(
        category=said.category or "",
        side=said.side or "",
        specialty=said.specialty or "",
        title=said.title,
        description=said.description,
        conditions=said.conditions,
        urgent=said.urgent,
        anonymous=said.anonymous,
        places=tuple(said.places),
        periods=tuple(
            (period.starts_on.isoformat(), period.ends_on.isoformat() if period.ends_on else "")
            for period in said.periods
        ),
        files=tuple(str(uid) for uid in said.files),
        ends_on=said.ends_on.isoformat() if said.ends_on else "",
    )
    checked = forms.check(typed, await specialties(session))
    if checked.errors:
        raise InvalidInput("L’annonce ne peut pas être gardée ainsi.", fields=checked.errors)
    return writing.Asked(checked.content, checked.ends_on, tuple(checked.files), transmit=False)


async def _one(session: AsyncSession, ad: Ad, response: Response) -> OwnAd:
    await session.flush()
    response.headers["ETag"] = f'"{ad.version}"'
    return (await _shown(session, [ad]))[0]


async def _shown(session: AsyncSession, ads: Sequence[Ad]) -> list[OwnAd]:
    reasons = await mine.refusal_reasons(session, ads)
    shown = await views(session, ads)
    return [_own_ad(ad, one, reasons.get(ad.id)) for ad, one in zip(ads, shown, strict=True)]


def _own_ad(ad: Ad, shown: AdView, reason: str | None) -> OwnAd:
    state: Any = ad.state
    category: Any = ad.category
    side: Any = ad.side
    may = sorted(str(action) for action in actions(state, AUTHOR) if action != "revise")
    return OwnAd(
        number=ad.number,
        id=ad.uid,
        version=ad.version,
        state=state,
        state_label=shown.state_label,
        category=category,
        category_label=shown.category_label,
        side=side,
        situation=shown.situation,
        specialty=ad.specialty,
        specialty_label=shown.specialty_label,
        title=ad.title,
        description=ad.description,
        conditions=ad.conditions,
        urgent=ad.urgent,
        anonymous=ad.anonymous,
        places=[OwnPlaceOut(ref=place.ref, label=place.label) for place in shown.places],
        periods=[PeriodOut(starts_on=one.starts_on, ends_on=one.ends_on, text=one.text) for one in shown.periods],
        files=[_file(file) for file in shown.files],
        ends_on=ad.ends_on,
        council=ad.council,
        refusals=ad.refusals,
        refusal_reason=reason or None,
        created_at=ad.created_at,
        updated_at=ad.updated_at,
        submitted_at=ad.submitted_at,
        published_at=ad.published_at,
        actions=(["replace"] if state in WRITABLE else []) + may,
    )


def _file(file: FileView) -> OwnFileOut:
    return OwnFileOut(
        id=file.uid,
        kind=file.kind,
        name=file.name,
        url=file.address,
        thumbnail_url=file.thumb,
        size=file.size,
        width=file.width,
        height=file.height,
    )
