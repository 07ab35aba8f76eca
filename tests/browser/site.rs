//! A site to visit: pages that change, end and show the session, and the ways to come to them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use http::HeaderMap;
use http::header::COOKIE;
use sessile::{CookieOptions, MemoryStore, Secret, Session, SessionHandle, SessionLayer, merge};

use crate::chromium::Browser;
use crate::wire;

/// How long the site remembers who asks for it.
pub(crate) const HOUR: Duration = Duration::from_hours(1);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

/// How a request comes about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    /// To a path under `/app`.
    Inside,
    /// To another path.
    Outside,
    /// By a link from another site.
    ForeignLink,
    /// For a part of another site's page.
    ForeignPart,
}

/// An application whose session has this cookie, on every host and on a port of its own.
pub(crate) struct Site {
    pub(crate) name: &'static str,
    port: u16,
}

impl Site {
    pub(crate) async fn new(name: &'static str, options: CookieOptions<'static>) -> Self {
        let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate())
            .name(name)
            .cookie(options)
            .build()
            .unwrap();
        let app = Router::new()
            .route("/app/visit", get(visit))
            .route("/app/end", get(end))
            .route(
                "/app/remember",
                get(async |session: SessionHandle| session.set_max_age(HOUR)),
            )
            .route(
                "/app/logout",
                get(async |session: SessionHandle| session.destroy()),
            )
            .route("/app/cookies", get(cookies))
            .route("/other/cookies", get(cookies))
            .route("/foreign", get(foreign))
            .layer(sessions);
        let port = wire::serve(app).await.port();
        Self { name, port }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.on("127.0.0.1", path)
    }

    pub(crate) fn on(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    /// The cookies of a request that comes about in this way.
    pub(crate) async fn ask(&self, browser: &Browser, way: Way) -> String {
        match way {
            Way::Inside => browser.goto(&self.url("/app/cookies")).await,
            Way::Outside => browser.goto(&self.url("/other/cookies")).await,
            Way::ForeignLink => {
                browser.goto(&self.on("localhost", "/foreign")).await;
                browser.click("a").await
            }
            Way::ForeignPart => {
                browser.goto(&self.on("localhost", "/foreign")).await;
                browser.frame().await
            }
        }
    }
}

async fn visit(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    visits.page_views.to_string()
}

async fn end(session: SessionHandle) -> String {
    seconds(session.expires_at().unwrap()).to_string()
}

async fn cookies(headers: HeaderMap) -> String {
    let cookies = headers.get(COOKIE).map(|cookies| cookies.to_str().unwrap());
    cookies.unwrap_or_default().to_owned()
}

/// A page of another site, which links to the application and embeds it.
async fn foreign(headers: HeaderMap) -> Html<String> {
    let host = headers["host"].to_str().unwrap();
    let page = format!(
        "http://{}/app/cookies",
        host.replace("localhost", "127.0.0.1")
    );
    Html(format!(
        "<a href=\"{page}\">there</a> <iframe src=\"{page}\"></iframe>"
    ))
}

/// The names of a `Cookie` header.
pub(crate) fn names(cookies: &str) -> impl Iterator<Item = &str> {
    let pairs = cookies.split("; ");
    pairs.filter_map(|pair| Some(pair.split_once('=')?.0))
}

pub(crate) fn seconds(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}
