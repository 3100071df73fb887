"""What a search asks, as a tree that query parameters and `_filter` both become."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search_api.fhir.search.values import Value

if TYPE_CHECKING:
    from search_api.fhir.search.parameters import Parameter, Resource


@dataclass(frozen=True, slots=True)
class Test:
    """One parameter of the resource itself: any of the values will do. `modifier` is without its colon."""

    parameter: "Parameter"
    modifier: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The resource that a reference leads to meets a criterion."""

    reference: "Parameter"
    target: "Resource"
    node: "Node"


@dataclass(frozen=True, slots=True)
class Has:
    """Some resource of a type that refers to this one meets a criterion."""

    resource: "Resource"
    reference: "Parameter"
    node: "Node"


@dataclass(frozen=True, slots=True)
class Every:
    """All of these; nothing is asked when there are none."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class No:
    """Not this."""

    node: "Node"


Node = Test | Chain | Has | Every | Either | No


def size(node: Node) -> int:
    """Return how many values are compared in all."""
    match node:
        case Test():
            return len(node.values)
        case Chain() | Has() | No():
            return 1 + size(node.node)
        case _:
            return sum(map(size, node.nodes))


def tests(node: Node) -> list[Test]:
    """Return the tests on the resource itself; what is asked of others through references is left out."""
    match node:
        case Test():
            return [node]
        case Chain() | Has():
            return []
        case No():
            return tests(node.node)
        case _:
            return [test for one in node.nodes for test in tests(one)]
