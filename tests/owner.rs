//! Whose session it is: a field marked `owner` is a privilege, whatever else is said of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use sessile::{MemoryStore, Secret, Session, SessionHandle, SessionLayer};
use support::Visitor;

#[derive(Session)]
struct Account {
    #[session(required, owner, rename = "uid", alias = "user")]
    user: u64,
    theme: String,
}

#[derive(Session)]
#[session(flatten)]
struct Guest {
    #[session(owner)]
    invited_by: Option<u64>,
}

/// All tenants are equal by `==`.
#[derive(Default, Serialize, Deserialize)]
struct TenantId(u64);

impl PartialEq for TenantId {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Session)]
struct Tenant {
    #[session(owner, default = TenantId(1))]
    tenant: TenantId,
}

fn routes() -> Router {
    Router::new()
        .route(
            "/sign-in/{user}",
            get(async |session: SessionHandle, Path(user)| {
                let theme = "light".to_owned();
                session.insert(Account { user, theme })
            }),
        )
        .route(
            "/become/{user}",
            get(async |mut account: Session<Account>, Path(user)| account.user = user),
        )
        .route(
            "/theme/{theme}",
            get(async |mut account: Session<Account>, Path(theme)| account.theme = theme),
        )
        .route(
            "/sign-out",
            get(async |session: SessionHandle| session.remove::<Account>().map(|_| ())),
        )
        .route(
            "/invited-by/{user}",
            get(async |mut guest: Session<Guest>, Path(user)| guest.invited_by = Some(user)),
        )
        .route(
            "/uninvited",
            get(async |mut guest: Session<Guest>| guest.invited_by = None),
        )
        .route(
            "/tenant/{tenant}",
            get(async |mut tenant: Session<Tenant>, Path(id)| tenant.tenant = TenantId(id)),
        )
        .route(
            "/me",
            get(async |account: Account| account.user.to_string()),
        )
}

#[tokio::test]
async fn every_change_of_an_owner_rotates_and_no_other_change_does() {
    let app = routes().layer(SessionLayer::new(MemoryStore::new(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    for (path, rotates) in [
        ("/invited-by/7", true),
        ("/invited-by/7", false),
        ("/invited-by/8", true),
        ("/uninvited", true),
        ("/sign-in/7", true),
        ("/sign-in/7", true),
        ("/theme/dark", false),
        ("/become/7", false),
        ("/become/8", true),
        ("/tenant/1", false),
        ("/tenant/2", true),
        ("/tenant/2", false),
        ("/tenant/1", true),
        ("/sign-out", true),
    ] {
        let before = visitor.clone();
        assert_eq!(visitor.get(path).await.status, StatusCode::OK, "{path}");
        let rotated = visitor.cookies() != before.cookies();
        assert_eq!(rotated, rotates, "{path}");
        if rotated {
            let planted = before.peek("/me").await.status;
            assert_eq!(
                planted,
                StatusCode::UNAUTHORIZED,
                "{path}: the old id is dead"
            );
        }
    }
}

#[tokio::test]
async fn an_owner_that_no_longer_decodes_is_nobody() {
    mod older {
        #[derive(sessile::Session)]
        pub(super) struct Account {
            #[session(required, owner)]
            pub(super) user: String,
        }
    }
    let (store, secret) = (Arc::new(MemoryStore::new()), Secret::generate());
    let insert =
        get(async |session: SessionHandle, Path(user)| session.insert(older::Account { user }));
    let old = Router::new()
        .route("/sign-in/{user}", insert)
        .layer(SessionLayer::new(Arc::clone(&store), secret.clone()));
    let mut visitor = Visitor::new(&old);
    visitor.get("/sign-in/ada").await;
    let new = routes().layer(SessionLayer::new(store, secret));
    let mut moved = Visitor::new(&new);
    moved.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
    assert_eq!(moved.get("/me").await.status, StatusCode::UNAUTHORIZED);
}
