// oauth4webapi 3: the strictest of the libraries. It checks the answers' content
// types, members and the issuer, and takes no answer that an RFC does not allow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as oauth from 'oauth4webapi';
import { Browser, alice, balance, base, gateway, refused, register, service, spa, web } from './pointgate.js';

const loopback = { [oauth.allowInsecureRequests]: true }; // http, as the demo is on one machine

async function discover(algorithm = 'oauth2') {
  const issuer = new URL(base);
  const answer = await oauth.discoveryRequest(issuer, { algorithm, ...loopback });
  return oauth.processDiscoveryResponse(issuer, answer);
}

// code goes through the pages, and returns what the redirect carries, checked:
// state, and iss by RFC 9207.
async function authorized(as, client, app, more = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: app.id, redirect_uri: app.redirect, response_type: 'code', scope: 'points:read points:write offline_access', state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more,
  });
  const parameters = oauth.validateAuthResponse(as, client, await new Browser().walk(url), state);
  return { verifier, parameters };
}

async function redeem(as, client, app, auth, { parameters, verifier }, options = {}) {
  const answer = await oauth.authorizationCodeGrantRequest(as, client, auth, parameters, app.redirect, verifier, { ...loopback, ...options });
  return oauth.processAuthorizationCodeResponse(as, client, answer);
}

for (const [name, app, method] of [
  ['client_secret_basic', web, oauth.ClientSecretBasic(web.secret)],
  ['client_secret_post', web, oauth.ClientSecretPost(web.secret)],
  ['a public client', spa, oauth.None()],
]) {
  test(`code with PKCE, refresh, revocation: ${name}`, async () => {
    const as = await discover();
    const client = { client_id: app.id };
    const got = await redeem(as, client, app, method, await authorized(as, client, app));
    assert.equal(got.token_type, 'bearer');
    await balance(got.access_token);

    const refresh = await oauth.refreshTokenGrantRequest(as, client, method, got.refresh_token, loopback);
    const next = await oauth.processRefreshTokenResponse(as, client, refresh);
    await balance(next.access_token);

    const gone = await oauth.revocationRequest(as, client, method, next.refresh_token, loopback);
    await oauth.processRevocationResponse(gone);
    await refused(next.access_token);
  });
}

test('a pushed authorization request', async () => {
  const as = await discover();
  const client = { client_id: web.id };
  const auth = oauth.ClientSecretBasic(web.secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const asked = await oauth.pushedAuthorizationRequest(as, client, auth, new URLSearchParams({
    redirect_uri: web.redirect, response_type: 'code', scope: 'points:read', state: 'pushed',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }), loopback);
  const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, asked);
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({ client_id: web.id, request_uri });
  const parameters = oauth.validateAuthResponse(as, client, await new Browser().walk(url), 'pushed');
  await balance((await redeem(as, client, web, auth, { parameters, verifier })).access_token);
});

test('OpenID Connect: an ID token, checked to the signature, and userinfo', async () => {
  const as = await discover('oidc');
  const client = { client_id: web.id, require_auth_time: true };
  const expectedNonce = oauth.generateRandomNonce();
  const { verifier, parameters } = await authorized(as, client, web, { scope: 'openid profile', nonce: expectedNonce });
  const answer = await oauth.authorizationCodeGrantRequest(as, client, oauth.ClientSecretBasic(web.secret), parameters, web.redirect, verifier, loopback);
  const got = await oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, answer, loopback);
  const { sub } = oauth.getValidatedIdTokenClaims(got);
  const info = await oauth.userInfoRequest(as, client, got.access_token, loopback);
  await oauth.processUserInfoResponse(as, client, sub, info);
});

test('DPoP: a public client, whose tokens are bound to its key', async () => {
  const as = await discover();
  const client = { client_id: spa.id };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const again = async (request) => {
    try {
      return await request();
    } catch (e) {
      if (!oauth.isDPoPNonceError(e)) throw e;
      return request(); // the library has taken the nonce out of the answer
    }
  };
  const from = await authorized(as, client, spa);
  const got = await again(() => redeem(as, client, spa, oauth.None(), from, { DPoP }));
  assert.equal(got.token_type, 'dpop');
  const call = await again(() => oauth.protectedResourceRequest(
    got.access_token, 'GET', new URL(`${base}/api/points`), undefined, undefined, { DPoP, ...loopback }));
  assert.equal(call.status, 200);
  await refused(got.access_token); // as a bearer token

  const next = await again(async () => oauth.processRefreshTokenResponse(as, client,
    await oauth.refreshTokenGrantRequest(as, client, oauth.None(), got.refresh_token, { DPoP, ...loopback })));
  assert.equal(next.token_type, 'dpop');
});

test('device authorization', async () => {
  const as = await discover();
  const { id: client_id } = await register({
    name: 'Television', public: true, grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'], scopes: ['points:read', 'offline_access'],
  });
  const client = { client_id };
  const asked = await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: 'points:read' }, loopback);
  const device = await oauth.processDeviceAuthorizationResponse(as, client, asked);
  const poll = async () => oauth.processDeviceCodeResponse(as, client,
    await oauth.deviceCodeGrantRequest(as, client, oauth.None(), device.device_code, loopback));
  await assert.rejects(poll(), { error: 'authorization_pending' });

  const person = new Browser();
  await person.letIn(device.verification_uri_complete);
  await new Promise((done) => setTimeout(done, 1000 * device.interval)); // as the RFC wants
  await balance((await poll()).access_token);
});

test('client credentials', async () => {
  const as = await discover();
  const client = { client_id: service.id };
  const answer = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic(service.secret), { scope: 'points:read' }, loopback);
  const got = await oauth.processClientCredentialsResponse(as, client, answer);
  assert.equal(got.scope, 'points:read');
  assert.equal(got.refresh_token, undefined);
});

test('private_key_jwt', async () => {
  const as = await discover();
  const { privateKey, publicKey } = await oauth.generateKeyPair('ES256', { extractable: true });
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
  const { id: client_id } = await register({
    name: 'Signs', grant_types: ['client_credentials'], scopes: ['points:read'],
    token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty, crv, x, y, kid: 'one' }] },
  });
  const auth = oauth.PrivateKeyJwt({ key: privateKey, kid: 'one' });
  const answer = await oauth.clientCredentialsGrantRequest(as, { client_id }, auth, { scope: 'points:read' }, loopback);
  const got = await oauth.processClientCredentialsResponse(as, { client_id }, answer);
  assert.equal(got.scope, 'points:read');
});

test('introspection, of a token that lives and of one that does not', async () => {
  const as = await discover();
  const client = { client_id: web.id };
  const got = await redeem(as, client, web, oauth.ClientSecretBasic(web.secret), await authorized(as, client, web));
  const asking = { client_id: gateway.id };
  const ask = async (token) =>
    oauth.processIntrospectionResponse(as, asking, await oauth.introspectionRequest(as, asking, oauth.ClientSecretBasic(gateway.secret), token, loopback));
  const live = await ask(got.access_token);
  assert.equal(live.active, true);
  assert.equal(live.client_id, web.id);
  assert.equal(live.sub, 'cus_alice');
  assert.equal(live.iss, base);
  assert.deepEqual(await ask('nothing'), { active: false });
});

test('a person says no', async () => {
  const as = await discover();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: web.id, redirect_uri: web.redirect, response_type: 'code', scope: 'points:read', prompt: 'consent',
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()), code_challenge_method: 'S256',
  });
  const back = await new Browser().walk(url, 'deny', alice);
  assert.throws(() => oauth.validateAuthResponse(as, { client_id: web.id }, back, oauth.expectNoState), { error: 'access_denied' });
});
