//! What a request takes when a record has more fields: all are read, or one is written.

use axum::Router;
use axum::routing::get;
use sessile::{MemoryStore, Secret, Session, SessionLayer, merge};
use tokio::runtime::Builder;

use super::kinds::{Along, PATHS};
use super::other;
use super::page::grouped;
use super::plot::{Axis, Scale};
use super::rounds::{Lone, rounds};
use crate::spread::Spread;

const COUNTS: [usize; 8] = [1, 2, 5, 10, 20, 50, 100, 200];
const APPS: [fn() -> Router; 8] = [one, two, five, ten, twenty, fifty, hundred, two_hundred];
const ROUNDS: usize = 21;
const REQUESTS: usize = 2000;

/// An app for each name: its record has a counter, the fields of the names before, and its own.
macro_rules! apps {
    ([$($before:ident)*]) => {};
    ([$($before:ident)*] $name:ident: $($field:ident)*; $($rest:tt)*) => {
        fn $name() -> Router {
            #[derive(Session)]
            struct Record {
                #[session(merge = merge::Sum)]
                page_views: u64,
                $($before: u64,)*
                $($field: u64,)*
            }

            // A field that has its default takes no place: each gets a value.
            let fill = async |mut page: Session<Record>| {
                page.page_views = 1;
                $(page.$before = 1234;)*
                $(page.$field = 1234;)*
            };
            let sum = async |page: Record| {
                let sum = page.page_views $(+ page.$before)* $(+ page.$field)*;
                sum.to_string()
            };
            let write = async |mut page: Session<Record>| {
                page.page_views += 1;
                page.page_views.to_string()
            };
            Router::new()
                .route("/fill", get(fill))
                .route("/sum", get(sum))
                .route("/read", get(async |page: Record| page.page_views.to_string()))
                .route("/write", get(write))
                .layer(SessionLayer::new(MemoryStore::new(), Secret::generate()))
        }

        apps!([$($before)* $($field)*] $($rest)*);
    };
}

apps! {
    []
    one:;
    two: f001;
    five: f002 f003 f004;
    ten: f005 f006 f007 f008 f009;
    twenty:
        f010 f011 f012 f013 f014 f015 f016 f017 f018 f019;
    fifty:
        f020 f021 f022 f023 f024 f025 f026 f027 f028 f029 f030 f031 f032 f033 f034
        f035 f036 f037 f038 f039 f040 f041 f042 f043 f044 f045 f046 f047 f048 f049;
    hundred:
        f050 f051 f052 f053 f054 f055 f056 f057 f058 f059 f060 f061 f062 f063 f064
        f065 f066 f067 f068 f069 f070 f071 f072 f073 f074 f075 f076 f077 f078 f079
        f080 f081 f082 f083 f084 f085 f086 f087 f088 f089 f090 f091 f092 f093 f094
        f095 f096 f097 f098 f099;
    two_hundred:
        f100 f101 f102 f103 f104 f105 f106 f107 f108 f109 f110 f111 f112 f113 f114
        f115 f116 f117 f118 f119 f120 f121 f122 f123 f124 f125 f126 f127 f128 f129
        f130 f131 f132 f133 f134 f135 f136 f137 f138 f139 f140 f141 f142 f143 f144
        f145 f146 f147 f148 f149 f150 f151 f152 f153 f154 f155 f156 f157 f158 f159
        f160 f161 f162 f163 f164 f165 f166 f167 f168 f169 f170 f171 f172 f173 f174
        f175 f176 f177 f178 f179 f180 f181 f182 f183 f184 f185 f186 f187 f188 f189
        f190 f191 f192 f193 f194 f195 f196 f197 f198 f199;
}

async fn measure() -> [Vec<Spread>; 2] {
    let mut visitors = Vec::new();
    for (app, fields) in APPS.into_iter().zip(COUNTS) {
        let mut visitor = Lone::of(&app(), REQUESTS).await;
        let sum = visitor.number("/sum").await;
        assert_eq!(sum, 1 + 1234 * (fields as u64 - 1), "all fields are stored");
        visitors.push(visitor);
    }
    if other::NAME.is_some() {
        for fields in COUNTS {
            visitors.push(Lone::of(&other::app(fields, 0), REQUESTS).await);
        }
    }
    let mut times = [Vec::new(), Vec::new()];
    for (path, times) in PATHS.into_iter().zip(&mut times) {
        for visitor in &mut visitors {
            visitor.path = path;
        }
        *times = rounds(ROUNDS, &mut visitors).await;
    }
    times
}

#[must_use]
pub fn section() -> String {
    let runtime = Builder::new_current_thread().enable_all().build();
    let times = runtime.expect("a runtime").block_on(measure());
    let seen = "A handler gets its whole struct, so a read costs a little for each field. A write costs \
        more for each, though one field changes: all are encoded, to see which have changed. \
        What a handler seldom needs is better kept in a struct of its own: a struct that nobody \
        takes is not decoded.";
    let how = "A struct of so many numbers, in process, the whole request. sessile's handler gets \
        the whole struct, each field decoded; tower-sessions' handler asks for one key. A write \
        changes one field.";
    let names: Vec<_> = [Some("sessile"), other::NAME]
        .into_iter()
        .flatten()
        .collect();
    Along {
        name: "fields",
        title: "Fields in a record",
        how,
        seen,
        x: Axis {
            name: "fields",
            scale: Scale::Log,
            label: grouped,
        },
        y: Scale::Log,
        values: &COUNTS,
        names: &names,
    }
    .publish(&times)
}
