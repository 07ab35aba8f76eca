//! Finds the files that take names from each other in a circle.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::house::Arrows;

/// Files of which each reaches each other.
pub(crate) type Circle = BTreeSet<PathBuf>;

pub(crate) fn circles(arrows: &Arrows) -> BTreeSet<Circle> {
    let reach = |from: &Path| {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for to in arrows.get(file).into_iter().flat_map(|to| to.keys()) {
                if reached.insert(to.as_path()) {
                    open.push(to);
                }
            }
        }
        reached
    };
    let mut circles = BTreeSet::new();
    for file in arrows.keys() {
        let others = reach(file).into_iter().map(Path::to_owned);
        let circle: Circle = others
            .filter(|other| reach(other).contains(file.as_path()))
            .collect();
        if !circle.is_empty() {
            circles.insert(circle);
        }
    }
    circles
}

/// The arrows of a circle, one a line: `load.rs -> watched.rs: Watched`.
pub(crate) fn describe(circle: &Circle, arrows: &Arrows) -> String {
    let mut lines = vec![format!("a circle of {} files:", circle.len())];
    for from in circle {
        for (to, names) in &arrows[from] {
            if circle.contains(to) {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let names = names.join(", ");
                lines.push(format!("  {} -> {}: {names}", from.display(), to.display()));
            }
        }
    }
    lines.join("\n")
}
