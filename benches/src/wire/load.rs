//! Requests a second of several contenders, in rounds in which everybody has a turn.

use std::time::Duration;

use super::running::Running;
use super::wrk::{Answered, CONNECTIONS, Wrk};
use crate::kind::Kind;
use crate::markdown::table;
use crate::spread::Spread;

pub(super) const ROUNDS: usize = 5;
pub(super) const SECONDS: Duration = Duration::from_secs(2);

/// The table of a kind of request: requests a second, and the processor time that one takes in the
/// contender's own process, which does not depend on what else the machine does. Everybody is compared with the one at `base`.
pub(super) fn of_kind(wrk: &Wrk, contenders: &[Running], base: usize, kind: Kind) -> String {
    let before: Vec<_> = contenders.iter().map(Running::counted).collect();
    let rested: Vec<_> = contenders.iter().map(Running::worked).collect();
    let mut rounds = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for (contender, rounds) in contenders.iter().zip(&mut rounds) {
            let visitors = contender.visitors(kind);
            rounds.push(wrk.ask(contender.address, kind.path(), visitors, SECONDS));
        }
    }
    let worked = contenders.iter().zip(rested);
    let worked = worked.map(|(contender, rested)| contender.worked().saturating_sub(rested));
    let rows = contenders.iter().zip(&rounds).zip(worked);
    let rows = rows.map(|((contender, of_it), worked)| {
        let requests: u64 = of_it.iter().map(|it| it.requests).sum();
        let worked = worked / u32::try_from(requests).expect("a round is short");
        let ratios = of_it.iter().zip(&rounds[base]);
        let ratios = ratios.map(|(it, base)| it.a_second / base.a_second);
        [
            contender.name.to_owned(),
            format!(
                "{:.0}",
                Spread::of(of_it.iter().map(|it| it.a_second).collect())
            ),
            format!("{:.2}", Spread::of(ratios.collect())),
            format!("{:.1}", worked.as_secs_f64() * 1e6),
        ]
    });
    let compared = format!("of {}", contenders[base].name);
    let mut section = format!("\n### {}\n\n", kind.name());
    section += &table(["", "requests a second", &compared, "µs of a core"], rows);
    for ((contender, rounds), before) in contenders.iter().zip(&rounds).zip(before) {
        section += &remarks(contender, rounds, before, kind);
    }
    section
}

/// Remarks on a contender that failed at requests, or whose counters miss some.
fn remarks(contender: &Running, rounds: &[Answered], before: Option<u64>, kind: Kind) -> String {
    let sum = |figure: fn(&Answered) -> u64| rounds.iter().map(figure).sum::<u64>();
    let (requests, failed) = (sum(|it| it.requests), sum(|it| it.failed));
    let mut remarks = Vec::new();
    if failed > 0 {
        remarks.push(format!("failed at {failed} of {requests} requests"));
    }
    let counted = contender.counted().zip(before);
    if let Some((now, before)) = counted {
        let answered = if kind == Kind::ReadModifyWrite {
            requests - failed
        } else {
            0
        };
        // Those that failed, and those that a round's end has cut off, may have counted as well.
        let cut_off = rounds.len() as u64 * u64::from(CONNECTIONS);
        let counted = now - before;
        if !(answered..=answered + failed + cut_off).contains(&counted) {
            remarks.push(format!(
                "counts {counted} of {answered} that it has answered"
            ));
        }
    }
    let remarks = remarks
        .iter()
        .map(|it| format!("\n{} {it}.\n", contender.name));
    remarks.collect()
}
