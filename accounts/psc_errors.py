"""Why a sign-in by Pro Santé Connect did not end, and what its page says: what happened, what is safe, what to do."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """The page of a failure. `other_card` offers to begin again with another card than the one just shown."""

    status: int
    title: str
    what: str
    advice: str
    again: bool = True
    other_card: bool = False


_SAFE = "Rien n’a été modifié."

REFUSALS: Final[dict[str, Refusal]] = {
    "cancelled": Refusal(
        400,
        "Connexion annulée",
        f"Vous avez quitté Pro Santé Connect avant la fin, ou refusé la demande. {_SAFE}",
        "Recommencez, ou choisissez une autre façon de vous connecter.",
    ),
    "expired": Refusal(
        400,
        "Cette étape ne peut plus servir",
        "La connexion a commencé il y a plus de dix minutes, a déjà abouti, ou vient d’un autre navigateur"
        f" (retour en arrière, page rechargée, autre onglet). {_SAFE}",
        "Recommencez depuis le début : une minute suffit.",
    ),
    "identity_expired": Refusal(
        400,
        "Cette étape ne peut plus servir",
        "Votre carte a été lue il y a plus de trente minutes, dans un autre navigateur, ou cette étape est déjà"
        f" terminée. {_SAFE}",
        "Présentez de nouveau votre carte.",
    ),
    "unverified": Refusal(
        400,
        "Réponse non vérifiée",
        "La réponse reçue ne porte pas les garanties attendues de Pro Santé Connect : par sécurité, elle est ignorée."
        f" {_SAFE}",
        "Recommencez. Si cela se reproduit, prévenez l’assistance.",
    ),
    "clock": Refusal(
        503,
        "Les horloges ne s’accordent pas",
        f"L’heure de Pro Santé Connect et celle de ce site diffèrent trop pour vérifier votre identité. {_SAFE}",
        "Ce n’est pas votre poste qui est en cause : réessayez dans quelques minutes, puis prévenez l’assistance.",
    ),
    "down": Refusal(
        503,
        "Pro Santé Connect ne répond pas",
        f"Le service d’identification n’a pas répondu à temps. {_SAFE}",
        "Réessayez dans quelques minutes, ou connectez-vous par adresse mail et mot de passe.",
    ),
    "misconfigured": Refusal(
        503,
        "La liaison avec Pro Santé Connect est mal réglée",
        f"Pro Santé Connect refuse les demandes de ce site, ou répond autrement que prévu. {_SAFE}",
        "L’exploitant du site doit vérifier ses réglages. En attendant, connectez-vous par adresse mail et mot"
        " de passe.",
        again=False,
    ),
    "weak": Refusal(
        403,
        "Identification trop faible",
        f"Pro Santé Connect n’a pas confirmé que votre carte CPS ou votre e-CPS a servi à vous identifier. {_SAFE}",
        "Recommencez en présentant votre carte CPS ou en validant la demande dans l’application e-CPS.",
        other_card=True,
    ),
    "no_rpps": Refusal(
        403,
        "Cette carte ne porte pas de numéro RPPS",
        f"Repère reconnaît les professionnels par leur numéro RPPS, que cette carte ne donne pas. {_SAFE}",
        "Utilisez une autre carte, ou créez un compte avec votre adresse mail. Si votre numéro RPPS est récent,"
        " demandez la mise à jour de votre carte à votre Ordre ou à l’agence régionale de santé.",
        other_card=True,
    ),
    "student": Refusal(
        403,
        "Cette carte est celle d’une personne en formation",
        f"Une carte d’étudiant ou de professionnel en formation ne permet pas de décrire une offre de soins. {_SAFE}",
        "Créez un compte avec votre adresse mail : il donne accès aux annonces et au choix des postes. Si vous"
        " exercez déjà, utilisez votre carte de professionnel.",
        other_card=True,
    ),
    "closed": Refusal(
        403,
        "Ce compte est fermé",
        f"Le compte lié à cette carte a été fermé. {_SAFE}",
        "Adressez-vous à l’assistance pour en savoir plus.",
        other_card=True,
    ),
    "too_often": Refusal(
        429,
        "Trop d’essais",
        f"Beaucoup de connexions par carte viennent de commencer depuis votre réseau. {_SAFE}",
        "Attendez une minute, puis recommencez.",
    ),
    "linked_elsewhere": Refusal(
        409,
        "Cette carte est liée à un autre compte",
        "Un compte utilisateur semble déjà exister à partir de vos informations (même numéro RPPS)."
        " Le compte que vous utilisez en ce moment n’a pas été modifié.",
        "Déconnectez-vous, puis connectez-vous avec votre carte : vous arriverez dans l’autre compte, où vous pouvez"
        " la délier.",
        other_card=True,
    ),
    "other_identity": Refusal(
        409,
        "Ce compte est déjà lié à une autre carte",
        f"Un compte ne porte qu’un numéro RPPS, et celui-ci porte déjà le sien. {_SAFE}",
        "Vérifiez la carte présentée. Si votre numéro a changé, déliez d’abord l’ancienne carte dans « Mon compte ».",
        other_card=True,
    ),
}


class PscRefused(Exception):
    """A sign-in by Pro Santé Connect that does not end; `reason` is a key of REFUSALS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refusal = REFUSALS[reason]
