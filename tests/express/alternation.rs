//! One session that both apps read and change in turn, at random: after each step both show the same, and what
//! the other one put there lies in Redis as it was.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::both::{Browser, Options, Side, World};
use crate::raw::Entry;
use crate::support::size;

const DAY: u64 = 24 * 60 * 60;
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn both_sides_agree_after_every_step() {
    alternate(None).await;
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn both_sides_agree_after_every_step_on_sessions_with_a_max_age() {
    alternate(Some(HOUR)).await;
}

async fn alternate(max_age: Option<Duration>) {
    let seed = fastrand::u64(..);
    let mut play = Play::begin(seed, max_age).await;
    let mut steps = [0; 2];
    for _ in 0..size(1_000, 20_000) {
        let side = *play.random.choice(&Side::BOTH).unwrap();
        steps[side as usize] += 1;
        play.step(side).await;
    }
    assert!(steps.iter().all(|steps| *steps > 400), "{steps:?} {seed}");
    // A logout on either side is one on both.
    let (side, stale) = (
        *play.random.choice(&Side::BOTH).unwrap(),
        play.browser.clone(),
    );
    play.browser.act(side, json!([["destroy"]])).await;
    assert_eq!(play.world.raw.count(), 0, "{seed}");
    for side in Side::BOTH {
        assert_eq!(stale.clone().read(side).await, json!({}), "{side:?} {seed}");
    }
}

/// A live session, and what must be in it.
struct Play {
    seed: u64,
    random: Rng,
    world: World,
    browser: Browser,
    fields: Map<String, Value>,
    /// How long it lives from now: what `maxAge` says, or a day.
    seconds: u64,
    /// What every session begins with.
    max_age: Option<Duration>,
}

impl Play {
    async fn begin(seed: u64, max_age: Option<Duration>) -> Self {
        let world = World::start();
        let mut browser = world.browser(&Options {
            max_age,
            ..Options::default()
        });
        let mut random = Rng::with_seed(seed);
        let side = *random.choice(&Side::BOTH).unwrap();
        browser.act(side, json!([["set", ["pageViews"], 1]])).await;
        let fields = Map::from_iter([("pageViews".to_owned(), json!(1))]);
        Self {
            seed,
            random,
            world,
            browser,
            fields,
            seconds: max_age.map_or(DAY, |age| age.as_secs()),
            max_age,
        }
    }

    async fn step(&mut self, side: Side) {
        let before = self.entry();
        let (deed, changed) = match self.random.u8(0..20) {
            0..10 => self.set(side),
            10..12 => self.delete(side),
            12..14 => self.age(),
            14 => (json!(["touch"]), vec![]),
            15 => (json!(["save"]), vec![]),
            16 => self.sign_in(side),
            17 => self.set_of_theirs(),
            _ => (json!(null), vec![]),
        };
        // What only Express knows only Express can change.
        let side = if changed.first().is_some_and(|key| key.starts_with("theirs")) {
            Side::Express
        } else {
            side
        };
        let deeds = match &deed {
            Value::Null => json!([]),
            deed if deed[0] == "many" => deed[1].clone(),
            deed => json!([deed]),
        };
        if self.random.u8(0..4) == 0 {
            self.make_a_touch_due();
        } else if changed.is_empty() {
            self.make_the_end_certain();
        }
        self.browser.act(side, deeds.clone()).await;
        self.check(side, &before, &deeds, &changed).await;
    }

    fn entry(&mut self) -> Entry {
        let entry = self.world.entry(&self.browser);
        entry.unwrap_or_else(|| panic!("the session is gone, seed {}", self.seed))
    }

    /// So that whoever reads next has to move it.
    fn make_a_touch_due(&mut self) {
        self.expire_in(self.seconds / 2);
    }

    fn make_the_end_certain(&mut self) {
        self.expire_in(self.seconds);
    }

    fn expire_in(&mut self, seconds: u64) {
        let key = format!("sess:{}", self.browser.id().unwrap());
        let moved = self.world.raw.ask(&["EXPIRE", &key, &seconds.to_string()]);
        assert_eq!(moved.as_deref(), Some("1"));
    }
}

/// What can be done: each returns the deed and the members of the record that it changes.
impl Play {
    fn set(&mut self, side: Side) -> (Value, Vec<&'static str>) {
        let random = &mut self.random;
        let (path, value): (&[&'static str], Value) = match random.u8(0..9) {
            0 => (&["pageViews"], json!(random.u64(0..1 << 53))),
            1 => (&["name"], text(random).into()),
            2 => (&["tags"], list(random, |random| text(random).into())),
            3 => (&["profile"], object(random, 2)),
            4 => (&["isOpen"], random.bool().into()),
            5 => (&["anything"], value(random, 3)),
            6 => (&["draft"], text(random).into()),
            7 => (&["draftedAt"], json!(random.u32(..))),
            _ => (&["cart", "note"], text(random).into()),
        };
        match path {
            ["cart", key] => {
                let cart = self.fields.entry("cart").or_insert(json!({}));
                cart[*key] = value.clone();
            }
            // To us nothing and nobody's null are the same.
            [key] if value.is_null() && side == Side::Axum && !self.fields.contains_key(*key) => {}
            [key] => drop(self.fields.insert((*key).to_owned(), value.clone())),
            _ => unreachable!("a path is as long"),
        }
        (json!(["set", path, value]), vec![path[0]])
    }

    fn delete(&mut self, side: Side) -> (Value, Vec<&'static str>) {
        let key = *self.random.choice(&["cart", "draft"]).unwrap();
        let mut changed = vec![key];
        self.fields.remove(key);
        if key == "draft" && side == Side::Axum {
            // The struct goes as a whole.
            self.fields.remove("draftedAt");
            changed.push("draftedAt");
        }
        (json!(["delete", [key]]), changed)
    }

    /// Only Express knows it, at the top or within an object of ours.
    fn set_of_theirs(&mut self) -> (Value, Vec<&'static str>) {
        let value = value(&mut self.random, 3);
        let path: &[&'static str] = match self.random.u8(0..3) {
            0 => &["theirs"],
            1 => &["theirs é\" \\\u{1}"],
            _ => &["theirs, too"],
        };
        self.fields.insert(path[0].to_owned(), value.clone());
        (json!(["set", path, value]), vec![path[0]])
    }

    /// "Remember me", for this session alone. Express stores it only beside a change.
    fn age(&mut self) -> (Value, Vec<&'static str>) {
        self.seconds = 60 * self.random.u64(1..100_000);
        let at = json!(self.random.u32(..));
        self.fields.insert("draftedAt".to_owned(), at.clone());
        let deeds = json!([["maxAge", self.seconds * 1000], ["set", ["draftedAt"], at]]);
        (json!(["many", deeds]), vec!["draftedAt"])
    }

    /// With a new id: by itself here; in Express by `regenerate`, which takes everything out that has to be put
    /// there again.
    fn sign_in(&mut self, side: Side) -> (Value, Vec<&'static str>) {
        let user = text(&mut self.random);
        self.fields.insert("user".to_owned(), user.clone().into());
        let deeds = match side {
            Side::Axum => json!([["set", ["user"], user]]),
            Side::Express => {
                self.seconds = self.max_age.map_or(DAY, |age| age.as_secs());
                let kept = self.fields.iter();
                let kept = kept.map(|(key, value)| json!(["set", [key], value]));
                [json!(["regenerate"])].into_iter().chain(kept).collect()
            }
        };
        (json!(["many", deeds]), vec!["user"])
    }
}

impl Play {
    async fn check(&mut self, side: Side, before: &Entry, deeds: &Value, changed: &[&str]) {
        let seed = self.seed;
        let context = format!("after {deeds} by {side:?}, seed {seed}");
        let entry = self.entry();
        assert_eq!(entry.fields(), self.fields, "{context}: {}", entry.text);
        let after = entry.members();
        for (key, raw) in before.members() {
            if key != "cookie" && !changed.contains(&key.as_str()) {
                let kept = after.get(&key).map(|raw| raw.get());
                assert_eq!(kept, Some(raw.get()), "{key} {context}");
            }
        }
        let seconds = entry.seconds();
        // The machine may be slow, but by far not as slow as half of a minute.
        let expected = self.seconds - 10..=self.seconds;
        assert!(
            expected.contains(&seconds),
            "{seconds}, not {expected:?}, {context}"
        );
        let theirs = self.browser.read(Side::Express).await;
        assert_eq!(theirs, Value::from(self.fields.clone()), "{context}");
        let ours = self.browser.read(Side::Axum).await;
        assert_eq!(ours, Value::from(self.known()), "{context}");
    }

    /// What our app knows of it.
    fn known(&self) -> Map<String, Value> {
        let mut known = self.fields.clone();
        known.retain(|key, value| !key.starts_with("theirs") && !value.is_null());
        known
    }
}

fn text(random: &mut Rng) -> String {
    const PIECES: [&str; 12] = [
        "",
        "a",
        "Ünïcödé",
        "日本語",
        "👩‍👩‍👧",
        "\"",
        "\\",
        "\u{1}\u{7f}",
        "\n\t",
        "\u{2028}",
        "</script>",
        "é",
    ];
    let length = random.usize(0..4);
    (0..length)
        .map(|_| *random.choice(&PIECES).unwrap())
        .collect()
}

/// Anything that JavaScript writes as we do: no number with a fraction of nothing, no key that is an index.
fn value(random: &mut Rng, depth: u8) -> Value {
    match random.u8(0..if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => json!(random.i64(-(1 << 53) + 1..1 << 53)),
        3 => json!(f64::from(random.i16(..)) + 0.25),
        4 => "".into(),
        5 => text(random).into(),
        6 => list(random, |random| value(random, depth - 1)),
        _ => object(random, depth - 1),
    }
}

fn list(random: &mut Rng, mut item: impl FnMut(&mut Rng) -> Value) -> Value {
    let length = random.usize(0..4);
    (0..length).map(|_| item(random)).collect()
}

fn object(random: &mut Rng, depth: u8) -> Value {
    let length = random.usize(0..4);
    let pairs = (0..length).map(|_| (format!("k{}", text(random)), value(random, depth)));
    Value::Object(pairs.collect())
}
