//! What a session with one counter takes in memory.

use super::kinds::exact;
use super::page::{Section, Table, grouped};
use super::plot::{Axis, Curve, Panel, Scale};
use super::{heap, sessions};

const COUNTS: [usize; 3] = [10_000, 100_000, 1_000_000];
const NAMES: [&str; 5] = [
    "sessile",
    "tower-sessions, signed",
    "floor: a naive layer",
    "ruts, signed",
    "axum_session, signed",
];
const MEASURES: [&str; 2] = ["asked of the heap", "resident"];

#[must_use]
pub fn section() -> String {
    let mut head = vec!["bytes a session".to_owned()];
    for measure in MEASURES {
        head.extend(COUNTS.map(|count| format!("{} {measure}", grouped(exact(count)))));
    }
    let mut table = Table::new(&head);
    let mut curves = [Vec::new(), Vec::new()];
    for name in NAMES.into_iter().filter(|name| sessions::is_built(name)) {
        let found = COUNTS.map(|count| heap::ask(&["bytes", name, &count.to_string()]).remove(0));
        let mut cells = vec![name.to_owned()];
        for (measure, curves) in curves.iter_mut().enumerate() {
            cells.extend(found.iter().map(|bytes| grouped(bytes[measure])));
            let points = COUNTS.iter().zip(&found);
            curves.push(Curve {
                name: name.to_owned(),
                points: points
                    .map(|(count, bytes)| (exact(*count), bytes[measure]))
                    .collect(),
            });
        }
        table.row(&cells);
    }
    let panels = MEASURES
        .into_iter()
        .zip(curves)
        .map(|(title, curves)| panel(title, curves));
    let seen = "A session is one place in a map, with its dates and its revision, and one allocation for \
        its fields. How full the map is decides the rest: it doubles when it is full.";
    let how = "A session with one counter. *Asked of the heap* is what was requested of the \
        allocator and not given back, without what the allocator adds; *resident* is what the \
        process has grown by, in memory. Each figure is a process of its own. A map that has just \
        doubled has the most empty places.";
    Section {
        name: "bytes",
        title: "Memory for a session",
        how,
        seen,
        table,
        panels: panels.collect(),
    }
    .publish()
}

fn panel(title: &'static str, curves: Vec<Curve>) -> Panel {
    Panel {
        title,
        x: Axis {
            name: "sessions in the store",
            scale: Scale::Log,
            label: grouped,
        },
        y: Axis {
            name: "bytes a session",
            scale: Scale::Linear,
            label: grouped,
        },
        curves,
    }
}
