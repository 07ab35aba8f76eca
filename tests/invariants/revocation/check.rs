//! Holds the end of a race against every rule.

use sessile::{OwnerKey, SessionStore, StoreKey, Stored, Timestamp};

use super::{Journal, Race, SignIn};
use crate::invariants::world::{field, key_of};

/// What is left when all is over.
pub(super) struct End {
    /// What the test prints where a rule is broken.
    at: String,
    journal: Journal,
    user: u64,
    owner: OwnerKey,
    mark: Option<Timestamp>,
    stored: Vec<(StoreKey, Stored)>,
    indexed: Vec<StoreKey>,
}

impl End {
    pub(super) async fn of<S: SessionStore + Clone>(race: &Race<S>) -> Self {
        let journal = std::mem::take(&mut *race.journal.lock().unwrap());
        let at = format!("SESSILE_SEED={}\n{}\n", race.seed, journal.lines.join("\n"));
        let stored = race.world.stored_since(0).await;
        let is_theirs =
            |stored: &Stored| field::<u64>(&stored.record, "account", "user") == race.user;
        let theirs = stored.iter().find(|(_, stored)| is_theirs(stored));
        let (_, theirs) = theirs.expect("who signed in at last is there");
        let owner = theirs.record.owners.keys().next();
        let owner = owner.expect("a session with an account has an owner");
        let (store, now) = (&race.world.store, race.world.clock.now().into());
        let indexed = store.owned_by(owner, now).await.unwrap();
        Self {
            at,
            journal,
            user: race.user,
            owner,
            mark: store.marked(owner, now).await.unwrap(),
            stored,
            indexed: indexed.into_iter().map(|(key, _)| key).collect(),
        }
    }

    /// How many of the sign-ins are alive, and how many are not.
    pub(super) fn check(mut self) -> (usize, usize) {
        self.everything_stored_has_a_visitor();
        self.the_index_is_what_a_scan_says();
        let alive = self.alive();
        self.who_began_after_all_stays(&alive);
        (alive.len(), self.journal.sign_ins.len() - alive.len())
    }

    fn everything_stored_has_a_visitor(&self) {
        for (key, _) in &self.stored {
            let given = self.journal.given.iter().any(|token| key_of(token) == *key);
            assert!(given, "{}nobody can open what is stored", self.at);
        }
        let users = self.stored.iter();
        let users = users.map(|(_, stored)| field::<u64>(&stored.record, "account", "user"));
        let another = users.filter(|user| *user == self.user + 1).count();
        assert_eq!(another, 1, "{}another user is left alone", self.at);
    }

    fn the_index_is_what_a_scan_says(&mut self) {
        let mut scanned: Vec<_> = self
            .stored
            .iter()
            .filter(|(_, stored)| stored.record.owners.since(self.owner).is_some())
            .map(|(key, _)| *key)
            .collect();
        self.indexed.sort();
        scanned.sort();
        assert_eq!(self.indexed, scanned, "{}", self.at);
    }

    /// Which sign-ins are alive: none that began before a revocation which was acknowledged.
    fn alive(&self) -> Vec<u64> {
        let mut alive = Vec::new();
        for (_, stored) in &self.stored {
            let Some(since) = stored.record.owners.since(self.owner) else {
                continue;
            };
            let number = field(&stored.record, "account", "sign_in");
            self.is_after_every_revocation(number, since);
            alive.push(number);
        }
        alive
    }

    fn is_after_every_revocation(&self, number: u64, since: Timestamp) {
        let Self {
            at, journal, mark, ..
        } = self;
        let sign_in = journal.sign_ins.iter().find(|it| it.number == number);
        let began = sign_in.expect("a sign-in is written down").began;
        for other in journal.revocations.iter().filter(|it| it.acknowledged) {
            let spared = other.spares == Some(number);
            assert!(
                spared || began > other.from,
                "{at}the sign-in of {began:?} survived the revocation of {:?} to {:?}",
                other.from,
                other.until
            );
        }
        // One that failed may have set its mark, and ended nobody.
        let failed = journal.revocations.iter().any(|it| !it.acknowledged);
        let is_later = Some(since) > *mark;
        assert!(failed || is_later, "{at}{began:?} is not after {mark:?}");
    }

    fn who_began_after_all_stays(&self, alive: &[u64]) {
        let Self { at, journal, .. } = self;
        let over = journal.revocations.iter().map(|it| it.until).max();
        for sign_in in journal.sign_ins.iter().filter(|it| Some(it.began) > over) {
            let SignIn { number, began, .. } = sign_in;
            assert!(sign_in.acknowledged, "{at}that of {began:?} was refused");
            let stays = alive.contains(number) || sign_in.replaced;
            assert!(stays, "{at}that of {began:?} was revoked");
        }
    }
}
