"""The editor of hours without scripts: buttons give the page back with what was typed, saving follows the rules."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from directory.hours_draft import HoursDraft, draft_to_description, parse_hours_form
from tests.accounts.helpers import form_token

Pairs = list[tuple[str, str]]


@pytest.fixture
async def host(town: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application with a page that hosts the editor."""
    from tests.directory.hours_host import app

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://repere.test") as opened:
        yield opened


class _Page(HTMLParser):
    """What a browser keeps of the page: fields, buttons, identifiers, errors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: list[dict[str, Any]] = []
        self.buttons: list[str] = []
        self.ids: set[str] = set()
        self.focused: list[str | None] = []
        self.links: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self._inert = self._in_summary = False
        self._text: tuple[dict[str, str], str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        self._inert |= tag == "template"
        if self._inert:
            return
        self.ids.add(given.get("id", ""))
        if "autofocus" in given:
            self.focused.append(given.get("id"))
        if tag in ("input", "select") and given.get("name"):
            self.fields.append(given | {"value": given.get("value") or ""})
        elif tag == "option" and "selected" in given:
            self.fields[-1]["value"] = given["value"]
        elif tag == "button" and given.get("name") == "horaires_action":
            self.buttons.append(str(given["value"]))
        elif tag == "section":
            self._in_summary = "error-summary" in (given.get("class") or "")
        elif tag == "a" and self._in_summary:
            self._text = (self.links, given["href"].removeprefix("#"))
        elif given.get("class") == "field-error":
            self._text = (self.errors, given["id"].removesuffix("-erreur"))

    def handle_endtag(self, tag: str) -> None:
        self._inert &= tag != "template"
        self._in_summary &= tag != "section"
        self._text = None if tag in ("a", "p") else self._text

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            where, name = self._text
            where[name] = f"{where.get(name, '')}{data}".strip()


class Form:
    """The form of a page, filled and sent as a browser without scripts does."""

    def __init__(self, client: httpx.AsyncClient, page: httpx.Response) -> None:
        self.client, self.page = client, page
        self.html = _Page(page.text)

    def __setitem__(self, name: str, value: str) -> None:
        next(field for field in self.html.fields if field["name"] == name)["value"] = value

    def choose(self, identifier: str) -> None:
        chosen = next(field for field in self.html.fields if field.get("id") == identifier)
        for field in self.html.fields:
            if field["name"] == chosen["name"]:
                field.pop("checked", None)
        chosen["checked"] = ""

    def pairs(self) -> Pairs:
        ticked = [f for f in self.html.fields if f.get("type") not in ("checkbox", "radio") or "checked" in f]
        return [(field["name"], field["value"]) for field in ticked]

    @property
    def buttons(self) -> list[str]:
        return self.html.buttons

    async def press(self, action: str | None = None, extra: Pairs | None = None) -> "Form":
        assert action is None or action in self.buttons, self.buttons
        return Form(self.client, await self.send([*self.pairs(), *(extra or [])], action))

    async def send(self, pairs: Pairs, action: str | None = None) -> httpx.Response:
        data: dict[str, list[str]] = {}
        for name, value in [*pairs, *([("horaires_action", action)] if action else [])]:
            data.setdefault(name, []).append(value)
        return await self.client.post(str(self.page.request.url), data=data)

    @property
    def errors(self) -> dict[str, str]:
        """Messages by input: each stands at its field, and in the summary with a link to an input that is there."""
        for target, text in self.html.links.items():
            assert target in self.html.ids or f"{target}-erreur" in self.html.ids, target
            assert self.html.errors[target] == text
        assert set(self.html.errors) >= set(self.html.links)
        return self.html.links

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Day, kind, beginning and end of each slot of the week."""
        values = dict(self.pairs())
        numbers = sorted({int(n.split("-")[1]) for n in values if re.fullmatch(r"h-\d+-jour", n)})
        return [tuple(values[f"h-{n}-{part}"] for part in ("jour", "type", "de", "a")) for n in numbers]  # type: ignore[misc]


async def opened(host: httpx.AsyncClient, town: Any, rpps: str = "10000000001") -> Form:
    return Form(host, await host.get(f"/essai/horaires/{town.offer(rpps)['uid']}"))


async def test_a_week_is_written_with_buttons_alone(town: Any, host: httpx.AsyncClient) -> None:
    form = await opened(host, town)
    form = await form.press("ajouter:1")
    assert form.html.focused == ["h-0-de"]
    form["h-0-de"], form["h-0-a"] = "09:00", "19:00"
    form = await form.press("couper:0")
    assert form.rows() == [("1", "07", "09:00", "12:00"), ("1", "07", "14:00", "19:00")]
    form["h-0-type"] = "06"
    form = await form.press("copier:1", [("copie-1-2", "1"), ("copie-1-4", "1")])
    form = await form.press("ajouter:6")
    form["h-6-de"], form["h-6-a"], form["h-6-type"] = "22:00", "02:00", "05"
    form = await form.press("retirer:3")
    form.choose("feries-hours")
    form = await form.press("ferie-ajouter")
    form["f-0-de"], form["f-0-a"] = "10:00", "12:00"
    form = await form.press("exception-ajouter")
    form["e-0-du"], form["e-0-au"] = "2199-08-01", "2199-08-16"
    form["e-0-remplacant"], form["e-0-telephone"] = "Dr Petit", "01 99 00 12 34"
    form = await form.press("exception-ajouter")
    form["e-1-type"], form["e-1-du"] = "special", "2199-08-05"
    form = await form.press("exception-heures:1")
    form["e-1-h-0-de"], form["e-1-h-0-a"] = "10:00", "11:30"
    saved = await form.press()
    assert saved.page.status_code == 303, saved.errors
    slots = town.all("SELECT weekday, kind, opens::text, closes::text FROM directory.opening_slot ORDER BY 1, 3")
    assert [tuple(row.values()) for row in slots] == [
        (1, "06", "09:00:00", "12:00:00"),
        (1, "07", "14:00:00", "19:00:00"),
        (2, "06", "09:00:00", "12:00:00"),
        (4, "06", "09:00:00", "12:00:00"),
        (4, "07", "14:00:00", "19:00:00"),
        (6, "05", "22:00:00", "02:00:00"),
    ]
    rows = town.all("SELECT kind, starts_on::text, ends_on::text, replacement, replacement_phone"
                    " FROM directory.hours_exception ORDER BY starts_on")  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [
        ("leave", "2199-08-01", "2199-08-16", "Dr Petit", "0199001234"),
        ("special", "2199-08-05", "2199-08-05", None, None),
    ]
    assert town.offer("10000000001")["public_holidays"] == "hours"
    again = await opened(host, town)
    assert len(again.rows()) == 6
    assert dict(again.pairs())["e-1-h-0-a"] == "11:30"
    assert dict(again.pairs())["feries"] == "hours"


async def test_a_button_loses_nothing_of_what_is_typed_wrong(town: Any, host: httpx.AsyncClient) -> None:
    form = await (await opened(host, town)).press("ajouter:3")
    form["h-0-de"], form["h-0-a"] = "bientôt", "<b>tard</b>"
    form = await form.press("ajouter:5")
    form = await form.press("exception-ajouter")
    form["e-0-remplacant"] = "O’Neill & fils"
    form = await form.press("retirer:1")
    assert form.rows() == [("3", "07", "bientôt", "<b>tard</b>")]
    assert dict(form.pairs())["e-0-remplacant"] == "O’Neill & fils"
    assert form.errors == {}


WEEK_RULES: list[tuple[list[tuple[str, ...]], dict[str, str]]] = [
    ([("1", "07", "09:00", "")], {"h-0-a": "Lundi, plage 1 : indiquez l’heure de fin"}),
    ([("1", "07", "25:00", "10:00")], {"h-0-de": "« 25:00 » n’est pas une heure"}),
    ([("2", "07", "09:00", "09:00")], {"h-0-a": "Mardi, plage 1 : la plage commence et finit à la même heure"}),
    ([("2", "07", "19:00", "09:00")], {"h-0-a": "Mardi, plage 1 : la fin (9\u00a0h) précède le début (19\u00a0h)"}),
    (
        [("1", "07", "09:00", "12:00"), ("1", "07", "11:00", "13:00")],
        {"h-1-de": "Lundi, plage 2 : elle chevauche une autre plage du même type (9\u00a0h – 12\u00a0h)"},
    ),
    (
        [("1", "07", "01:00", "03:00"), ("7", "07", "22:00", "02:00")],
        {"h-0-de": "Lundi, plage 1 : elle chevauche"},
    ),
    ([("4", "zz", "09:00", "12:00")], {"h-0-type": "Jeudi, plage 1 : type de plage horaire inconnu"}),
    ([("5", "07", f"{h:02d}:00", f"{h:02d}:30") for h in range(13)], {"h-12-de": "pas plus de 12 plages par jour"}),
]


async def test_each_rule_is_said_at_its_field(town: Any, host: httpx.AsyncClient) -> None:
    form = await opened(host, town)
    parts = ("jour", "type", "de", "a")
    for typed, errors in WEEK_RULES:
        pairs = [(f"h-{n}-{part}", v) for n, row in enumerate(typed) for part, v in zip(parts, row, strict=True)]
        token = ("_csrf", form_token(form.page.text))
        answer = Form(host, await form.send([token, ("version", "1"), ("feries", "closed"), *pairs]))
        assert answer.page.status_code == 422
        assert set(answer.errors) == set(errors)
        for field, words in errors.items():
            assert words in answer.errors[field]
        assert len(answer.rows()) == len(typed)
    assert town.one("SELECT count(*) FROM directory.opening_slot") == 0


EXCEPTION_RULES: list[tuple[list[dict[str, str]], dict[str, str]]] = [
    ([{"du": ""}], {}),
    ([{"du": "", "au": "2199-01-02"}], {"e-0-du": "Exception 1 : indiquez le premier jour"}),
    ([{"du": "2199-02-30"}], {"e-0-du": "n’est pas une date"}),
    ([{"du": "2199-02-03", "au": "2199-02-01"}], {"e-0-au": "finit avant de commencer"}),
    ([{"du": "2100-01-01", "au": "2199-01-01"}], {"e-0-au": "plus de 2 ans"}),
    ([{"du": "0001-01-01"}], {"e-0-du": "trop lointaine"}),
    ([{"type": "special", "du": "2199-01-01"}], {"e-0-type": "ajoutez au moins une plage"}),
    ([{"type": "zz", "du": "2199-01-01"}], {"e-0-type": "choisissez un type"}),
    ([{"du": "2199-01-01", "telephone": "abc"}], {"e-0-telephone": "téléphone du remplaçant"}),
    ([{"du": "2199-01-01"}, {"du": "2199-01-01"}], {"e-1-du": "contredit"}),
    (
        [
            {"du": "2199-01-01", "au": "2199-01-10"},
            {"type": "special", "du": "2199-01-05", "au": "2199-01-20", "h-0-de": "09:00", "h-0-a": "10:00"},
        ],
        {"e-1-du": "contredit"},
    ),
    (
        [
            {"du": "2199-01-01", "au": "2199-01-10"},
            {"type": "special", "du": "2199-01-05", "h-0-de": "09:00", "h-0-a": "10:00"},
            {"type": "absence", "du": "2199-01-08", "au": "2199-01-12"},
        ],
        {},
    ),
    (
        [
            {
                "type": "special",
                "du": "2199-01-05",
                "h-0-de": "09:00",
                "h-0-a": "10:00",
                "h-1-de": "09:30",
                "h-1-a": "11:00",
            }
        ],
        {"e-0-h-1-de": "Exception 1, plage 2 : elle chevauche"},
    ),
    (
        [{"du": f"2199-{1 + n // 28:02d}-{1 + n % 28:02d}"} for n in range(61)],
        {"exception-ajouter": "Pas plus de 60"},
    ),
]


async def test_each_rule_of_exceptions_is_said_at_its_field(town: Any, host: httpx.AsyncClient) -> None:
    form = await opened(host, town)
    token, version = ("_csrf", form_token(form.page.text)), 1
    for exceptions, errors in EXCEPTION_RULES:
        rows = [{"type": "leave"} | one for one in exceptions]
        pairs = [(f"e-{n}-{key}", value) for n, row in enumerate(rows) for key, value in row.items()]
        answer = await form.send([token, ("version", str(version)), *pairs])
        if not errors:
            assert answer.status_code == 303
            version += 1
            continue
        assert answer.status_code == 422
        said = Form(host, answer).errors
        assert set(said) == set(errors)
        assert all(words in said[field] for field, words in errors.items())


async def test_own_hours_of_public_holidays_need_hours(town: Any, host: httpx.AsyncClient) -> None:
    form = await opened(host, town)
    form.choose("feries-hours")
    answer = await form.press()
    assert answer.page.status_code == 422
    assert "ajoutez au moins une plage" in answer.errors["feries-hours"]


HOSTILE: list[Pairs] = [
    [("horaires_action", "retirer:99")],
    [("horaires_action", "couper:0")],
    [("horaires_action", "copier:9")],
    [("horaires_action", "exception-plage-retirer:0:0")],
    [("horaires_action", "exception-plage-retirer:-1:²")],
    [("horaires_action", "ajouter:" + "9" * 4000)],
    [("horaires_action", "\x00")],
    [("h-0-jour", "8"), ("h-0-de", "09:00"), ("h-0-a", "10:00")],
    [("h-9999-jour", "1"), ("h-9999-de", "\x00"), ("h-9999-a", "'; DROP TABLE")],
    [("h-99999-jour", "1")],
    [(f"h-{n}-jour", "1") for n in range(900)],
    [("e-0-du", "9" * 9000)],
    [("feries", "jamais")],
    [("h-0-jour", "1"), ("h-0-de", "²³:00"), ("h-0-a", "10:00")],
]


async def test_odd_forms_are_answered(town: Any, host: httpx.AsyncClient) -> None:
    form = await opened(host, town)
    for hostile in HOSTILE:
        version = str(town.offer("10000000001")["version"])
        answer = await form.send([("_csrf", form_token(form.page.text)), ("version", version), *hostile])
        assert answer.status_code in (200, 303, 422), hostile
    assert town.one("SELECT count(*) FROM directory.opening_slot") == 0


async def test_cutting_and_copying_say_what_is_missing(town: Any, host: httpx.AsyncClient) -> None:
    form = await (await opened(host, town)).press("ajouter:2")
    cut = await form.press("couper:0")
    assert "avant de la couper" in cut.errors["h-0-de"]
    copied = await form.press("copier:2")
    assert "cochez au moins un jour" in copied.errors["copie-2"]


@pytest.mark.parametrize(
    ("opens", "closes", "parts"),
    [
        ("08:00", "20:00", [("08:00", "12:00"), ("14:00", "20:00")]),
        ("14:00", "19:00", [("14:00", "16:30"), ("16:30", "19:00")]),
        ("22:00", "02:00", [("22:00", "00:00"), ("00:00", "02:00")]),
        ("00:00", "00:00", [("00:00", "12:00"), ("14:00", "00:00")]),
        ("09:00", "09:20", [("09:00", "09:10"), ("09:10", "09:20")]),
    ],
)
async def test_a_slot_is_cut_around_lunch_or_in_the_middle(
    town: Any, host: httpx.AsyncClient, opens: str, closes: str, parts: list[tuple[str, str]]
) -> None:
    form = await (await opened(host, town)).press("ajouter:1")
    form["h-0-de"], form["h-0-a"] = opens, closes
    assert [row[2:] for row in (await form.press("couper:0")).rows()] == parts


async def test_sent_twice_the_second_is_told_and_keeps_what_was_typed(town: Any, host: httpx.AsyncClient) -> None:
    form = await (await opened(host, town)).press("ajouter:1")
    form["h-0-de"], form["h-0-a"] = "09:00", "12:00"
    assert (await form.press()).page.status_code == 303
    form["h-0-a"] = "13:00"
    second = await form.press()
    assert second.page.status_code == 409
    assert second.rows() == [("1", "07", "09:00", "13:00")]
    assert town.one("SELECT closes::text FROM directory.opening_slot") == "12:00:00"


async def test_periods_given_elsewhere_are_kept(town: Any, host: httpx.AsyncClient) -> None:
    offer = town.offer("10000000001")
    town.conn.execute(
        "INSERT INTO directory.opening_slot (offer_id, kind, weekday, opens, closes, valid_from, valid_to)"
        " VALUES (%s, '07', 2, '09:00', '12:00', '2199-01-01', '2199-12-24')",
        (offer["id"],),
    )
    form = await opened(host, town)
    assert "Valable à partir du 1er\u00a0janvier 2199 jusqu’au 24\u00a0décembre 2199." in form.page.text
    form = await form.press("ajouter:1")
    assert (await form.press()).page.status_code == 303
    assert town.one("SELECT valid_from::text FROM directory.opening_slot") == "2199-01-01"


async def test_exceptions_that_are_over_leave_the_form(town: Any, host: httpx.AsyncClient) -> None:
    offer = town.offer("10000000001")
    today = town.one("SELECT (core.now() AT TIME ZONE 'Europe/Paris')::date")
    for end in (today - timedelta(days=1), today):
        town.conn.execute(
            "INSERT INTO directory.hours_exception (offer_id, kind, starts_on, ends_on) VALUES (%s, 'leave', %s, %s)",
            (offer["id"], end - timedelta(days=3), end),
        )
    values = dict((await opened(host, town)).pairs())
    assert values["e-0-au"] == today.isoformat()
    assert "e-1-au" not in values


def test_a_draft_is_json_and_survives_it() -> None:
    form = [("h-3-jour", "1"), ("h-3-type", "07"), ("h-3-de", "9h30"), ("h-3-a", "12 h"), ("e-7-du", "2199-01-01"),
            ("e-7-type", "leave"), ("fichier", object())]  # fmt: skip
    draft, errors = parse_hours_form(form)
    assert errors == {}
    kept = HoursDraft.model_validate(json.loads(json.dumps(draft.model_dump())))
    assert kept == draft
    description = draft_to_description(kept)
    assert description.model_fields_set == {"hours", "exceptions", "public_holidays", "public_holiday_hours"}
    assert [(s.opens.isoformat("minutes"), s.closes.isoformat("minutes")) for s in description.hours or []] == [
        ("09:30", "12:00")
    ]
