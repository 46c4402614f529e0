// openid-client 6, which sends no state where the server takes PKCE.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as client from 'openid-client';
import { Browser, balance, base, gateway, refused, service, spa, web } from './pointgate.js';

const algorithm = 'oauth2';
const execute = [client.allowInsecureRequests]; // http, as the demo is on one machine

for (const [name, app] of [['with a secret', web], ['without a secret', spa]]) {
  test(`code with PKCE and no state, refresh, revocation: ${name}`, async () => {
    const auth = app.secret ? undefined : client.None();
    const config = await client.discovery(new URL(base), app.id, app.secret, auth, { algorithm, execute });
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: app.redirect, scope: 'points:read offline_access',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    assert.equal(url.searchParams.get('state'), null);
    const got = await client.authorizationCodeGrant(config, await new Browser().walk(url), { pkceCodeVerifier });
    await balance(got.access_token);

    const next = await client.refreshTokenGrant(config, got.refresh_token);
    await balance(next.access_token);
    await client.fetchProtectedResource(config, next.access_token, new URL(`${base}/api/points`), 'GET');

    await client.tokenRevocation(config, next.refresh_token);
    await refused(next.access_token);
  });
}

test('OpenID Connect: discovery, nonce, max_age, ID token, userinfo', async () => {
  const config = await client.discovery(new URL(base), web.id, web.secret, undefined, { execute });
  client.enableNonRepudiationChecks(config); // the ID token's signature, by the published keys
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: web.redirect, scope: 'openid email', nonce: expectedNonce, max_age: '300',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  });
  const got = await client.authorizationCodeGrant(config, await new Browser().walk(url), {
    pkceCodeVerifier, expectedNonce, maxAge: 300, idTokenExpected: true,
  });
  assert.equal(got.claims().sub, 'cus_alice');
  const person = await client.fetchUserInfo(config, got.access_token, 'cus_alice');
  assert.equal(person.email, 'alice@demo.example');
});

test('client credentials, introspected by the resource server', async () => {
  const config = await client.discovery(new URL(base), service.id, service.secret, client.ClientSecretBasic(service.secret), { algorithm, execute });
  const got = await client.clientCredentialsGrant(config, { scope: 'points:read' });
  const api = await client.discovery(new URL(base), gateway.id, gateway.secret, undefined, { algorithm, execute });
  const seen = await client.tokenIntrospection(api, got.access_token);
  assert.equal(seen.active, true);
  assert.equal(seen.client_id, service.id);
});
