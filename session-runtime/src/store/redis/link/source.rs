//! Reads the URL of a Redis, and opens connections to it; knows no session.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::redis::cluster::ClusterClient;
use ::redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    ProtocolVersion, RedisConnectionInfo, RedisError, RedisResult, TlsMode,
};

use super::line::{Given, Line};

/// Beyond this, a node of a cluster that does not answer is taken for dead.
const SILENCE: Duration = Duration::from_secs(2);

/// How long a node of a cluster may take to be connected to. The client has the requests to all other
/// nodes wait meanwhile, and tries a node that stands still again and again.
const NODE: Duration = Duration::from_millis(500);

/// The server, or the servers, that connections are opened to.
pub(crate) enum Source {
    Server(Client),
    Sentinel(Sentinels),
    Cluster(ClusterClient),
    Given(Arc<dyn Given>),
}

impl Source {
    pub(crate) fn from_url(url: &str) -> RedisResult<Self> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| bad("it has no scheme"))?;
        match scheme.split_once('+') {
            Some((scheme, "cluster")) => Several::read(scheme, rest)?.cluster(),
            Some((scheme, "sentinel")) => Several::read(scheme, rest)?.sentinel(),
            _ => {
                let info = url.into_connection_info()?;
                let redis = protocol(info.redis_settings().clone());
                Client::open(info.set_redis_settings(redis)).map(Self::Server)
            }
        }
    }

    /// Opens a connection. `config` is not used for a cluster.
    pub(super) async fn open(&self, config: &AsyncConnectionConfig) -> RedisResult<Line> {
        match self {
            Self::Server(client) => {
                let opened = client.get_multiplexed_async_connection_with_config(config);
                opened.await.map(Line::Server)
            }
            Self::Sentinel(sentinels) => {
                let mut client = sentinels.next_client()?;
                let opened = client.get_async_connection_with_config(config);
                opened.await.map(Line::Server)
            }
            Self::Cluster(client) => client.get_async_connection().await.map(Line::Cluster),
            Self::Given(given) => Ok(Line::Given(Arc::clone(given))),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A client would print its server's address and user.
        f.write_str(match self {
            Self::Server(_) => "Server(..)",
            Self::Sentinel(_) => "Sentinel(..)",
            Self::Cluster(_) => "Cluster(..)",
            Self::Given(_) => "Given(..)",
        })
    }
}

/// A URL that names several servers.
struct Several<'a> {
    /// `redis` or `rediss`.
    scheme: &'a str,
    /// With its `@`.
    user: &'a str,
    hosts: &'a str,
    path: &'a str,
}

impl<'a> Several<'a> {
    fn read(scheme: &'a str, rest: &'a str) -> RedisResult<Self> {
        let (servers, path) = rest.split_once('/').unwrap_or((rest, ""));
        let at = servers.rfind('@').map_or(0, |at| at + 1);
        let (user, hosts) = servers.split_at(at);
        if hosts.is_empty() {
            return Err(bad("it names no server"));
        }
        Ok(Self {
            scheme,
            user,
            hosts,
            path,
        })
    }

    fn cluster(self) -> RedisResult<Source> {
        let Self {
            scheme,
            user,
            hosts,
            path,
        } = self;
        if !matches!(path, "" | "0") {
            return Err(bad(
                "a cluster has the database 0 alone, and the URL no options",
            ));
        }
        let nodes = hosts
            .split(',')
            .map(|host| format!("{scheme}://{user}{host}"));
        // Retries would send again what may have been carried out: a session that a logout has removed
        // meanwhile would come back.
        let client = ClusterClient::builder(nodes)
            .retries(0)
            .response_timeout(SILENCE)
            .connection_timeout(NODE)
            .use_protocol(ProtocolVersion::RESP3)
            .build();
        client.map(Source::Cluster)
    }

    fn sentinel(self) -> RedisResult<Source> {
        let Self {
            scheme,
            user,
            hosts,
            path,
        } = self;
        let (master, database) = path.split_once('/').unwrap_or((path, ""));
        if master.is_empty() {
            return Err(bad(
                "it names no master: `redis+sentinel://host:port/master`",
            ));
        }
        let sentinels: RedisResult<Vec<_>> = hosts
            .split(',')
            .map(|host| format!("{scheme}://{host}").into_connection_info())
            .collect();
        let node = format!("{scheme}://{user}master/{database}").into_connection_info()?;
        let sentinels = Sentinels {
            nodes: sentinels?,
            master: master.to_owned(),
            settings: as_node(&node),
            attempts: AtomicU64::default(),
        };
        sentinels.client(0)?;
        Ok(Source::Sentinel(sentinels))
    }
}

/// The servers that name the master.
pub(crate) struct Sentinels {
    nodes: Vec<ConnectionInfo>,
    master: String,
    /// User, password and TLS of the master.
    settings: SentinelNodeConnectionInfo,
    /// Counts the attempts to connect.
    attempts: AtomicU64,
}

impl Sentinels {
    /// Asks another one first at each attempt, as one that stands still would hold up every one.
    fn next_client(&self) -> RedisResult<SentinelClient> {
        self.client(self.attempts.fetch_add(1, Ordering::Relaxed))
    }

    fn client(&self, attempt: u64) -> RedisResult<SentinelClient> {
        let mut nodes = self.nodes.clone();
        let first = usize::try_from(attempt).unwrap_or(0) % nodes.len();
        nodes.rotate_left(first);
        SentinelClient::build(
            nodes,
            self.master.clone(),
            Some(self.settings.clone()),
            SentinelServerType::Master,
        )
    }
}

/// The settings for the master that the sentinels name.
fn as_node(info: &ConnectionInfo) -> SentinelNodeConnectionInfo {
    let redis = protocol(info.redis_settings().clone());
    let node = SentinelNodeConnectionInfo::default().set_redis_connection_info(redis);
    match info.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => node.set_tls_mode(TlsMode::Insecure),
        ConnectionAddr::TcpTls { .. } => node.set_tls_mode(TlsMode::Secure),
        _ => node,
    }
}

/// In RESP 3, which servers speak since Redis 6, the client hears that a connection was closed.
fn protocol(info: RedisConnectionInfo) -> RedisConnectionInfo {
    info.set_protocol(ProtocolVersion::RESP3)
}

fn bad(why: &'static str) -> RedisError {
    (
        ErrorKind::InvalidClientConfig,
        "this is no URL of Redis",
        why.to_owned(),
    )
        .into()
}
