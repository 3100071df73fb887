"""From the parameters of a request to what is searched and how it is shown.

Unknown parameters are refused under `Prefer: handling=strict`; under lenient handling, the default, they are left out
of the `self` link and named by a warning of the answer. A modifier that is not supported, a value that cannot be read
and an impossible sort are always refused: to ignore them would answer another question.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from search_api.fhir.outcome import Issue
from search_api.fhir.search import filters, reading, values
from search_api.fhir.search.catalogue import RESOURCES
from search_api.fhir.search.criteria import Chain, Either, Every, Has, No, Node, Test, size, tests
from search_api.fhir.search.parameters import Parameter, Resource
from search_api.fhir.search.refusals import Refused

PAGE: Final = 50
LARGEST_PAGE: Final = 200
MOST_PARAMETERS: Final = 100
MOST_COMPARED: Final = 1000
LONGEST_PARAMETER: Final = 20_000
LONGEST_QUERY: Final = 24_000
"""Characters of a whole search: the links of its pages must fit in an address."""
MOST_SORTS: Final = 4
SUMMARIES: Final = ("true", "text", "data", "count", "false")
TOTALS: Final = ("none", "estimate", "accurate")
FORMATS: Final = ("_format", "_pretty")
SINGLE: Final = ("_sort", "_count", "_elements", "_summary", "_total", *FORMATS)
INCLUSIONS: Final = ("_include", "_include:iterate", "_include:recurse", "_revinclude", "_revinclude:iterate")
CARRIED: Final = frozenset({"_id", "_lastUpdated", "_tag", "identifier", "active", "status", "period-end"})
"""What a tombstone says: a search by anything else cannot find one."""
ENDINGS: Final = frozenset({"_lastUpdated", "period-end"})
"""Searches that look for what ended too."""


@dataclass(frozen=True, slots=True)
class Include:
    """What comes with the results: what a type refers to, or what refers to it.

    Without `parameter`, every reference of the type. `repeated` inclusions apply to what was included too.
    """

    source: Resource
    parameter: Parameter | None
    back: bool
    repeated: bool

    @property
    def parameters(self) -> list[Parameter]:
        """The references that are followed."""
        if self.parameter is not None:
            return [self.parameter]
        return [one for one in self.source.parameters.values() if one.target]


@dataclass(frozen=True, slots=True)
class Asked:
    """A search: criteria, order, size of the page, what comes with it, what is shown of each resource.

    `pairs` are the parameters that were understood, in order: what the `self` link says. `near` is the criterion from
    whose centres distances are told.
    """

    resource: Resource
    node: Node
    pairs: tuple[tuple[str, str], ...]
    near: Test | None = None
    sort: tuple[tuple[Parameter, bool], ...] = ()
    count: int = PAGE
    total: str = "estimate"
    summary: str = "false"
    elements: tuple[str, ...] = ()
    pretty: bool = False
    includes: tuple[Include, ...] = ()
    warnings: tuple[Issue, ...] = ()

    @property
    def counted_only(self) -> bool:
        """Whether no resource is wanted."""
        return self.summary == "count" or self.count == 0

    @property
    def ended_too(self) -> bool:
        """Whether what left the directory may answer."""
        return self.about_endings and _carried(self.node)

    @property
    def about_endings(self) -> bool:
        """Whether the search is one that would tell what left the directory."""
        return any(test.parameter.name in ENDINGS for test in tests(self.node))


def _carried(node: Node) -> bool:
    """Tell whether a criterion asks only for what a tombstone says."""
    match node:
        case Test():
            return node.parameter.name in CARRIED
        case Chain() | Has():
            return False
        case No():
            return _carried(node.node)
        case Every() | Either():
            return all(map(_carried, node.nodes))


def _unknown(name: str) -> Issue:
    return Issue(
        f"{name[:80]} : ce paramètre est inconnu ; il n’a pas été appliqué.", "not-supported", "warning", name[:80]
    )


class _Reading:
    """Reads the parameters of one request."""

    def __init__(self, resource: Resource, base: str, *, strict: bool) -> None:
        self.resource = resource
        self.base = base
        self.strict = strict
        self.kept: list[tuple[str, str]] = []
        self.warnings: list[Issue] = []
        self.nodes: list[Node] = []
        self.includes: list[Include] = []
        self.single: dict[str, str] = {}

    def leave(self, name: str, why: Issue | None = None) -> None:
        """Leave a parameter out, or refuse it."""
        if self.strict:
            raise Refused("Ce paramètre est inconnu.", name, code="not-supported")
        self.warnings.append(why or _unknown(name))

    def take(self, name: str, value: str) -> None:
        """Read one parameter."""
        values.checked(name, value.replace("\t", " ").replace("\r", " ").replace("\n", " "), LONGEST_PARAMETER)
        if not value.strip():
            self.leave(
                name, Issue(f"{name[:80]} : sans valeur, ce paramètre n’a pas été appliqué.", "value", "warning")
            )
            return
        if name in SINGLE:
            if name in self.single:
                raise Refused("Ce paramètre ne peut être donné qu’une fois.", name)
            self.single[name] = value.strip()
        elif name in INCLUSIONS:
            if not self._include(name, value):
                return
        elif name == filters.NAME:
            self.nodes.append(filters.expression(self.resource, value, self.base))
        else:
            try:
                self.nodes.append(reading.criterion(self.resource, name, value, self.base))
            except reading.Unknown:
                self.leave(name)
                return
        self.kept.append((name, value))

    def _include(self, name: str, value: str) -> bool:
        back = name.startswith("_revinclude")
        type_, _, rest = value.strip().partition(":")
        path, _, target = rest.partition(":")
        source = self.resource if value.strip() == "*" and not back else RESOURCES.get(type_)
        parameter = source.parameters.get(path) if source else None
        every = value.strip() == "*" or path == "*"
        fits = every or (parameter is not None and parameter.target and target in ("", parameter.target))
        if source is None or not fits:
            self.leave(
                name,
                Issue(
                    f"{name} : aucune référence ne s’appelle {value[:80]} ; rien n’a été joint.",
                    "not-supported",
                    "warning",
                    name,
                ),
            )
            return False
        # One that starts from another type than the results' can only apply to what was included.
        repeated = ":" in name or (not back and source.type != self.resource.type)
        self.includes.append(Include(source, None if every else parameter, back, repeated))
        return True

    def count(self) -> int:
        """Return the size of the page."""
        text = self.single.get("_count", str(PAGE))
        if not (text.isascii() and text.isdigit()):
            raise Refused("Un nombre entier, positif ou nul, est attendu.", "_count")
        return min(int(text[:9]), LARGEST_PAGE)

    def sort(self) -> tuple[tuple[Parameter, bool], ...]:
        """Return the parameters to sort by, each with whether the order is descending."""
        found = []
        names = [one.strip() for one in self.single.get("_sort", "").split(",") if one.strip()]
        if len(names) > MOST_SORTS:
            raise Refused(f"Pas plus de {MOST_SORTS} critères de tri.", "_sort", code="too-costly")
        for name in names:
            parameter = self.resource.parameters.get(name.removeprefix("-"))
            if parameter is None or not parameter.ordered:
                known = ", ".join(one.name for one in self.resource.parameters.values() if one.ordered)
                raise Refused(f"On ne trie pas par « {name[:60]} » (tris : {known}).", "_sort", code="not-supported")
            found.append((parameter, name.startswith("-")))
        return tuple(found)

    def choice(self, name: str, known: Sequence[str], default: str) -> str:
        """Return one of a few values."""
        value = self.single.get(name, default)
        if value not in known:
            raise Refused(f"Une de ces valeurs est attendue : {', '.join(known)}.", name)
        return value


def _near(node: Node) -> Test | None:
    """Return the criterion that distances are told from, of the resource itself or of the place that it names."""
    match node:
        case Test() if node.parameter.type == "special":
            return node
        case Chain() if node.target.type == "Location":
            return _near(node.node)
        case Every():
            return next((found for one in node.nodes if (found := _near(one)) is not None), None)
        case _:
            return None


def read(resource: Resource, pairs: Sequence[tuple[str, str]], base: str, *, strict: bool) -> Asked:
    """Read the parameters of a search.

    Args:
        resource: the type that is searched.
        pairs: names and values in order, from the address and the form.
        base: what absolute references of ours begin with.
        strict: whether unknown parameters are refused.

    Raises:
        Refused: naming the parameter.
    """
    if len(pairs) > MOST_PARAMETERS:
        raise Refused(f"Pas plus de {MOST_PARAMETERS} paramètres.", pairs[MOST_PARAMETERS][0], code="too-costly")
    if sum(len(name) + len(value) for name, value in pairs) > LONGEST_QUERY:
        raise Refused(f"La recherche est trop longue ({LONGEST_QUERY} caractères au plus).", "_filter", code="too-long")
    found = _Reading(resource, base, strict=strict)
    for name, value in pairs:
        found.take(values.checked("paramètre", name, 200), value)
    node = Every(tuple(found.nodes))
    if size(node) > MOST_COMPARED:
        raise Refused(f"Pas plus de {MOST_COMPARED} valeurs en tout.", found.kept[-1][0], code="too-costly")
    asked = Asked(
        resource=resource,
        node=node,
        pairs=tuple(found.kept),
        near=_near(node),
        sort=found.sort(),
        count=found.count(),
        total=found.choice("_total", TOTALS, "estimate"),
        summary=found.choice("_summary", SUMMARIES, "false"),
        elements=tuple(one.strip() for one in found.single.get("_elements", "").split(",") if one.strip()),
        pretty=found.choice("_pretty", ("true", "false"), "false") == "true",
        includes=tuple(found.includes),
        warnings=tuple(found.warnings),
    )
    return _settled(asked)


def _settled(asked: Asked) -> Asked:
    """Refuse what does not go together, and warn of what will be missing."""
    for parameter, _ in asked.sort:
        if parameter.type == "special" and (asked.near is None or asked.near.parameter is not parameter):
            raise Refused(f"Un tri par distance demande un critère {parameter.name}.", "_sort")
    if asked.elements and asked.summary in ("true", "text", "data"):
        raise Refused("_elements et _summary ne vont pas ensemble.", "_elements")
    if asked.summary == "text" and asked.includes:
        raise Refused("Avec _summary=text, rien ne peut être joint.", "_summary")
    if asked.about_endings and not asked.ended_too:
        return replace(
            asked,
            warnings=(
                *asked.warnings,
                Issue(
                    "Ce qui a quitté l’annuaire ne porte plus que son identifiant et sa date : les fermetures ne "
                    "répondent pas aux autres critères de cette recherche. Pour les suivre, demandez _lastUpdated "
                    "seul, ou avec _tag.",
                    "informational",
                    "information",
                ),
            ),
        )
    return asked
