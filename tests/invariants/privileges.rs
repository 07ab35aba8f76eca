//! Rotation on privilege: random handlers over privileges, an owner and plain fields. Wherever
//! something is stored, a privilege that differs means a new id and a dead old one, and nothing that
//! differs means the same id, unless a new one was asked for.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use fastrand::Rng;
use http::StatusCode;
use sessile::{PublicId, Session, SessionError, SessionHandle, SessionStore, Stored, merge};

use super::first_seed;
use super::schedule::{caught, panic_quietly};
use super::world::{CookieChange, World, field, key_of, request};
use crate::support::visitor::ask;

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: u8,
    theme: u8,
}

#[derive(Session)]
struct Rights {
    #[session(privilege)]
    level: u8,
    /// As JSON it may differ though it is the same.
    #[session(privilege)]
    scopes: std::collections::HashSet<u8>,
}

#[derive(Session)]
struct Cart {
    #[session(merge = merge::Sum)]
    items: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    InsertAccount(u8),
    RemoveAccount,
    InsertCart,
    Renew,
    Clear,
    /// On live views, which the handler keeps to its end.
    Level(u8),
    Scopes(u8),
    Items,
    /// These store what is pending; the first with the live view of the rights.
    SaveRights,
    Save,
    Theme(u8),
    User(u8),
}

impl Step {
    fn random(rng: &mut Rng) -> Self {
        match rng.u8(..13) {
            0 => Self::InsertAccount(rng.u8(..3)),
            1 => Self::RemoveAccount,
            2 => Self::InsertCart,
            3 => Self::Renew,
            4 => Self::Clear,
            5 | 6 => Self::Level(rng.u8(..3)),
            7 => Self::Scopes(rng.u8(..3)),
            8 => Self::Items,
            9 => Self::SaveRights,
            10 => Self::Save,
            11 => Self::Theme(rng.u8(..3)),
            _ => Self::User(rng.u8(..3)),
        }
    }

    /// Whether the id changes by it, whatever the values are.
    fn asks(self) -> bool {
        matches!(
            self,
            Self::InsertAccount(_) | Self::RemoveAccount | Self::Renew | Self::Clear
        )
    }

    fn is_on_handle(self) -> bool {
        self.asks() || self == Self::InsertCart
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Answer(StatusCode),
    Panic,
}

#[derive(Debug, Clone)]
struct Program {
    steps: Vec<Step>,
    exit: Exit,
}

impl Program {
    fn random(rng: &mut Rng) -> Self {
        let steps = (0..rng.usize(..7)).map(|_| Step::random(rng)).collect();
        let exit = match rng.u8(..8) {
            0 => Exit::Panic,
            1 => Exit::Answer(StatusCode::INTERNAL_SERVER_ERROR),
            2 => Exit::Answer(StatusCode::NOT_FOUND),
            _ => Exit::Answer(StatusCode::OK),
        };
        Self { steps, exit }
    }
}

/// What is stored at one moment, and whether a new id was asked for since the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Moment {
    id: Option<PublicId>,
    user: Option<u8>,
    level: u8,
    scopes: std::collections::BTreeSet<u8>,
    asked: bool,
}

impl Moment {
    fn of(stored: Option<&(PublicId, Stored)>, asked: bool) -> Self {
        let Some((id, Stored { record, .. })) = stored else {
            return Self {
                asked,
                ..Self::default()
            };
        };
        Self {
            id: Some(*id),
            user: field(record, "account", "user"),
            level: field(record, "rights", "level"),
            scopes: field(record, "rights", "scopes"),
            asked,
        }
    }

    fn privileges(&self) -> impl PartialEq {
        (self.user, self.level, self.scopes.clone())
    }
}

/// A request on its way, for the handler to write down what is stored.
#[derive(Clone)]
struct Running {
    program: Program,
    moments: Arc<Mutex<Vec<Moment>>>,
}

impl Running {
    async fn note(&self, session: &SessionHandle, asked: bool) -> Result<(), SessionError> {
        let Some(id) = session.id() else {
            return Ok(());
        };
        let account = session.load::<Account>().await?;
        let rights = session.load::<Rights>().await?.unwrap();
        self.moments.lock().unwrap().push(Moment {
            id: Some(id),
            user: account.map(|account| account.user),
            level: rights.level,
            scopes: rights.scopes.into_iter().collect(),
            asked,
        });
        Ok(())
    }
}

async fn run(
    session: SessionHandle,
    mut rights: Session<Rights>,
    mut cart: Session<Cart>,
    Extension(running): Extension<Running>,
) -> Result<Response, SessionError> {
    let (mut asked, mut cleared) = (false, false);
    for &step in &running.program.steps {
        asked |= step.asks();
        // After a `clear` the views show what is no more.
        if cleared && !step.is_on_handle() {
            continue;
        }
        let stored = match step {
            Step::SaveRights => Session::save(&mut rights).await,
            Step::Save => session.save().await,
            Step::Theme(theme) => {
                let update = session.update(|account: &mut Account| account.theme = theme);
                update.await
            }
            Step::User(user) => {
                let update = session.update(|account: &mut Account| account.user = user);
                update.await
            }
            step => {
                cleared |= step == Step::Clear;
                change(&session, &mut rights, &mut cart, step)?;
                continue;
            }
        };
        match stored {
            Ok(()) => {
                running.note(&session, asked).await?;
                asked = false;
            }
            // Nobody has signed in.
            Err(SessionError::Absent(_)) => {}
            Err(error) => return Err(error),
        }
    }
    running.moments.lock().unwrap().push(Moment {
        asked,
        ..Moment::default()
    });
    match running.program.exit {
        Exit::Answer(status) => Ok(status.into_response()),
        Exit::Panic => panic_quietly(),
    }
}

/// What is stored by a later step, or at the end.
fn change(
    session: &SessionHandle,
    rights: &mut Session<Rights>,
    cart: &mut Session<Cart>,
    step: Step,
) -> Result<(), SessionError> {
    match step {
        Step::InsertAccount(user) => return session.insert(Account { user, theme: 0 }),
        Step::RemoveAccount => return session.remove::<Account>().map(drop),
        Step::InsertCart => return session.insert(Cart { items: 7 }),
        Step::Renew => session.renew(),
        Step::Clear => session.clear(),
        Step::Level(level) => rights.level = level,
        Step::Scopes(scope) => rights.scopes.extend(scope..3),
        _ => cart.items = cart.items.wrapping_add(1),
    }
    Ok(())
}

/// Runs so many programs, each by a visitor who comes with nothing or with what the one before left.
pub(crate) async fn a_privilege_that_differs_means_another_id(
    store: impl SessionStore + Clone,
    programs: usize,
) {
    let (first, began) = (first_seed(), Instant::now());
    let (mut rotated, mut stayed) = (0, 0);
    let mut world = World::new(store.clone());
    let mut token: Option<String> = None;
    let app = |world: &World<_>| {
        let layer = world.layer(store.clone()).build().unwrap();
        Router::new().route("/", get(run)).layer(layer)
    };
    let mut stage = app(&world);
    for seed in (0..programs as u64).map(|program| first.wrapping_add(program)) {
        let mut rng = Rng::with_seed(seed);
        if rng.u8(..6) == 0 {
            world.clean_up().await;
            world = World::new(store.clone());
            stage = app(&world);
            token = None;
        }
        let before = find(&world).await;
        let program = Program::random(&mut rng);
        let moments = Arc::default();
        let running = Running {
            program: program.clone(),
            moments: Arc::clone(&moments),
        };
        let mut asked = request("/", token.as_deref());
        asked.extensions_mut().insert(running);
        let answer = caught(ask(&stage, asked)).await;
        let after = find(&world).await;

        let mut moments: Vec<Moment> = std::mem::take(&mut *moments.lock().unwrap());
        moments.insert(0, Moment::of(before.as_ref(), false));
        let end = moments.pop().expect("the handler notes its end");
        moments.push(Moment::of(after.as_ref(), end.asked));
        let at = format!("SESSILE_SEED={seed}: {program:?}, {moments:?}");
        let kept = matches!(program.exit, Exit::Answer(status) if !status.is_server_error());
        for (index, pair) in moments.windows(2).enumerate() {
            let [earlier, later] = pair else {
                unreachable!("two at a time")
            };
            let (is_last, same) = (index + 2 == moments.len(), earlier.id == later.id);
            if is_last && !kept {
                assert!(same, "{at}: what was dropped changed the id");
                assert!(earlier.privileges() == later.privileges(), "{at}");
            } else if earlier.id.is_none() {
                // A first store, or none.
            } else if earlier.privileges() != later.privileges() || later.asked {
                assert!(!same, "{at}: {earlier:?} became {later:?}");
                rotated += 1;
            } else {
                assert!(same, "{at}: {earlier:?} stayed {later:?}");
                stayed += 1;
            }
        }
        token = match answer.as_ref().map(CookieChange::of) {
            Some(CookieChange::Set(token)) => Some(token),
            Some(_) => token,
            // Nobody follows what was saved before a panic.
            None => None,
        };
        let opened = token.as_deref().map(|token| key_of(token).public());
        let stands = after.map(|(id, _)| id);
        assert!(answer.is_none() || opened == stands, "{at}: the cookie");
        if answer.is_none() {
            world.clean_up().await;
            world = World::new(store.clone());
            stage = app(&world);
        }
    }
    eprintln!(
        "{programs} programs: {rotated} times another id, {stayed} times the same, in {:?}",
        began.elapsed()
    );
    assert!(rotated > programs / 10 && stayed > programs / 10);
}

/// The one session that there is: every id it had before is dead.
async fn find<S: SessionStore + Clone>(world: &World<S>) -> Option<(PublicId, Stored)> {
    let mut stored = world.stored_since(0).await;
    assert!(stored.len() <= 1, "an old id is alive");
    let (key, stored) = stored.pop()?;
    Some((key.public(), stored))
}
