//! Reads and writes along one axis: a table, and a panel for each.

use super::page::{Section, Table, grouped};
use super::plot::{Axis, Curve, Panel, Scale};
use crate::spread::Spread;

/// Where an app of these curves has its handlers, and what they are called.
pub const PATHS: [&str; 2] = ["/read", "/write"];
const KINDS: [&str; 2] = ["read", "read-modify-write"];

/// What is measured at several values, for several apps.
pub struct Along<'a> {
    pub name: &'a str,
    pub title: &'a str,
    pub how: &'a str,
    pub seen: &'a str,
    pub x: Axis,
    pub y: Scale,
    pub values: &'a [usize],
    pub names: &'a [&'a str],
}

impl Along<'_> {
    /// The times of reads and of writes, app by app, value by value.
    #[must_use]
    pub fn publish(self, times: &[Vec<Spread>; 2]) -> String {
        let Self {
            name,
            title,
            how,
            seen,
            x,
            y,
            values,
            names,
        } = self;
        let mut table = head(&x, values);
        let mut panels = Vec::new();
        for (kind, times) in KINDS.into_iter().zip(times) {
            let mut curves = Vec::new();
            for (name, times) in names.iter().zip(times.chunks(values.len())) {
                let medians: Vec<_> = times.iter().map(|time| time.median).collect();
                table.row(&row(&format!("{kind}: {name}"), &medians));
                curves.push(Curve {
                    name: (*name).to_owned(),
                    points: points(values, &medians),
                });
            }
            panels.push(Panel {
                title: kind,
                x,
                y: Axis {
                    name: "µs a request",
                    scale: y,
                    label: |value| format!("{value}"),
                },
                curves,
            });
        }
        Section {
            name,
            title,
            how,
            seen,
            table,
            panels,
        }
        .publish()
    }
}

fn head(x: &Axis, values: &[usize]) -> Table {
    let mut head = vec!["ns a request".to_owned()];
    head.extend(values.iter().map(|value| (x.label)(exact(*value))));
    head.push("last over first".to_owned());
    Table::new(&head)
}

fn row(name: &str, medians: &[f64]) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    cells.extend(medians.iter().map(|median| grouped(*median)));
    cells.push(format!("{:.2}", medians[medians.len() - 1] / medians[0]));
    cells
}

fn points(values: &[usize], medians: &[f64]) -> Vec<(f64, f64)> {
    let values = values.iter().map(|value| exact(*value));
    let microseconds = medians.iter().map(|time| time / 1000.0);
    values.zip(microseconds).collect()
}

/// A count as a place on an axis.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn exact(count: usize) -> f64 {
    count as f64
}
