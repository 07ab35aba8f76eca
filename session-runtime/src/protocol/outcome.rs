//! Decides what becomes of the visitor's token at the end of a commit; knows no header.

use super::rules::{Rolling, Rules};
use super::state::{End, Link, Moved, Session};
use super::words::Token;

/// The token after a commit. `settled` is whether everything was stored.
pub(super) fn token(session: &Session, rules: &Rules, by_cookie: bool, settled: bool) -> Token {
    let snapshot = match &session.link {
        Link::Ended(End::Here) => return Token::Remove,
        link => link.stored(),
    };
    let Some(snapshot) = snapshot else {
        return Token::Keep;
    };
    let is_persistent = rules.is_persistent(snapshot);
    let rolls = match rules.rolling {
        // A header's token has no lifetime.
        _ if !by_cookie => false,
        _ if session.has_former_cookie => true,
        Rolling::EveryResponse => true,
        Rolling::OnTouch => is_persistent,
        Rolling::OnChange => is_persistent && session.moved == Moved::Write,
    };
    // Only for a session that the store has just found alive: another request may have ended it, and
    // its visitor may have a new one.
    let is_due = session.moved >= Moved::Touch && (session.owes_token || (settled && rolls));
    if !is_due {
        return Token::Keep;
    }
    Token::Give {
        id: snapshot.id,
        ends: is_persistent.then_some(snapshot.expires),
    }
}
