//! Makes a pool of its own for a URL; knows no statement.

use std::time::Duration;

use deadpool_postgres::tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use deadpool_postgres::tokio_postgres::{Config, Socket};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};

use super::error::PostgresConfigError;

/// How many connections a store of its own URL opens at most.
const MAX_CONNECTIONS: usize = 16;

/// How long the network may keep silent before a connection is given up, unless the URL says.
const MAX_SILENCE: Duration = Duration::from_secs(5);

pub(super) fn config(url: &str) -> Result<Config, PostgresConfigError> {
    let config: Config = url.parse().map_err(|_| PostgresConfigError::Url)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(PostgresConfigError::Url);
    }
    Ok(config)
}

/// No connection is opened yet.
pub(super) fn pool<T>(mut config: Config, tls: T) -> Pool
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(MAX_SILENCE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(MAX_SILENCE);
    }
    let recycling_method = RecyclingMethod::Fast;
    let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method });
    let pool = Pool::builder(manager).max_size(MAX_CONNECTIONS).build();
    pool.expect("a pool without timeouts needs no runtime")
}
