//! The admin endpoint: `/livez`, `/readyz`, `/metrics`, on an address of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::{Encoder, Registry, TextEncoder};

/// A role whose loop has not turned for so long is stuck: 60 s.
const STUCK_MS: i64 = 60_000;

/// Whether one role is alive and ready.
#[derive(Debug)]
pub(crate) struct RoleHealth {
    /// The role's name.
    pub(crate) name: &'static str,
    turned_at: AtomicI64,
    is_ready: AtomicBool,
}

impl RoleHealth {
    /// A role that begins now and is not ready.
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, turned_at: AtomicI64::new(now_ms()), is_ready: AtomicBool::new(false) })
    }

    /// The role's loop turned. It becomes ready when it first is, and stays so: being behind is no reason to send
    /// nobody to it.
    pub(crate) fn turned(&self, is_ready: bool) {
        self.turned_at.store(now_ms(), Ordering::Relaxed);
        if is_ready {
            self.is_ready.store(true, Ordering::Release);
        }
    }

    /// Whether it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    fn is_alive(&self) -> bool {
        now_ms() - self.turned_at.load(Ordering::Relaxed) < STUCK_MS
    }
}

/// What the endpoint shows.
#[derive(Clone)]
pub(crate) struct Admin {
    /// The roles of this process.
    pub(crate) roles: Arc<Vec<Arc<RoleHealth>>>,
    /// Their metrics.
    pub(crate) registry: Registry,
}

/// The endpoint.
pub(crate) fn router(admin: Admin) -> Router {
    Router::new()
        .route(
            "/livez",
            get(|State(admin): State<Admin>| async move { report(&admin, RoleHealth::is_alive) }),
        )
        .route(
            "/readyz",
            get(|State(admin): State<Admin>| async move { report(&admin, RoleHealth::is_ready) }),
        )
        .route("/metrics", get(metrics))
        .with_state(admin)
}

/// 200 if all roles are so, else 503; a line a role.
fn report(admin: &Admin, is_so: impl Fn(&RoleHealth) -> bool) -> (StatusCode, String) {
    let mut status = StatusCode::OK;
    let mut text = String::new();
    for role in admin.roles.iter() {
        let word = if is_so(role) { "ok" } else { "no" };
        if word == "no" {
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
        text.push_str(&format!("{} {word}\n", role.name));
    }
    (status, text)
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&admin.registry.gather(), &mut text) {
        Ok(()) => Ok(([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text)),
        Err(error) => {
            tracing::error!("could not write the metrics: {error}");
            Err(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// The wall clock.
pub(crate) fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}
