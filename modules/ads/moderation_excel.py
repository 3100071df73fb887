"""Excel files of moderators: their table, their statistics."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, sheets
from core.ui.filters import hour, long_date, number
from core.ui.tables import View
from modules.ads import councils, moderation_queries
from modules.ads.labels import CATEGORIES, STATES
from modules.ads.moderation_queries import Wanted
from modules.ads.people import Reader
from modules.ads.schemas_moderation import Delays, Statistics

MOST_ROWS: Final = 10_000
_COLUMNS: Final = (
    sheets.Column("N°", 8, "0"),
    sheets.Column("Titre", 50),
    sheets.Column("Statut", 14),
    sheets.Column("Catégorie", 20),
    sheets.Column("Conseil", 10),
    sheets.Column("Auteur", 28),
    sheets.Column("RPPS", 14),
    sheets.Column("Transmise le", 14),
    sheets.Column("Mise à jour le", 14),
    sheets.Column("Fin de publication", 18),
    sheets.Column("Refus", 8, "0"),
)


def _about(wanted: Wanted, reader: Reader, total: int) -> list[tuple[str, str]]:
    names = {
        "numero": "Numéro",
        "statut": "Statuts",
        "rpps": "RPPS",
        "categorie": "Catégorie",
        "du": "Mise à jour à partir du",
        "au": "Mise à jour jusqu’au",
        "conseil": "Conseil",
        "remontees": "Remontées au niveau national",
        "signalees": "Signalées",
    }
    said = dict(wanted.typed)
    if wanted.states:
        said["statut"] = ", ".join(STATES[state] for state in wanted.states)
    if wanted.category:
        said["categorie"] = CATEGORIES[wanted.category]
    if wanted.everywhere:
        scope = "annonces publiées de toute la France"
    elif reader.national:
        scope = "annonces de tous les conseils"
    else:
        scope = ", ".join(councils.title(council) for council in sorted(reader.councils))
    lines = [("Périmètre", scope)]
    lines += [(label, said[name]) for name, label in names.items() if said.get(name)]
    lines.append(("Annonces", number(total)))
    if total > MOST_ROWS:
        lines.append(
            ("Attention", f"Seules les {number(MOST_ROWS)} premières, dans l’ordre du tableau, sont dans ce fichier.")
        )
    return lines


async def table(session: AsyncSession, reader: Reader, wanted: Wanted, view: View) -> bytes:
    """Return the table of a moderator as an Excel file, in its order, bounded; its second sheet says so."""
    total = (await session.execute(moderation_queries.counts(reader, wanted))).one()[0]
    found = await session.execute(moderation_queries.rows(reader, wanted, view.sort, view.descending, limit=MOST_ROWS))
    rows = [
        (
            row.number,
            row.title,
            STATES[row.state],
            CATEGORIES.get(row.category or "", ""),
            councils.short(row.council),
            f"{row.first_name} {row.last_name}".strip(),
            row.rpps or "",
            _day(row.submitted_at),
            _day(row.updated_at),
            f"{row.ends_on:%d/%m/%Y}" if row.ends_on else "",
            row.refusals,
        )
        for row in found
    ]
    now = await clock.now(session)
    about = [*_about(wanted, reader, total), ("Fichier du", f"{long_date(now)} à {hour(now)}")]
    return sheets.texts("Annonces", _COLUMNS, rows, about, made_at=now)


def _day(instant: datetime | None) -> str:
    return f"{clock.local(instant):%d/%m/%Y}" if instant else ""


_FIGURES: Final = (
    sheets.Column("Rubrique", 26),
    sheets.Column("Libellé", 34),
    sheets.Column("Mesure", 34),
    sheets.Column("Valeur", 12, "#,##0.##"),
)


def _of_delays(part: str, label: str, delays: Delays) -> list[tuple[str, str, str, float]]:
    rows: list[tuple[str, str, str, float]] = [
        (part, label, "Acceptées", delays.accepted),
        (part, label, "Refusées", delays.refused),
    ]
    if delays.refusal_rate is not None:
        rows.append((part, label, "Taux de refus (%)", round(delays.refusal_rate * 100, 1)))
    if delays.median_hours is not None:
        rows.append((part, label, "Délai médian (heures)", round(delays.median_hours, 2)))
    if delays.slowest_hours is not None:
        rows.append((part, label, "Délai de 9 décisions sur 10 (heures)", round(delays.slowest_hours, 2)))
    return rows


def figures(found: Statistics, name: str) -> bytes:
    """Return statistics as an Excel file, one figure a line."""
    rows: list[tuple[str, str, str, float]] = [("Aujourd’hui", name, "En attente", found.waiting)]
    for one in found.categories:
        counts = one.model_dump(include={"pending", "published", "unpublished", "refused"})
        rows += [("Catégories", one.label, STATES[state], count) for state, count in counts.items()]
    rows += _of_delays("Douze derniers mois", name, found.year)
    rows.append(("Douze derniers mois", name, "Refusées après publication", found.refused_later))
    for month in found.months:
        label = f"{month.month:%m/%Y}"
        rows.append(("Mois", label, "Transmises", month.submitted))
        rows += _of_delays("Mois", label, month)
    for council in found.councils:
        label = councils.title(council.council)
        rows.append(("Conseils", label, "En attente", council.waiting))
        rows.append(("Conseils", label, "Publiées", council.published))
        rows += _of_delays("Conseils", label, council)
    about = [
        ("Périmètre", name),
        ("Délais", "De la transmission à la décision, pour les annonces qui attendaient."),
        ("Fichier du", f"{long_date(found.made_at)} à {hour(found.made_at)}"),
    ]
    return sheets.texts("Statistiques", _FIGURES, rows, about, made_at=found.made_at)
