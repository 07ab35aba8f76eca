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

/// A row, or a head, of a cell for each column.
#[must_use]
pub fn row<T, const COLUMNS: usize>(cells: impl IntoIterator<Item = T>) -> [T; COLUMNS] {
    let mut cells = cells.into_iter();
    std::array::from_fn(|_| cells.next().expect("a cell for each column"))
}
