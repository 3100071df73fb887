"""The mails of ads as they are worded until a council words them otherwise, and the names that stand for values."""

from dataclasses import dataclass
from typing import Final, Literal

Event = Literal[
    "submitted", "published", "refused", "warning", "unpublished", "suspended", "report_received", "report_closed"
]

EVENTS: Final[dict[Event, str]] = {
    "submitted": "Annonce transmise",
    "published": "Annonce publiée",
    "refused": "Annonce refusée",
    "warning": "Une semaine avant la fin de publication",
    "unpublished": "Annonce dépubliée",
    "suspended": "Annonce dépubliée parce que la situation de son auteur a changé",
    "report_received": "Signalement reçu (au lecteur qui signale)",
    "report_closed": "Suite donnée à un signalement (au lecteur qui a signalé)",
}
PLACEHOLDERS: Final = {
    "numero": "numéro de l’annonce",
    "titre": "titre de l’annonce",
    "categorie": "catégorie",
    "conseil": "nom du conseil",
    "fin": "date de fin de publication",
    "motif": "motif du refus ou de la dépublication, suite d’un signalement",
}
"""Names that may stand between braces, and what they stand for."""
EXAMPLE: Final = {
    "numero": "84",
    "titre": "Remplaçant disponible de juin à septembre",
    "categorie": "Remplacement",
    "fin": "10\u00a0mai 2027",
    "motif": "Votre annonce ne respecte pas les règles de publication. Nous vous invitons à modifier son contenu.",
}
"""Values of the preview; the council is the reader's."""
EXAMPLES: Final[dict[Event, str]] = {
    "unpublished": "vous l’avez dépubliée (pourvue).",
    "suspended": "votre licence de remplacement a pris fin le 30\u00a0avril 2027.",
    "report_closed": "le conseil a retiré l’annonce.",
}
"""The reason in the preview of events whose reason is no refusal's."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A mail as it is worded: one line for the subject, paragraphs between empty lines for the body."""

    subject: str
    body: str


STANDARD: Final[dict[Event, Wording]] = {
    "submitted": Wording(
        "Ordre des médecins – Annonce n°\u00a0{numero}\u00a0: transmise",
        "L’annonce n°\u00a0{numero} – {titre} a été transmise au {conseil}.\n\n"
        "Des vérifications sont en cours afin de s’assurer que son contenu est conforme aux règles de publication.\n\n"
        "Vous serez rapidement informé des suites données à votre demande de publication.",
    ),
    "published": Wording(
        "Ordre des médecins – Annonce n°\u00a0{numero}\u00a0: publiée",
        "L’annonce n°\u00a0{numero} – {titre} a été publiée.\n\n"
        "Son contenu est accessible aux médecins, aux internes et aux docteurs juniors qui utilisent le service "
        "jusqu’au {fin} inclus.\n\n"
        "À tout moment, vous pouvez dépublier ou supprimer cette annonce. Si besoin, vous pouvez également prolonger "
        "la durée de publication.",
    ),
    "refused": Wording(
        "Ordre des médecins – Annonce n°\u00a0{numero}\u00a0: refusée",
        "Nous ne pouvons pas donner une suite favorable à votre demande de publication pour l’annonce "
        "n°\u00a0{numero} – {titre}\u00a0: son contenu ne respecte pas les règles de publication.\n\n"
        "Motif\u00a0: {motif}\n\n"
        "Vous pouvez mettre à jour ce contenu et demander de nouveau sa publication.",
    ),
    "warning": Wording(
        "Ordre des médecins – Annonce n°\u00a0{numero}\u00a0: bientôt dépubliée",
        "L’annonce n°\u00a0{numero} – {titre} ne sera plus visible après le {fin}.\n\n"
        "Si elle est toujours d’actualité, prolongez sa durée de publication\u00a0: le changement est immédiat.",
    ),
    "unpublished": Wording(
        "Ordre des médecins – Annonce n°\u00a0{numero}\u00a0: dépubliée",
        "L’annonce n°\u00a0{numero} – {titre} n’est plus visible en ligne.\n\n"
        "Motif\u00a0: {motif}\n\n"
        "Vous pouvez la republier quand vous le souhaitez, après l’avoir mise à jour si nécessaire.",
    ),
    "suspended": Wording(
        "Ordre des médecins – Annonce n°\u00a0{numero}\u00a0: dépubliée, votre situation a changé",
        "L’annonce n°\u00a0{numero} – {titre} n’est plus visible en ligne, ou n’attend plus de vérification.\n\n"
        "Motif\u00a0: {motif}\n\n"
        "Si c’est une erreur, ou si votre situation est en cours de renouvellement, écrivez au {conseil}. Rien n’est "
        "perdu\u00a0: une fois votre situation enregistrée, publiez de nouveau l’annonce dans «\u00a0Gérer\u00a0».",
    ),
    "report_received": Wording(
        "Ordre des médecins – Annonce n°\u00a0{numero}\u00a0: signalement reçu",
        "Votre signalement de l’annonce n°\u00a0{numero} – {titre} est transmis au {conseil}.\n\n"
        "Le conseil relit l’annonce et décide de la suite. Son auteur ne sait pas qui l’a signalée.\n\n"
        "Vous serez informé de la suite donnée.",
    ),
    "report_closed": Wording(
        "Ordre des médecins – Annonce n°\u00a0{numero}\u00a0: suite de votre signalement",
        "Vous avez signalé l’annonce n°\u00a0{numero} – {titre}.\n\n"
        "Suite donnée\u00a0: {motif}\n\n"
        "Merci de votre vigilance.",
    ),
}
SUBJECT_MAX: Final = 150
BODY_MAX: Final = 3000
