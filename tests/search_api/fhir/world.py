"""Every resource that a caller may read, taken through the door, and random questions with their right answers."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from tests.search_api.fhir import oracle

Json = dict[str, Any]
Says = Callable[[Json], bool]
TYPES = ("HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole")
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")


def address(type_: str, pairs: list[tuple[str, str]]) -> str:
    return f"/fhir/{type_}?{urlencode(pairs, quote_via=quote)}"


async def bundle(client: httpx.AsyncClient, url: str, **headers: str) -> Json:
    answer = await client.get(url, headers=headers)
    assert answer.status_code == 200, (url, answer.text)
    assert answer.headers["content-type"] == "application/fhir+json"
    found: Json = answer.json()
    assert found["resourceType"] == "Bundle" and found["type"] == "searchset"
    return found


def links(page: Json) -> dict[str, str]:
    return {one["relation"]: one["url"] for one in page["link"]}


def entries(page: Json, mode: str = "match") -> list[Json]:
    return [one for one in page.get("entry", ()) if one["search"]["mode"] == mode]


async def walk(client: httpx.AsyncClient, url: str) -> list[Json]:
    """The entries of all the pages; every page but the last is full."""
    page = await bundle(client, url)
    found = entries(page)
    while (following := links(page).get("next")) is not None:
        page = await bundle(client, following)
        assert entries(page)
        found += entries(page)
    assert page["total"] == len(found)
    return found


@dataclass
class World:
    """All the resources of a level, by type."""

    resources: dict[str, list[Json]]

    @classmethod
    async def read(cls, client: httpx.AsyncClient) -> "World":
        found = {}
        for type_ in TYPES:
            found[type_] = [one["resource"] for one in await walk(client, f"/fhir/{type_}?_count=200")]
        return cls(found)

    def by_reference(self) -> dict[str, Json]:
        return {f"{type_}/{one['id']}": one for type_, all_ in self.resources.items() for one in all_}

    def answer(self, type_: str, says: Says) -> set[str]:
        return {one["id"] for one in self.resources[type_] if says(one)}


@dataclass
class Question:
    """A parameter, its value, and which resources answer."""

    name: str
    value: str
    says: Says
    expression: str | None = None


class Asker:
    """Draws questions about a world."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world = world
        self.rng = rng
        self.targets = world.by_reference()

    def question(self, type_: str, depth: int = 0) -> Question:
        ways = [self._token, self._token, self._string, self._date, self._number, self._reference]
        if depth < 2:
            ways += [self._chain, self._has]
        while True:
            found = self.rng.choice(ways)(type_, depth)
            if found is not None:
                return found

    def _some(self, type_: str, read: Callable[[Json], list[Any]]) -> list[Any]:
        one = self.rng.choice(self.world.resources[type_])
        return read(one)

    def _token(self, type_: str, depth: int) -> Question | None:
        name, read = self.rng.choice(list(oracle.TOKENS[type_].items()))
        known = self._some(type_, read) + self._some(type_, read)
        if not known or self.rng.random() < 0.1:
            return self._missing(name, read)
        if name in oracle.LABELLED and self.rng.random() < 0.2:
            label = next((one[2] for one in known if one[2]), None)
            if label is None:
                return None
            start = label[: self.rng.randint(1, 12)].strip().lower()
            return Question(
                f"{name}:text",
                start,
                lambda r: any(one[2] and oracle.begins(one[2], start) for one in read(r)),
            )
        asked = [self._written(one) for one in self.rng.sample(known, min(len(known), self.rng.choice((1, 1, 2))))]
        negated = self.rng.random() < 0.2
        return Question(
            f"{name}:not" if negated else name,
            ",".join(asked),
            lambda r: any(oracle.has_token(read(r), one) for one in asked) != negated,
            f"{name} {'ne' if negated else 'eq'} {self._quoted(asked[0])}" if len(asked) == 1 else None,
        )

    def _written(self, coding: oracle.Coding) -> str:
        system, code, _ = coding
        written: str = self.rng.choice(
            (code, f"{system or ''}|{code}", f"|{code}" if self.rng.random() < 0.3 else code)
        )
        return written

    def _quoted(self, text: str) -> str:
        return f'"{text}"' if self.rng.random() < 0.5 or " " in text else text

    def _missing(self, name: str, read: Callable[[Json], list[Any]]) -> Question:
        missing = self.rng.random() < 0.5
        return Question(
            f"{name}:missing",
            str(missing).lower(),
            lambda r: (not read(r)) == missing,
            f"{name} pr {str(not missing).lower()}",
        )

    def _string(self, type_: str, depth: int) -> Question | None:
        if not oracle.STRINGS[type_]:
            return None
        name, read = self.rng.choice(list(oracle.STRINGS[type_].items()))
        known = self._some(type_, read)
        if not known or self.rng.random() < 0.1:
            return self._missing(name, read)
        text = self.rng.choice(known)
        start = self.rng.randrange(len(text))
        part = text[start : start + self.rng.randint(1, 6)].strip() or text
        how = self.rng.choice(("", "", "contains", "exact"))
        if how == "exact":
            return Question(f"{name}:exact", text, lambda r: text in read(r))
        if how == "contains":
            part = self.rng.choice((part, oracle.fold(part), part.upper()))
            return Question(
                f"{name}:contains",
                part,
                lambda r: any(oracle.fold(part) in oracle.fold(one) for one in read(r)),
                f'{name} co "{part}"',
            )
        first = text[: self.rng.randint(1, len(text))].strip() or text
        first = self.rng.choice((first, oracle.fold(first), first.title()))
        return Question(
            name, first, lambda r: any(oracle.begins(one, first) for one in read(r)), f'{name} sw "{first}"'
        )

    def _date(self, type_: str, depth: int) -> Question | None:
        name, read = self.rng.choice(list(oracle.DATES[type_].items()))
        moments = [one for pair in self._some(type_, read) for one in pair if one is not None]
        at = self.rng.choice(moments) if moments else None
        if at is None or self.rng.random() < 0.1:
            return self._missing(name, read)
        text = self._partial(at)
        prefix = self.rng.choice(PREFIXES)
        return Question(
            name,
            prefix + text,
            lambda r: oracle.dated(read(r), prefix, text),
            f"{name} {prefix or 'eq'} {text}",
        )

    def _partial(self, at: Any) -> str:
        local = at.astimezone(oracle.PARIS)
        choices = (
            at.isoformat(timespec="microseconds"),
            at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            local.isoformat(timespec="milliseconds"),
            local.strftime("%Y-%m-%dT%H:%M"),
            local.strftime("%Y-%m-%d"),
            local.strftime("%Y-%m"),
            local.strftime("%Y"),
        )
        return str(self.rng.choice(choices))

    def _number(self, type_: str, depth: int) -> Question | None:
        if type_ not in oracle.NUMBERS:
            return None
        name, read = self.rng.choice(list(oracle.NUMBERS[type_].items()))
        value = str(self.rng.choice((0, 3, 16, 17, 18, 25, 150, "17.6", "18.0")))
        prefix = self.rng.choice((*PREFIXES, "ap"))
        unit = self.rng.choice(("", "", "|http://unitsofmeasure.org|a", "||a"))
        return Question(
            name,
            f"{prefix}{value}{unit}",
            lambda r: oracle.numbered(read(r), prefix, value),
            f'{name} {prefix or "eq"} "{value}{unit}"',
        )

    def _reference(self, type_: str, depth: int) -> Question | None:
        if not oracle.REFERENCES[type_]:
            return None
        name, (target, read) = self.rng.choice(list(oracle.REFERENCES[type_].items()))
        known = self._some(type_, read)
        if not known or self.rng.random() < 0.1:
            return self._missing(name, read)
        asked = self.rng.choice((known[0], f"{target}/{uuid.UUID(int=7)}"))
        written = self.rng.choice((asked, asked.partition("/")[2], f"http://repere.test/fhir/{asked}"))
        typed = self.rng.random() < 0.2
        return Question(
            f"{name}:{target}" if typed else name,
            written,
            lambda r: asked in read(r),
            None if typed else f"{name} {self.rng.choice(('re', 'eq'))} {written}",
        )

    def _chain(self, type_: str, depth: int) -> Question | None:
        if not oracle.REFERENCES[type_]:
            return None
        name, (target, read) = self.rng.choice(list(oracle.REFERENCES[type_].items()))
        inner = self.question(target, depth + 1)
        head = f"{name}:{target}" if self.rng.random() < 0.2 else name
        if inner.name.startswith("_has:"):
            return None
        return Question(
            f"{head}.{inner.name}",
            inner.value,
            lambda r: any(one in self.targets and inner.says(self.targets[one]) for one in read(r)),
            f"{name}.{inner.expression}" if inner.expression else None,
        )

    def _has(self, type_: str, depth: int) -> Question | None:
        ways = [
            (other, name, read)
            for other, references in oracle.REFERENCES.items()
            for name, (target, read) in references.items()
            if target == type_
        ]
        if not ways:
            return None
        other, name, read = self.rng.choice(ways)
        inner = self.question(other, depth + 1)
        met = {one for resource in self.world.resources[other] if inner.says(resource) for one in read(resource)}
        return Question(
            f"_has:{other}:{name}:{inner.name}",
            inner.value,
            lambda r: f"{r['resourceType']}/{r['id']}" in met,
            f"_has:{other}:{name}:{inner.expression}" if inner.expression else None,
        )

    def expression(self, type_: str, depth: int = 0) -> tuple[str, Says]:
        """Draw a `_filter` expression."""
        draw = self.rng.random()
        if depth >= 3 or draw < 0.35:
            while (found := self.question(type_)).expression is None:
                pass
            return found.expression, found.says
        if draw < 0.55:
            text, says = self.expression(type_, depth + 1)
            return f"not ({text})", lambda r: not says(r)
        left, left_says = self.expression(type_, depth + 1)
        right, right_says = self.expression(type_, depth + 1)
        if draw < 0.8:
            return f"({left}) and ({right})", lambda r: left_says(r) and right_says(r)
        return f"({left}) or ({right})", lambda r: left_says(r) or right_says(r)
