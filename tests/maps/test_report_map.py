"""Standalone maps of reports, the communes of areas and their contours."""

import json
import re

import pandas as pd
import pytest
import shapely
from sqlalchemy.ext.asyncio import AsyncSession

from maps.api import (
    MapClass,
    MapText,
    Measure,
    communes_of,
    contours,
    draw_report,
    quantile_bounds,
    report_policy,
    resolve_ref,
)

MEASURE = Measure(
    "density", "Densité", "rank", (MapClass("Peu", "#cfe6e4", "#15211f"), MapClass("Plus", "#07434a", "#fff"))
)
TEXT = MapText("Titre & <b>", "Établi hier", "Source", "Contours", "Non connu", (1.0, 48.0, 3.0, 49.0), ("À savoir",))
FRAME = pd.DataFrame(
    {
        "name": ["</script><script>alert(1)</script>", "{{ 7*191 }} {% raw %} {# x", "Sans contour", "Nulle part"],
        "geometry": [shapely.box(1, 48, 2, 49), shapely.box(2, 48, 3, 49), shapely.Point(2.5, 48.5), None],
        "rank": [0, 1, -1, 0],
        "text": ["1", "<img src=x>", "", "4"],
    }
)


def shapes(page: str) -> list[dict[str, object]]:
    found = re.search(r"geo_json_shapes_add\((\{.*?\})\);", page, re.DOTALL)
    assert found is not None
    features: list[dict[str, object]] = json.loads(found[1])["features"]
    return features


def test_a_page_holds_everything_and_lets_no_name_out() -> None:
    page = draw_report(FRAME, [MEASURE], {"text": "Offres"}, TEXT)
    assert page == draw_report(FRAME, [MEASURE], {"text": "Offres"}, TEXT)
    assert page.count("<script>") == page.count("</script>") == 3
    assert "<img" not in page and "<b>" not in page and "1337" not in page
    assert "Titre &amp; &lt;b&gt;" in page
    drawn = shapes(page)
    assert [one["properties"] for one in drawn] == [
        {"name": name, "fields": [text], "classes": [rank]}
        for name, text, rank in zip(FRAME["name"][:3], FRAME["text"][:3], FRAME["rank"][:3], strict=True)
    ]
    assert not re.search(r"<(script|link|img)\b[^>]*(src|href)=", page)
    assert not re.findall(r"url\(\s*[\"']?(?!data:|#)[^)]*\)", page)
    assert '<html lang="fr">' in page and "user-scalable" not in page
    assert page.index("charset") < 1024


def test_the_policy_names_each_script_and_the_tiles_alone() -> None:
    tiles = MapText(
        **{f: getattr(TEXT, f) for f in TEXT.__slots__} | {"tiles_url": "https://{s}.tuiles.example/{z}/{x}/{y}.png"}
    )
    page = draw_report(FRAME, [MEASURE], {}, tiles)
    policy = report_policy(page, tiles.tiles_url)
    assert policy.count("'sha256-") == page.count("<script>") + page.count("<style>")
    assert "img-src data: https://*.tuiles.example;" in policy
    assert "unsafe" not in policy and "sandbox allow-scripts" in policy
    assert "tuiles.example/{z}/{x}/{y}.png" in page


def test_classes_hold_values_that_exist() -> None:
    assert quantile_bounds([]) == []
    assert quantile_bounds([3.0, 3.0, 3.0]) == [3.0]
    bounds = quantile_bounds([float(value) for value in range(1, 101)])
    assert len(bounds) == 5 and bounds[-1] == 100
    assert all(19 <= high - low <= 21 for low, high in zip([0.0, *bounds], bounds, strict=False))


@pytest.mark.usefixtures("places")
async def test_each_piece_of_land_is_one_commune() -> None:
    paris = resolve_ref("departement", "75")
    assert paris is not None
    assert [one.code for one in communes_of(paris.id)] == ["75056"]
    country = resolve_ref("france")
    assert country is not None
    communes = communes_of(country.id)
    codes = [one.code for one in communes]
    assert codes == sorted(codes) and len(set(codes)) == len(codes)
    assert {one.kind for one in communes} == {"commune"}
    assert {"13055", "97411", "97701", "97801", "2A004"} <= set(codes)


@pytest.mark.usefixtures("places")
async def test_neighbours_keep_their_common_border(session: AsyncSession) -> None:
    yvelines = resolve_ref("departement", "78")
    assert yvelines is not None
    communes = communes_of(yvelines.id)
    found = await contours(session, [one.id for one in communes])
    assert len(found) == len(communes) > 200
    drawn = list(found.values())
    whole = shapely.union_all(drawn)
    # No gap and no overlap: what each covers adds up to what all cover.
    assert sum(shapely.area(drawn)) == pytest.approx(shapely.area(whole), rel=1e-3)
    points = sum(int(shapely.get_num_coordinates(shape)) for shape in drawn)
    assert points < 40_000
    assert await contours(session, []) == {}
