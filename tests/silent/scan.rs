//! Finds in a text what no log may hold: ids, keys, tokens, secrets, and values that were planted.

/// What every planted secret and every planted value has in it.
pub(crate) const CANARY: &str = "c4nary";

/// An id has 32 characters, a tag and a key have 43, in hex they have 48 and more.
const SHORTEST: usize = 32;

/// As bytes in a list, an id is 24 numbers, a secret at least 32.
const FEWEST: usize = 24;

/// Everything suspicious in a line.
pub(crate) fn scan(line: &str) -> Vec<String> {
    let line = without_rustc(line);
    let line = line.as_str();
    let runs = line.split(|c: char| !is_base64url(c));
    let runs = runs.filter(|run| run.len() >= SHORTEST && !is_name(run));
    let mut found: Vec<_> = runs.map(ToOwned::to_owned).collect();
    found.extend(padded(line).map(ToOwned::to_owned));
    if line.contains(CANARY) || lists_bytes(line) || line.matches("\\x").count() >= FEWEST {
        found.push(line.to_owned());
    }
    found
}

fn is_base64url(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// What is long and no id: the names of tests, of programs and of their files, in which short words of
/// lower-case letters are joined. Of 32 random characters, so many in a row have no capital once in
/// 17 million times; and hex has no words.
fn is_name(run: &str) -> bool {
    let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let words = || run.split(['_', '-']).filter(|word| !word.is_empty());
    words().count() > 1 && words().all(|word| word.len() <= 20 && word.chars().all(is_lower))
}

/// The standard library's files are named by the commit of the compiler: where something panicked.
fn without_rustc(line: &str) -> String {
    let mut parts = line.split("/rustc/");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let commit = part
            .split_once('/')
            .filter(|(commit, _)| commit.len() == 40);
        rest.push_str(commit.map_or(part, |(_, path)| path));
    }
    rest
}

/// The standard alphabet has other characters, but 32 bytes in it end in one `=`.
fn padded(line: &str) -> impl Iterator<Item = &str> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    line.split_inclusive('=').filter_map(move |part| {
        let text = part.strip_suffix('=')?;
        let start = text.rfind(|c: char| !is_base64(c)).map_or(0, |at| at + 1);
        text.get(start..).filter(|run| run.len() >= 43)
    })
}

/// A list of numbers that are bytes, as `Debug` shows a secret.
fn lists_bytes(line: &str) -> bool {
    line.split(['[', ']']).any(|list| {
        let numbers = list.split(',').map(|number| number.trim().parse::<u8>());
        numbers.clone().count() >= FEWEST && numbers.into_iter().all(|number| number.is_ok())
    })
}
