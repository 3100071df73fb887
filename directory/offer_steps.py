"""The guided path « Peuplement de mon offre »: its steps, their values as typed, what they mean once checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from directory import describe_rules as rules
from directory import offer_hours
from directory.concepts import ConceptIndex
from directory.days import EXAMPLE, read_day
from directory.labels import PURPOSES
from directory.schemas import ContactIn, OfferDescription, SiteDescription

HOME_VISITS: Final = ("R338|05", "R338|27")
"""Ways of receiving that ask for a territory: visits, care at home."""
COMMENT_MAX: Final = 2000


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the path: number, name in the address, words of the progress line, title."""

    number: int
    key: str
    label: str
    title: str


STEPS: Final = (
    Step(1, "informations", "Informations nationales RPPS/AMELI", "Informations issues des répertoires"),
    Step(2, "mon-offre-1", "Mon offre (1/2)", "Description de mon offre (1/2)"),
    Step(3, "mon-offre-2", "Mon offre (2/2)", "Description de mon offre (2/2)"),
    Step(4, "contacts", "Contacts", "Informations de contact"),
    Step(5, "horaires", "Horaires", "Horaires de consultation"),
    Step(6, "recapitulatif", "Récapitulatif", "Récapitulatif"),
)
BY_KEY: Final = {step.key: step for step in STEPS}


def _text(most: int) -> BeforeValidator:
    # PostgreSQL keeps no NUL in a text.
    return BeforeValidator(lambda value: str(value).replace("\x00", "").strip()[:most])


def _clip(most: int, each: int) -> BeforeValidator:
    def bounded(value: Any) -> Any:
        return list(dict.fromkeys(str(item).replace("\x00", "")[:each] for item in value))[:most]

    return BeforeValidator(bounded)


Short = Annotated[str, _text(20)]
Line = Annotated[str, _text(500)]
Codes = Annotated[list[str], _clip(rules.CODES_MAX, 60)]
Places = Annotated[list[str], _clip(rules.PLACES_MAX, 60)]


class _Typed(BaseModel):
    model_config = ConfigDict(extra="ignore")


class OfferFirst(_Typed):
    """Step 2: patients, activities, acts."""

    age_min: Short = ""
    age_max: Short = ""
    activities: Codes = []
    accepts_new: Annotated[Literal["", "oui", "non"], BeforeValidator(lambda v: v if v in ("oui", "non") else "")] = ""
    accepts_new_on: Short = ""
    acts: Codes = []
    outside_acts: Codes = []
    publics: Codes = []
    specialisations: Codes = []


class OfferSecond(_Typed):
    """Step 3: equipment, skills, the place, how people are received, where visits go."""

    equipment: Codes = []
    skills: Codes = []
    accessibility: Short = ""
    reception: Codes = []
    territory: Places = []
    languages: Codes = []
    comment: Annotated[str, _text(10_000)] = ""


class Contacts(_Typed):
    """Step 4: the contact fields of the guide, and the fax."""

    booking_phone: Line = ""
    pro_phone: Line = ""
    emergency_phone: Line = ""
    booking_email: Line = ""
    booking_url: Line = ""
    teleconsultation_url: Line = ""
    teleexpertise_url: Line = ""
    mssante: Line = ""
    other_email: Line = ""
    fax: Line = ""


class Hours(_Typed):
    """Step 5: the draft of the editor of hours."""

    hours: Annotated[dict[str, Any], BeforeValidator(offer_hours.typed)] = Field(
        default_factory=dict, validate_default=True
    )


MODELS: Final[Mapping[str, type[_Typed]]] = {
    "mon-offre-1": OfferFirst,
    "mon-offre-2": OfferSecond,
    "contacts": Contacts,
    "horaires": Hours,
}
"""What each step that asks something holds."""

STEP_OF: Final = {name: key for key, model in MODELS.items() for name in model.model_fields}
"""The step where a field is written."""

LISTS: Final = frozenset(
    name for model in MODELS.values() for name, info in model.model_fields.items() if info.annotation == list[str]
)

Values = dict[str, Any]
"""Values of fields as typed, by name."""


def typed(key: str, given: Mapping[str, Any]) -> Values:
    """Return the values of a step, bounded, each with its form; what is missing is empty."""
    return MODELS[key].model_validate(given).model_dump()


def of_step(key: str, values: Mapping[str, Any]) -> Values:
    """Return those of the values that belong to a step."""
    return {name: values[name] for name in MODELS[key].model_fields if name in values}


def merged(published: Mapping[str, Any], data: Mapping[str, Mapping[str, Any]]) -> Values:
    """Return what a draft would publish: its values, and what stands where it says nothing."""
    found = dict(published)
    for key in MODELS:
        found.update(of_step(key, data.get(key, {})))
    return found


def visits(values: Mapping[str, Any]) -> bool:
    """Tell whether the ways of receiving ask for a territory."""
    return any(code in HOME_VISITS for code in values.get("reception", ()))


def _age(values: Mapping[str, Any], name: str, label: str, problems: rules.Problems) -> int | None:
    text = values[name]
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > 150:
        problems.add(name, f"{label} : un nombre d’années de 0 à 150 est attendu, par exemple 18.")
        return None
    return int(text)


def _day(values: Mapping[str, Any], name: str, label: str, problems: rules.Problems) -> date | None:
    text = values[name]
    if not text:
        return None
    try:
        return read_day(text)
    except ValueError:
        problems.add(name, f"{label} : une date est attendue, par exemple {EXAMPLE}.")
        return None


def _first(values: Mapping[str, Any], index: ConceptIndex, problems: rules.Problems) -> Values:
    if not values["age_min"]:
        problems.add("age_min", "Âge minimum : indiquez un âge, 0 si vous recevez dès la naissance.")
    age_min = _age(values, "age_min", "Âge minimum", problems)
    age_max = _age(values, "age_max", "Âge maximum", problems)
    if age_min is not None:
        rules.ages(age_min, 150 if age_max is None else age_max, problems)
    accepts = {"oui": True, "non": False}.get(values["accepts_new"])
    since = _day(values, "accepts_new_on", "Date des nouveaux patients", problems)
    names = ("activities", "acts", "outside_acts", "publics", "specialisations")
    lists: Values = {name: list(values[name]) for name in names}
    rules.concepts(OfferDescription(**lists), index, problems)
    return lists | {
        "age_min": age_min,
        "age_max": age_max,
        "accepts_new": accepts,
        "accepts_new_on": None if accepts else since,
    }


def _second(values: Mapping[str, Any], index: ConceptIndex, problems: rules.Problems) -> Values:
    lists: Values = {"skills": list(values["skills"]), "reception": list(values["reception"])}
    rules.concepts(OfferDescription(**lists), index, problems)
    rules.languages(values["languages"], problems)
    text = values["comment"].strip()
    if len(text) > COMMENT_MAX:
        problems.add(
            "comment", f"Commentaire : {COMMENT_MAX} caractères au plus, il y en a {len(text)}. Raccourcissez-le."
        )
    territory = list(values["territory"]) if visits(values) else []
    if visits(values) and not territory:
        problems.add("territory", "Territoire d’intervention : ajoutez au moins une commune où vous vous déplacez.")
    return lists | {"languages": list(values["languages"]), "comment": text[:COMMENT_MAX], "territory": territory}


def _contacts(values: Mapping[str, Any], problems: rules.Problems) -> Values:
    given = [ContactIn(purpose=name, value=values[name]) for name in PURPOSES if values.get(name)]
    found = rules.Problems()
    rules.contacts(given, found)
    for name, message in found.fields.items():
        problems.add(name.removeprefix("contacts."), message)
    return {"contacts": given}


def check(values: Mapping[str, Any], index: ConceptIndex, steps: Iterable[str]) -> tuple[rules.Problems, Values]:
    """Return what is wrong in the values of some steps, by field, and what they describe."""
    problems = rules.Problems()
    described: Values = {}
    for key in steps:
        if key == "mon-offre-1":
            described |= _first(values, index, problems)
        elif key == "mon-offre-2":
            described |= _second(values, index, problems)
            check_place(values, index, problems)
        elif key == "contacts":
            described |= _contacts(values, problems)
        elif key == "horaires":
            described |= offer_hours.check(values["hours"], problems)
    return problems, described


def check_place(values: Mapping[str, Any], index: ConceptIndex, problems: rules.Problems) -> SiteDescription:
    """Return what the values say of the place: its equipment and accessibility."""
    for name, system, refs in (
        ("equipment", "J18", values["equipment"]),
        ("accessibility", "R202", [f"R202|{values['accessibility']}"] if values["accessibility"] else []),
    ):
        for ref in refs:
            entry = index.by_ref.get(ref)
            if entry is None or entry.system != system or not entry.active:
                problems.add(name, f"Le code « {ref} » n’existe pas, ou n’est plus en usage : retirez-le.")
    return SiteDescription(equipment=list(values["equipment"]), accessibility=values["accessibility"] or None)


def asked(keys: Sequence[str]) -> list[str]:
    """Return the steps among these that ask something, in the order of the path."""
    return [key for key in MODELS if key in keys]
