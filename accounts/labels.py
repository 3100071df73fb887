"""French labels of what accounts show: rights, ways of signing in, browsers, what happened."""

import re
from typing import Final

METHODS: Final = {
    "psc": "Pro Santé Connect",
    "password": "adresse mail et mot de passe",
    "demo": "personnage de démonstration",
}
ROLES: Final = {
    "professional": "Professionnel de santé",
    "delegate": "Délégué d’un professionnel",
    "site_manager": "Gestionnaire d’établissement",
    "moderator": "Modérateur",
    "coordinator": "Coordinateur de territoire",
    "agent": "Agent de l’agence régionale",
    "administrator": "Administrateur du site",
}
SCOPES: Final = {
    "rpps": "RPPS",
    "finess": "FINESS",
    "council": "conseil départemental",
    "departement": "département",
    "region": "région",
    "commune": "commune",
}
ORIGINS: Final = {
    "rule": "d’après les registres",
    "administrator": "donné par un administrateur",
    "professional": "accepté par le professionnel",
    "operator": "donné par l’exploitant",
    "demo": "démonstration",
}
ACTIONS: Final = {
    "created": "Compte créé",
    "signed_up": "Inscription",
    "signed_in": "Connexion",
    "signed_out": "Déconnexion",
    "granted": "Accès donné",
    "grant_ended": "Accès terminé",
    "address_asked": "Nouvelle adresse mail demandée",
    "address_confirmed": "Adresse mail validée",
    "password_changed": "Mot de passe changé",
    "identity_changed": "Informations modifiées",
    "device_known": "Appareil reconnu pour 30 jours",
    "device_ended": "Appareil déconnecté",
    "devices_ended": "Autres appareils déconnectés",
    "device_forgotten": "Appareil oublié",
    "psc_linked": "Carte liée",
    "psc_unlinked": "Carte déliée",
    "rpps_confirmed": "Numéro RPPS confirmé",
    "rpps_refused": "Numéro RPPS écarté",
    "sign_ins_ended": "Tous les appareils déconnectés",
    "exported": "Données téléchargées",
    "coordinate_added": "Coordonnée ajoutée",
    "coordinate_changed": "Coordonnée modifiée",
    "coordinate_removed": "Coordonnée supprimée",
    "coordinate_confirmed": "Coordonnée confirmée",
    "coordinates_assigned": "Affectation des coordonnées modifiée",
    "ads_accepted": "Coordonnées du registre acceptées pour les annonces",
    "ads_refused": "Coordonnées du registre refusées pour les annonces",
    "council_confirmed": "Conseil départemental confirmé",
    "council_changed": "Conseil départemental changé",
    "council_refused": "Rattachement refusé par le conseil départemental",
    "standing_given": "Situation donnée",
    "standing_ended": "Situation terminée",
    "closed": "Compte supprimé",
}
"""Lines of an account's history; a package that writes others adds them with `add_actions`."""
STANDINGS: Final = {
    "intern": "Interne",
    "licensed": "Interne avec licence de remplacement",
    "junior": "Docteur junior",
}
"""What a council or an administrator says that somebody is."""
COORDINATES: Final = {"address": "adresse", "email": "adresse mail", "mobile": "mobile", "phone": "téléphone fixe"}
STATUSES: Final = {"pending": "À confirmer", "active": "Actif", "closed": "Fermé"}

SUPPORT_KINDS: Final = {
    "sign_in": "Connexion et compte",
    "offer": "Décrire une offre",
    "sheet": "Erreur dans une fiche",
    "register": "Erreur d’un registre (RPPS, FINESS, AMELI)",
    "left_place": "Je n’exerce plus à cet endroit",
    "search": "Recherche, carte, exports",
    "rights": "Droits et délégations",
    "other": "Autre demande",
}
"""Kinds of requests. Those of `SUPPORT_OFFERED` stand in the form; the others come from the page concerned."""
SUPPORT_OFFERED: Final = ("sign_in", "offer", "sheet", "search", "rights", "other")
SUPPORT_STATES: Final = {
    "new": "Nouvelle",
    "in_progress": "En cours",
    "answered": "Répondue",
    "reopened": "Rouverte",
    "closed": "Close",
}
SUPPORT_ACTIONS: Final = {
    "open": "Demande reçue",
    "take": "Prise en charge",
    "answer": "Réponse envoyée",
    "reply": "Nouveau message du demandeur",
    "close": "Demande close",
    "reopen": "Demande rouverte",
}

DELEGATION_ACTIONS: Final = {
    "invite": "Invitation envoyée",
    "request": "Demande faite",
    "accept": "Acceptée",
    "refuse": "Refusée",
    "cancel": "Retirée avant réponse",
    "expire": "Expirée sans réponse",
    "end": "Délégation terminée",
}

_BROWSERS: Final = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Version/.*Safari/", "Safari"),
)
_SYSTEMS: Final = (
    (r"iPhone", "iPhone"),
    (r"iPad", "iPad"),
    (r"Android", "Android"),
    (r"Windows", "Windows"),
    (r"Macintosh|Mac OS X", "Mac"),
    (r"CrOS", "Chromebook"),
    (r"Linux|X11", "Linux"),
)


def _first(table: tuple[tuple[str, str], ...], text: str) -> str:
    return next((label for pattern, label in table if re.search(pattern, text)), "")


def device(user_agent: str) -> str:
    """Name a browser as people do: « Firefox sur Windows »."""
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if not browser:
        return f"Navigateur sur {system}" if system else "Navigateur inconnu"
    return f"{browser} sur {system}" if system else browser


def scope(text: str) -> str:
    """Write what a right covers: « RPPS 10101010101 », « département 78 »."""
    kind, _, value = text.partition(":")
    return f"{SCOPES.get(kind, kind)}\u00a0{value}" if value else text


def right(role: str, over: str) -> str:
    """Write a right: « Modérateur (conseil départemental 78) »."""
    label = ROLES.get(role, role)
    return f"{label} ({scope(over)})" if over else label


def happening(action: str, detail: object) -> str:
    """Write a line of an account's history."""
    label = ACTIONS.get(action, action)
    if not isinstance(detail, dict):
        return label
    if "role" in detail:
        return f"{label}\u00a0: {right(str(detail['role']), str(detail.get('scope') or ''))}"
    if "method" in detail:
        return f"{label} ({METHODS.get(str(detail['method']), detail['method'])})"
    if "standing" in detail:
        until = f", licence jusqu’au {detail['until']}" if detail.get("until") else ""
        return f"{label}\u00a0: {STANDINGS.get(str(detail['standing']), detail['standing'])}{until}"
    if "council" in detail:
        former = f"{detail['from']} → " if detail.get("from") else ""
        reason = f" ({detail['reason']})" if detail.get("reason") else ""
        return f"{label}\u00a0: {former}{detail['council']}{reason}"
    if "kind" in detail:
        return f"{label}\u00a0: {COORDINATES.get(str(detail['kind']), detail['kind'])}"
    return label


def author(actor: str, uid: object) -> str:
    """Say who did something to an account, as its owner reads it."""
    if actor == f"account:{uid}":
        return "vous"
    return "un autre compte" if actor.startswith("account:") else actor


def add_actions(labels: dict[str, str]) -> None:
    """Say in French the lines that a package writes in the history of accounts."""
    ACTIONS.update(labels)
