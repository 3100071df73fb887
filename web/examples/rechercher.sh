# Les kinésithérapeutes à moins de 10 km de Mantes-la-Jolie, les plus proches d’abord.
curl --fail-with-body --silent --show-error --get "$REPERE_URL/fhir/HealthcareService" \
  --header "Authorization: Bearer $REPERE_CLE" \
  --header "Prefer: handling=strict" \
  --data-urlencode "location.near-insee-code=78361|10|km" \
  --data-urlencode "_has:PractitionerRole:service:role=70" \
  --data-urlencode "_include=HealthcareService:location" \
  --data-urlencode "_revinclude=PractitionerRole:service" \
  --data-urlencode "_count=20"
