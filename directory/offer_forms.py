"""Forms of the guided path: what a step's form holds, and its buttons that add to lists and take away from them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from directory import offer_steps as steps
from directory import territory_search
from directory.code_search import MOST, WHOLE, fitting, is_limited, search
from directory.concepts import ConceptEntry, ConceptIndex
from directory.days import calendar_day
from directory.describe_rules import PLACES_MAX
from directory.hours_editor import hours_round
from directory.labels import LANGUAGES
from directory.models import Site
from directory.offer_steps import Values

SYSTEMS: Final = {
    "activities": "J17",
    "acts": "J16",
    "outside_acts": "J16",
    "equipment": "J18",
    "skills": "J33",
    "publics": "J29",
    "specialisations": "J35",
}
"""Fields chosen in a nomenclature by searching it."""

PICKED: Final = (*SYSTEMS, "languages", "territory")
"""Fields with a search, a list of what was chosen, and buttons to add and take away."""


def from_form(key: str, form: FormData) -> Values:
    """Return the values of a step as its form holds them."""
    given: Values = {}
    for name in steps.MODELS[key].model_fields:
        if name == "hours":
            given[name] = hours_round(form).draft
        elif name in steps.LISTS:
            given[name] = [str(value) for value in form.getlist(name)]
        else:
            text = str(form.get(name, ""))
            given[name] = calendar_day(text) if name == "accepts_new_on" else text
    return steps.typed(key, given)


@dataclass(frozen=True, slots=True)
class Action:
    """What the button that was pressed asks: a word, the field it is about, and a value."""

    word: str
    field: str = ""
    value: str = ""

    @property
    def edits(self) -> bool:
        """Whether it changes or searches a list, and comes back to the same step."""
        return self.field in PICKED


def action_of(form: FormData) -> Action:
    """Return what was asked; the Enter key follows what stands in the form: chosen results, then a search."""
    word, _, rest = str(form.get("action", "")).partition(":")
    name, _, value = rest.partition(":")
    if word:
        return Action(word, name, value)
    for field in PICKED:
        if form.getlist(f"nouveau.{field}"):
            return Action("ajouter", field)
    for field in PICKED:
        if str(form.get(f"q.{field}", "")).strip():
            return Action("chercher", field)
    return Action("suivant")


@dataclass(frozen=True, slots=True)
class Applied:
    """The values once a button of a list has done its work, and what it could not do, by field."""

    values: Values
    errors: dict[str, str]


def _distance(text: str) -> float | None:
    text = text.replace(",", ".").strip()
    km = float(text) if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 8 else 0
    return km if 0 < km <= territory_search.MAX_KM else None


async def apply(session: AsyncSession, site: Site, action: Action, form: FormData, values: Values) -> Applied:
    """Do what a button of a list asks."""
    name = action.field
    chosen: list[str] = values[name]
    errors: dict[str, str] = {}
    given = [str(value) for value in form.getlist(f"nouveau.{name}")]
    if action.word == "ajouter":
        chosen = [*chosen, *(territory_search.expanded(given) if name == "territory" else given)]
    elif action.word == "groupe":
        chosen = [*chosen, *territory_search.expanded([str(form.get("groupe", ""))])]
    elif action.word == "rayon":
        km = _distance(str(form.get("rayon", "")))
        if km is None:
            errors["rayon"] = (
                f"Distance : un nombre de kilomètres jusqu’à {territory_search.MAX_KM} est attendu, par exemple 10. "
                "Rien n’est ajouté."
            )
        else:
            chosen = [*chosen, *await territory_search.around(session, site, km)]
    elif action.word == "retirer":
        chosen = [value for value in chosen if value != action.value]
    elif action.word == "supprimer":
        gone = {str(value) for value in form.getlist(f"choisi.{name}")}
        chosen = [value for value in chosen if value not in gone]
    else:
        return Applied(values, errors)
    chosen = list(dict.fromkeys(chosen))
    if name == "territory" and len(chosen) > PLACES_MAX:
        errors["territory"] = (
            f"Territoire d’intervention : {PLACES_MAX} communes au plus. Il est plein : les communes en trop ne sont "
            "pas ajoutées, les autres sont gardées."
        )
        chosen = chosen[:PLACES_MAX]
    return Applied(values | {name: chosen}, errors)


@dataclass(frozen=True, slots=True)
class Option:
    """A value that a list offers."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True)
class Search:
    """What was searched in one list of the step; `everywhere`: beyond what fits the offer; `whole`: all of a list."""

    field: str = ""
    text: str = ""
    everywhere: bool = False
    whole: bool = False
    all_chosen: str = ""
    focus: str = ""

    @property
    def most(self) -> int:
        """How many codes are shown at once."""
        return WHOLE if self.whole else MOST


async def options(session: AsyncSession, index: ConceptIndex, kind: str, asked: Search) -> list[Option]:
    """Return what a search in a field finds; what fits the kind of the offer, unless everything is asked for."""
    name, text = asked.field, asked.text
    if name == "territory":
        found = await territory_search.search(session, text) if text.strip() else []
        return [Option(f.ref, f.label, f.detail) for f in found]
    if name == "languages":
        return [Option(e.ref.partition("|")[2], e.label) for e in search(_languages(), text)]
    entries = fitting(index, SYSTEMS[name], None if asked.everywhere else kind)
    return [Option(entry.ref, entry.label) for entry in search(entries, text, asked.most)]


def limited(kind: str, name: str) -> bool:
    """Tell whether a field first offers only what fits the kind of the offer."""
    return name in SYSTEMS and is_limited(SYSTEMS[name], kind)


def _languages() -> list[ConceptEntry]:
    ordered = sorted(LANGUAGES.items(), key=lambda item: item[1])
    return [ConceptEntry(0, "langue", code, label, True) for code, label in ordered]
