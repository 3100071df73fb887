"""Addresses that others give us to call: which are those of the Internet."""

import pytest

from core import internet
from core.errors import InvalidInput

FORBIDDEN = [
    "",
    "portail.exemple.fr",
    "ftp://portail.exemple.fr/",
    "http://portail.exemple.fr/",
    "https://user:password@portail.exemple.fr/",
    "https://portail.exemple.fr/#fin",
    "https://portail.exemple.fr:22/",
    "https://portail.exemple.fr:99999/",
    "https:///sans-nom",
    "https://intranet/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[ff02::1]/",
    "https://localhost/",
    "https://portail.exemple.fr/" + "x" * 500,
    "https://portail.exemple.fr/\r\nHost: autre",
]


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_nothing_is_called_on_networks_behind_us(url: str) -> None:
    with pytest.raises((InvalidInput, internet.Unreachable)):
        await internet.resolve(internet.read(url))


async def test_addresses_of_the_internet_are_permitted() -> None:
    for host in ("9.9.9.9", "[2620:fe::fe]"):
        target = internet.read(f"https://{host}:8443/chemin?a=b")
        assert (target.port, target.path) == (8443, "/chemin?a=b")
        assert await internet.resolve(target) == host.strip("[]")
    assert internet.read("https://hôpital.exemple.fr/").host == "hôpital.exemple.fr".encode("idna").decode()
