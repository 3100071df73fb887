// Identity provider of the demonstration and of the tests: it answers as Pro Santé Connect does, for invented cards.
// Everything comes from the environment; it is never started outside of them.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { cancelled, errorPage, loginPage, logoutPage, signedOutPage, STYLE } from './pages.mjs';

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
};
const issuer = need('REPERE_PSC_ISSUER');
const site = need('REPERE_PUBLIC_URL').replace(/\/+$/, '');
const cardsFile = need('REPERE_PSC_CARDS');
const secret = need('REPERE_PSC_CLIENT_SECRET');
const modules = path.join(need('REPERE_HOME'), 'npm', 'node_modules');
const { default: Provider } = await import(pathToFileURL(path.join(modules, 'oidc-provider', 'lib', 'index.js')).href);

// Read at each page: the cards are made again when the sample registers change.
const cards = () => {
  try {
    return JSON.parse(readFileSync(cardsFile, 'utf8'));
  } catch {
    return [];
  }
};

function claimsOf(card) {
  const exercise = {
    codeProfession: card.profession,
    codeCategorieProfessionnelle: card.category,
    codeCiviliteDexercice: card.exercise_title ?? '',
    nomDexercice: card.last_name,
    prenomDexercice: card.first_name,
    codeTypeSavoirFaire: card.specialty ? 'S' : '',
    codeSavoirFaire: card.specialty ?? '',
    activities: [],
  };
  const nomenclature = card.category === 'E' ? '1.2.250.1.71.1.2.8' : '1.2.250.1.71.1.2.7';
  return {
    SubjectNameID: card.national_id,
    preferred_username: card.national_id,
    given_name: card.first_name,
    family_name: card.last_name,
    UITVersion: '1.0',
    SubjectOrganization: '',
    SubjectRole: [`${card.profession}^${nomenclature}`],
    SubjectRefPro: { codeCivilite: card.civility, exercices: card.profession ? [exercise] : [] },
    otherIds: card.national_id.startsWith('8')
      ? [{ identifiant: card.national_id, origine: 'RPPS', qualite: 1 }]
      : [{ identifiant: card.national_id, origine: 'ADELI', qualite: 1 }],
    Palier_Authentification: 'APPPRIP3^1.2.250.1.213.1.5.1.1.1',
  };
}

const html = (ctx, body) => {
  ctx.type = 'html';
  ctx.body = body;
};
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = privateKey.export({ format: 'jwk' });

const provider = new Provider(issuer, {
  acrValues: ['eidas1'],
  clients: [
    {
      client_id: need('REPERE_PSC_CLIENT_ID'),
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_post',
      redirect_uris: [`${site}/connexion/psc/retour`],
      post_logout_redirect_uris: [`${site}/deconnexion/psc`],
    },
  ],
  responseTypes: ['code'],
  scopes: ['openid', 'scope_all'],
  claims: { openid: ['sub'], acr: null, auth_time: null, scope_all: Object.keys(claimsOf({ national_id: '' })) },
  jwks: { keys: [{ ...key, kid: randomBytes(8).toString('hex'), alg: 'RS256', use: 'sig' }] },
  pkce: { required: () => true },
  cookies: {
    names: { session: 'psc_session', interaction: 'psc_interaction', resume: 'psc_resume' },
    keys: [createHash('sha256').update(`cookies:${secret}`).digest('hex')],
  },
  ttl: { AccessToken: 120, AuthorizationCode: 60, Grant: 3600, IdToken: 120, Interaction: 600, Session: 3600 },
  async findAccount(_ctx, sub) {
    const card = cards().find((one) => `f:demo:${one.national_id}` === sub);
    return card && { accountId: sub, claims: async () => ({ sub, ...claimsOf(card) }) };
  },
  // Pro Santé Connect asks no consent.
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    // One grant for a session: another would make the codes of the other tabs worthless.
    const known = session.grantIdFor(client.clientId);
    if (known) return ctx.oidc.provider.Grant.find(known);
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid scope_all');
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => html(ctx, logoutPage(form)),
      postLogoutSuccessSource: async (ctx) => html(ctx, signedOutPage(site)),
    },
  },
  renderError: async (ctx, out) => html(ctx, errorPage(site, out)),
});

const SAFE = {
  'content-security-policy': "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

async function formOf(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) break;
  }
  return new URLSearchParams(text);
}

// Another card in the reader: the session of the former one ends here, without a page in between.
async function leaveFormer(details, accountId) {
  const session = details.session && (await provider.Session.findByUid(details.session.uid));
  if (!session || session.accountId === accountId) return;
  await session.destroy();
  details.session = undefined;
  await details.save(details.exp - Math.floor(Date.now() / 1000));
}

async function interact(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.writeHead(200, { ...SAFE, 'content-type': 'text/html; charset=utf-8' });
    response.end(loginPage(cards(), details.uid));
    return;
  }
  const chosen = (await formOf(request)).get('card');
  const card = cards().find((one) => one.id === chosen);
  const accountId = card && `f:demo:${card.national_id}`;
  if (card) await leaveFormer(details, accountId);
  const result = card ? { login: { accountId, acr: 'eidas1', amr: ['pwd', 'hwk'] } } : cancelled();
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const answer = provider.callback();
const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, issuer);
  if (pathname === '/style.css') {
    response.writeHead(200, { 'content-type': 'text/css; charset=utf-8', 'x-content-type-options': 'nosniff' });
    response.end(STYLE);
  } else if (pathname.startsWith('/interaction/')) {
    interact(request, response).catch((error) => {
      response.writeHead(400, { ...SAFE, 'content-type': 'text/html; charset=utf-8' });
      response.end(errorPage(site, { error: error.name }));
    });
  } else {
    answer(request, response);
  }
});

// The supervisor holds the socket, so that a restart loses no address; tests name a port.
const handle = process.argv[2];
server.listen(handle ? { fd: Number(handle) } : { host: '127.0.0.1', port: Number(new URL(issuer).port) });
for (const sent of ['SIGTERM', 'SIGINT']) process.on(sent, () => process.exit(0));
