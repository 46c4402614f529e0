// @modelcontextprotocol/sdk, which knows nothing but the address of an MCP server
// (MCP_URL): it finds the authorization server, registers itself there, has a
// person consent, and calls a tool (authorization rules of 2026-07-28).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Browser, base } from './pointgate.js';

const server = new URL(process.env.MCP_URL);

// Assistant is an application on a person's machine: it keeps what it is given.
class Assistant {
  redirectUrl = 'http://127.0.0.1:33418/callback';
  kept = {};

  get clientMetadata() {
    return {
      client_name: 'Assistant', redirect_uris: [this.redirectUrl], application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none',
    };
  }

  clientInformation() { return this.kept.client; }
  saveClientInformation(client) { this.kept.client = client; }
  tokens() { return this.kept.tokens; }
  saveTokens(tokens) { this.kept.tokens = tokens; }
  codeVerifier() { return this.kept.verifier; }
  saveCodeVerifier(verifier) { this.kept.verifier = verifier; }
  state() { return 'of-the-assistant'; }
  redirectToAuthorization(url) { this.kept.authorization = url; }
}

async function connected(assistant) {
  const client = new Client({ name: 'assistant', version: '1' });
  const transport = new StreamableHTTPClientTransport(server, { authProvider: assistant });
  await client.connect(transport);
  return client;
}

test('discovery, registration, consent and a call', async () => {
  const assistant = new Assistant();
  const transport = new StreamableHTTPClientTransport(server, { authProvider: assistant });
  await assert.rejects(new Client({ name: 'assistant', version: '1' }).connect(transport), UnauthorizedError);

  const { authorization, client: registered } = assistant.kept;
  assert.equal(authorization.origin, new URL(base).origin);
  assert.equal(authorization.searchParams.get('resource'), server.href);
  assert.equal(authorization.searchParams.get('code_challenge_method'), 'S256');
  assert.ok(registered.client_id);

  const back = await new Browser().walk(authorization);
  assert.equal(back.searchParams.get('iss'), base);
  assert.equal(back.searchParams.get('state'), 'of-the-assistant');
  await transport.finishAuth(back.searchParams.get('code'));

  const client = await connected(assistant);
  const answer = await client.callTool({ name: 'balance', arguments: {} });
  assert.deepEqual(answer.structuredContent, { customer: 'cus_alice', points: 1200 });
  await client.close();

  // What the assistant holds opens the MCP server, and nothing else.
  const direct = await fetch(`${base}/api/points`, { headers: { authorization: `Bearer ${assistant.kept.tokens.access_token}` } });
  assert.equal(direct.status, 401);

  // A token that is no longer taken leads to the person again.
  assistant.kept.tokens = { ...assistant.kept.tokens, access_token: 'nothing' };
  await assert.rejects(connected(assistant), UnauthorizedError);
});

test('a token that is no longer good', async () => {
  const answer = await fetch(server, { method: 'POST', headers: { authorization: 'Bearer nothing' } });
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate'), /resource_metadata="[^"]+".*scope="points:read"/);
});
