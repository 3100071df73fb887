"""Vérifie qu’un avis vient bien de Repère : il est signé, et vieux de cinq minutes au plus."""

import base64
import hashlib
import hmac
import time


def authentique(secret: str, entetes: dict[str, str], corps: bytes) -> bool:
    """Dit si le corps reçu est celui qui a été signé ; les noms des en-têtes sont en minuscules."""
    if abs(time.time() - int(entetes["webhook-timestamp"])) > 300:
        return False
    signe = f"{entetes['webhook-id']}.{entetes['webhook-timestamp']}.".encode() + corps
    cle = base64.b64decode(secret.removeprefix("whsec_"))
    attendue = "v1," + base64.b64encode(hmac.new(cle, signe, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(attendue, une) for une in entetes["webhook-signature"].split())
