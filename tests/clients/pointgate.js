// What the tests of all libraries share: where the program is, who the demo's
// people are, and a person in front of its pages. It is given the program's
// address, and knows nothing else of it than a browser does.

import assert from 'node:assert/strict';

export const base = process.env.POINTGATE_URL;
export const adminToken = process.env.POINTGATE_TOKEN;
export const alice = { email: 'alice@demo.example', password: 'demo-alice-password' };
export const web = { id: 'demo-web', secret: 'demo-web-secret', redirect: 'http://127.0.0.1:9090/callback' };
export const spa = { id: 'demo-spa', redirect: 'http://127.0.0.1:9091/callback' };
export const service = { id: 'demo-service', secret: 'demo-service-secret' };
export const gateway = { id: 'demo-gateway', secret: 'demo-gateway-secret' };

assert.ok(base, 'POINTGATE_URL says where the program listens');

// Browser keeps cookies and sends forms. It runs no scripts: the pages have none.
export class Browser {
  #cookies = new Map();

  // open follows redirects as long as they stay at the server; the first that
  // leaves it is { to: URL }, a page is { html, url, status }.
  async open(url, init = {}) {
    for (let redirects = 0; redirects < 10; redirects++) {
      const headers = { ...init.headers, cookie: [...this.#cookies].map(([k, v]) => `${k}=${v}`).join('; ') };
      const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value === '') this.#cookies.delete(name);
        else this.#cookies.set(name, value);
      }
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status > 399 || !location) {
        return { html: await answer.text(), url: String(url), status: answer.status };
      }
      url = new URL(location, url);
      if (url.origin !== new URL(base).origin) return { to: url };
      init = {};
    }
    throw new Error('too many redirects');
  }

  // submit sends a form of a page, as it stands but for the given fields.
  submit(page, form, fields) {
    const body = new URLSearchParams(form.fields);
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return this.open(new URL(form.action || page.url, page.url), {
      method: 'POST', body,
      headers: { origin: new URL(base).origin, 'sec-fetch-site': 'same-origin' },
    });
  }

  // walk goes from any page of a flow to the redirect to the client: it signs in
  // where it is asked to, and then answers each form that has a decision.
  async walk(url, decision = 'approve', person = alice) {
    let page = await this.open(url);
    for (let pages = 0; pages < 6; pages++) {
      if (page.to) return page.to;
      const forms = formsOf(page.html);
      const login = forms.find((f) => f.names.has('password'));
      const consent = forms.find((f) => f.names.has('decision'));
      if (login) page = await this.submit(page, login, person);
      else if (consent) page = await this.submit(page, consent, { decision });
      else break;
    }
    throw unexpected(page);
  }

  // letIn opens a device's link, confirms its code, and answers.
  async letIn(url, person = alice) {
    let page = await this.open(url);
    for (let pages = 0; pages < 6; pages++) {
      const forms = formsOf(page.html);
      const login = forms.find((f) => f.names.has('password'));
      const code = forms.find((f) => f.names.has('user_code'));
      if (login) page = await this.submit(page, login, person);
      else if (code?.names.has('decision')) page = await this.submit(page, code, { decision: 'approve' });
      else if (code) page = await this.submit(page, code, {});
      else if (page.url.includes('done=approved')) return;
      else break;
    }
    throw unexpected(page);
  }
}

function unexpected(page) {
  return new Error(`the flow ends at ${page.url} with ${page.status}: ${page.html.slice(0, 400)}`);
}

// formsOf reads the POST forms of a page: their fields as a browser would send
// them untouched, and the names of all fields and buttons.
export function formsOf(html) {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, head, inside]) => {
    const form = { action: attributes(head).action ?? '', method: attributes(head).method, fields: [], names: new Set() };
    for (const [, tag, raw] of inside.matchAll(/<(input|button)\b([^>]*)>/g)) {
      const a = attributes(raw);
      if (!a.name) continue;
      form.names.add(a.name);
      const sent = tag === 'input' && !['submit', 'button'].includes(a.type) && (!['checkbox', 'radio'].includes(a.type) || 'checked' in a);
      if (sent) form.fields.push([a.name, a.value ?? '']);
    }
    return form;
  }).filter((f) => f.method === 'post');
}

function attributes(raw) {
  return Object.fromEntries([...raw.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(([, k, v]) => [k, unescape(v ?? '')]));
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"' };

function unescape(text) {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) => (code ? String.fromCharCode(code) : entities[name]));
}

// balance calls the API with a token, and wants Alice's points.
export async function balance(accessToken, headers = { authorization: `Bearer ${accessToken}` }) {
  const answer = await fetch(`${base}/api/points`, { headers });
  assert.equal(answer.status, 200, `the API says ${answer.status}`);
  assert.equal((await answer.json()).customer_id, 'cus_alice');
}

// refused is that the API no longer takes a token.
export async function refused(accessToken) {
  const answer = await fetch(`${base}/api/points`, { headers: { authorization: `Bearer ${accessToken}` } });
  assert.equal(answer.status, 401);
}

// register has an administrator make a client; the answer has its client_secret.
export async function register(client) {
  const answer = await fetch(`${base}/admin/api/clients`, {
    method: 'POST', body: JSON.stringify(client),
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
}
