//! An application over a store that writes down what it is asked, by a clock to set.

use axum::Router;
use sessile::{Secret, SessionLayer, SessionLayerBuilder};

use super::{Probe, TestClock};

pub type Builder = SessionLayerBuilder<'static>;

pub struct Stage {
    pub store: Probe,
    pub clock: TestClock,
    pub app: Router,
}

impl Stage {
    /// These routes, in a layer with these settings.
    pub fn new(routes: Router, settings: impl FnOnce(Builder) -> Builder) -> Self {
        let (store, clock) = (Probe::new(), TestClock::new());
        let builder = SessionLayer::builder(store.clone(), Secret::generate());
        let builder = settings(builder.clock(clock.reader()));
        let app = routes.layer(builder.build().unwrap());
        Self { store, clock, app }
    }
}
