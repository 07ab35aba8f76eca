// The Express half: counts page views, signs in and out, on sessions that the axum half is on as well.
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';

const { PORT = '3000', SESSION_STORE = 'redis://127.0.0.1:6379', SESSION_SECRET } = process.env;

const client = createClient({ url: SESSION_STORE });
await client.connect();

const app = express();
app.use(session({
  store: new RedisStore({ client }),
  secret: SESSION_SECRET,
  resave: false,
  saveUninitialized: false,
}));

app.get('/', (req, res) => {
  req.session.pageViews = (req.session.pageViews ?? 0) + 1;
  const times = req.session.pageViews;
  res.type('text').send(times === 1
    ? 'Welcome to this page for the first time!'
    : `You visited this page ${times} times`);
});

app.post('/login', express.urlencoded({ extended: false }), (req, res, next) => {
  const { pageViews } = req.session;
  req.session.regenerate((error) => {
    if (error) return next(error);
    Object.assign(req.session, { pageViews, user: req.body.user });
    res.redirect(303, '/me');
  });
});

app.get('/me', (req, res) => {
  res.type('text').send(req.session.user ?? 'nobody');
});

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.redirect(303, '/me')));
});

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
