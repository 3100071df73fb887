"""The invented people of the demonstration, whom anyone may become in one click."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account
from core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Persona:
    """An invented person: `key` names them, `label` says what they do, `hint` what to try as them."""

    key: str
    label: str
    hint: str


PERSONAS = (
    Persona("kine", "Masseur-kinésithérapeute à Mantes-la-Jolie", "Décrire son offre, ses horaires, sa zone de visite"),
    Persona("sage-femme", "Sage-femme à Mantes-la-Jolie", "Vérifier sa fiche et la compléter"),
    Persona("medecin-annonces", "Médecin à Mantes-la-Jolie", "Première visite des annonces, ses coordonnées"),
    Persona("secretaire", "Secrétaire du cabinet", "Tenir à jour la fiche des professionnels qui l’ont acceptée"),
    Persona("hopital", "Gestionnaire d’établissement", "Décrire les offres d’un hôpital"),
    Persona("coordinateur", "Coordinatrice de territoire (Yvelines)", "Suivre ce qui est décrit, mesurer l’offre"),
    Persona("moderateur", "Modérateur du conseil départemental 78", "Relire les annonces, dire qui est interne"),
    Persona("affaires-medicales", "Affaires médicales d’un hôpital", "Déposer un dossier de poste partagé"),
    Persona("agent", "Agente de l’agence régionale", "Instruire les dossiers, préparer le choix des internes"),
    Persona("interne", "Interne avec licence de remplacement", "Chercher un remplacement, tenir ses coordonnées"),
    Persona("interne-1", "Interne, 1er choix", "Choisir un poste en direct"),
    Persona("interne-2", "Interne, 2e choix", "Suivre le choix et préparer ses vœux"),
    Persona("administrateur", "Administrateur du site", "Comptes, droits, demandes d’assistance"),
)
"""In the order of the page."""


async def persona_account(session: AsyncSession, key: str) -> Account:
    """Return the account of a persona.

    Raises:
        NotFound: no such persona, or the demonstration's data are not loaded.
    """
    account = await session.scalar(select(Account).where(Account.demo == key, Account.status == "active"))
    if account is None:
        raise NotFound("Ce personnage de démonstration n’existe pas : les données d’exemple ne sont pas chargées.")
    return account


async def present(session: AsyncSession) -> dict[str, Account]:
    """Return the accounts of the personas that exist, by key."""
    rows = await session.scalars(select(Account).where(Account.demo.is_not(None), Account.status == "active"))
    return {account.demo: account for account in rows if account.demo}
