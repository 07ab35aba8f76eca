//! A site to visit: pages that change, end and show the session, and the ways to come to them.

/// How a request comes about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
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
struct Site {
    name: &'static str,
    port: u16,
}

impl Site {
    async fn new(name: &'static str, options: CookieOptions<'static>) -> Self {
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

    fn url(&self, path: &str) -> String {
        self.on("127.0.0.1", path)
    }

    fn on(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    /// The cookies of a request that comes about in this way.
    async fn ask(&self, browser: &Browser, way: Way) -> String {
        match way {
            Inside => browser.goto(&self.url("/app/cookies")).await,
            Outside => browser.goto(&self.url("/other/cookies")).await,
            ForeignLink => {
                browser.goto(&self.on("localhost", "/foreign")).await;
                browser.click("a").await
            }
            ForeignPart => {
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

/// The attributes of a cookie, as the browser shows them.
async fn shown_cookie(browser: &Browser, name: &str) -> String {
    let mut cookie = browser.cookie(name).await.unwrap();
    cookie.set_value("");
    let shown = cookie.to_string();
    shown.split_once("; ").unwrap().1.to_owned()
}

fn names(cookies: &str) -> impl Iterator<Item = &str> {
    let pairs = cookies.split("; ");
    pairs.filter_map(|pair| Some(pair.split_once('=')?.0))
}

fn seconds(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}
