//! Puts a curve into the report and, beside it, into the library's documentation.

use std::fmt::Write as _;
use std::fs::{create_dir_all, read_to_string, write};
use std::path::PathBuf;
use std::process::Command;
use std::thread::available_parallelism;

use super::plot::{Panel, draw};

/// What is measured, and how it came out.
pub struct Section<'a> {
    /// Of the plot's file.
    pub name: &'a str,
    pub title: &'a str,
    /// How it is measured.
    pub how: &'a str,
    /// What one sees, in words that outlive a run: the figures are in the table.
    pub seen: &'a str,
    pub table: Table,
    pub panels: Vec<Panel>,
}

impl Section<'_> {
    /// Writes the plot, and the page of the documentation that shows it.
    #[must_use]
    pub fn publish(self) -> String {
        let Self {
            name,
            title,
            how,
            seen,
            table,
            panels,
        } = self;
        write_machine();
        let (table, plot) = (table.0, draw(&panels));
        save(&format!("benches/plots/{name}.svg"), &plot);
        let page = format!("# {title}\n\n{seen}\n\n{plot}\n\n{how}\n\n{table}");
        save(&format!("session-runtime/docs/speed/{name}.md"), &page);
        format!("## {title}\n\n{seen}\n\n![{title}](plots/{name}.svg)\n\n{how}\n\n{table}")
    }
}

/// Says when and on what was measured.
fn write_machine() {
    let today = Command::new("date").arg("+%F").output();
    let today = today.expect("a machine knows the date").stdout;
    let today = String::from_utf8(today).expect("a date");
    let cores = available_parallelism().expect("a machine has cores");
    let processor = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let kind = if processor.contains("hypervisor") {
        "virtual machine"
    } else {
        "machine"
    };
    // A paragraph of its own: pages follow one another without a blank line.
    let machine = format!(
        "\nMeasured on {} on a {kind} of {cores} cores.\n",
        today.trim()
    );
    save("session-runtime/docs/speed/machine.md", &machine);
}

fn save(path: &str, text: &str) {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let path = root.join(path);
    create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
    write(path, text).expect("the report's folder is written to");
}

/// Rows of Markdown, under one head.
pub struct Table(String);

impl Table {
    #[must_use]
    pub fn new(head: &[impl AsRef<str>]) -> Self {
        let mut table = Self(String::new());
        table.row(head);
        let rules = head.iter().enumerate();
        let rules: Vec<_> = rules
            .map(|(column, _)| if column == 0 { "---" } else { "--:" })
            .collect();
        table.row(&rules);
        table
    }

    pub fn row(&mut self, cells: &[impl AsRef<str>]) {
        for cell in cells {
            write!(self.0, "| {} ", cell.as_ref()).expect("a string grows");
        }
        self.0.push_str("|\n");
    }
}

/// A whole number with its thousands apart.
#[must_use]
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
