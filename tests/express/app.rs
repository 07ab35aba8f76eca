//! The axum app of the tests: does to its session what a list says, as `app.cjs` does to Express's.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sessile::{Session, SessionData, SessionHandle};

/// What both apps know, at the top level of the record.
#[derive(Session, Serialize, Deserialize)]
#[session(flatten, rename_all = "camelCase")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Known {
    page_views: Option<u64>,
    name: Option<String>,
    tags: Option<Vec<String>>,
    profile: Option<BTreeMap<String, Value>>,
    is_open: Option<bool>,
    anything: Option<Value>,
}

/// What is there or not as a whole, at the top level.
#[derive(Session, Serialize, Deserialize)]
#[session(flatten, rename_all = "camelCase")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Draft {
    draft: Option<String>,
    drafted_at: Option<u64>,
}

/// What a struct with a name is to Express: an object.
#[derive(Session, Serialize, Deserialize)]
pub(crate) struct Cart {
    items: Option<BTreeMap<String, u64>>,
    note: Option<String>,
}

/// Who is signed in: a change gives the session a new id.
#[derive(Session, Serialize, Deserialize)]
#[session(flatten)]
pub(crate) struct Account {
    #[session(privilege)]
    user: Option<String>,
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/untouched", get(async || Json("untouched")))
        .route("/do", post(act))
}

async fn act(request: Request) -> Result<(StatusCode, Json<Value>), Response> {
    let (mut parts, body) = request.into_parts();
    let deeds = to_bytes(body, usize::MAX).await.unwrap();
    let deeds: Vec<Vec<Value>> = serde_json::from_slice(&deeds).unwrap();
    let mut status = StatusCode::OK;
    for deed in &deeds {
        if deed[0] == "status" {
            let code = deed[1].as_u64().and_then(|code| u16::try_from(code).ok());
            status = StatusCode::from_u16(code.unwrap()).unwrap();
        } else {
            carry_out(&mut parts, deed).await?;
        }
    }
    let session: SessionHandle = extract(&mut parts).await?;
    let shown = shown(&session).map_err(IntoResponse::into_response)?;
    Ok((status, Json(shown)))
}

async fn carry_out(parts: &mut Parts, deed: &[Value]) -> Result<(), Response> {
    let session: SessionHandle = extract(parts).await?;
    let refused = IntoResponse::into_response;
    match (deed[0].as_str().unwrap(), &deed[1..]) {
        ("set", [path, value]) => set(parts, &texts(path), value).await?,
        ("delete", [path]) => match texts(path).as_slice() {
            ["cart"] => drop(session.remove::<Cart>().map_err(refused)?),
            ["draft"] => drop(session.remove::<Draft>().map_err(refused)?),
            path => panic!("{path:?}"),
        },
        ("maxAge", [Value::Null]) => session.reset_max_age(),
        ("maxAge", [millis]) => {
            session.set_max_age(Duration::from_millis(millis.as_u64().unwrap()));
        }
        ("touch", []) => session.touch().await.map_err(refused)?,
        ("save", []) => session.save().await.map_err(refused)?,
        ("reload", []) => session.reload().await.map_err(refused)?,
        ("renew", []) => session.renew(),
        ("regenerate", []) => session.clear(),
        ("destroy", []) => session.destroy(),
        (deed, _) => panic!("{deed}"),
    }
    Ok(())
}

async fn set(parts: &mut Parts, path: &[&str], value: &Value) -> Result<(), Response> {
    match path {
        ["cart", key] => set_in::<Cart>(parts, key, value).await,
        [key @ ("draft" | "draftedAt")] => set_in::<Draft>(parts, key, value).await,
        [key @ "user"] => set_in::<Account>(parts, key, value).await,
        [key] => set_in::<Known>(parts, key, value).await,
        _ => panic!("{path:?}"),
    }
}

/// Changes one field of a live struct, as a handler does.
async fn set_in<T>(parts: &mut Parts, key: &str, value: &Value) -> Result<(), Response>
where
    T: SessionData + Serialize + DeserializeOwned,
{
    let mut live: Session<T> = extract(parts).await?;
    let mut json = serde_json::to_value(&*live).unwrap();
    json[key] = value.clone();
    *live = serde_json::from_value(json).unwrap();
    Ok(())
}

async fn extract<E: FromRequestParts<()>>(parts: &mut Parts) -> Result<E, Response> {
    let extracted = E::from_request_parts(parts, &()).await;
    extracted.map_err(IntoResponse::into_response)
}

/// All that this app knows of the session, as Express shows it.
fn shown(session: &SessionHandle) -> Result<Value, sessile::SessionError> {
    let mut shown = Map::new();
    shown.append(&mut fields(session.get::<Known>()?));
    shown.append(&mut fields(session.get::<Draft>()?));
    shown.append(&mut fields(session.get::<Account>()?));
    let cart = fields(session.get::<Cart>()?);
    if !cart.is_empty() {
        shown.insert("cart".to_owned(), cart.into());
    }
    Ok(shown.into())
}

fn fields(of: Option<impl Serialize>) -> Map<String, Value> {
    let mut fields = match serde_json::to_value(of).unwrap() {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.retain(|_, value| !value.is_null());
    fields
}

fn texts(path: &Value) -> Vec<&str> {
    let path = path.as_array().unwrap().iter();
    path.map(|key| key.as_str().unwrap()).collect()
}
