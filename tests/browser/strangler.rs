//! The example of two servers behind one nginx: in a browser they are one site.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::chromium::{Browser, browse};

const WELCOME: &str = "Welcome to this page for the first time!";

/// All of it, as a reader starts it.
struct Site {
    process: Child,
    url: String,
}

impl Site {
    fn start() -> Self {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/beside_express");
        let test = std::env::current_exe().unwrap();
        let built = test.parent().and_then(Path::parent).unwrap();
        let half = built.join("examples/beside_express");
        assert!(
            half.exists(),
            "the example is not built: `cargo build --features redis --example beside_express`"
        );
        let mut process = Command::new(example.join("run"))
            .env("PORT", four_free_ports().to_string())
            .env("AXUM_HALF", half)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = process.stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
        Self {
            process,
            url: url.expect("the site comes up"),
        }
    }
}

impl Drop for Site {
    /// Asks it to end, and its servers with it.
    fn drop(&mut self) {
        let pid = self.process.id().to_string();
        drop(Command::new("kill").args(["-s", "TERM", &pid]).status());
        drop(self.process.wait());
    }
}

/// The first of four in a row that nobody listens to.
fn four_free_ports() -> u16 {
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..1000)
        .map(|_| fastrand::u16(20_000..30_000))
        .find(|first| (*first..first + 4).all(is_free))
        .expect("a machine has free ports")
}

/// Sends a form from a page of the site, and returns the text of where it leads.
async fn submit(browser: &Browser, action: &str, user: Option<&str>) -> String {
    let field = user.map_or("", |_| "<input name=user>");
    let form = format!("<form method=post action={action}>{field}<button>go</button></form>");
    let script = format!("document.body.innerHTML = '{form}'");
    browser.run(&script).await;
    if let Some(user) = user {
        browser.fill("[name=user]", user).await;
    }
    browser.click("button").await
}

#[tokio::test]
#[ignore = "needs Chromium, its driver, node, npm, nginx and redis-server: ./tests/all installs and runs them"]
async fn who_signs_in_on_the_express_half_is_known_to_the_axum_half_and_signs_out_there() {
    let site = Site::start();
    browse(async move |browser| {
        let goto = async |path: &str| browser.goto(&format!("{}{path}", site.url)).await;
        assert_eq!(goto("/").await, WELCOME);
        assert_eq!(goto("/node/").await, "You visited this page 2 times");
        assert_eq!(goto("/me").await, "nobody");
        let anonymous = browser.cookie("connect.sid").await.unwrap();

        // `/login` is Express's, and leads to `/me`, which is axum's.
        assert_eq!(submit(&browser, "/login", Some("Ann")).await, "Ann");
        let signed_in = browser.cookie("connect.sid").await.unwrap();
        assert_ne!(signed_in.value(), anonymous.value());
        assert_eq!(goto("/node/me").await, "Ann");
        assert_eq!(goto("/").await, "You visited this page 3 times");

        // `/logout` is axum's.
        assert_eq!(submit(&browser, "/logout", None).await, "nobody");
        assert_eq!(browser.cookie("connect.sid").await, None);
        for path in ["/me", "/node/me", "/rust/me"] {
            assert_eq!(goto(path).await, "nobody", "{path}");
        }
        assert_eq!(goto("/node/").await, WELCOME);

        // The other way round.
        assert_eq!(submit(&browser, "/rust/login", Some("Bob")).await, "Bob");
        assert_eq!(goto("/node/me").await, "Bob");
        submit(&browser, "/node/logout", None).await;
        for path in ["/me", "/node/me"] {
            assert_eq!(goto(path).await, "nobody", "{path}");
        }
    })
    .await;
}
