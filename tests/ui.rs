//! What the derive and rustc say of each mistake, and that the derive works wherever a struct can
//! stand. One folder for each kind of mistake; `TRYBUILD=overwrite` writes what is said now.

use std::fs;

#[test]
fn each_mistake_is_one_error_under_the_token_to_edit() {
    let cases = trybuild::TestCases::new();
    for kind in fs::read_dir("tests/ui").expect("the cases are there") {
        let kind = kind.expect("a folder can be listed").path();
        let each = kind.join("*.rs");
        if kind.ends_with("pass") {
            cases.pass(each);
        } else {
            cases.compile_fail(each);
        }
    }
}
