"""A validator written by others reads every resource: base R4 for all, and the profiles of the ROR where they are.

The validator cannot follow slices told by the address of an extension, nor those that the definitions tell by a `url`
that a code does not have: it finds none of them. Each such refusal is counted again here, by hand; none is dismissed.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.local.environment import node_of
from core.local.home import Home
from search_api.fhir.kinds import KINDS
from tests.conftest import ROOT, SHARED_DATA
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.test_resources import PROFESSIONAL, PUBLIC, everything

Json = dict[str, Any]

HOME = Home(Path(os.environ.get("REPERE_HOME", ROOT / ".repere")).absolute())
MODULES = HOME.root / "npm" / "node_modules"
DEFINITIONS = SHARED_DATA / "fhir" / "definitions"
MISSING = (
    ""
    if node_of(HOME).is_file() and (MODULES / "@medplum" / "definitions").is_dir()
    else "@medplum/core is not installed (./repere test installs it)"
)

SLICES_OF_CODES = {
    "operationalActivity": "TRE-R211-ActiviteOperationnelle",
    "careMode": "TRE-R213-ModePriseEnCharge",
    "expertiseType": "TRE-R04-TypeSavoirFaire",
}
"""Slices of codes that the definitions tell by `url`: what they hold is known by the system of the code."""
ANY_NUMBER = {"operationalActivity"}
"""An offer has several activities in the ROR's own model (1..*), and in the guide; the 3.0 definition says 1..1."""


async def resources() -> list[Json]:
    """Return every resource that the public or a professional may read."""
    found: list[Json] = []
    for caller in (PUBLIC, PROFESSIONAL):
        for kind in KINDS:
            found += (await everything(kind, caller)).values()
    return found


def validate(found: list[Json], *definitions: Path) -> tuple[list[list[Any]], Json]:
    """Return the refusals of the validator (type, profile, element, message, times), and what it read."""
    script = Path(__file__).with_name("validate.mjs")
    lines = "\n".join(json.dumps(one) for one in found)
    done = subprocess.run(
        [node_of(HOME), script, MODULES, *definitions], input=lines, capture_output=True, text=True, check=True
    )
    *refusals, counts = (json.loads(line) for line in done.stdout.splitlines())
    return refusals, counts


def _at(resource: Json, path: str) -> Iterator[Json]:
    """Return the elements that hold the last name of a path (`HealthcareService.telecom.extension`: telecoms)."""
    holders = [resource]
    for name in path.split(".")[1:-1]:
        values = [holder[name] for holder in holders if name in holder]
        holders = [one for value in values for one in (value if isinstance(value, list) else [value])]
    yield from holders


def _slices() -> dict[tuple[str, str], tuple[str, int, float]]:
    """Return, by path and name of a slice of extensions, the address of the extension and how many are wanted."""
    found = {}
    for file in DEFINITIONS.glob("StructureDefinition-*.json"):
        for element in json.loads(file.read_text())["differential"]["element"]:
            profiles = [one for kind in element.get("type", []) for one in kind.get("profile", [])]
            if element.get("sliceName") and profiles and element["path"].endswith(".extension"):
                most = float("inf") if element["max"] == "*" else int(element["max"])
                found[element["path"], element["sliceName"]] = (profiles[0], element["min"], most)
    return found


def _counted(found: list[Json], path: str, count: Callable[[Json], int], least: int, most: float) -> None:
    for resource in found:
        if resource["resourceType"] == path.partition(".")[0]:
            for holder in _at(resource, path):
                assert least <= count(holder) <= most, (path, resource["id"], count(holder))


def _judge(found: list[Json], path: str, name: str) -> None:
    """Count again what the validator did not find."""
    field = path.rpartition(".")[2]
    if name in SLICES_OF_CODES:
        system = SLICES_OF_CODES[name]

        def of_system(holder: Json) -> int:
            # A value that nobody gave is said to be missing, as FHIR has it.
            absent = [one for one in holder.get(field, ()) if "coding" not in one]
            codings = [one for value in holder.get(field, ()) for one in value.get("coding", ())]
            return sum(str(one["system"]).endswith(system) for one in codings) + len(absent)

        _counted(found, path, of_system, 1, float("inf") if name in ANY_NUMBER else 1)
        return
    url, least, most = _slices()[path, name]
    _counted(found, path, lambda holder: sum(one["url"] == url for one in holder.get(field, ())), least, most)


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
async def test_the_base_standard_accepts_every_resource(feed: Feed) -> None:
    found = await resources()
    refusals, counts = validate(found)
    assert not refusals
    assert counts["count"] == len(found) > 1000
    broken = [found[0] | {"unheardOf": 1}, {**found[-1], "birthDate": "31/12/1999"}]
    assert len(validate(broken)[0]) == 2, "the validator reads nothing"


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="the definitions of the ROR are not on this machine")
async def test_the_profiles_of_the_ror_accept_every_resource(feed: Feed) -> None:
    found = await resources()
    refusals, counts = validate(found, DEFINITIONS)
    # The folder has no profile of Organization: it stands on another guide's.
    assert counts["profiled"] == sum(one["resourceType"] != "Organization" for one in found) > 1000
    for name, profile, path, message, _ in refusals:
        if path == "HealthcareService.availableTime" and message.startswith("Invalid number of values: expected 0..1"):
            # The 3.0 definition says one, its own example of an offer of the city carries six.
            continue
        assert message.startswith("Incorrect number of values provided for slice '"), (name, profile, path, message)
        assert message.endswith("found 0"), (path, message)
        _judge(found, path, message.split("'")[1])


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="the definitions of the ROR are not on this machine")
async def test_the_validator_sees_what_breaks_a_profile(feed: Feed) -> None:
    offer = next(one for one in await resources() if one["resourceType"] == "HealthcareService")
    known = {tuple(refusal[2:4]) for refusal in validate([offer], DEFINITIONS)[0]}
    broken = {name: value for name, value in offer.items() if name not in ("identifier", "specialty")}
    more = {tuple(refusal[2:4]) for refusal in validate([broken], DEFINITIONS)[0]} - known
    assert any("identifier" in path for path, _ in more)
    with pytest.raises(AssertionError):
        _judge([{**offer, "extension": []}], "HealthcareService.extension", "ror-meta-creation-date")
