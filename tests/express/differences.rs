//! The same requests to an Express app and to an axum app with the same options: what they answer, set and
//! store is the same, or one of the listed differences.

#[path = "differences/attributes.rs"]
mod attributes;
#[path = "differences/list.rs"]
mod list;
#[path = "differences/seen.rs"]
mod seen;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use self::list::DIFFERENCES;
use self::seen::Seen;
use crate::both::{Browser, Options, Side, World};

const HOUR: Duration = Duration::from_hours(1);

/// What a request does to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Untouched,
    Read,
    Modified,
    Destroyed,
    Regenerated,
}

const ACTS: [Act; 5] = [
    Act::Untouched,
    Act::Read,
    Act::Modified,
    Act::Destroyed,
    Act::Regenerated,
];

/// One request of a script.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) options: Options,
    pub(crate) act: Act,
    /// What the visitor did before, the first time first.
    pub(crate) before: Vec<Act>,
}

impl Moment {
    /// Whether the visitor comes for the first time.
    pub(crate) fn is_first(&self) -> bool {
        self.before.is_empty()
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn both_do_the_same_or_what_is_listed() {
    let mut world = World::start();
    let mut listed = BTreeMap::new();
    let mut unlisted = Vec::new();
    let mut moments = 0;
    for (options, act) in product() {
        // As a first request, to a session that is there, and what is left of it then.
        let script = [
            act,
            Act::Modified,
            act,
            Act::Read,
            Act::Modified,
            Act::Untouched,
        ];
        let mut visitors = Side::BOTH.map(|_| world.browser(&options));
        for (at, act) in script.into_iter().enumerate() {
            let moment = Moment {
                options: options.clone(),
                act,
                before: script[..at].to_vec(),
            };
            moments += 1;
            let [express, axum] = &mut visitors;
            let deeds = deeds(act, at);
            let express = look(&mut world, Side::Express, express, deeds.as_ref()).await;
            let axum = look(&mut world, Side::Axum, axum, deeds.as_ref()).await;
            for what in express.differing(&axum) {
                let reason = DIFFERENCES.iter().find(|it| (it.is_there)(&moment, what));
                match reason {
                    Some(difference) => *listed.entry(difference.reason).or_insert(0) += 1,
                    None => unlisted.push(format!("{what:?} {moment:?}: {express:?} {axum:?}")),
                }
            }
        }
    }
    assert!(unlisted.is_empty(), "{unlisted:#?}");
    for difference in DIFFERENCES {
        let reason = difference.reason;
        assert!(listed.contains_key(reason), "never seen: {reason}");
    }
    assert_eq!(moments, 16 * 5 * 6);
}

fn product() -> impl Iterator<Item = (Options, Act)> {
    let options = (0..16).map(|bits| Options {
        resave: bits & 1 != 0,
        save_uninitialized: bits & 2 != 0,
        rolling: bits & 4 != 0,
        max_age: (bits & 8 != 0).then_some(HOUR),
        ..Options::default()
    });
    options.flat_map(|options| ACTS.map(|act| (options.clone(), act)))
}

/// What a request that comes so late does, if it asks for the session at all.
fn deeds(act: Act, at: usize) -> Option<Value> {
    match act {
        Act::Untouched => None,
        Act::Read => Some(json!([])),
        Act::Modified => Some(json!([["set", ["draftedAt"], at]])),
        Act::Destroyed => Some(json!([["destroy"]])),
        Act::Regenerated => Some(json!([["regenerate"]])),
    }
}

async fn look(world: &mut World, side: Side, browser: &mut Browser, deeds: Option<&Value>) -> Seen {
    let before = world.raw.count();
    let id = browser.id().map(ToOwned::to_owned);
    let answer = match deeds {
        None => browser.send(side, "GET /untouched", &Value::Null).await,
        Some(deeds) => browser.send(side, "POST /do", deeds).await,
    };
    let after = world.raw.count();
    let has_new_id = browser.id().is_some_and(|new| Some(new) != id.as_deref());
    let entry = world.entry(browser);
    Seen::new(&answer, (before, after), has_new_id, entry.as_ref())
}
