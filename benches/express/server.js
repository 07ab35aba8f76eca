// express-session, as its README says: in memory, or in the Redis that STORE names. The handlers are those of
// the contenders in Rust.
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';

const { STORE } = process.env;

async function store() {
  if (!STORE) return undefined;
  const client = createClient({ url: STORE });
  await client.connect();
  return new RedisStore({ client });
}

const app = express();
app.use(session({
  store: await store(),
  secret: 'a secret of thirty-two bytes or more',
  resave: false,
  saveUninitialized: false,
}));

const pageViews = (req) => req.session.pageViews ?? 0;

app.get('/untouched', (req, res) => {
  res.type('text').send('untouched');
});

app.get('/read', (req, res) => {
  res.type('text').send(String(pageViews(req)));
});

app.get('/write', (req, res) => {
  req.session.pageViews = pageViews(req) + 1;
  res.type('text').send(String(pageViews(req)));
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
