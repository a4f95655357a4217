//! The longest that an answer may take. Whatever a route does, it can be sent again: so giving up loses nothing.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// Gives up on an answer that has not begun in time. What was appended by then stays appended.
pub(crate) async fn keep(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("gave up on a {method} after {} ms, the limit", limit.as_millis());
            Problem::unavailable().into_response()
        }
    }
}
