//! The bytes of a connection, on their way to and from hyper: here it is seen in which phase a connection is and since
//! when, and hyper's own refusals are given their body.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::ServerConfig;
use super::metrics::Ended;
use super::refusal;

/// How long a head may go on arriving while the server drains, in ms.
const DRAIN_HEAD_MS_MAX: u64 = 1_000;

/// What a connection is doing.
///
/// ```text
/// New -> Head -> Busy -> Idle -> Head ...
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It has said nothing yet.
    New,
    /// The head of a request is arriving.
    Head,
    /// A request is being answered: its handler has limits of its own.
    Busy,
    /// It waits for the next request.
    Idle,
}

/// The state of one connection, shared by its bytes, its requests and its task.
#[derive(Debug)]
pub(super) struct State {
    inner: Mutex<Inner>,
    config: ServerConfig,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    since: Instant,
    /// Since when the client takes nothing.
    stalled_since: Option<Instant>,
    /// Since when the server drains.
    draining_since: Option<Instant>,
    /// Whether a request was answered before its body had been read.
    is_unread: bool,
    /// What is written in place of what hyper wants to write or read, and how much of it is.
    farewell: Option<(Vec<u8>, usize)>,
}

impl State {
    pub(super) fn new(config: ServerConfig) -> Arc<Self> {
        let inner = Inner {
            phase: Phase::New,
            since: Instant::now(),
            stalled_since: None,
            draining_since: None,
            is_unread: false,
            farewell: None,
        };
        Arc::new(Self { inner: Mutex::new(inner), config })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, phase: Phase) {
        let mut inner = self.lock();
        (inner.phase, inner.since) = (phase, Instant::now());
    }

    /// A request's head is here.
    pub(super) fn busy(&self) {
        self.turn(Phase::Busy);
    }

    /// Its answer is made.
    pub(super) fn idle(&self) {
        self.turn(Phase::Idle);
    }

    /// When the connection has to end if nothing happens, and why.
    pub(super) fn deadline(&self) -> Option<(Instant, Ended)> {
        let inner = self.lock();
        let after = |since: Instant, ms: u64, why| (since + Duration::from_millis(ms), why);
        let of_phase = match inner.phase {
            Phase::Head => Some(after(inner.since, self.config.header_ms_max, Ended::Header)),
            Phase::New => Some(after(inner.since, self.config.header_ms_max, Ended::Idle)),
            Phase::Idle => Some(after(inner.since, self.config.idle_ms_max, Ended::Idle)),
            Phase::Busy => None,
        };
        let of_drain = inner
            .draining_since
            .filter(|_| inner.phase != Phase::Busy)
            .map(|since| after(since, DRAIN_HEAD_MS_MAX, Ended::Header));
        let of_stall = inner.stalled_since.map(|since| after(since, self.config.stall_ms_max, Ended::Stall));
        of_phase.into_iter().chain(of_drain).chain(of_stall).min_by_key(|(at, _)| *at)
    }

    /// The server drains: no request that has not arrived yet is waited for any longer.
    pub(super) fn drain(&self) {
        self.lock().draining_since = Some(Instant::now());
    }

    /// Answers 408 instead of reading on.
    pub(super) fn give_up_on_head(&self) {
        self.lock().farewell = Some((refusal::late_head(self.config.header_ms_max), 0));
    }

    /// A request's body is not read to its end.
    pub(super) fn leave_unread(&self) {
        self.lock().is_unread = true;
    }

    /// Whether the client may still be sending what nobody reads.
    pub(super) fn may_be_sending(&self) -> bool {
        let inner = self.lock();
        inner.is_unread || inner.farewell.is_some()
    }

    /// Whether the server itself refuses what arrives.
    pub(super) fn has_refused(&self) -> bool {
        self.lock().farewell.is_some()
    }
}

/// The bytes.
pub(super) struct Watched<S> {
    stream: Option<S>,
    state: Arc<State>,
    /// Where the stream goes when hyper lets go of it.
    after: Arc<Mutex<Option<S>>>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, state: Arc<State>, after: Arc<Mutex<Option<S>>>) -> Self {
        Self { stream: Some(stream), state, after }
    }
}

impl<S> Drop for Watched<S> {
    fn drop(&mut self) {
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = self.stream.take();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    fn stream(&mut self) -> Pin<&mut S> {
        Pin::new(self.stream.as_mut().expect("the stream is taken out in `drop` alone"))
    }

    /// Writes the farewell, if there is one, to its end.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let rest = match &self.state.lock().farewell {
                Some((bytes, written)) if *written < bytes.len() => bytes[*written..].to_vec(),
                Some(_) | None => return Poll::Ready(Ok(())),
            };
            let written = ready!(self.poll_noting(cx, |stream, cx| stream.poll_write(cx, &rest)))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Some((_, done)) = &mut self.state.lock().farewell {
                *done += written;
            }
        }
    }

    /// Polls a write, and notes whether the client takes anything.
    fn poll_noting<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let polled = write(self.stream(), cx);
        let mut inner = self.state.lock();
        if polled.is_pending() {
            inner.stalled_since.get_or_insert_with(Instant::now);
        } else {
            inner.stalled_since = None;
        }
        polled
    }

    /// Whether hyper refuses a head by itself with these bytes: then they are taken, and the same with a body is written.
    fn takes_over(&self, bytes: &[u8]) -> bool {
        let mut inner = self.state.lock();
        // Idle: the head came with the request before it.
        if !matches!(inner.phase, Phase::Head | Phase::Idle) || inner.farewell.is_some() {
            return false;
        }
        inner.farewell =
            refusal::in_place_of(bytes, self.state.config.head_bytes_max).map(|answer| (answer, 0));
        inner.farewell.is_some()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.state.has_refused() {
            ready!(self.poll_farewell(cx))?;
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let polled = self.stream().poll_read(cx, buffer);
        if buffer.filled().len() > before {
            let mut inner = self.state.lock();
            if matches!(inner.phase, Phase::New | Phase::Idle) {
                (inner.phase, inner.since) = (Phase::Head, Instant::now());
            }
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.takes_over(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        self.poll_noting(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [bytes] = slices
            && self.takes_over(bytes)
        {
            return Poll::Ready(Ok(bytes.len()));
        }
        self.poll_noting(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_farewell(cx))?;
        self.poll_noting(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_farewell(cx))?;
        self.stream().poll_shutdown(cx)
    }
}
