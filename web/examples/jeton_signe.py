"""Un jeton d’une heure contre une demande signée (private_key_jwt) : aucun secret n’est partagé."""

import json
import os
import time
import uuid
from pathlib import Path

import httpx
from joserfc import jws
from joserfc.jwk import ECKey

# La première fois : une clé privée à garder pour vous, et le jeu public à donner à l’administrateur.
fichier = Path(os.environ.get("REPERE_CLE_PRIVEE", "cle-privee.json"))
if not fichier.exists():
    neuve = ECKey.generate_key("P-384", {"use": "sig"}, auto_kid=True)
    fichier.touch(mode=0o600)
    fichier.write_text(json.dumps(neuve.as_dict(private=True)))
cle = ECKey.import_key(json.loads(fichier.read_text()))
fichier.with_name("jwks.json").write_text(json.dumps({"keys": [cle.as_dict(private=False)]}))

adresse = f"{os.environ['REPERE_URL']}/oauth/token"
application = os.environ["REPERE_APPLICATION"]
demande = {
    "iss": application,
    "sub": application,
    "aud": adresse,
    "exp": int(time.time()) + 240,
    "jti": str(uuid.uuid4()),
}
reponse = httpx.post(
    adresse,
    data={
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jws.serialize_compact(
            {"alg": "ES384", "typ": "JWT", "kid": cle.kid}, json.dumps(demande), cle, algorithms=["ES384"]
        ),
    },
)
print(reponse.text)
