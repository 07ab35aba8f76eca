//! The libraries over a server's store, each as its docs say, and with the handlers it has in memory.

use axum_session_redispool::SessionRedisPool;
use axum_session_sqlx::SessionPgPool;
use ruts::store::postgres::PostgresStoreBuilder;
use sessile::{PostgresStore, RedisStore, Secret, SessionLayer};
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};
use tower_sessions_sqlx_store::sqlx::PgPool;

use super::tower_sessions;
use crate::contenders::{Starting, axum_session, ruts as in_ruts, sessile as in_sessile};

pub(super) fn sessile_redis(url: String) -> Starting {
    Box::pin(async move {
        let store = RedisStore::open(&url).expect("a URL of Redis");
        let sessions = SessionLayer::new(store, Secret::generate());
        in_sessile::routes().layer(sessions)
    })
}

pub(super) fn sessile_postgres(url: String) -> Starting {
    Box::pin(async move {
        let store = PostgresStore::from_url(&url).expect("a URL of PostgreSQL");
        store.migrate().await.expect("its tables");
        let sessions = SessionLayer::new(store, Secret::generate());
        in_sessile::routes().layer(sessions)
    })
}

pub(super) fn tower_sessions_redis(url: String) -> Starting {
    Box::pin(async move {
        let config = Config::from_url(&url).expect("a URL of Redis");
        let pool = Pool::new(config, None, None, None, 6).expect("a pool");
        pool.connect();
        pool.wait_for_connect().await.expect("Redis");
        tower_sessions::over(tower_sessions_redis_store::RedisStore::new(pool))
    })
}

pub(super) fn tower_sessions_postgres(url: String) -> Starting {
    Box::pin(async move {
        let store = tower_sessions_sqlx_store::PostgresStore::new(pool(&url).await);
        store.migrate().await.expect("its tables");
        tower_sessions::over(store)
    })
}

pub(super) fn ruts_postgres(url: String) -> Starting {
    Box::pin(async move {
        let builder = PostgresStoreBuilder::new(pool(&url).await).create_table(true);
        let store = builder.build().await.expect("its tables");
        in_ruts::over(store)
    })
}

pub(super) fn axum_session_redis(url: String) -> Starting {
    Box::pin(async move {
        let client = redis::Client::open(url).expect("a URL of Redis");
        let pool = redis_pool::RedisPool::from(client);
        axum_session::over(Some(SessionRedisPool::from(pool))).await
    })
}

pub(super) fn axum_session_postgres(url: String) -> Starting {
    Box::pin(async move {
        let pool = sqlx::PgPool::connect(&url).await.expect("PostgreSQL");
        axum_session::over(Some(SessionPgPool::from(pool))).await
    })
}

async fn pool(url: &str) -> PgPool {
    PgPool::connect(url).await.expect("PostgreSQL")
}
