//! Follows a slot of a cluster to where it has gone; knows no session.

use std::time::Duration;

use ::redis::cluster_async::ClusterConnection;
use ::redis::cluster_routing::SingleNodeRoutingInfo;
use ::redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

/// How often a command is sent on to where its slot has gone.
const REDIRECTIONS: u32 = 6;

/// How often it is sent on to one and the same node, beyond the first time.
const DETOURS: u32 = 1;

/// Sends a command to where its slot is, and on to where it has gone. The client does not do so
/// without sending again what may have been carried out as well.
pub(super) async fn redirected(
    mut connection: ClusterConnection,
    command: &Cmd,
) -> RedisResult<Value> {
    let mut pause = Duration::from_millis(2);
    let (mut named, mut again) = (None, 0);
    for _ in 0..REDIRECTIONS {
        let error = match command.query_async(&mut connection).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let node = error.redirect_node().map(|(node, _)| node.to_owned());
        // An error that names no node has not sent it on.
        again = match &node {
            Some(_) if node == named => again + 1,
            _ => 0,
        };
        named = node;
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Ask) => {
                return asking(connection, command, &error).await;
            }
            // It has been told where to go, and cannot get there: to ask on would only have it look
            // anew each time, with the requests to all other nodes waiting.
            ErrorKind::Server(ServerErrorKind::Moved) if again > DETOURS => return Err(error),
            // The node has done nothing, or no node was asked.
            ErrorKind::Server(
                ServerErrorKind::Moved | ServerErrorKind::TryAgain | ServerErrorKind::ReadOnly,
            )
            | ErrorKind::ClusterConnectionNotFound => tokio::time::sleep(pause).await,
            _ => return Err(error),
        }
        pause *= 2;
    }
    command.query_async(&mut connection).await
}

/// Asks the node that a slot is on its way to.
async fn asking(
    mut connection: ClusterConnection,
    command: &Cmd,
    error: &RedisError,
) -> RedisResult<Value> {
    let (host, port) = error
        .redirect_node()
        .and_then(|(node, _)| node.rsplit_once(':'))
        .ok_or_else(|| error.clone())?;
    let node = SingleNodeRoutingInfo::ByAddress {
        host: host.to_owned(),
        port: port.parse().map_err(|_| error.clone())?,
    };
    let mut both = ::redis::pipe();
    both.cmd("ASKING").add_command(command.clone());
    let mut answers = connection.route_pipeline(both, 1, 1, node).await?;
    answers.pop().unwrap_or_default().extract_error()
}
