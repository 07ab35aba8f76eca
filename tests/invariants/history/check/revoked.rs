//! What a revocation may end, and what must never be seen again after it.

use super::{Explained, History, Lineage};
use crate::invariants::history::fate::End;
use crate::invariants::history::journal::{Id, Request, Revocation, Tick};
use crate::invariants::history::program::{Account, Step};

impl<'j> History<'j> {
    /// What may have ended a session together with others of its owner, if it was theirs.
    pub(super) fn revocations_of(&self, lineage: Lineage) -> impl Iterator<Item = End> {
        let anybodys = self.on(lineage).any(|(_, request)| {
            let mut steps = request.program.steps.iter();
            steps.any(|step| matches!(step, Step::SignIn(_)))
        });
        let revocations = self.journal.revocations.iter();
        revocations
            .filter(move |_| anybodys)
            .map(move |revocation| End {
                from: revocation.from,
                until: self.until(revocation, lineage),
                certain: false,
                by: Some(revocation.by),
            })
    }

    /// Until when a revocation may end a session: a request that began before it, and rotates the
    /// session after it, is withdrawn then with all that the session holds.
    fn until(&self, revocation: &Revocation, lineage: Lineage) -> Option<Tick> {
        let over = revocation.until?;
        let under_way = self.on(lineage).filter(|(_, request)| {
            let mut steps = request.program.steps.iter();
            request.invoked < over && steps.any(|step| step.rotates())
        });
        let mut ends = under_way.map(|(_, request)| request.ended);
        ends.try_fold(over, |until, ended| Some(until.max(ended?)))
    }

    /// Which revocation, acknowledged before `moment`, had ended what was signed in to.
    fn revoked_before(&self, account: Account, moment: Tick) -> Option<&'j Revocation> {
        let signed_in = self.journal.requests[account.by].opened.as_ref();
        let began = signed_in.expect("a handler signs in").at;
        self.journal.revocations.iter().find(|revocation| {
            let spared = [revocation.by, revocation.spares].contains(&account.by);
            let over = revocation.until.is_some_and(|until| until < moment);
            revocation.user == account.user && !spared && began < revocation.from && over
        })
    }

    pub(super) fn what_was_revoked_is_never_opened(
        &self,
        number: usize,
        request: &Request,
    ) -> Explained {
        let account = request.opened.as_ref().and_then(|opened| opened.account);
        let revoked = account.and_then(|account| self.revoked_before(account, request.invoked));
        demand!(
            revoked.is_none(),
            "request {number} opened a session that was revoked: {revoked:?}"
        );
        Ok(())
    }

    pub(super) fn what_was_revoked_is_not_stored(&self, id: &Id) -> Explained {
        // Nobody can open what a call stored whose request had gone, and nobody checks it.
        let account = id.account.filter(|_| self.is_sent(id));
        let revoked = account.and_then(|account| self.revoked_before(account, Tick::MAX));
        let at = id.by;
        demand!(
            revoked.is_none(),
            "the id that request {at} drew is alive, and was revoked: {revoked:?}"
        );
        Ok(())
    }
}
