"""What to try when nothing matches, in French, the most likely cause first."""

from collections.abc import Iterable

from search_api.schemas import SearchQuery
from search_api.text import Reading


def unread(words: Iterable[str]) -> list[str]:
    """Say of each word of a text that nothing was found for it."""
    return [
        f"Le mot « {word} » ne figure ni dans les nomenclatures ni dans les noms : vérifiez-le ou retirez-le."
        for word in words
    ]


def widen(query: SearchQuery, reading: Reading) -> list[str]:
    """Return advice for an empty answer."""
    advice = unread(reading.unknown)
    if query.scope and query.q:
        advice.append("Cherchez dans tout le répertoire plutôt que dans un seul domaine.")
    if len(query.within) > 1:
        advice.append("Retirez l’une des limites « Dans » : une offre doit être dans toutes à la fois.")
    elif query.within:
        advice.append("Retirez la limite « Dans » : ce qui est hors de ces lieux n’est pas cherché.")
    if query.radius_km is not None:
        advice.append("Agrandissez le rayon, ou retirez-le : les résultats les plus proches viendront d’abord.")
    if query.bbox is not None:
        advice.append("Élargissez la zone de la carte.")
    if any(ref.kind in ("epci", "departement", "region", "territory") for ref in query.where):
        advice.append("Choisissez une commune plutôt qu’un territoire : rien n’est alors exclu par la distance.")
    if query.open_at is not None:
        advice.append("Retirez l’heure d’ouverture : beaucoup d’offres n’ont pas encore indiqué leurs horaires.")
    if query.visits:
        advice.append("Retirez la visite à domicile : peu d’offres ont indiqué leur territoire d’intervention.")
    if query.accepts_new:
        advice.append("Retirez « accepte de nouveaux patients » : beaucoup d’offres ne l’ont pas encore indiqué.")
    if query.age is not None:
        advice.append("Retirez l’âge du patient.")
    if query.facets:
        advice.append("Décochez des filtres.")
    if (query.q or query.codes) and not advice:
        advice.append("Essayez un mot plus général, par exemple la profession ou la spécialité.")
    return advice
