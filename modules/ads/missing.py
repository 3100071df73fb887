"""What keeps an ad from being transmitted: what it says, when it ends, how and by whom its author is known."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import reach
from core import clock
from core.errors import Forbidden
from modules.ads import rules
from modules.ads.people import Reader
from modules.ads.schemas import AdContent


async def lacking(session: AsyncSession, author: Reader, content: AdContent, ends_on: date | None) -> dict[str, str]:
    """Return what keeps somebody from transmitting an ad that says this: field → French message.

    Raises:
        Forbidden: they publish no ad at all.
    """
    if author.standing is None:
        raise Forbidden("Seuls les médecins, les docteurs juniors et les internes publient des annonces.")
    today = clock.today(await clock.now(session))
    errors = rules.complete(content, author.standing.kind, today)
    wrong_end = rules.end_error(ends_on, today)
    if wrong_end:
        errors["ends_on"] = wrong_end
    # Answers to an anonymous ad are written to an address whose owner proved it; what is shown may be a register's.
    if content.anonymous and not (await reach(session, author.account_id, "ordre")).email:
        errors["contact"] = (
            "Les réponses à une annonce anonyme arrivent à votre adresse mail « Ordre » : confirmez-en une "
            "dans « Coordonnées »."
        )
    elif not content.anonymous and not (await reach(session, author.account_id, "annonces")).reachable:
        errors["contact"] = "Affectez d’abord une adresse mail ou un téléphone aux annonces, dans « Coordonnées »."
    if author.standing.council is None or not author.standing.council_confirmed:
        errors["council"] = "Confirmez d’abord le conseil départemental dont vous relevez, dans « Coordonnées »."
    return errors
