"""Applique à une copie ce qui a changé depuis la dernière lecture ; à relancer aussi souvent que voulu."""

import json
import os
from pathlib import Path

import httpx

dossier = Path(os.environ.get("REPERE_DOSSIER", "extraction"))
entetes = {"Authorization": f"Bearer {os.environ['REPERE_CLE']}"}

copie = {}
for chemin in dossier.glob("*.ndjson"):
    for ligne in chemin.read_text(encoding="utf-8").splitlines():
        ressource = json.loads(ligne)
        copie[f"{ressource['resourceType']}/{ressource['id']}"] = ressource

position = (dossier / "position").read_text()
with httpx.Client(base_url=os.environ["REPERE_URL"], headers=entetes, timeout=60) as repere:
    adresse: httpx.URL | str | None = httpx.URL("/fhir/$changes", params={"since": position})
    while adresse:
        reponse = repere.get(adresse)
        if reponse.status_code == 410:
            raise SystemExit("La position est trop ancienne : refaites une extraction.")
        reponse.raise_for_status()
        for entree in reponse.json().get("entry", []):
            if entree["request"]["method"] == "DELETE":
                copie.pop(entree["request"]["url"], None)
            else:
                ressource = entree["resource"]
                copie[f"{ressource['resourceType']}/{ressource['id']}"] = ressource
        position = reponse.headers["X-Repere-Feed-Position"]
        suites = [lien["url"] for lien in reponse.json()["link"] if lien["relation"] == "next"]
        adresse = suites[0] if suites else None

(dossier / "position").write_text(position)
print(len(copie), "ressources, à la position", position)
