"""Who a card says that its holder is: the claims of Pro Santé Connect, read into what an account keeps."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.psc_errors import PscRefused

_NATIONAL_RPPS = re.compile(r"8([0-9]{11})", re.ASCII)
_BARE_RPPS = re.compile(r"8?([0-9]{11})", re.ASCII)
_STUDENT = "E"
_STUDENT_ROLES = "1.2.250.1.71.1.2.8"
"""TRE_G16-ProfessionFormation: professions of people in training (those who practise are in TRE_G15)."""

TITLES = {"M": "Monsieur", "MME": "Madame", "MLLE": "Madame", "DR": "Docteur", "PR": "Professeur"}
_TEXT_MAX = 200


@dataclass(frozen=True, slots=True)
class CardIdentity:
    """What a card proves. `profession` and `specialty` are codes of the national nomenclatures, None when unknown."""

    subject: str
    rpps: str
    title: str | None
    last_name: str
    first_name: str
    profession: str | None
    specialty: str | None

    @property
    def name(self) -> str:
        """The holder's name, as pages write it."""
        return f"{self.first_name} {self.last_name}".strip()


def read_identity(claims: Mapping[str, Any]) -> CardIdentity:
    """Read the UserInfo of Pro Santé Connect.

    Which claim holds the RPPS number follows the UserInfo page of the agency in charge of it (Agence du numérique en
    santé, industriels.esante.gouv.fr, « Pro Santé Connect », « UserInfo »). `SubjectNameID` is the national identifier
    of the person: the digit of its register (8 for the RPPS, 0 for ADELI) followed by the number in that register, the
    same form as « Identification nationale PP » in the files of the Annuaire Santé. `otherIds` lists every identifier
    of the person, each with the register that gave it (`origine`) and its number (`identifiant`). So the RPPS number
    is `SubjectNameID` without its 8, and when another register's number stands there, the identifier of origin RPPS.
    What remains is no person of the RPPS. The subject kept for later sign-ins is « 8 » and the number, which survives
    a register's change of the main identifier; `sub` is said to change and is not used.

    Raises:
        PscRefused: the card names nobody of the RPPS, or a person still in training.
    """
    rpps = _rpps(claims)
    if rpps is None:
        raise PscRefused("no_rpps")
    reference = claims.get("SubjectRefPro")
    reference = reference if isinstance(reference, Mapping) else {}
    exercises = [one for one in _list(reference.get("exercices")) if isinstance(one, Mapping)]
    practised = [one for one in exercises if _text(one.get("codeCategorieProfessionnelle")) != _STUDENT]
    if _in_training(claims, exercises, practised):
        raise PscRefused("student")
    exercise: Mapping[str, Any] = practised[0] if practised else {}
    return CardIdentity(
        subject=f"8{rpps}",
        rpps=rpps,
        title=TITLES.get(_text(exercise.get("codeCiviliteDexercice")).upper())
        or TITLES.get(_text(reference.get("codeCivilite")).upper()),
        last_name=_text(claims.get("family_name")) or _text(exercise.get("nomDexercice")),
        first_name=_first_name(_text(claims.get("given_name")) or _text(exercise.get("prenomDexercice"))),
        profession=_text(exercise.get("codeProfession")) or None,
        specialty=_text(exercise.get("codeSavoirFaire")) or None,
    )


def _rpps(claims: Mapping[str, Any]) -> str | None:
    found = _NATIONAL_RPPS.fullmatch(_text(claims.get("SubjectNameID")))
    if found:
        return found[1]
    for other in _list(claims.get("otherIds")):
        if isinstance(other, Mapping) and _text(other.get("origine")).upper() == "RPPS":
            found = _BARE_RPPS.fullmatch(_text(other.get("identifiant")))
            if found:
                return found[1]
    return None


def _in_training(claims: Mapping[str, Any], exercises: list[Any], practised: list[Any]) -> bool:
    if exercises:
        return not practised
    roles = [_text(role) for role in _list(claims.get("SubjectRole"))]
    return bool(roles) and all(role.endswith(f"^{_STUDENT_ROLES}") for role in roles)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    # PostgreSQL keeps no NUL, and a name has no control character.
    return "".join(char for char in value if char.isprintable()).strip()[:_TEXT_MAX] if isinstance(value, str) else ""


def _first_name(given: str) -> str:
    return given.title() if given.isupper() else given
