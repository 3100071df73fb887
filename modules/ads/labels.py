"""French labels of the codes of ads: categories, sides, situations, states, what happened."""

from typing import Final

CATEGORIES: Final = {
    "adjuvat": "Adjuvat",
    "assistanat": "Assistanat",
    "association": "Association",
    "collaboration": "Collaboration",
    "remplacement": "Remplacement",
    "succession": "Succession / cession",
}
SEEKS, OFFERS = "seeks", "offers"
"""The two sides of an ad: the author seeks somebody, or offers themselves."""

SITUATIONS: Final = {
    ("adjuvat", SEEKS): "Je cherche un adjoint",
    ("adjuvat", OFFERS): "Je cherche un poste d’adjoint",
    ("assistanat", SEEKS): "Je cherche un assistant",
    ("assistanat", OFFERS): "Je cherche un poste d’assistant",
    ("association", SEEKS): "Je cherche un associé",
    ("association", OFFERS): "Je cherche à m’associer",
    ("collaboration", SEEKS): "Je cherche un collaborateur",
    ("collaboration", OFFERS): "Je cherche un poste de collaborateur",
    ("remplacement", SEEKS): "Je cherche un remplaçant",
    ("remplacement", OFFERS): "Je cherche un remplacement",
    ("succession", SEEKS): "Je cède mon cabinet",
    ("succession", OFFERS): "Je cherche un cabinet à reprendre",
}
"""(category, side) → what its author says of themselves."""

READERS: Final = {
    ("adjuvat", SEEKS): "Je suis adjoint",
    ("adjuvat", OFFERS): "Je cherche un adjoint",
    ("assistanat", SEEKS): "Je suis assistant",
    ("assistanat", OFFERS): "Je cherche un assistant",
    ("association", SEEKS): "Je souhaite m’associer",
    ("association", OFFERS): "Je cherche un associé",
    ("collaboration", SEEKS): "Je suis collaborateur",
    ("collaboration", OFFERS): "Je cherche un collaborateur",
    ("remplacement", SEEKS): "Je suis remplaçant",
    ("remplacement", OFFERS): "Je cherche un remplaçant",
    ("succession", SEEKS): "Je souhaite reprendre un cabinet",
    ("succession", OFFERS): "Je cède mon cabinet",
}
"""(category, side of the ad) → the reader whom such an ad is for: search asks for the reader's situation."""

FLAGS: Final = {SEEKS: "Urgent", OFFERS: "Disponible immédiatement"}
"""How the one flag of an ad reads, by side."""

STATES: Final = {
    "draft": "Brouillon",
    "pending": "En attente",
    "published": "Publiée",
    "unpublished": "Dépubliée",
    "refused": "Refusée",
    "deleted": "Supprimée",
}
ACTIONS: Final = {
    "create": "Brouillon créé",
    "submit": "Transmise au conseil",
    "revise": "Contenu modifié et transmis de nouveau au conseil",
    "accept": "Acceptée et publiée",
    "refuse": "Refusée",
    "extend": "Date de fin de publication modifiée",
    "unpublish": "Dépubliée par son auteur",
    "republish": "Publiée de nouveau",
    "expire": "Dépubliée : date de fin atteinte",
    "suspend": "Dépubliée : la situation de son auteur ne la permet plus",
    "delete": "Supprimée",
    "purge": "Supprimée après le délai de conservation",
}
UNPUBLISH_REASONS: Final = {
    "filled": "Pourvue",
    "changed": "Mes besoins ont changé",
    "other": "Autre raison",
}
SUSPEND_REASONS: Final = {
    "licence": "Licence de remplacement échue",
    "standing": "Situation retirée ou changée par le conseil",
    "unknown": "Situation qui n’est plus connue du registre ni du conseil",
}
"""Why an ad was taken off that its author may no longer publish."""
REASONS: Final = UNPUBLISH_REASONS | SUSPEND_REASONS
STANDINGS: Final = {
    "doctor": "Médecin inscrit au tableau",
    "junior": "Docteur junior",
    "licensed": "Interne titulaire d’une licence de remplacement",
    "intern": "Interne",
}


def situation(category: str, side: str) -> str:
    """Return what the author of an ad says of themselves."""
    return SITUATIONS[category, side]
