//! The server: takes connections up to a limit, gives each a task of its own, and lets them end. It knows no route.
//!
//! A connection may be silent for a while, but not for ever: what each moment of it may take is a limit of
//! [`ServerConfig`]. HTTP/1.1 only; over TLS if there are files for it.

mod connection;
mod metrics;
mod refusal;
mod stream;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

pub use metrics::ServerMetrics;
pub use tls::{Tls, TlsError, TlsFiles};

/// Limits of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Most connections at once; one more waits until another one ends. Default 1,024.
    pub connections_max: usize,
    /// How long the head of a request may take to arrive, from its first byte on, and a new connection or a TLS handshake
    /// until there is one; in ms. Default 10,000.
    pub header_ms_max: u64,
    /// How long a connection may be idle between two requests, in ms. Default 75,000: longer than a proxy keeps it.
    pub idle_ms_max: u64,
    /// How long a client may take none of an answer, in ms. Default 30,000.
    pub stall_ms_max: u64,
    /// The largest head of a request, in bytes, at least 8 KiB. Default 64 KiB.
    pub head_bytes_max: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            header_ms_max: 10_000,
            idle_ms_max: 75_000,
            stall_ms_max: 30_000,
            head_bytes_max: 64 << 10,
        }
    }
}

/// Who is at the other end of a connection: an extension of every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A server that can run.
pub struct Server {
    /// Where it listens.
    pub listener: TcpListener,
    /// What it serves.
    pub router: Router,
    /// Its limits.
    pub config: ServerConfig,
    /// TLS, unless it speaks in the clear.
    pub tls: Option<Arc<Tls>>,
    /// Its metrics.
    pub metrics: ServerMetrics,
}

/// What every connection shares.
struct Shared {
    router: Router,
    config: ServerConfig,
    tls: Option<Arc<Tls>>,
    metrics: ServerMetrics,
}

impl Server {
    /// Serves until told to stop; then closes what is idle at once, lets requests finish, and returns when all have.
    /// Dropped, it ends whatever is left.
    pub async fn run(self, mut stops: watch::Receiver<bool>) {
        let Self { listener, router, config, tls, metrics } = self;
        let places = Arc::new(Semaphore::new(config.connections_max));
        let shared = Arc::new(Shared { router, config, tls, metrics });
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                // An error says that the sender is gone, and with it whoever could want this server.
                _ = stops.wait_for(|stop| *stop) => break,
                accepted = accept(&listener, &places, &shared.metrics) => accepted,
            };
            let (stream, peer, place) = accepted;
            let (shared, stops) = (shared.clone(), stops.clone());
            connections.spawn(async move {
                shared.metrics.connections.inc();
                let open = Open { shared, _place: place };
                connection::serve(stream, peer, &open.shared, stops).await;
            });
            while let Some(ended) = connections.try_join_next() {
                tell_panic(&ended);
            }
        }
        // Who comes now is refused by the system, and may try another andon.
        drop(listener);
        while let Some(ended) = connections.join_next().await {
            tell_panic(&ended);
        }
    }
}

/// A handler that panicked took its connection with it, and nothing else.
fn tell_panic(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a request ended by a panic");
    }
}

/// Holds a place among the connections; gives it back however the connection ends.
struct Open {
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.metrics.connections.dec();
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    metrics: &ServerMetrics,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let place = match places.clone().try_acquire_owned() {
        Ok(place) => place,
        Err(_) => {
            metrics.full.inc();
            places.clone().acquire_owned().await.expect("nobody closes the semaphore")
        }
    };
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Else the end of an answer may wait for the acknowledgement of its beginning.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!("could not set TCP_NODELAY: {error}");
                }
                return (stream, peer, place);
            }
            // A connection that ended before it was taken is nobody's fault.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!("could not accept a connection: {error}");
                // Out of file descriptors, most likely: they come back when connections end.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
