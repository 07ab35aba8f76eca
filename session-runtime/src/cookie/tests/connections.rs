//! What is `Auto`, over every kind of connection.

use super::*;

/// What is said of a connection, and a request that came so.
const CONNECTIONS: [(Connection, Request<'static>); 3] = [
    (Connection::Https, HOME),
    (
        Connection::Plain,
        Request {
            https: false,
            ..HOME
        },
    ),
    (
        Connection::Loopback,
        Request {
            https: false,
            host: "localhost",
            top_site: "localhost",
            ..HOME
        },
    ),
];

/// Every combination, with what is `Auto` too.
fn with_auto() -> impl Iterator<Item = (&'static str, CookieOptions<'static>)> {
    let (never, strict) = (Secure::Never, SameSite::Strict);
    combinations().flat_map(move |(name, options)| {
        let is_auto = [
            (options.secure == never, true, false),
            (options.same_site == strict, false, true),
            (
                options.secure == never && options.same_site == strict,
                true,
                true,
            ),
        ];
        let autos = is_auto.into_iter().filter(|(is_first, ..)| *is_first);
        let autos = autos.map(move |(_, secure, same_site)| {
            let options = if secure {
                options.secure(Secure::Auto)
            } else {
                options
            };
            let auto = options.same_site(SameSite::Auto);
            if same_site { auto } else { options }
        });
        [options]
            .into_iter()
            .chain(autos)
            .map(move |options| (name, options))
    })
}

#[test]
fn over_each_connection_the_cookie_is_accepted_kept_to_its_promise_and_removed() {
    let (mut combined, mut set, mut dropped) = (0, 0, 0);
    for (name, options) in with_auto() {
        combined += CONNECTIONS.len();
        let writer = |connection| CookieWriter::new(name, &options.on(connection));
        let Ok(writers) = ByConnection::try_new(writer) else {
            assert!(is_refused_somewhere(name, &options), "{name} {options:?}");
            continue;
        };
        for (connection, home) in CONNECTIONS {
            if connection == Connection::Loopback && options.domain.is_some() {
                // No browser takes a domain from a host that is not in it.
                continue;
            }
            let (resolved, writer) = (options.on(connection), writers.on(connection));
            let mut browser = UserAgent::new(now());
            let line = writer.set(&id(), &tokens(name), options.lifetime());
            let received = browser.receive(line.to_str().unwrap(), home);
            if connection == Connection::Plain && resolved.secure == Secure::Always {
                // The one that the layer warns of.
                assert_eq!(received, Err(Refusal::InsecureOrigin), "{line:?}");
                dropped += 1;
                continue;
            }
            assert_eq!(received, Ok(()), "{line:?} over {connection:?}");
            set += 1;
            for request in requests_to(home) {
                assert_eq!(
                    browser.sent_with(request).next().is_some(),
                    is_promised(&resolved, as_if_at_home(request, connection)),
                    "{line:?} {request:?}"
                );
            }
            let removal = writer.removal();
            assert_eq!(browser.receive(removal.to_str().unwrap(), home), Ok(()));
            assert_eq!(browser.cookies, [], "{removal:?} over {connection:?}");
        }
    }
    assert_eq!((combined, set, dropped), (68_040, 7_404, 4_080));
}

/// Whether a browser refuses one of the cookies that the options stand for.
fn is_refused_somewhere(name: &str, options: &CookieOptions<'_>) -> bool {
    let spelled_out = |connection| spelled_out(name, &options.on(connection));
    let lines = [Connection::Https, Connection::Plain].map(spelled_out);
    lines
        .iter()
        .any(|line| UserAgent::new(now()).receive(line, HOME).is_err())
}

fn requests_to(home: Request<'static>) -> impl Iterator<Item = Request<'static>> {
    let places = PATHS
        .into_iter()
        .flat_map(|path| CAUSES.map(|cause| (path, cause)));
    places.flat_map(move |(path, cause)| {
        [true, false].map(|https| Request {
            https,
            path,
            cause,
            ..home
        })
    })
}

/// The host of one's own machine is trusted over any scheme.
fn as_if_at_home(request: Request<'static>, connection: Connection) -> Request<'static> {
    Request {
        https: request.https || connection == Connection::Loopback,
        host: HOST,
        top_site: HOME.top_site,
        ..request
    }
}
