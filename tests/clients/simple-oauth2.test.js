// simple-oauth2 5, which percent-encodes what it puts into Basic (RFC 6749
// §2.3.1), and passes PKCE through as it is given.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { AuthorizationCode, ClientCredentials } from 'simple-oauth2';
import { Browser, balance, base, refused, service, web } from './pointgate.js';

const tokens = { tokenHost: base, tokenPath: '/oauth2/token', revokePath: '/oauth2/revoke' };
const auth = { ...tokens, authorizePath: '/oauth2/authorize' };

function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

for (const authorizationMethod of ['header', 'body']) {
  test(`code, refresh, revocation: secret in the ${authorizationMethod}`, async () => {
    const app = new AuthorizationCode({ client: { id: web.id, secret: web.secret }, auth, options: { authorizationMethod } });
    const { verifier, challenge } = pkce();
    const url = app.authorizeURL({
      redirect_uri: web.redirect, scope: ['points:read', 'offline_access'], state: 's',
      code_challenge: challenge, code_challenge_method: 'S256',
    });
    const back = await new Browser().walk(url);
    assert.equal(back.searchParams.get('state'), 's');
    const got = await app.getToken({ code: back.searchParams.get('code'), redirect_uri: web.redirect, code_verifier: verifier });
    assert.equal(got.expired(), false);
    await balance(got.token.access_token);

    const next = await got.refresh();
    await balance(next.token.access_token);
    await next.revokeAll();
    await refused(next.token.access_token);
  });
}

test('client credentials', async () => {
  const app = new ClientCredentials({ client: { id: service.id, secret: service.secret }, auth: tokens });
  const got = await app.getToken({ scope: 'points:read' });
  assert.equal(got.token.scope, 'points:read');
});

test('a wrong secret is invalid_client', async () => {
  const app = new ClientCredentials({ client: { id: service.id, secret: 'wrong' }, auth: tokens });
  await assert.rejects(app.getToken({}), (e) => e.data.payload.error === 'invalid_client');
});
