//! A real browser: Chromium, and the `chromedriver` that drives it. Both are found on `PATH`, belong
//! to one test, and end with it.
#![allow(unreachable_pub, reason = "it is a module of a test")]

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fantoccini::cookies::Cookie;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // A host that browsers do not trust as they trust a loopback one.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
];

/// A window of the browser. Clones share it.
#[derive(Clone)]
pub struct Browser(Client);

/// Opens a browser, lets `visit` use it, and closes it whatever comes of that.
pub async fn browse<F>(visit: impl FnOnce(Browser) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let driver = Driver::start();
    let browser = Browser::open(&driver).await;
    let outcome = tokio::spawn(visit(browser.clone())).await;
    let closed = browser.0.close().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
    closed.unwrap();
}

/// As [`browse`], with two browsers that share nothing.
pub async fn browse_both<F>(visit: impl FnOnce(Browser, Browser) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    browse(async move |first| browse(async move |second| visit(first, second).await).await).await;
}

impl Browser {
    async fn open(driver: &Driver) -> Self {
        let profile = format!("--user-data-dir={}", driver.profile.display());
        let flags: Vec<_> = FLAGS.into_iter().chain([profile.as_str()]).collect();
        // Debian's Chromium blocks these unless it is told otherwise; `SameSite=None` is about them.
        let allowed = json!({ "profile.block_third_party_cookies": false, "profile.cookie_controls_mode": 0 });
        let options = json!({ "binary": find("chromium"), "args": flags, "prefs": allowed });
        // No command waits for a page: two tabs could not load at once.
        let capabilities = [
            ("goog:chromeOptions", options),
            ("pageLoadStrategy", "none".into()),
        ];
        let capabilities = capabilities.map(|(name, value)| (name.to_owned(), value));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.into_iter().collect())
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await;
        Self(client.unwrap())
    }

    /// Goes to a page, and returns its text.
    pub async fn goto(&self, url: &str) -> String {
        self.leave().await;
        self.0.goto(url).await.unwrap();
        self.arrive().await
    }

    pub async fn reload(&self) -> String {
        self.leave().await;
        self.0.refresh().await.unwrap();
        self.arrive().await
    }

    /// Follows the link or presses the button, and returns the text of the page that it leads to.
    pub async fn click(&self, css: &str) -> String {
        self.start_click(css).await;
        self.arrive().await
    }

    /// Clicks, and does not wait for the page that it leads to.
    pub async fn start_click(&self, css: &str) {
        self.leave().await;
        let element = self.0.find(Locator::Css(css)).await.unwrap();
        element.click().await.unwrap();
    }

    /// Types into a field of a form.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.0.find(Locator::Css(css)).await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Clicks on what leads to no other page.
    pub async fn tick(&self, css: &str) {
        let element = self.0.find(Locator::Css(css)).await.unwrap();
        element.click().await.unwrap();
    }

    /// Waits for the page that was asked for, and returns its text.
    pub async fn arrive(&self) -> String {
        self.wait_for("!window.isLeft && document.readyState == 'complete'")
            .await;
        self.text().await
    }

    /// Waits until this holds in the page.
    pub async fn wait_for(&self, condition: &str) {
        let script = format!("return {condition}");
        let wait = async {
            // Between two pages there is none that could run it.
            while self.0.execute(&script, Vec::new()).await.ok() != Some(json!(true)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
        waited.unwrap_or_else(|_| panic!("for a minute it did not hold: {condition}"));
    }

    /// Marks the page as the old one.
    async fn leave(&self) {
        self.run("window.isLeft = true").await;
    }

    pub async fn text(&self) -> String {
        let body = self.0.find(Locator::Css("body")).await.unwrap();
        body.text().await.unwrap()
    }

    /// Runs a script in the page, as the body of a function.
    pub async fn run(&self, script: &str) -> serde_json::Value {
        self.0.execute(script, Vec::new()).await.unwrap()
    }

    /// The cookie of this name, if the page's requests would carry one.
    pub async fn cookie(&self, name: &str) -> Option<Cookie<'static>> {
        let cookies = self.0.get_all_cookies().await.unwrap();
        cookies.into_iter().find(|cookie| cookie.name() == name)
    }

    /// Puts this value into a cookie of the page's host, as whoever has the browser in hand can.
    pub async fn plant(&self, name: &'static str, value: &str) {
        let cookie = Cookie::build((name, value.to_owned()))
            .domain("127.0.0.1")
            .path("/")
            .secure(true)
            .http_only(true);
        self.0.add_cookie(cookie.build()).await.unwrap();
    }

    /// The attributes of that cookie, as the browser shows them.
    pub async fn attributes(&self, name: &str) -> String {
        let mut cookie = self.cookie(name).await.unwrap();
        cookie.set_value("");
        let shown = cookie.to_string();
        shown.split_once("; ").unwrap().1.to_owned()
    }

    /// The text of the page's only frame.
    pub async fn frame(&self) -> String {
        self.0.enter_frame(0).await.unwrap();
        let text = self.text().await;
        self.0.enter_parent_frame().await.unwrap();
        text
    }

    /// The tab that is looked at.
    pub async fn tab(&self) -> WindowHandle {
        self.0.window().await.unwrap()
    }

    /// Opens another tab and looks at it.
    pub async fn open_tab(&self) {
        let tab = self.0.new_window(true).await.unwrap().handle;
        self.turn_to(&tab).await;
    }

    pub async fn turn_to(&self, tab: &WindowHandle) {
        self.0.switch_to_window(tab.clone()).await.unwrap();
    }
}

/// `chromedriver` on a port of its own, which it chooses and prints.
struct Driver {
    process: Child,
    /// Held so that it can go on printing.
    _output: BufReader<ChildStdout>,
    port: u16,
    profile: PathBuf,
}

impl Driver {
    fn start() -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let profile = format!("sessile-chromium-{}-{number}", std::process::id());
        let mut process = Command::new(find("chromedriver"))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let port = read_port(&mut output).expect("`chromedriver` prints its port");
        Self {
            process,
            _output: output,
            port,
            profile: std::env::temp_dir().join(profile),
        }
    }

    /// Asks it to end, and the browsers that it drives with it.
    fn shut_down(&mut self) -> io::Result<ExitStatus> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        let host = format!("127.0.0.1:{}", self.port);
        write!(stream, "GET /shutdown HTTP/1.1\r\nhost: {host}\r\n\r\n")?;
        self.process.wait()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

fn read_port(output: impl BufRead) -> Option<u16> {
    let mut lines = output.lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("started successfully on port"))?;
    let port = line.trim_end_matches('.').rsplit(' ').next()?;
    port.parse().ok()
}

fn find(program: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut files = std::env::split_paths(&folders).map(|folder| folder.join(program));
    files
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("`{program}` is not on PATH: ./tests/all installs it"))
}
