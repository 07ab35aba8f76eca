//! Finds out how a request came: by its own scheme, or by the word of a proxy that is trusted.

use http::header::{FORWARDED, HOST, HeaderName};
use http::{HeaderMap, Uri};

use crate::cookie::Connection;

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Which proxy's word counts for how a request came, where [`Secure::Auto`](crate::Secure::Auto) asks.
///
/// A client can send these headers too. Trust one only if the proxy in front always sets it, and say
/// which hop: a proxy that replaces the header leaves one, a proxy that appends writes the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TrustedProxy {
    /// Nobody's: only the scheme of the request itself counts.
    #[default]
    Nobody,
    /// `X-Forwarded-Proto`; express-session's `proxy: true` is [`Hop::First`].
    XForwardedProto(Hop),
    /// `Forwarded`, its parameter `proto` (RFC 7239, section 5.4).
    Forwarded(Hop),
}

/// Which of several hops counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hop {
    /// The one next to the browser, as the header says it: any client can make it up, unless the
    /// proxy replaces the header.
    First,
    /// The one next to this server, which the nearest proxy has written.
    Last,
}

/// How a request came.
pub(in crate::layer) fn connection(
    uri: &Uri,
    headers: &HeaderMap,
    trusted: TrustedProxy,
) -> Connection {
    let scheme = match trusted {
        TrustedProxy::Nobody => uri.scheme_str(),
        TrustedProxy::XForwardedProto(hop) => element(headers, &X_FORWARDED_PROTO, hop),
        TrustedProxy::Forwarded(hop) => element(headers, &FORWARDED, hop).and_then(proto),
    };
    if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) {
        return Connection::Https;
    }
    match host(uri, headers) {
        Some(host) if is_loopback(host) => Connection::Loopback,
        _ => Connection::Plain,
    }
}

/// The host that a request names, without a port.
pub(in crate::layer) fn host<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let named = headers.get(HOST).and_then(|host| host.to_str().ok());
    named.map(without_port).or(uri.host())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    }
}

/// One element of a header that is a list, over all its lines.
fn element<'h>(headers: &'h HeaderMap, name: &HeaderName, hop: Hop) -> Option<&'h str> {
    let mut lines = headers.get_all(name).iter();
    match hop {
        Hop::First => lines.next()?.to_str().ok()?.split(',').next(),
        Hop::Last => lines.next_back()?.to_str().ok()?.rsplit(',').next(),
    }
    .map(str::trim)
}

// A comma or a semicolon inside a quoted parameter parts it here, and then it is no `proto`.
fn proto(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut protos = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("proto"));
    protos
        .next()
        .map(|(_, value)| value.trim().trim_matches('"'))
}

/// Returns `true` if browsers trust the host without https (W3C Secure Contexts, section 3.1).
fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn seen(trusted: TrustedProxy, headers: &[(&str, &str)]) -> Connection {
        let mut request = Request::get("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        connection(&parts.uri, &parts.headers, trusted)
    }

    #[test]
    fn nobody_is_trusted_unless_it_is_said() {
        let claims = [
            ("host", "example.com"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "proto=https"),
        ];
        assert_eq!(seen(TrustedProxy::Nobody, &claims), Connection::Plain);
    }

    #[test]
    fn the_scheme_of_the_request_itself_counts() {
        let uri = Uri::from_static("https://example.com/");
        let found = connection(&uri, &HeaderMap::new(), TrustedProxy::Nobody);
        assert_eq!(found, Connection::Https);
    }

    #[test]
    fn the_hop_that_was_named_counts() {
        for (proxy, values, expected) in [
            (
                TrustedProxy::XForwardedProto(Hop::First),
                ["HTTPS , http", "http"],
                true,
            ),
            (
                TrustedProxy::XForwardedProto(Hop::Last),
                ["https, http", "http"],
                false,
            ),
            (
                TrustedProxy::XForwardedProto(Hop::Last),
                ["http", "http, https"],
                true,
            ),
            (
                TrustedProxy::Forwarded(Hop::First),
                ["proto=https;for=a", "proto=http"],
                true,
            ),
            (
                TrustedProxy::Forwarded(Hop::Last),
                ["proto=https", "for=a;Proto=\"https\""],
                true,
            ),
            (
                TrustedProxy::Forwarded(Hop::Last),
                ["proto=https", "for=\"a,b\";by=c"],
                false,
            ),
        ] {
            let name = match proxy {
                TrustedProxy::Forwarded(_) => "forwarded",
                _ => "x-forwarded-proto",
            };
            let found = seen(proxy, &[(name, values[0]), (name, values[1])]);
            assert_eq!(found == Connection::Https, expected, "{proxy:?} {values:?}");
        }
    }

    #[test]
    fn hosts_of_this_machine_are_loopback() {
        for host in [
            "localhost",
            "localhost:3000",
            "app.LOCALHOST",
            "127.0.0.1:80",
            "127.9.9.9",
            "[::1]:3000",
            "[::1]",
        ] {
            assert_eq!(
                seen(TrustedProxy::Nobody, &[("host", host)]),
                Connection::Loopback,
                "{host}"
            );
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1:80",
            "notlocalhost",
            "",
            ":",
            "[::2]",
        ] {
            assert_eq!(
                seen(TrustedProxy::Nobody, &[("host", host)]),
                Connection::Plain,
                "{host}"
            );
        }
    }
}
