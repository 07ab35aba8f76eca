//! The cookie of an earlier deploy: its visitor stays signed in, the new cookie is set, and the old
//! one is removed.

use axum::Router;
use http::StatusCode;
use sessile::{CookieOptions, SameSite, Secret, SessionLayer};

use crate::jar::{Jar, Scope};
use crate::routes::routes;
use crate::support::{Builder, Probe};

#[derive(Clone, Copy)]
struct Deploy {
    name: &'static str,
    domain: Option<&'static str>,
    path: &'static str,
    partitioned: bool,
}

const HOST_ONLY: Deploy = Deploy {
    name: "sid",
    domain: None,
    path: "/",
    partitioned: false,
};

const DEPLOYS: [Deploy; 8] = [
    HOST_ONLY,
    Deploy {
        name: "__Host-sid",
        ..HOST_ONLY
    },
    Deploy {
        path: "/app",
        ..HOST_ONLY
    },
    Deploy {
        domain: Some("example.com"),
        ..HOST_ONLY
    },
    Deploy {
        domain: Some("example.com"),
        path: "/app",
        ..HOST_ONLY
    },
    Deploy {
        partitioned: true,
        ..HOST_ONLY
    },
    Deploy {
        name: "other",
        domain: Some("example.com"),
        ..HOST_ONLY
    },
    Deploy {
        name: "other",
        path: "/app",
        partitioned: true,
        ..HOST_ONLY
    },
];

impl Deploy {
    fn options(self) -> CookieOptions<'static> {
        let options = CookieOptions::new().path(self.path);
        let options = match self.domain {
            Some(domain) => options.domain(domain),
            None => options,
        };
        if self.partitioned {
            return options.partitioned(true).same_site(SameSite::None);
        }
        options
    }

    fn scope(self) -> Scope {
        Scope {
            name: self.name.to_owned(),
            domain: self.domain.map(str::to_owned),
            path: self.path.to_owned(),
            partitioned: self.partitioned,
        }
    }
}

/// One store and one secret under every deploy.
struct Site {
    store: Probe,
    secret: Secret,
}

impl Site {
    fn new() -> Self {
        Self {
            store: Probe::new(),
            secret: Secret::generate(),
        }
    }

    fn app(&self, settings: impl FnOnce(Builder) -> Builder) -> Router {
        let builder = SessionLayer::builder(self.store.clone(), self.secret.clone());
        let sessions = settings(builder).build().unwrap();
        Router::new().nest("/app", routes()).layer(sessions)
    }

    fn before(&self, old: Deploy) -> Router {
        self.app(|builder| builder.name(old.name).cookie(old.options()))
    }

    fn after(&self, old: &[Deploy], new: Deploy) -> Router {
        self.app(|builder| {
            let builder = builder.name(new.name).cookie(new.options());
            old.iter().fold(builder, |builder, old| {
                builder.former_cookie(old.name, old.options())
            })
        })
    }
}

async fn user_of(jar: &mut Jar, app: &Router) -> String {
    jar.get(app, "/app/me").await.body
}

#[tokio::test]
async fn a_visitor_stays_signed_in_over_every_change_of_the_cookies_scope() {
    for (from, old) in DEPLOYS.into_iter().enumerate() {
        for (to, new) in DEPLOYS.into_iter().enumerate() {
            if from == to {
                continue;
            }
            let at = format!("{:?} to {:?}", old.scope(), new.scope());
            let site = Site::new();
            let (before, after) = (site.before(old), site.after(&[old], new));
            let mut jar = Jar::default();
            jar.get(&before, "/app/login/ann").await;
            assert_eq!(jar.scopes(), [old.scope()], "{at}");
            assert_eq!(user_of(&mut jar, &after).await, "ann", "{at}");
            jar.get(&after, "/app/visit").await;
            assert_eq!(jar.scopes(), [new.scope()], "{at}");
            assert_eq!(user_of(&mut jar, &after).await, "ann", "{at}");
            jar.get(&after, "/app/login/bob").await;
            assert_eq!(user_of(&mut jar, &after).await, "bob", "{at}");
            assert_eq!(jar.scopes(), [new.scope()], "{at}");
            assert_eq!(site.store.memory().len(), 1, "{at}");
            jar.get(&after, "/app/logout").await;
            assert!(jar.scopes().is_empty(), "{at}");
            assert_eq!(site.store.memory().len(), 0, "{at}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_or_a_logout_by_the_old_cookie_removes_it() {
    for (from, old) in DEPLOYS.into_iter().enumerate() {
        for (to, new) in DEPLOYS.into_iter().enumerate() {
            if from == to {
                continue;
            }
            for (path, left) in [
                ("/app/login/bob", vec![new.scope()]),
                ("/app/promote", vec![new.scope()]),
                ("/app/logout", vec![]),
            ] {
                let at = format!("{:?} to {:?}: {path}", old.scope(), new.scope());
                let site = Site::new();
                let mut jar = Jar::default();
                jar.get(&site.before(old), "/app/login/ann").await;
                let answer = jar.get(&site.after(&[old], new), path).await;
                assert_eq!(answer.status, StatusCode::OK, "{at}");
                assert_eq!(jar.scopes(), left, "{at}");
                assert_eq!(site.store.memory().len(), left.len(), "{at}");
            }
        }
    }
}

#[tokio::test]
async fn the_next_response_sets_the_new_cookie_and_removes_the_old() {
    let [_, new, .., old, _] = DEPLOYS;
    let site = Site::new();
    let mut jar = Jar::default();
    jar.get(&site.before(old), "/app/login/ann").await;
    let after = site.after(&[old], new);
    let answer = jar.get(&after, "/app/untouched").await;
    assert_eq!(answer.set_cookies(), [""; 0]);
    let answer = jar.get(&after, "/app/me").await;
    assert_eq!(answer.body, "ann");
    let token = jar.value();
    let mut cookies = answer.set_cookies();
    cookies.sort();
    let expected = [
        format!("__Host-sid={token}; HttpOnly; SameSite=Lax; Secure; Path=/"),
        "other=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=0; \
         Expires=Thu, 01 Jan 1970 00:00:00 GMT"
            .to_owned(),
    ];
    assert_eq!(cookies, expected);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = jar.get(&after, "/app/me").await;
    assert_eq!(
        (answer.body.as_str(), answer.set_cookies().len()),
        ("ann", 0)
    );
}

#[tokio::test]
async fn the_cookies_of_several_earlier_deploys_are_read() {
    let [first, second, .., third, _] = DEPLOYS;
    for old in [first, third] {
        let site = Site::new();
        let mut jar = Jar::default();
        jar.get(&site.before(old), "/app/login/ann").await;
        let after = site.after(&[first, third], second);
        assert_eq!(user_of(&mut jar, &after).await, "ann");
        jar.get(&after, "/app/visit").await;
        assert_eq!(jar.scopes(), [second.scope()]);
    }
}

#[tokio::test]
async fn a_dead_cookie_of_an_earlier_deploy_signs_nobody_out_and_is_removed() {
    let [new, old, ..] = DEPLOYS;
    let site = Site::new();
    let (before, after) = (site.before(old), site.after(&[old], new));
    let mut jar = Jar::default();
    jar.get(&before, "/app/login/ann").await;
    jar.clone().get(&before, "/app/logout").await;
    jar.get(&after, "/app/login/bob").await;
    assert_eq!(user_of(&mut jar, &after).await, "bob");
    jar.get(&after, "/app/visit").await;
    assert_eq!(jar.scopes(), [new.scope()]);
    assert_eq!(user_of(&mut jar, &after).await, "bob");
}

#[tokio::test]
async fn live_sessions_under_both_names_are_ended_by_a_sign_in_or_a_logout() {
    let [new, old, ..] = DEPLOYS;
    for (path, left) in [("/app/login/eve", 1), ("/app/logout", 0)] {
        let site = Site::new();
        let mut jar = Jar::default();
        jar.get(&site.before(old), "/app/login/ann").await;
        // This deploy does not name the former cookie.
        jar.get(&site.before(new), "/app/login/bob").await;
        assert_eq!(jar.scopes().len(), 2);
        let after = site.after(&[old], new);
        assert_eq!(user_of(&mut jar.clone(), &after).await, "nobody");
        jar.get(&after, path).await;
        assert_eq!(site.store.memory().len(), left, "{path}");
        assert_eq!(jar.scopes().len(), left, "{path}");
    }
}

#[tokio::test]
async fn a_visitor_who_has_no_old_cookie_gets_one_cookie() {
    let [new, old, ..] = DEPLOYS;
    let site = Site::new();
    let after = site.after(&[old], new);
    let mut jar = Jar::default();
    let answer = jar.get(&after, "/app/login/ann").await;
    assert!(answer.set_cookie().starts_with("sid="));
    let answer = jar.get(&after, "/app/visit").await;
    assert_eq!(answer.set_cookies(), [""; 0]);
    let answer = jar.get(&after, "/app/logout").await;
    assert!(answer.set_cookie().starts_with("sid=; "));
}

/// A tag is made for one name: a sibling host may plant the token under another.
#[tokio::test]
async fn a_token_of_the_new_name_opens_nothing_under_the_old_one() {
    let [new, _, .., old, _] = DEPLOYS;
    let site = Site::new();
    let after = site.after(&[old], new);
    let mut jar = Jar::default();
    jar.get(&after, "/app/login/ann").await;
    let mut other = Jar::default();
    other.plant(old.name, jar.value());
    assert_eq!(user_of(&mut other, &after).await, "nobody");
}
