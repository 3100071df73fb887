"""Extrait tout le répertoire en fichiers NDJSON, et note la position d’où suivre les changements."""

import os
import time
from pathlib import Path

import httpx

dossier = Path(os.environ.get("REPERE_DOSSIER", "extraction"))
dossier.mkdir(exist_ok=True)
entetes = {"Authorization": f"Bearer {os.environ['REPERE_CLE']}"}

with httpx.Client(base_url=os.environ["REPERE_URL"], headers=entetes, timeout=60) as repere:
    demande = repere.get("/fhir/$export", headers={"Prefer": "respond-async"})
    demande.raise_for_status()
    suivi = demande.headers["Content-Location"]
    while (etat := repere.get(suivi)).status_code == 202:
        time.sleep(int(etat.headers["Retry-After"]))
    etat.raise_for_status()
    for fichier in etat.json()["output"]:
        nom = fichier["url"].rpartition("/")[2]
        with repere.stream("GET", fichier["url"]) as reponse, (dossier / nom).open("wb") as sortie:
            reponse.raise_for_status()
            for morceau in reponse.iter_bytes():
                sortie.write(morceau)
        print(nom, fichier["count"], "ressources")
    (dossier / "position").write_text(str(etat.json()["extension"]["position"]))
    repere.delete(suivi)
