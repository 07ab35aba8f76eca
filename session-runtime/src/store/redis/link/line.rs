//! Sends commands by one open connection, and tells when it is lost; knows no session.

use std::pin::Pin;
use std::sync::Arc;

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::cluster_async::ClusterConnection;
use ::redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

use super::redirect::redirected;

/// An open connection.
#[derive(Clone)]
pub(super) enum Line {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
    Given(Arc<dyn Given>),
}

impl Line {
    pub(super) async fn call(self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Server(mut connection) => command.query_async(&mut connection).await,
            Self::Cluster(connection) => redirected(connection, command).await,
            Self::Given(given) => given.call(command).await,
        }
    }
}

/// A connection that somebody else opens and keeps open.
pub(crate) trait Given: Send + Sync {
    fn call<'a>(&'a self, command: &'a Cmd) -> Call<'a>;
}

type Call<'a> = Pin<Box<dyn Future<Output = RedisResult<Value>> + Send + 'a>>;

impl<C: ConnectionLike + Clone + Send + Sync> Given for C {
    fn call<'a>(&'a self, command: &'a Cmd) -> Call<'a> {
        let mut connection = self.clone();
        Box::pin(async move { command.query_async(&mut connection).await })
    }
}

/// The connection is of no more use, and the command may have been carried out or not.
pub(super) fn is_lost(error: &RedisError) -> bool {
    // Redis 6 says in the detail what a script was refused for.
    let demoted = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
        || error.detail().is_some_and(|it| it.contains("-READONLY "));
    demoted || error.is_unrecoverable_error() || error.is_io_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(line: &[u8]) -> RedisError {
        let answer = ::redis::parse_redis_value(line).unwrap();
        answer.extract_error().unwrap_err()
    }

    #[test]
    fn a_replica_is_known_by_what_it_refuses() {
        for replica in [
            &b"-READONLY You can't write against a read only replica.\r\n"[..],
            b"-ERR Error running script (call to f_0): @user_script:26: @user_script: 26: -READONLY \
              You can't write against a read only replica.\r\n",
        ] {
            assert!(is_lost(&answered(replica)));
        }
        for other in [
            &b"-NOSCRIPT No matching script.\r\n"[..],
            b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
            b"-ERR wrong number of arguments\r\n",
        ] {
            assert!(!is_lost(&answered(other)));
        }
    }
}
