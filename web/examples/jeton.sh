# Un jeton d’une heure contre l’identifiant et le secret de l’application (OAuth 2, client_credentials).
curl --fail-with-body --silent --show-error "$REPERE_URL/oauth/token" \
  --user "$REPERE_APPLICATION:$REPERE_SECRET" \
  --data grant_type=client_credentials
