//! Many cookies of one name, in any order.

use proptest::prelude::*;

use super::*;
use crate::secret::Signer;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn neither_order_nor_number_nor_garbage_decides(
        sent in prop::collection::vec((sent(), any::<bool>()), 0..8),
    ) {
        let rings = rings();
        let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
        for (cookie, in_new_line) in &sent {
            match lines.last_mut() {
                Some(line) if !in_new_line => line.extend([b"; ".as_slice(), &cookie.pair(&rings)].concat()),
                _ => lines.push(cookie.pair(&rings)),
            }
        }
        let sent: Vec<Sent> = sent.into_iter().map(|(cookie, _)| cookie).collect();
        let seen = presented(&cookies(&lines), NAME, &rings[0]);
        prop_assert_eq!(seen, expected(&sent));

        if sent.iter().filter(|s| s.is_well_formed()).count() <= 4 {
            let backwards = sent.iter().rev().map(|cookie| cookie.pair(&rings));
            prop_assert_eq!(presented(&cookies(backwards), NAME, &rings[0]), seen);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sent {
    Valid(u8, Signer),
    Forged,
    Malformed(u8),
    OtherName,
}

impl Sent {
    fn pair(self, [ring, first, previous]: &[Tokens; 3]) -> Vec<u8> {
        let text = |id, tokens: &Tokens| tokens.token(&id).into_bytes();
        let value = match self {
            Self::Valid(byte, Signer::First) => text(id(byte), first),
            Self::Valid(byte, Signer::Previous) => text(id(byte), previous),
            Self::Forged => [text(id(9), ring)[..75].to_vec(), b"A".to_vec()].concat(),
            Self::Malformed(len) => text(id(1), ring)[..usize::from(len % 76)].to_vec(),
            Self::OtherName => return [b"sid=".as_slice(), &text(id(8), ring)].concat(),
        };
        [NAME.as_bytes(), b"=", &value].concat()
    }

    fn is_well_formed(self) -> bool {
        matches!(self, Self::Valid(..) | Self::Forged)
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    let signer = prop_oneof![Just(Signer::First), Just(Signer::Previous)];
    prop_oneof![
        (1..3_u8, signer).prop_map(|(id, signer)| Sent::Valid(id, signer)),
        Just(Sent::Forged),
        any::<u8>().prop_map(Sent::Malformed),
        Just(Sent::OtherName),
    ]
}

fn expected(sent: &[Sent]) -> Verdict {
    let checked: Vec<Sent> = sent
        .iter()
        .copied()
        .filter(|s| s.is_well_formed())
        .take(4)
        .collect();
    let tokens: Vec<Verdict> = [1, 2]
        .into_iter()
        .filter_map(|byte| {
            [Signer::First, Signer::Previous]
                .into_iter()
                .find(|signer| checked.contains(&Sent::Valid(byte, *signer)))
                .map(|signer| Verdict::Token {
                    id: id(byte),
                    signer,
                })
        })
        .collect();
    match tokens.as_slice() {
        [] if checked.is_empty() => Verdict::Nothing,
        [] => Verdict::Forged,
        [token] => *token,
        _ => Verdict::Several,
    }
}
