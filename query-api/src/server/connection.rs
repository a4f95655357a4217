//! One connection, from its handshake to its end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tower::Service;

use super::metrics::Ended;
use super::stream::{State, Watched};
use super::{Peer, Shared};

/// A client that was answered before it had sent all may still be sending. What it sends is read and thrown away for so
/// long, up to so many bytes: if the socket were closed before, the system would tell it of a reset instead of the answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: u64 = 64 << 20;

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    shared: &Shared,
    stops: watch::Receiver<bool>,
) {
    let Some(tls) = &shared.tls else {
        return serve_http(stream, peer, shared, stops).await;
    };
    let limit = Duration::from_millis(shared.config.header_ms_max);
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(limit, tls.acceptor().accept(stream)) => accepted,
        () = until_stopped(stops.clone()) => return,
    };
    match accepted {
        Ok(Ok(stream)) => serve_http(stream, peer, shared, stops).await,
        // Somebody without TLS, or a scanner: many, and nothing that we could do about it.
        Ok(Err(_)) | Err(_) => shared.metrics.ended(Ended::Tls),
    }
}

async fn serve_http<S>(stream: S, peer: SocketAddr, shared: &Shared, stops: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let state = State::new(shared.config.clone());
    let after = Arc::new(Mutex::new(None));
    let watched = Watched::new(stream, state.clone(), after.clone());
    let service = service_fn({
        let (router, state) = (shared.router.clone(), state.clone());
        move |request| answer(router.clone(), request, peer, state.clone())
    });
    {
        let connection = http1::Builder::new()
            // Both are done here, where an idle connection is told from a slow head.
            .header_read_timeout(None)
            .max_header_size(shared.config.head_bytes_max)
            .max_buf_size(shared.config.head_bytes_max)
            .serve_connection(TokioIo::new(watched), service);
        let mut connection = pin!(connection);
        let mut sleep = pin!(tokio::time::sleep(Duration::from_millis(shared.config.header_ms_max)));
        let mut stopped = pin!(until_stopped(stops));
        let mut is_stopping = false;
        std::future::poll_fn(|cx| {
            loop {
                if !is_stopping && stopped.as_mut().poll(cx).is_ready() {
                    is_stopping = true;
                    state.drain();
                    connection.as_mut().graceful_shutdown();
                }
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    // What else may go wrong, such as a client that goes away, is its own business.
                    if ended.is_err_and(|error| error.is_parse()) {
                        shared.metrics.ended(Ended::Malformed);
                    }
                    return Poll::Ready(());
                }
                let Some((at, why)) = state.deadline() else { return Poll::Pending };
                if sleep.deadline() > at || sleep.is_elapsed() {
                    sleep.as_mut().reset(at);
                }
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if Instant::now() < at {
                    continue; // it was set for an earlier moment
                }
                shared.metrics.ended(why);
                if why != Ended::Header || state.has_refused() {
                    return Poll::Ready(());
                }
                state.give_up_on_head();
            }
        })
        .await;
    }
    let stream = after.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(stream) = stream
        && state.may_be_sending()
    {
        // Nothing is lost if it fails: the answer has been written.
        drop(tokio::time::timeout(LINGER, linger(stream)).await);
    }
}

/// Says that nothing more comes, and reads what still does.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> std::io::Result<()> {
    stream.shutdown().await?;
    let mut rest = stream.take(LINGER_BYTES_MAX);
    let mut buffer = [0; 4_096];
    while rest.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn until_stopped(mut stops: watch::Receiver<bool>) {
    // An error says that the sender is gone, and with it whoever could want this connection.
    drop(stops.wait_for(|stop| *stop).await);
}

async fn answer(
    mut router: axum::Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    state: Arc<State>,
) -> Result<Response<Answer>, Infallible> {
    state.busy();
    let mut request = request.map(|body| {
        let is_ended = body.is_end_stream();
        Body::new(Question { body, is_ended, state: state.clone() })
    });
    request.extensions_mut().insert(Peer(peer));
    let response = router.call(request).await?;
    Ok(response.map(|body| Answer { body, state }))
}

/// The body of a request: it is noted if nobody reads it to its end.
struct Question {
    body: Incoming,
    is_ended: bool,
    state: Arc<State>,
}

impl Drop for Question {
    fn drop(&mut self) {
        if !self.is_ended && !self.body.is_end_stream() {
            self.state.leave_unread();
        }
    }
}

impl HttpBody for Question {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.is_ended |= matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer: when it is gone, the connection is idle.
struct Answer {
    body: Body,
    state: Arc<State>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.state.idle();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
