//! Writes a table as Markdown has it.

/// The first column is text, the others are figures.
#[must_use]
pub fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let mut rule = ["---:"; COLUMNS];
    rule[0] = "---";
    let mut table = line(&head) + &line(&rule);
    for row in rows {
        table += &line(&row.each_ref().map(String::as_str));
    }
    table
}
