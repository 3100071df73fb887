// Pages of the demonstration's identity provider: in French, without script, nothing from elsewhere.
const SIGNS = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const safe = (text) => String(text ?? '').replace(/[&<>"']/g, (sign) => SIGNS[sign]);

export const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #eef3f4; color: #12292b; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 2rem auto; padding: 1.5rem; background: #fff; border-radius: 12px; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
.demo { margin: 0 0 1rem; padding: .5rem .75rem; border-left: 4px solid #8a5a00; background: #fff6e0; }
ul { margin: 1rem 0; padding: 0; list-style: none; display: grid; gap: .75rem; }
button { width: 100%; padding: .75rem 1rem; border: 1px solid #5b7376; border-radius: 8px; background: #fff;
  color: inherit; font: inherit; text-align: left; cursor: pointer; }
button:hover { border-color: #0b5a60; background: #f2f8f8; }
button:focus-visible, a:focus-visible { outline: 3px solid #0b5a60; outline-offset: 2px; }
button strong, button span { display: block; }
button span { color: #47595b; font-size: .9rem; }
.main { background: #0b5a60; border-color: #0b5a60; color: #fff; text-align: center; }
.main:hover { background: #084649; }
.plain { text-align: center; }
a { color: #0b5a60; }
@media (max-width: 40rem) { main { margin: 0; border-radius: 0; } }
`;

const page = (title, body) => `<!doctype html>
<html lang="fr">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title} · Connexion de démonstration</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
  <h1>${title}</h1>
  <p class="demo">Démonstration : cette page tient la place de Pro Santé Connect. Les cartes et les personnes sont
  inventées, aucun code n’est demandé.</p>
  ${body}
</main>
</body>
</html>`;

const choice = (card, uid) => `<li><form method="post" action="/interaction/${safe(uid)}">
      <input type="hidden" name="card" value="${safe(card.id)}">
      <button type="submit"><strong>${safe(card.first_name)} ${safe(card.last_name)}</strong>
      <span>${safe(card.label)}</span>
      <span>Identifiant national ${safe(card.national_id)}</span></button>
    </form></li>`;

export const cancelled = () => ({ error: 'access_denied', error_description: 'End-user aborted interaction' });

export const loginPage = (cards, uid) => page(
  'Choisissez une carte',
  `${cards.length ? '' : '<p>Aucune carte : les données d’exemple ne sont pas chargées.</p>'}
  <ul>${cards.map((card) => choice(card, uid)).join('\n')}</ul>
  <form method="post" action="/interaction/${safe(uid)}"><button class="plain" type="submit">Annuler</button></form>`,
);

export const logoutPage = (form) => page(
  'Se déconnecter',
  `<p>Votre session est aussi ouverte ici. Fermez-la pour qu’une autre personne ne s’en serve pas.</p>
  ${form}
  <p><button class="main" type="submit" form="op.logoutForm" name="logout" value="yes">Me déconnecter</button></p>
  <p><button class="plain" type="submit" form="op.logoutForm">Garder cette session ouverte</button></p>`,
);

export const signedOutPage = (site) => page(
  'Vous êtes déconnecté',
  `<p><a href="${safe(site)}/">Revenir à Repère</a></p>`,
);

export const errorPage = (site, out) => page(
  'La connexion n’a pas abouti',
  `<p>Cette étape a expiré ou n’est pas valable (${safe(out.error)}). Recommencez depuis la page de connexion.</p>
  <p><a href="${safe(site)}/connexion">Revenir à Repère</a></p>`,
);
