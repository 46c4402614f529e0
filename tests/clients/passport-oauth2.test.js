// passport-oauth2 1.8 with pkce in an Express application, which a browser uses.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import OAuth2Strategy from 'passport-oauth2';
import { Browser, balance, base, web } from './pointgate.js';

test('an Express application signs a person in', async (t) => {
  const app = express();
  const server = app.listen(0, '127.0.0.1');
  t.after(() => server.closeAllConnections() ?? server.close());
  await once(server, 'listening');
  const here = `http://127.0.0.1:${server.address().port}`; // another port than is registered, as RFC 8252 §7.3 has it

  const authenticator = new passport.Passport();
  authenticator.use(new OAuth2Strategy({
    authorizationURL: `${base}/oauth2/authorize`, tokenURL: `${base}/oauth2/token`, clientID: web.id, clientSecret: web.secret,
    callbackURL: `${here}/callback`, scope: ['points:read', 'offline_access'], scopeSeparator: ' ', pkce: true, state: true,
  }, (accessToken, refreshToken, params, profile, done) => done(null, { accessToken, refreshToken, params })));
  app.use(session({ secret: 'of the test', resave: false, saveUninitialized: false }));
  app.use(authenticator.initialize());
  app.get('/login', authenticator.authenticate('oauth2', { session: false }));
  app.get('/callback', authenticator.authenticate('oauth2', { session: false }), (req, res) => res.json(req.user));

  // The person's browser has cookies at the application too.
  const start = await fetch(`${here}/login`, { redirect: 'manual' });
  const back = await new Browser().walk(start.headers.get('location'));
  assert.equal(back.origin, here);
  const cookie = start.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  const end = await fetch(back, { headers: { cookie } });
  assert.equal(end.status, 200, await end.clone().text());
  const user = await end.json();
  assert.ok(user.refreshToken);
  assert.equal(user.params.scope, 'points:read offline_access');
  await balance(user.accessToken);
});
