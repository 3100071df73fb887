"""What the pages of the guided path show: progress, lists to choose from, the values of a step, its errors."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import QueryParams

from directory import offer_forms, offer_hours, territory_search
from directory import offer_steps as steps
from directory import offer_values as words
from directory.code_search import fitting
from directory.hours_draft import HoursDraft
from directory.hours_editor import HoursEditor
from directory.labels import PURPOSES
from directory.offer_draft import Work
from directory.offer_forms import PICKED, Option, Search
from directory.offer_steps import Step, Values
from directory.queries_sheets import site as site_row

QUERY_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """A step in the progress line: done, current, or to come; `href` when it may be opened."""

    step: Step
    current: bool
    done: bool
    href: str | None


@dataclass
class Picker:
    """A list to choose from: what was chosen, and what a search found."""

    name: str
    label: str
    chosen: list[Option]
    limited: bool
    system: str | None = None
    text: str = ""
    everywhere: bool = False
    found: list[Option] | None = None
    more: bool = False
    all_chosen: bool = False
    focused: bool = False


@dataclass
class StepPage:
    """Everything that the page of a step needs."""

    work: Work
    step: Step
    values: Values
    errors: Mapping[str, str] = field(default_factory=dict)
    restored: bool = False
    lost: bool = False
    focus: str | None = None
    distance: str = ""


def search_of(query: QueryParams) -> Search:
    """Return what the address of a step says was searched."""
    name = query.get("champ", "")
    return Search(
        field=name if name in PICKED else "",
        text=query.get("q", "")[:QUERY_MAX],
        everywhere=query.get("partout") == "1",
        whole=query.get("entiere") == "1",
        all_chosen=query.get("tout", ""),
        focus=query.get("retour", ""),
    )


def address(work: Work, key: str = "") -> str:
    """Return the address of the path, or of one of its steps."""
    return f"/mon-offre/{work.offer.uid}/modifier" + (f"/{key}" if key else "")


def may_open(work: Work, step: Step) -> bool:
    """Tell whether a step may be opened: any one once the offer is described, one after the other before."""
    return not work.first_time or step.number <= work.reached + 1


def progress(work: Work, current: Step) -> list[Mark]:
    """Return the progress line."""
    return [
        Mark(
            step=step,
            current=step == current,
            done=step.number <= work.reached,
            href=address(work, step.key) if may_open(work, step) and step != current else None,
        )
        for step in steps.STEPS
    ]


def errors_of(problems: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the errors of a step for its summary: the field's id, the message."""
    return [(anchor(name), message) for name, message in problems.items()]


def anchor(name: str) -> str:
    """Return the id of a field; those of the editor of hours have their own."""
    return name.removeprefix(offer_hours.PREFIX) if name.startswith(offer_hours.PREFIX) else f"champ-{name}"


async def pickers(session: AsyncSession, page: StepPage, search: Search) -> dict[str, Picker]:
    """Return the lists of a step, with the results of the search that was made in one of them."""
    found: dict[str, Picker] = {}
    for name in steps.MODELS[page.step.key].model_fields:
        if name not in PICKED:
            continue
        chosen: list[str] = page.values[name]
        labels = words.readable(name, chosen, page.work.index)
        picker = Picker(
            name=name,
            label=words.LABELS[name],
            chosen=[Option(value, label) for value, label in zip(chosen, labels, strict=True)],
            limited=offer_forms.limited(page.work.kind, name),
            system=offer_forms.SYSTEMS.get(name),
            all_chosen=search.all_chosen == name,
            focused=search.focus == name,
        )
        if search.field == name:
            picker.text, picker.everywhere = search.text, search.everywhere
            everything = await offer_forms.options(session, page.work.index, page.work.kind, search)
            picker.more = len(everything) == search.most
            picker.found = [option for option in everything if option.value not in chosen]
        found[name] = picker
    return found


async def context(session: AsyncSession, page: StepPage, search: Search) -> dict[str, Any]:
    """Return what the template of a step shows."""
    work, key = page.work, page.step.key
    shown: dict[str, Any] = {
        "work": work,
        "step": page.step,
        "steps": progress(work, page.step),
        "values": page.values,
        "errors": defaultdict(str, page.errors),
        "summary": errors_of(page.errors),
        "restored": page.restored,
        "lost": page.lost,
        "previous": steps.STEPS[page.step.number - 2] if page.step.number > 1 else None,
        "base": f"/mon-offre/{work.offer.uid}",
    }
    if key in steps.MODELS:
        shown["pickers"] = await pickers(session, page, search)
    if key == "mon-offre-2":
        kind = work.kind if work.offer.kind == "liberal" else None
        reception = sorted(fitting(work.index, "R338", kind), key=lambda e: e.code)
        standing = {entry.ref for entry in reception}
        kept = [work.index.by_ref[ref] for ref in page.values["reception"] if ref in work.index.by_ref]
        shown["reception"] = [*reception, *(entry for entry in kept if entry.ref not in standing)]
        shown["home_visits"] = steps.HOME_VISITS
        shown["accessibility"] = [e for e in work.index.by_system.get("R202", []) if e.active]
        shown["position"] = (await session.execute(site_row(work.site.uid))).one()
        shown["groups"] = await territory_search.groups_of(session, work.site)
        shown["distance"] = page.distance
        shown["comment_max"] = steps.COMMENT_MAX
    if key == "contacts":
        shown["purposes"] = [(name, PURPOSES[name], words.LABELS[name]) for name in steps.Contacts.model_fields]
    if key == "horaires":
        draft = HoursDraft.model_validate(page.values["hours"])
        own = {name.removeprefix(offer_hours.PREFIX): message for name, message in page.errors.items()}
        shown |= {"hours_editor": HoursEditor(draft, own, page.focus), "calendar": None}
    return shown


def summary_lines(work: Work, values: Values) -> list[dict[str, Any]]:
    """Return the lines of the last step, each with the step and the field to go back to."""
    establishment = work.offer.kind == "establishment"
    lines = []
    for name, label in words.LABELS.items():
        if name in ("publics", "specialisations") and not establishment and not values[name]:
            continue
        if name == "accepts_new_on" and not values[name]:
            continue
        if name == "territory" and not steps.visits(values):
            continue
        lines.append(
            {
                "name": name,
                "label": label,
                "texts": words.readable(name, values[name], work.index),
                "href": f"{address(work, steps.STEP_OF[name])}#champ-{name}",
                "changed": not words.same(name, values[name], work.published[name]),
                "restricted": name in PURPOSES and PURPOSES[name].confidentiality > 1,
            }
        )
    return lines
