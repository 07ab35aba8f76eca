//! Visits every state that a few requests can reach on one session, with faults at every question to the
//! store, and checks each. The machine is the real one; the store is a map.
//!
//! A request runs each short program of its operations; at each question the store may answer, fail before or
//! after it has done the work, or do it later, and the caller may go away. States are told apart by what they
//! hold, so that each is visited once. `SESSILE_FULL=1` explores longer programs and more faults.

mod check;
mod model;
mod operation;
mod structs;
mod tests;
mod world;

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use self::operation::{Exit, Operation};
use self::world::{Action, Start, World};
use crate::protocol::AtMaxSessions;

/// How much is explored.
#[derive(Clone, Debug)]
struct Bounds {
    name: &'static str,
    start: Start,
    /// The operations of each request; their number bounds how many requests there are.
    programs: Vec<&'static [Operation]>,
    /// How handlers end.
    exits: &'static [Exit],
    /// How many operations a program has at most.
    length: u8,
    /// How many faults happen at most.
    faults: u8,
    /// An owner may have one session, and this happens to one more.
    limit: Option<AtMaxSessions>,
    /// Time may pass at once, so that everything expires.
    expires: bool,
    /// No more states are visited.
    most: usize,
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    states: usize,
    transitions: usize,
    depth: usize,
    ends: usize,
    took: Duration,
    /// There was more to visit.
    is_cut: bool,
    broken: Option<String>,
}

/// No path asks the store more often, pauses excepted.
const DEEPEST: usize = 160;

/// Explores depth first, without recursion: a path is a stack of states and the choices left there.
fn explore(bounds: &Bounds) -> Found {
    let began = Instant::now();
    let mut found = Found::default();
    let mut seen: HashSet<u128, BuildHasherDefault<Identity>> = HashSet::default();
    let world = World::new(bounds);
    let actions = world.actions(bounds);
    let mut path = vec![(world, actions)];
    while let Some((world, actions)) = path.last_mut() {
        let Some(action) = actions.pop() else {
            path.pop();
            continue;
        };
        let mut world = world.clone();
        world.take(action, bounds);
        world.forget_counters();
        found.transitions += 1;
        let actions = world.actions(bounds);
        let mut checked = check::state(&world);
        if checked.is_ok() && world.is_over() {
            found.ends += 1;
            checked = check::end(&world, bounds);
        }
        if checked.is_ok() && path.len() > DEEPEST {
            checked = Err("bounded: a path does not end".to_owned());
        }
        if let Err(broken) = checked {
            path.push((world, actions));
            found.is_cut = true;
            found.broken = Some(describe(bounds, &path, &broken));
            break;
        }
        if seen.len() >= bounds.most {
            found.is_cut = true;
            break;
        }
        if seen.insert(fingerprint(&world)) {
            path.push((world, actions));
            found.depth = found.depth.max(path.len());
        }
    }
    found.states = seen.len();
    found.took = began.elapsed();
    found
}

/// The steps that led to the last state.
fn describe(bounds: &Bounds, path: &[(World, Vec<Action>)], broken: &str) -> String {
    let mut text = format!("{}: {broken}\n", bounds.name);
    for (world, _) in path {
        text.push_str("  ");
        text.push_str(&world.last.0);
        text.push('\n');
    }
    text
}

/// 128 bits of hash, so that among a billion states none is taken for another.
fn fingerprint(world: &World) -> u128 {
    let half = |seed: u64| {
        let mut hasher = BuildHasherDefault::<DefaultHasher>::default().build_hasher();
        hasher.write_u64(seed);
        world.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

/// Takes a fingerprint as its own hash.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let first = bytes.first_chunk().copied().unwrap_or_default();
        self.0 = u64::from_le_bytes(first);
    }
}

fn full() -> bool {
    std::env::var_os("SESSILE_FULL").is_some_and(|value| value == "1")
}

fn holds(bounds: &[Bounds]) {
    for bounds in bounds {
        let found = explore(bounds);
        let Found {
            states,
            transitions,
            depth,
            ends,
            took,
            is_cut,
            broken,
        } = found;
        let visited = if is_cut { "cut at" } else { "complete:" };
        eprintln!(
            "explorer: {}, {} requests of {} operations, {} faults, {visited} {states} states, {transitions} transitions, \
             depth {depth}, {ends} ends, {took:.1?}",
            bounds.name,
            bounds.programs.len(),
            bounds.length,
            bounds.faults,
        );
        assert!(broken.is_none(), "{}", broken.unwrap_or_default());
    }
}
