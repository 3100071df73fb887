"""Public keys of clients (JWK, RFC 7517): what is accepted, how they are read, which algorithms each may check."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from core.errors import InvalidInput

MOST: Final = 20
"""Keys of a set."""
LONGEST: Final = 100_000
"""Characters of a set."""
LONGEST_KID: Final = 200
_RSA_BITS: Final = range(2048, 4097)
_BITS: Final = "une clé RSA de 2048 à 4096 bits est attendue."
_EXPONENT_BITS: Final = 32
"""A longer public exponent would only make each check slow."""
_CURVES: Final = {"P-256": "ES256", "P-384": "ES384"}
_RSA: Final = ("RS384", "RS256")
ALGORITHMS: Final = ("RS384", "ES384", "RS256", "ES256")
"""Signatures that are believed: asymmetric ones only. The two first are those of SMART."""
_KEPT: Final = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Unfit(Exception):
    """A key that is not used; `reason` says why, in French."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key, the algorithms that it may check, and the print by which people tell it from another (RFC 7638)."""

    kid: str
    thumbprint: str
    algorithms: tuple[str, ...]
    jwk: dict[str, str]
    key: RSAKey | ECKey

    @property
    def shown(self) -> str:
        """What kind of key it is, for people."""
        return f"RSA {self.key.public_key.key_size} bits" if self.jwk["kty"] == "RSA" else f"EC {self.jwk['crv']}"


def read_key(given: object) -> PublicKey:
    """Return a key.

    Raises:
        Unfit: it is private, symmetric, too weak, for something else, or cannot be read.
    """
    if not isinstance(given, Mapping):
        raise Unfit("ce n’est pas un objet JSON.")
    if given.get("kty") == "oct":
        raise Unfit("c’est un secret partagé (oct) : une clé publique RSA ou EC est attendue.")
    if not _PRIVATE.isdisjoint(given):
        raise Unfit("c’est une clé privée : ne la confiez à personne, remplacez-la, et donnez la clé publique.")
    names = _KEPT.get(str(given.get("kty")))
    if names is None:
        raise Unfit("seules les clés RSA et EC sont acceptées.")
    operations = given.get("key_ops", ["verify"])
    if given.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise Unfit("elle ne sert pas à vérifier des signatures.")
    jwk = {name: given.get(name) for name in names}
    if not all(isinstance(value, str) and value.isascii() for value in jwk.values()):
        raise Unfit("il lui manque une valeur.")
    kept = {name: str(value) for name, value in jwk.items()}
    key, algorithms = _imported({**kept})
    thumbprint = key.thumbprint()
    kid = given.get("kid", thumbprint)
    if not isinstance(kid, str) or not kid or len(kid) > LONGEST_KID or not kid.isprintable():
        raise Unfit(f"son kid n’est pas un texte de {LONGEST_KID} caractères au plus.")
    alg = given.get("alg")
    if alg is not None:
        if alg not in algorithms:
            raise Unfit(f"son algorithme n’est pas l’un de ceux qui sont acceptés ({', '.join(ALGORITHMS)}).")
        algorithms = (str(alg),)
    kept |= {"kid": kid, **({"alg": str(alg)} if alg is not None else {})}
    return PublicKey(kid, thumbprint, algorithms, kept, key)


def _imported(jwk: dict[str, str | list[str]]) -> tuple[RSAKey | ECKey, tuple[str, ...]]:
    try:
        if jwk["kty"] == "RSA":
            # Six bits a character: what is far too short or too long is not worth reading.
            if not min(_RSA_BITS) // 6 <= len(jwk["n"]) <= max(_RSA_BITS):
                raise Unfit(_BITS)
            rsa = RSAKey.import_key(jwk)
            numbers = rsa.public_key.public_numbers()
            if numbers.n.bit_length() not in _RSA_BITS or numbers.e.bit_length() > _EXPONENT_BITS:
                raise Unfit(_BITS)
            return rsa, _RSA
        algorithm = _CURVES.get(str(jwk["crv"]))
        if algorithm is None:
            raise Unfit("une clé EC P-256 ou P-384 est attendue.")
        ec = ECKey.import_key(jwk)
        # A point that is not on its curve is refused here.
        ec.public_key  # noqa: B018
        return ec, (algorithm,)
    except (JoseError, ValueError, TypeError) as error:
        raise Unfit("elle ne peut être lue.") from error


def usable(document: object) -> list[PublicKey]:
    """Return the keys of a set that may be used; keys for something else stand beside them and are left out."""
    found = document.get("keys") if isinstance(document, Mapping) else None
    keys = []
    for one in found[:MOST] if isinstance(found, list) else ():
        try:
            keys.append(read_key(one))
        except Unfit:
            continue
    return keys


def pasted(text: str) -> list[PublicKey]:
    """Return the keys that somebody pasted: a set, or one key. Each must be right.

    Raises:
        InvalidInput: why not.
    """
    if len(text) > LONGEST:
        raise _refused(f"Ce texte est trop long ({LONGEST:,} caractères au plus).".replace(",", "\u202f"))
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise _refused("Ce texte n’est pas du JSON : collez le jeu de clés entier, de { à }.") from None
    given = document.get("keys") if isinstance(document, dict) and "keys" in document else [document]
    if not isinstance(given, list) or not given:
        raise _refused("Ce jeu de clés est vide : « keys » est une liste d’une clé au moins.")
    if len(given) > MOST:
        raise _refused(f"Ce jeu a trop de clés ({MOST} au plus).")
    keys: list[PublicKey] = []
    for number, one in enumerate(given, start=1):
        try:
            key = read_key(one)
        except Unfit as error:
            raise _refused(f"La clé n° {number} est refusée : {error.reason}") from None
        if any(key.kid == other.kid for other in keys):
            raise _refused(f"La clé n° {number} a le même kid qu’une autre : donnez-en un à chacune.")
        keys.append(key)
    return keys


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, fields={"cles": message})
