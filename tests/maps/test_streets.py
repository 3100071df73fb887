"""Street names and numbers in one spelling."""

import pytest

from maps import api
from maps.street_match import nearest_streets


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("AV DU GAL DE GAULLE", "avenue general gaulle"),
        ("Avenue du Général-de-Gaulle", "avenue general gaulle"),
        ("R DES ECOLES", "rue ecoles"),
        ("Rue des Écoles", "rue ecoles"),
        ("BD ST MICHEL", "boulevard saint michel"),
        ("Boulevard Saint-Michel", "boulevard saint michel"),
        ("PL DE L'EGLISE", "place eglise"),
        ("Place de l’Église", "place eglise"),
        ("RUE DU 8 MAI 1945", "rue 8 mai 1945"),
        ("CHE DES DAMES", "chemin dames"),
        ("Cours de la République", "cours republique"),
        ("RUE DU DR ROUX", "rue docteur roux"),
        ("Rue de l'Œuvre", "rue oeuvre"),
        ("", ""),
        ("  --  ", ""),
        ("RUE DE LA", "rue de la"),
    ],
)
def test_keys(written: str, key: str) -> None:
    assert api.street_key(written) == key


@pytest.mark.parametrize(
    ("written", "number", "repetition", "street"),
    [
        ("12 BIS RUE DE LA REPUBLIQUE", 12, "bis", "RUE DE LA REPUBLIQUE"),
        ("12B RUE DE LA REPUBLIQUE", 12, "bis", "RUE DE LA REPUBLIQUE"),
        ("12, rue X", 12, "", "rue X"),
        ("3 C CHEMIN VERT", 3, "c", "CHEMIN VERT"),
        ("10-12 RUE VERTE", 10, "", "RUE VERTE"),
        ("10/12 RUE VERTE", 10, "", "RUE VERTE"),
        ("4 ter place du Puits", 4, "ter", "place du Puits"),
        ("RUE DU 8 MAI 1945", None, "", "RUE DU 8 MAI 1945"),
        ("LE BOURG", None, "", "LE BOURG"),
        ("15", None, "", "15"),
        ("", None, "", ""),
        (None, None, "", ""),
    ],
)
def test_numbers(written: str | None, number: int | None, repetition: str, street: str) -> None:
    assert api.split_street(written) == (number, repetition, street)


def test_streets_written_otherwise() -> None:
    known = [
        "rue docteur paul bert",
        "avenue general gaulle",
        "rue 8 mai 1945",
        "rue lilas",
        "allee lilas",
        "rue victor hugo",
        "rue moulin vert",
        "rue moulin rouge",
    ]
    written = [
        "rue paul bert",
        "rue general gaulle",
        "rue 5 mai 1945",
        "impasse lilas",
        "rue victr hugo",
        "rue moulin vrt",
    ]
    found = nearest_streets([*written, "x"], known)
    assert {key: street for key, (street, _) in found.items()} == {
        "rue paul bert": "rue docteur paul bert",
        "rue general gaulle": "avenue general gaulle",
        "rue victr hugo": "rue victor hugo",
        "rue moulin vrt": "rue moulin vert",
    }
    assert all(0.8 < likeness < 1 for _, likeness in found.values())
