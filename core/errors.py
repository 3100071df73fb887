"""Errors that a person may read: a status, a French sentence, the fields concerned; nothing of the inside."""

from collections.abc import Mapping


class DomainError(Exception):
    """A rule was not met. Answered as RFC 9457 JSON to programs and as a page to people."""

    status = 400
    code = "requete-invalide"
    title = "Requête invalide"

    def __init__(self, detail: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})


class InvalidInput(DomainError):
    """Input that breaks a rule; `fields` maps a field name to its French message."""

    status = 422
    code = "donnees-invalides"
    title = "Données invalides"


class NotFound(DomainError):
    """What was asked for does not exist, or may not be seen."""

    status = 404
    code = "introuvable"
    title = "Introuvable"


class Forbidden(DomainError):
    """The person is known and has no right to this."""

    status = 403
    code = "acces-refuse"
    title = "Accès refusé"


class Conflict(DomainError):
    """A stale version, or a state that does not allow the action."""

    status = 409
    code = "conflit"
    title = "Conflit"


class TooLarge(DomainError):
    """More was sent than can be read."""

    status = 413
    code = "trop-volumineux"
    title = "Contenu trop volumineux"


class TooMany(DomainError):
    """The same person, or the same network address, asks too often."""

    status = 429
    code = "trop-de-requetes"
    title = "Trop de requêtes"


class Unavailable(DomainError):
    """A service that the answer needs does not respond, or a time limit was reached."""

    status = 503
    code = "indisponible"
    title = "Service momentanément indisponible"
