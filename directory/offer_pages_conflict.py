"""Page of the guided path that asks which values win, when another tab or another person wrote meanwhile."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from core import clock
from core.security import FORM_FIELD
from core.ui import pages
from core.ui.filters import hour
from directory import offer_draft
from directory.offer_draft import OfferChanged, StaleDraft, Work


def stale_step(request: Request, work: Work, stale: StaleDraft, form: FormData) -> Response:
    """Ask which values of a step win, those just typed or those that stand."""
    if request.headers.get("hx-request") == "true":
        return pages.render(
            request,
            "directory/_stale.html",
            {"gone": work.draft is None},
            headers={"HX-Retarget": "#etat", "HX-Reswap": "innerHTML", "HX-Reselect": "#etat-texte"},
        )
    own = (FORM_FIELD, "version", "vue_offre", "vue_lieu", "action")
    hidden = [
        (name, str(value))
        for name, value in form.multi_items()
        if name not in own and not name.startswith(("choix.", "q.", "nouveau."))
    ]
    if work.draft is None:
        title = "Le brouillon que vous voyiez n’existe plus"
        explanation = (
            "Depuis l’affichage de cette étape, il a été enregistré ou abandonné, dans un autre onglet ou par une "
            "autre personne."
        )
    else:
        title = "Cette étape a changé entre-temps"
        explanation = (
            f"Un autre onglet, ou une autre personne, l’a modifiée à {hour(clock.local(work.draft.updated_at))}."
        )
    shown = {
        "work": work,
        "title": title,
        "explanation": f"{explanation} Choisissez ce que vous gardez : rien n’est encore perdu.",
        "rows": offer_draft.difference(work, stale.differing, stale.mine, stale.theirs),
        "mine_label": "Ce que vous venez de saisir",
        "theirs_label": "Ce que contient le brouillon" if work.draft else "Publié actuellement",
        "taken": [],
        "hidden": [
            *hidden,
            ("version", work.version),
            ("vue_offre", work.offer.version),
            ("vue_lieu", work.site.version),
        ],
        "action": "suivant",
        "button": "Garder ces choix",
        "base": f"/mon-offre/{work.offer.uid}",
    }
    return pages.render(request, "directory/conflict.html", shown, status=409)


def changed_offer(request: Request, work: Work, changed: OfferChanged) -> Response:
    """Ask which values of an offer win, those of the draft or those published meanwhile."""
    hidden: list[tuple[str, Any]] = [
        ("version", work.version),
        ("vue_offre", work.offer.version),
        ("vue_lieu", work.site.version),
    ]
    shown = {
        "work": work,
        "title": "Votre offre a été modifiée entre-temps",
        "explanation": "Quelqu’un d’autre a publié une modification pendant que vous rédigiez. Votre brouillon est "
        "gardé ; choisissez ce qui doit être publié.",
        "rows": offer_draft.difference(work, changed.conflicts, changed.mine, changed.theirs),
        "mine_label": "Votre brouillon",
        "theirs_label": "Publié actuellement",
        "taken": offer_draft.difference(work, changed.taken, changed.mine, changed.theirs),
        "hidden": hidden,
        "action": "enregistrer",
        "button": "Enregistrer",
        "base": f"/mon-offre/{work.offer.uid}",
    }
    return pages.render(request, "directory/conflict.html", shown, status=409)
