//! One way to have sessions in axum; knows no other.

use std::pin::Pin;
use std::time::Duration;

use axum::Router;

pub type Starting = Pin<Box<dyn Future<Output = Router> + Send>>;

/// How long `/slow` works between its read and its write.
pub const WORK: Duration = Duration::from_millis(5);

/// One way to have sessions in axum, or a floor without them.
#[derive(Clone, Copy)]
pub struct Contender {
    pub name: &'static str,
    /// Its handlers read and write a counter; those of a floor may answer as if they did.
    pub has_sessions: bool,
    pub(super) app: fn() -> Starting,
}

impl Contender {
    /// A fresh app, whose store holds nothing.
    pub async fn app(&self) -> Router {
        (self.app)().await
    }
}
