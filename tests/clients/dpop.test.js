// DPoP (RFC 9449) with openid-client 6 and oauth4webapi 3: keys, proofs and the
// server's nonces are theirs to handle, and nobody helps them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { Browser, base, refused, service, spa, web } from './pointgate.js';

const api = new URL(`${base}/api/points`);

for (const [name, app] of [['with a secret', web], ['without a secret', spa]]) {
  test(`openid-client: tokens bound to a key, ${name}`, async () => {
    const auth = app.secret ? undefined : client.None();
    const config = await client.discovery(new URL(base), app.id, app.secret, auth, { algorithm: 'oauth2', execute: [client.allowInsecureRequests] });
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: app.redirect, scope: 'points:read offline_access', dpop_jkt: await DPoP.calculateThumbprint(),
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    const got = await client.authorizationCodeGrant(config, await new Browser().walk(url), { pkceCodeVerifier }, undefined, { DPoP });
    assert.equal(got.token_type, 'dpop');
    await refused(got.access_token); // as a bearer token

    const next = await client.refreshTokenGrant(config, got.refresh_token, undefined, { DPoP });
    const answer = await client.fetchProtectedResource(config, next.access_token, api, 'GET', undefined, undefined, { DPoP });
    assert.equal((await answer.json()).customer_id, 'cus_alice');
  });
}

test('oauth4webapi: a key for a service, and the nonce of an answer', async () => {
  const loopback = { [oauth.allowInsecureRequests]: true };
  const as = await oauth.processDiscoveryResponse(new URL(base), await oauth.discoveryRequest(new URL(base), { algorithm: 'oauth2', ...loopback }));
  const me = { client_id: service.id };
  const DPoP = oauth.DPoP(me, await oauth.generateKeyPair('ES256'));
  const answer = await oauth.clientCredentialsGrantRequest(as, me, oauth.ClientSecretBasic(service.secret), { scope: 'points:read' }, { DPoP, ...loopback });
  const got = await oauth.processClientCredentialsResponse(as, me, answer);
  assert.equal(got.token_type, 'dpop');
  for (let i = 0; i < 2; i++) { // the second proof names the nonce of the first answer
    const seen = await oauth.protectedResourceRequest(got.access_token, 'GET', new URL(`${api}?customer_id=cus_alice`), undefined, undefined, { DPoP, ...loopback });
    assert.equal((await seen.json()).customer_id, 'cus_alice');
  }
});
