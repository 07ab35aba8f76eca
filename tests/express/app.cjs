// The Express app of the tests. Each request brings the options of its session middleware as JSON in `x-options`, and
// a list of what to do with the session as its body. It ends when its standard input does.
const { dirname } = require('node:path');
const { RedisStore } = require('connect-redis');
const express = require('express');
const session = require('express-session');
const { createClient, createCluster } = require('redis');

// The one of express-session, which may be another than Express's own.
const of = { paths: [dirname(require.resolve('express-session'))] };
const signature = require(require.resolve('cookie-signature', of));

// One server, or a cluster as our side names one: `redis+cluster://one:6379,two:6379`.
const [scheme, hosts] = process.env.SESSION_STORE.split('://');
const urls = hosts.split(',').map((host) => ({ url: `redis://${host}` }));
const client = scheme === 'redis' ? createClient(urls[0]) : createCluster({ rootNodes: urls });

const middlewares = new Map();

function middleware(options) {
  if (!middlewares.has(options)) {
    const { store, ...given } = JSON.parse(options);
    if (given.cookie?.expires) given.cookie.expires = new Date(given.cookie.expires);
    middlewares.set(options, session({ store: new RedisStore({ client, ...store }), ...given }));
  }
  return middlewares.get(options);
}

// Each takes the request and what stands behind its name in the list.
const deeds = {
  set(req, path, value) {
    const last = path.pop();
    path.reduce((at, key) => (at[key] ??= {}), req.session)[last] = value;
  },
  delete(req, path) {
    const last = path.pop();
    delete path.reduce((at, key) => at?.[key] ?? {}, req.session)[last];
  },
  // Object.defineProperty, so that a name of the prototype becomes the session's own.
  define(req, name, value) {
    Object.defineProperty(req.session, name, { value, enumerable: true, configurable: true, writable: true });
  },
  maxAge(req, milliseconds) {
    req.session.cookie.maxAge = milliseconds;
  },
  cookie(req, name, value) {
    req.session.cookie[name] = value;
  },
  // Another request with the same cookie, in the midst of this one.
  async fetch(req, url, body) {
    const headers = { cookie: req.get('cookie'), 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  },
  status(req, code) {
    req.res.status(code);
  },
  unset(req) {
    req.session = null;
  },
  touch: (req) => req.session.touch(),
  resetMaxAge: (req) => req.session.resetMaxAge(),
  save: (req) => promise((done) => req.session.save(done)),
  reload: (req) => promise((done) => req.session.reload(done)),
  regenerate: (req) => promise((done) => req.session.regenerate(done)),
  destroy: (req) => promise((done) => req.session.destroy(done)),
};

function promise(start) {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}

const app = express();
app.set('env', 'test');
app.use(express.json({ limit: '64mb' }));

app.post('/sign', (req, res) => {
  const signed = ({ id, secret }) => encodeURIComponent(`s:${signature.sign(id, secret)}`);
  res.json(req.body.map(signed));
});

app.post('/unsign', (req, res) => {
  const id = ({ value, secret }) => signature.unsign(decodeURIComponent(value).slice(2), secret);
  res.json(req.body.map(id));
});

// What a session has that no stored field can be.
app.get('/names', (req, res) => {
  const names = new Set(['cookie', ...Object.getOwnPropertyNames(new session.Session({}))]);
  for (let at = session.Session.prototype; at; at = Object.getPrototypeOf(at)) {
    Object.getOwnPropertyNames(at).forEach((name) => names.add(name));
  }
  res.json([...names].sort());
});

// The methods of the store, on all sessions.
app.post('/store/:method', (req, res, next) => {
  const store = new RedisStore({ client, ...req.body });
  store[req.params.method]((error, answer) => (error ? next(error) : res.json(answer ?? null)));
});

app.use((req, res, next) => middleware(req.get('x-options'))(req, res, next));

app.get('/untouched', (req, res) => {
  res.json('untouched');
});

app.post('/do', async (req, res) => {
  for (const [deed, ...behind] of req.body) await deeds[deed](req, ...behind);
  const { cookie, ...fields } = req.session ?? {};
  res.json(fields);
});

client.connect().then(() => {
  const server = app.listen(0, '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
});
process.stdin.resume().on('end', () => process.exit());
