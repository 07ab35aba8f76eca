//! Terminal ends, also where the very first write of a session arrives after all that followed it.

use axum::Extension;
use axum::extract::Path;
use axum::routing::get;
use sessile::{SessionError, SessionHandle, SessionStore};

use super::accounts::{self, Account, Cart, visit};
use super::schedule::settle;
use super::world::{World, key_of};
use super::wrapped::{Gate, Regardless, Side, Wrapped};

/// What a visitor's handler does after its first `save` was cut short.
const AFTERWARDS: [&str; 7] = [
    "nothing",
    "save",
    "save twice",
    "update",
    "renew",
    "destroy",
    "fail",
];

/// When the insert that was cut short arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrives {
    /// Before the visitor signs out.
    Early,
    /// After it.
    Last,
}

/// Signs in, has its `save` cut short while the store is still to be asked, and goes on.
async fn cut_sign_in(
    session: SessionHandle,
    Path((user, afterwards)): Path<(u64, String)>,
    Extension(gate): Extension<Gate>,
) -> Result<(), SessionError> {
    session.insert(Account { user, sign_in: 1 })?;
    gate.hold(0, Side::Before);
    tokio::select! {
        saved = session.save() => panic!("the insert is held: {saved:?}"),
        () = gate.is_holding() => {}
    }
    match afterwards.as_str() {
        "nothing" => Ok(()),
        "save" => session.save().await,
        "save twice" => {
            session.save().await?;
            session.update(|cart: &mut Cart| cart.items += 1).await?;
            session.save().await
        }
        "update" => session.update(|cart: &mut Cart| cart.items += 1).await,
        "renew" => {
            session.renew();
            session.save().await
        }
        "destroy" => {
            session.destroy();
            Ok(())
        }
        // A server error, which drops what is not stored.
        "fail" => Err(SessionError::Contended),
        _ => unreachable!("nothing else is done"),
    }
}

/// The insert of a first visit is cut short and held, and asked for again; the visitor signs out; the
/// insert arrives. Nothing is back: the cookie opens nothing, and the owner has no session.
pub(crate) async fn a_first_insert_that_arrives_last_brings_nothing_back(
    store: impl SessionStore + Clone,
) {
    for afterwards in AFTERWARDS {
        for arrives in [Arrives::Early, Arrives::Last] {
            let at = format!("{afterwards}, {arrives:?}");
            let (world, gate) = (World::new(store.clone()), Gate::default());
            let slow = Wrapped(Wrapped(world.store.clone(), gate.clone()), Regardless);
            let layer = world.layer(slow).build().unwrap();
            let routes = accounts::routes()
                .route("/cut/{user}/{afterwards}", get(cut_sign_in))
                .route(
                    "/out",
                    get(async |session: SessionHandle| session.destroy()),
                )
                .layer(Extension(gate.clone()));
            let app = routes.layer(layer.clone());
            let user = fastrand::u64(..1 << 50);
            let path = format!("/cut/{user}/{}", afterwards.replace(' ', "%20"));

            let mut jar = None;
            let answer = visit(&app, &mut jar, &path).await;
            let fails = afterwards == "fail";
            assert_eq!(answer.status, if fails { 503 } else { 200 }, "{at}");
            if arrives == Arrives::Early {
                gate.release();
                settle().await;
            }
            let listed = layer.sessions().list::<Account>(&user).await.unwrap();
            let has_begun = !fails && afterwards != "destroy";
            assert_eq!(jar.is_some(), has_begun, "{at}");
            assert_eq!(
                listed.len(),
                usize::from(has_begun),
                "{at}: it has one session"
            );
            let me = visit(&app, &mut jar, "/me").await;
            assert_eq!(
                me.status.is_success(),
                has_begun,
                "{at}: the cookie opens it"
            );

            let token = jar.clone();
            visit(&app, &mut jar, "/out").await;
            assert_eq!(jar, None, "{at}");
            if arrives == Arrives::Last {
                gate.release();
                settle().await;
            }
            let listed = layer.sessions().list::<Account>(&user).await.unwrap();
            assert!(listed.is_empty(), "{at}: the owner has none");
            if let Some(token) = token {
                assert_eq!(world.find(&key_of(&token)).await, None, "{at}");
            }
            for (_, stored) in world.stored_since(0).await {
                assert!(stored.record.fields.is_empty(), "{at}: {stored:?}");
                assert!(stored.record.owners.is_empty(), "{at}");
            }
            world.clean_up().await;
        }
    }
}
