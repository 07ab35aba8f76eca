use super::*;

#[test]
fn a_hash_tag_keeps_all_keys_in_one_slot() {
    for prefix in ["{shop}:", "a{b}c{}", "{{}"] {
        assert!(has_hash_tag(prefix), "{prefix}");
    }
    for prefix in ["shop:", "{}shop:", "{shop:", "}shop{:", "{}{shop}:"] {
        assert!(!has_hash_tag(prefix), "{prefix}");
    }
}

#[test]
fn a_store_prints_no_password() {
    for url in [
        "redis://ann:s3cret@host:1/0",
        "redis+cluster://ann:s3cret@one:1,two:2",
        "redis+sentinel://ann:s3cret@one:1,two:2/main/3",
    ] {
        let printed = format!("{:?}", RedisStore::open(url).unwrap());
        assert!(
            !printed.contains("s3cret") && !printed.contains("ann"),
            "{printed}"
        );
    }
}

#[test]
fn a_url_that_names_no_server_is_an_error() {
    for url in [
        "",
        "localhost",
        "http://localhost",
        "redis+cluster://",
        "redis+cluster://one:6379/3",
        "redis+cluster://one:6379/?protocol=resp2",
        "redis+sentinel:///main",
        "redis+sentinel://one:1",
        "redis+else://one:1",
    ] {
        assert!(RedisStore::open(url).is_err(), "{url}");
    }
}

#[test]
fn a_prefix_that_was_set_goes_along_to_what_is_beside_express() {
    let store = || RedisStore::open("redis://localhost").unwrap();
    let prefix = |store: super::ExpressStore| format!("{store:?}");
    assert!(prefix(store().beside_express()).contains("\"sess:\""));
    assert!(prefix(store().prefix("shop:").beside_express()).contains("\"shop:\""));
    let both = store().prefix("a:").beside_express().prefix("b:");
    assert!(prefix(both).contains("\"b:\""));
}
