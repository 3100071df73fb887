"""Loading of places: once, twice, partly, together, interrupted."""

import threading
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from core.db import connect_direct
from maps import api
from maps.gather import PlaceRow
from maps.load import write_places

pytestmark = pytest.mark.usefixtures("clean_database")


def rows_of(query: str, *values: Any) -> list[Any]:
    with connect_direct() as connection:
        return connection.execute(query, values).fetchall()


def commune(code: str, name: str = "Ville", **values: Any) -> PlaceRow:
    row = PlaceRow("commune", code, name, 100, ("departement", "99"), "99", ("99100",), 2.0, 48.0)
    return replace(row, containers=(("departement", "99"), ("pays", "france")), **values)


SMALL = [
    PlaceRow("pays", "france", "France", 300, None, None, (), 2.5, 46.6),
    PlaceRow("departement", "99", "Essai", 300, ("pays", "france"), "99", (), 2.0, 48.0, None, (("pays", "france"),)),
    commune("99001"),
    commune("99002"),
    commune("99003"),
]


def write(rows: list[PlaceRow], former: dict[str, str] | None = None, *, whole: bool = True) -> api.PlacesReport:
    with connect_direct() as connection:
        return write_places(connection, rows, "essai", former or {}, whole=whole)


def test_a_part_of_the_embedded_places() -> None:
    with connect_direct() as connection:
        report = api.load_places(connection, ["75", "78"])
    assert report.by_kind["commune"] == 260
    assert report.by_kind["arrondissement"] == 20
    assert report.by_kind["departement"] == 2
    assert report.by_kind["region"] == 1
    assert report.new == sum(report.by_kind.values())
    # Larger places are whole although the other départements were not loaded.
    [(population, wide)] = rows_of(
        "SELECT population, ST_Area(contour) FROM maps.place WHERE kind = 'region' AND code = '11'"
    )
    assert population > 12_000_000
    [(narrow,)] = rows_of("SELECT ST_Area(contour) FROM maps.place WHERE kind = 'departement' AND code = '78'")
    assert wide > 4 * narrow
    invalid = rows_of("SELECT code FROM maps.place WHERE contour IS NOT NULL AND NOT ST_IsValid(contour)")
    assert invalid == []
    nowhere = rows_of("SELECT code FROM maps.place WHERE point IS NULL OR ST_X(point::geometry) = 'NaN'")
    assert nowhere == []


def test_contours_hold_their_communes(place_rows: list[PlaceRow]) -> None:
    write(place_rows, whole=False)
    outside = rows_of(
        """
        SELECT c.code FROM maps.place c
          JOIN maps.place_containment x ON x.place_id = c.id
          JOIN maps.place w ON w.id = x.container_id AND w.contour IS NOT NULL
         WHERE c.kind = 'commune' AND c.contour IS NOT NULL AND c.departement_code = '78'
           AND ST_Area(ST_Intersection(c.contour, w.contour)) < 0.98 * ST_Area(c.contour)
        """
    )
    assert outside == []


def test_containment_is_transitive(place_rows: list[PlaceRow]) -> None:
    write(place_rows, whole=False)
    missing = rows_of(
        """
        SELECT a.place_id, b.container_id FROM maps.place_containment a
          JOIN maps.place_containment b ON b.place_id = a.container_id
         WHERE NOT EXISTS (SELECT FROM maps.place_containment c
                            WHERE c.place_id = a.place_id AND c.container_id = b.container_id)
        """
    )
    assert missing == []


def test_loading_twice_changes_nothing(place_rows: list[PlaceRow]) -> None:
    write(place_rows, whole=False)
    before = rows_of("SELECT id, kind, code, xmin::text FROM maps.place ORDER BY id")
    report = write(place_rows, whole=False)
    assert (report.new, report.changed, report.retired) == (0, 0, 0)
    assert rows_of("SELECT id, kind, code, xmin::text FROM maps.place ORDER BY id") == before


def test_loading_without_contours_keeps_those_in_hand(place_rows: list[PlaceRow]) -> None:
    write(place_rows, whole=False)
    with connect_direct() as connection:
        api.load_places(connection, ["2A"], contours=False)
    [(drawn,)] = rows_of("SELECT count(*) FROM maps.place WHERE kind = 'commune' AND contour IS NOT NULL")
    assert drawn > 100


def test_a_renamed_commune_keeps_its_key() -> None:
    write(SMALL)
    before = api.resolve_ref("commune", "99002")
    report = write([*SMALL[:3], commune("99002", "Ville-Neuve"), SMALL[4]])
    assert (report.new, report.changed, report.unchanged) == (0, 1, 4)
    after = api.resolve_ref("commune", "99002")
    assert before is not None
    assert after is not None
    assert (after.id, after.name) == (before.id, "Ville-Neuve")


def test_a_merged_commune_is_retired_into_the_one_that_took_it() -> None:
    write(SMALL)
    old = api.resolve_ref("commune", "99002")
    assert old is not None
    report = write([row for row in SMALL if row.code != "99002"], {"99002": "99001"})
    assert report.retired == 1
    found = api.resolve_ref("commune", "99002")
    assert found is not None
    assert found.code == "99001"
    assert "99002" not in {hit.code for hit in api.suggest("ville")}
    # What the directory wrote with the old key is still counted inside the new commune.
    containers = rows_of(
        "SELECT p.code FROM maps.place_containment c JOIN maps.place p ON p.id = c.container_id WHERE place_id = %s",
        old.id,
    )
    assert {code for (code,) in containers} >= {"99001", "99", "france"}
    # And it comes back under the same key.
    write(SMALL)
    again = api.resolve_ref("commune", "99002")
    assert again is not None
    assert again.id == old.id


def test_a_part_retires_nothing() -> None:
    write(SMALL)
    assert write(SMALL[:3], whole=False).retired == 0
    assert api.resolve_ref("commune", "99003") is not None


def test_a_failed_load_leaves_everything_as_it_was() -> None:
    write(SMALL)
    version = api.places_version()
    broken = [*SMALL, commune("99004", contour=b"not a contour")]
    with pytest.raises(psycopg.Error):
        write(broken)
    assert rows_of("SELECT count(*) FROM maps.place") == [(5,)]
    api.invalidate()
    assert api.places_version() == version


def test_two_loads_at_once() -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            write(SMALL)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert rows_of("SELECT count(*) FROM maps.place") == [(5,)]


def test_former_codes_never_hide_a_present_commune() -> None:
    write(SMALL, {"99003": "99001", "99777": "99002", "99888": "00000"})
    assert rows_of("SELECT code FROM maps.place_former_code") == [("99777",)]


def test_no_places_at_all() -> None:
    assert api.suggest("paris") == []
    assert api.resolve_ref("france") is None


def test_overseas_collectivites_and_mayotte() -> None:
    with connect_direct() as connection:
        report = api.load_places(connection, ["975", "977", "978", "986", "987", "988", "976"], contours=False)
    assert report.by_kind["departement"] == 7
    island = api.resolve_ref("commune", "9A123".replace("9A", "97"))
    assert island is not None
    assert (island.code, island.departement) == ("97701", "977")
    mayotte = api.resolve_ref("departement", "976")
    assert mayotte is not None
    assert mayotte.population > 200_000
    wallis = api.resolve_ref("commune", "98613")
    assert wallis is not None
    assert wallis.lat == pytest.approx(-13.28, abs=0.1)
