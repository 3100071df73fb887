"""How the order of the results came about, in French, for `explain=1`."""

from directory.api import ConceptIndex
from search_api.engine import EngineQuery, Hit, Term
from search_api.relevance import ACCEPTS_NEW, BANDS, DESCRIBED, EXACT, HOURS, NAME, OTHER, PRIMARY
from search_api.schemas import PlaceOut, Sort

PLAN = "Plan du moteur : "
"""Begins the lines that are for whoever looks after the engine, and that pages leave out."""


def kilometres(metres: int) -> str:
    """Return a distance as French pages write it: « 850 m », « 3,2 km »."""
    if metres < 1000:
        return f"{metres} m"
    text = (
        f"{metres / 1000:.1f}".replace(".", ",") if metres < 100_000 else f"{round(metres / 1000):,}".replace(",", " ")
    )
    return f"{text} km"


def term_line(term: Term, concepts: ConceptIndex) -> str:
    """Say what a word of the text may be met by."""
    labels = [concepts.by_id[one].label for one in sorted(term.codes) if one in concepts.by_id]
    shown = ", ".join(f"« {label} »" for label in labels[:5]) + (
        f" et {len(labels) - 5} autres" if len(labels) > 5 else ""
    )
    ways = []
    if labels:
        ways.append(f"un code ({shown})")
    if term.lexemes:
        ways.append("le nom du lieu ou du professionnel")
    return f"« {term.text} » : " + (" ou ".join(ways) if ways else "aucun code ni aucun nom ne le contient")


def order_lines(
    query: EngineQuery, centre: PlaceOut | None, concepts: ConceptIndex, plan: tuple[str, ...]
) -> list[str]:
    """Say, for the whole answer, what was asked and how it is ordered."""
    lines = [term_line(term, concepts) for term in query.terms]
    if query.origins:
        name = (
            centre.label
            if centre
            else ("le plus proche des lieux choisis" if len(query.origins) > 1 else "le centre de la carte")
        )
        lines.append(f"Distances géodésiques, arrondies au mètre, depuis : {name}.")
    else:
        lines.append("Aucun lieu précis n’est choisi : il n’y a pas de distance.")
    if query.sort is Sort.distance and query.origins:
        lines.append(
            "Ordre : distance croissante ; à distance égale, positions exactes avant positions approximatives, "
            "puis un ordre qui ne change pas."
        )
    else:
        bands = ", ".join(f"{gain} à moins de {limit // 1000} km" for limit, gain in BANDS)
        lines.append(
            f"Ordre : pertinence décroissante. Points de la meilleure offre du lieu : pour chaque mot, {PRIMARY} si un "
            f"code dit ce qu’est l’offre, {NAME} si un nom le contient, {OTHER} pour un autre code ; {DESCRIBED} si "
            f"l’offre est décrite, {ACCEPTS_NEW} si elle accepte de nouveaux patients, {HOURS} si ses horaires sont "
            f"connus, {EXACT} si sa position est exacte ; proximité : {bands}. À points égaux : la distance, puis un "
            "ordre qui ne change pas."
        )
    lines.extend(f"{PLAN}{step}." for step in plan)
    return lines


def hit_lines(hit: Hit, query: EngineQuery) -> list[str]:
    """Say, for one result, why it stands where it does."""
    lines = []
    if hit.distance_m is not None:
        position = "position exacte" if hit.exact else "position approximative, celle de la commune"
        lines.append(f"Distance : {kilometres(hit.distance_m)} ({position})")
    elif query.origins:
        lines.append("Distance inconnue : ce lieu n’a pas de position")
    lines.append(f"Pertinence : {hit.score} points")
    offers = "1 offre correspond" if hit.offers_count == 1 else f"{hit.offers_count} offres correspondent"
    lines.append(offers)
    return lines
