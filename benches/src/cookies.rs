//! What a browser makes of the cookies that an answer sets.

/// What it sends back: all but those that are removed. A library may set several, in any order.
pub fn sent_back<'a>(set: impl Iterator<Item = &'a str>) -> Option<String> {
    let kept = set.filter(|cookie| !cookie.contains("; Max-Age=0"));
    let pairs: Vec<_> = kept.filter_map(|cookie| cookie.split(';').next()).collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}
