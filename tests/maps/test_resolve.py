"""From the addresses of the registers, with their dirt, to communes."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from maps import api

pytestmark = pytest.mark.usefixtures("loaded")

COLUMNS = ["commune_code", "postal_code", "town", "cedex"]


def resolve(*rows: tuple[str | None, ...]) -> pd.DataFrame:
    return api.resolve_communes(
        pd.DataFrame([(*row, *[None] * (4 - len(row))) for row in rows], columns=COLUMNS, dtype=object)
    )


@pytest.mark.parametrize(
    ("row", "code", "how"),
    [
        # INSEE codes
        (("78361", "78200", "MANTES LA JOLIE"), "78361", "code"),
        (("75112", "75012", "PARIS"), "75112", "code"),
        (("13215", "13015", "MARSEILLE"), "13215", "code"),
        (("2a004", None, None), "2A004", "code"),
        (("78361", None, None), "78361", "code"),
        # FINESS: département in a letter, Paris as one commune
        (("9A105", "97100", "BASSE TERRE"), "97105", "code"),
        (("9D411", "97400", "ST DENIS"), "97411", "code"),
        (("9A123", "97133", "ST BARTHELEMY"), "97701", "former"),
        (("9A127", "97150", "ST MARTIN"), "97801", "former"),
        (("9J613", None, None), "98613", "code"),
        (("75056", None, "75020 PARIS"), "75120", "code"),
        (("75056", "75571", "PARIS CEDEX 12"), "75112", "code"),
        (("75056", None, "75116 PARIS"), "75116", "code"),
        (("75056", None, None), "75056", "code"),
        # former codes
        (("78251", None, None), "78551", "former"),
        (("97127", "97150", "SAINT MARTIN"), "97801", "former"),
        (("97123", "97133", None), "97701", "former"),
        (("20004", None, None), "2A004", "former"),
        # postal code and town
        ((None, "78200", "MANTES LA JOLIE"), "78361", "postcode_town"),
        ((None, " 78 200 ", " MANTES  LA JOLIE "), "78361", "postcode_town"),
        ((None, "78170", "LA CELLE ST CLOUD"), "78126", "postcode_town"),
        ((None, "78170", "Celle-Saint-Cloud (La)"), "78126", "postcode_town"),
        ((None, "78170", "CELLE ST CLOUD"), "78126", "postcode_town"),
        ((None, "78470", "ST REMY LES CHEVREUSE"), "78575", "postcode_town"),
        ((None, "78440", "GARGENVILLE"), "78267", "postcode_town"),
        ((None, "78490", "LES MESNULS"), "78398", "postcode_town"),
        ((None, "78790", "ROSAY"), "78530", "postcode_town"),
        ((None, "20000", "AJACCIO"), "2A004", "postcode_town"),
        ((None, "97150", "ST MARTIN"), "97801", "postcode_town"),
        ((None, "97100", "ST MARTIN"), "97801", "town"),
        ((None, None, "78000 VERSAILLES"), "78646", "postcode_town"),
        ((None, "13005", "MARSEILLE"), "13205", "postcode_town"),
        ((None, "13015", "MARSEILLE 15EME"), "13215", "postcode_town"),
        ((None, "75012", "PARIS 12"), "75112", "postcode_town"),
        ((None, "75116", "PARIS"), "75116", "postcode_town"),
        # delegated communes are found in the one that holds them
        ((None, "78150", "LE CHESNAY"), "78158", "postcode_town"),
        # CEDEX
        ((None, "75954", "PARIS CEDEX 19"), "75119", "cedex"),
        ((None, "75954", "PARIS CEDEX 19", "75019 PARIS"), "75119", "cedex"),
        ((None, "78009", "VERSAILLES CEDEX"), "78646", "cedex"),
        ((None, "75571", "PARIS", "75012 PARIS"), "75112", "cedex"),
        ((None, "78140", "VELIZY VILLACOUBLAY CEDEX"), "78640", "postcode_town"),
        ((None, "78141", "VELIZY CEDEX"), "78640", "fuzzy"),
        # typing errors
        ((None, "78200", "MNATES LA JOLIE"), "78361", "fuzzy"),
        ((None, "78000", "VERSAILES"), "78646", "fuzzy"),
        ((None, "20090", "AJACIO"), "2A004", "fuzzy"),
        ((None, "78210", "ST CYR L ECOL"), "78545", "fuzzy"),
        # half of an address
        ((None, "78000", None), "78646", "postcode"),
        ((None, None, "MANTES LA JOLIE"), "78361", "town"),
        ((None, "97490", "STE CLOTILDE"), "97411", "postcode"),
    ],
)
def test_one_address(row: tuple[str | None, ...], code: str, how: str) -> None:
    found = resolve(row).iloc[0]
    assert (found["commune_code"], found["how"]) == (code, how)
    place = api.resolve_ref("commune", code)
    assert place is not None
    assert found["commune_id"] == place.id
    assert 0 < found["score"] <= 100


@pytest.mark.parametrize(
    "row",
    [
        (None, None, None),
        ("", "", ""),
        ("99999", "99999", "NULLE PART"),
        (None, "1234567", "???"),
        ("<script>", "'; DROP TABLE maps.place; --", "\x00\x01"),
        (None, "12", "A"),
    ],
)
def test_what_names_no_place(row: tuple[str | None, ...]) -> None:
    found = resolve(row).iloc[0]
    assert (found["how"], found["score"]) == ("none", 0)
    assert pd.isna(found["commune_id"])
    assert pd.isna(found["commune_code"])


def test_surer_ways_score_higher() -> None:
    found = resolve(
        ("78361", "78200", "MANTES LA JOLIE"),
        (None, "78200", "MANTES LA JOLIE"),
        (None, "78200", "MNATES LA JOLIE"),
        (None, "78200", None),
    )
    scores = found["score"].tolist()
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


def test_a_code_that_the_rest_contradicts_is_kept_with_doubt() -> None:
    found = resolve(("78361", "75012", "PARIS")).iloc[0]
    assert found["commune_code"] == "78361"
    assert found["score"] == 70


def test_the_index_and_the_order_of_the_frame_are_kept() -> None:
    rows = [("78361", None, None), (None, "78000", "VERSAILLES"), (None, None, None)] * 2
    frame = pd.DataFrame(rows, columns=COLUMNS[:3], index=[9, 3, 5, 1, 8, 2])
    found = api.resolve_communes(frame)
    assert found.index.tolist() == [9, 3, 5, 1, 8, 2]
    assert found["commune_code"].fillna("").tolist() == ["78361", "78646", ""] * 2


def test_an_empty_frame() -> None:
    found = api.resolve_communes(pd.DataFrame(columns=COLUMNS))
    assert found.empty
    assert list(found.columns) == ["commune_id", "commune_code", "how", "score"]


def test_the_addresses_of_the_trial_registers(shared_data: Path) -> None:
    """Those of Paris and the Yvelines: all are found, by code, CEDEX or town."""
    [rpps] = (shared_data / "registers").glob("PS_LibreAcces_Personne_activite_*.txt")
    suffix = " (coord. structure)"
    names = {"Code commune": "commune_code", "Code postal": "postal_code", "Libellé commune": "town"}
    names["Bureau cedex"] = "cedex"
    frame = pd.read_csv(rpps, sep="|", dtype=str, quoting=csv.QUOTE_NONE, keep_default_na=False)
    frame = frame[[name + suffix for name in names]].rename(columns={k + suffix: v for k, v in names.items()})
    frame = frame[frame["postal_code"].str[:2].isin(["75", "78"])]
    assert len(frame) > 1000
    found = api.resolve_communes(frame)
    assert (found["how"] == "none").sum() == 0
    # Without their INSEE codes, nearly all come to the same commune.
    blind = api.resolve_communes(frame.assign(commune_code=None))
    same = (blind["commune_code"] == found["commune_code"]).mean()
    assert same > 0.98
