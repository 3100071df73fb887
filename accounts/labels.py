"""French words for the codes of accounts."""

from typing import Final

ROLES: Final = {
    "professional": "Professionnel de santé",
    "delegate": "Délégué",
    "site_manager": "Gestionnaire d’établissement",
    "moderator": "Modérateur d’un conseil départemental",
    "coordinator": "Coordinateur de territoire",
    "agent": "Agent de l’agence régionale",
    "portal": "Portail réutilisateur",
    "administrator": "Administrateur",
}
ORIGINS: Final = {
    "rule": "Règle",
    "administrator": "Administrateur",
    "professional": "Professionnel",
    "operator": "Exploitant",
    "demo": "Démonstration",
}
STATUSES: Final = {"pending": "À confirmer", "active": "Actif", "closed": "Fermé"}
METHODS: Final = {"psc": "Pro Santé Connect", "password": "Mot de passe", "demo": "Démonstration"}

ACTIONS: Final = {
    "created": "Compte créé",
    "signed_in": "Connexion",
    "granted": "Droit donné",
    "grant_ended": "Droit retiré",
    "rpps_confirmed": "Numéro RPPS confirmé",
    "rpps_refused": "Numéro RPPS écarté",
    "sign_ins_ended": "Déconnexion de tous les appareils",
    "closed": "Compte fermé",
}
"""Lines of an account's history; a package that writes others adds them with `add_actions`."""

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


def add_actions(labels: dict[str, str]) -> None:
    """Say in French the lines that a package writes in the history of accounts."""
    ACTIONS.update(labels)
