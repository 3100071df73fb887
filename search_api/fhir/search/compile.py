"""From criteria to the condition of a statement, at the caller's level at every step of a chain."""

from sqlalchemy import and_, false, func, not_, true

from search_api.fhir.search import near, values
from search_api.fhir.search.criteria import Chain, Either, Every, Has, No, Node, Test
from search_api.fhir.search.refusals import Refused
from search_api.fhir.search.rows import Row
from search_api.fhir.search.token_fields import Condition, some


def condition(node: Node, row: Row) -> Condition:
    """Return the condition under which a row meets a criterion.

    Raises:
        Refused: a value is not of a unit that the parameter knows.
    """
    match node:
        case Test():
            return _test(node, row)
        case Chain():
            link = node.reference.fields.get(row.kind)
            if link is None:
                return false()
            other = Row(link.target, row.context)
            found: Condition = link.leads_to(row, other.ids(condition(node.node, other)))
            return found
        case Has():
            return _has(node, row)
        case Every():
            return and_(true(), *(condition(one, row) for one in node.nodes))
        case Either():
            return some([condition(one, row) for one in node.nodes])
        case No():
            return negated(condition(node.node, row))


def negated(asked: Condition) -> Condition:
    """Return the opposite of a condition, whose NULL counts as false."""
    return not_(func.coalesce(asked, false()))


def _has(node: Has, row: Row) -> Condition:
    found = []
    for kind in node.resource.kinds:
        link = node.reference.fields.get(kind)
        if link is not None and link.target == row.kind:
            other = Row(kind, row.context)
            # What is asked of the other row comes first: it says what must be joined to it.
            asked = condition(node.node, other)
            found.append(link.led_from(row, other, asked))
    return some(found)


def _test(test: Test, row: Row) -> Condition:
    known = row.kind in test.parameter.fields
    if test.modifier == "missing":
        absent = test.values == (values.Text("true"),)
        if not known:
            return true() if absent else false()
        found: Condition = _present(test, row)
        return negated(found) if absent else found
    if not known:
        return true() if test.modifier == "not" else false()
    if test.parameter.type == "special":
        return near.within(row, [value for value in test.values if isinstance(value, values.Disc)])
    either = some([_value(test, value, row) for value in test.values])
    return negated(either) if test.modifier == "not" else either


def _present(test: Test, row: Row) -> Condition:
    field = test.parameter.fields[row.kind]
    found: Condition = field.key(row).is_not(None) if test.parameter.type == "reference" else field.present(row)
    return found


def _value(test: Test, value: values.Value, row: Row) -> Condition:
    field, name = test.parameter.fields[row.kind], test.parameter.name
    found: Condition | None
    match value:
        case values.Token():
            found = field.match(row, value)
        case values.Text() if test.parameter.type == "token":
            found = field.labelled(row, value.text)
            if found is None:
                raise Refused("Ces codes n’ont pas de libellé.", f"{name}:text", code="not-supported")
        case values.Text():
            found = field.match(row, value, test.modifier)
        case values.Span():
            found = field.match(row, value, row.context.now)
        case values.Amount():
            found = field.match(row, value, name)
        case values.Ref():
            found = _refers(test, value, row)
        case _:
            raise AssertionError(value)
    return found


def _refers(test: Test, ref: values.Ref, row: Row) -> Condition:
    if ref.id is None or ref.type not in (None, test.parameter.target):
        return false()
    link = test.parameter.fields[row.kind]
    other = Row(link.target, row.context)
    found: Condition = link.leads_to(row, other.ids(other.main.uid == ref.id))
    return found
