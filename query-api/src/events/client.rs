//! One client of the stream: where it is, what it wants, and the text it gets next.
//!
//! It begins at the positions of the views, so whatever a client reads after `hello` or `reset` and misses there comes
//! on the stream. An event may come before the same row can be read, or after: the higher version is the newer one.

use std::sync::Arc;
use std::time::Duration;

use andon_domain::{LineId, Millis};
use andon_log::{Offset, Topic};
use axum::body::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Slot;
use super::frame::{self, Name, Rendered, render};
use super::ring::{Chunk, Content, Next};
use super::token::{self, Positions, Token};
use crate::Api;
use crate::board::build_id;
use crate::problem::Problem;

/// How often progress is told, at least.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// The shortest time between two resets: a client that cannot follow reads everything again no more often.
const RESET_EVERY: Duration = Duration::from_secs(1);

/// How long a browser waits before it connects again, in ms.
const RETRY_MS: u32 = 1_000;

/// What a client wants to hear of.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    All,
    Line(LineId),
    /// The lines at or under a node.
    Area(String),
}

impl Filter {
    fn takes(&self, record: &Rendered) -> bool {
        match (self, &record.node) {
            (Self::All, _) | (Self::Area(_), None) => true,
            (Self::Line(line), _) => *line == record.line,
            (Self::Area(area), Some(node)) => {
                record.line.as_str() == area
                    || node
                        .strip_prefix(area.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

/// One client.
pub(super) struct Client {
    api: Api,
    filter: Filter,
    /// Its place among the clients; given up with it.
    slot: Slot,
    /// Number of the chunk to read next.
    number: u64,
    positions: Positions,
    as_of: Option<Millis>,
    /// What the views did not show when it began and the ring no longer had: once they do, the client reads again.
    missed: Option<Positions>,
    progress_at: Instant,
    reset_at: Instant,
    /// When the stream ends by itself, if it does.
    ends_at: Option<Instant>,
    text: String,
}

impl Client {
    /// A client that goes on where it stopped, or begins.
    pub(super) async fn begin(
        api: Api,
        filter: Filter,
        slot: Slot,
        after: Option<After>,
    ) -> Result<Self, Problem> {
        let now = Instant::now();
        let mut client = Self {
            api,
            filter,
            slot,
            number: 0,
            positions: Positions::new(),
            as_of: None,
            missed: None,
            progress_at: now + PROGRESS_EVERY,
            reset_at: now,
            ends_at: None,
            text: format!("retry: {RETRY_MS}\n\n"),
        };
        client.start().await?;
        client.put(Name::Hello, &frame::hello(build_id(), (client.api.clock)(), client.as_of), false);
        match after {
            None => {}
            Some(After::Token(token)) if client.api.events.ring().has(&token) => {
                (client.positions, client.missed, client.as_of) = (token.positions, None, None);
            }
            Some(After::Token(_) | After::Nonsense) => client.reset("token"),
        }
        Ok(client)
    }

    /// Lets the stream end after a while, between two events.
    pub(super) fn end_after(&mut self, time: Duration) {
        self.ends_at = Some(Instant::now() + time);
    }

    /// Runs until the client is gone, takes nothing for too long, or the server drains.
    pub(super) async fn run(mut self, out: mpsc::Sender<Bytes>) {
        let mut pushed = self.api.events.pushed();
        let mut draining = self.api.draining.clone();
        let stall_max = Duration::from_millis(self.api.config.stream_stall_ms_max);
        loop {
            pushed.borrow_and_update();
            if let Err(problem) = self.write_next().await {
                // Its cause is in the log. The client connects again and goes on where it stopped.
                drop(problem);
                return;
            }
            if self.text.is_empty() {
                if self.ends_at.is_some_and(|ends_at| ends_at <= Instant::now()) {
                    return;
                }
                tokio::select! {
                    changed = pushed.changed() => if changed.is_err() { return },
                    () = tokio::time::sleep_until(self.progress_at) => {}
                    () = out.closed() => return,
                    () = drained(&mut draining) => return,
                }
            } else {
                let text = Bytes::from(std::mem::take(&mut self.text));
                tokio::select! {
                    sent = tokio::time::timeout(stall_max, out.send(text)) => match sent {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return,
                        Err(_) => return self.slot.metrics().stalled.inc(),
                    },
                    () = drained(&mut draining) => return,
                }
            }
        }
    }

    /// Begins at the views: their time first, then their positions, then whatever the client reads.
    async fn start(&mut self) -> Result<(), Problem> {
        self.as_of = self.api.as_of().await?.map(|as_of| as_of.0);
        let mut positions = self.view_positions().await?;
        let ring = self.api.events.ring();
        self.missed = is_behind(&positions, ring.floor()).then(|| ring.floor().to_vec());
        raise(&mut positions, ring.floor());
        drop(ring);
        (self.positions, self.number) = (positions, 0);
        Ok(())
    }

    async fn view_positions(&self) -> Result<Positions, Problem> {
        let known = self.api.views.positions().await?;
        let partitions = self.api.events.partitions();
        let of = |topic: Topic, partition: usize| {
            let is =
                |p: &&andon_store::Position| p.stream == topic.name() && p.partition as usize == partition;
            known.iter().find(is).map_or(0, |position| position.offset)
        };
        let changes = (0..partitions).map(|partition| of(Topic::LineChanges, partition));
        Ok(changes.chain([of(Topic::Directory, 0)]).collect())
    }

    /// Adds to the text what comes next: at most one chunk, and progress when it is time.
    async fn write_next(&mut self) -> Result<(), Problem> {
        let next = self.api.events.ring().read(&mut self.number, &self.positions);
        match next {
            Next::Chunk(chunk) => self.put_chunk(&chunk).await?,
            Next::Gone => {
                tokio::time::sleep_until(self.reset_at).await;
                self.start().await?;
                self.reset("behind");
            }
            Next::Nothing(ends, as_of) => {
                raise(&mut self.positions, &ends);
                self.as_of = self.as_of.max(as_of.filter(|_| self.missed.is_none()));
            }
        }
        if Instant::now() >= self.progress_at {
            self.progress_at = Instant::now() + PROGRESS_EVERY;
            if let Some(missed) = &self.missed
                && !is_behind(&self.view_positions().await?, missed)
            {
                self.start().await?;
                self.reset("views");
            }
            self.put(Name::Progress, &frame::progress((self.api.clock)(), self.as_of), true);
        }
        Ok(())
    }

    async fn put_chunk(&mut self, chunk: &Arc<Chunk>) -> Result<(), Problem> {
        match &chunk.content {
            Content::Rendered(records) => self.put_records(records),
            Content::Raw(batch) => {
                let records = render(batch, self.api.views.as_ref()).await?;
                self.put_records(&records);
            }
        }
        raise(&mut self.positions, &chunk.ends);
        self.as_of = self.as_of.max(chunk.as_of.filter(|_| self.missed.is_none()));
        Ok(())
    }

    fn put_records(&mut self, records: &[Rendered]) {
        for record in records {
            if record.offset < self.positions[record.slot] {
                continue;
            }
            if self.filter.takes(record) {
                let last = record.events.len() - 1;
                for (index, (name, text)) in record.events.iter().enumerate() {
                    // Whoever stops within a record gets all of it again.
                    if index == last {
                        self.positions[record.slot] = record.offset + 1;
                    }
                    self.put(*name, text, true);
                }
            }
            self.positions[record.slot] = record.offset + 1;
        }
    }

    fn reset(&mut self, reason: &str) {
        self.slot.metrics().resets.with_label_values(&[reason]).inc();
        self.reset_at = Instant::now() + RESET_EVERY;
        self.put(Name::Reset, &frame::reset(), false);
    }

    fn put(&mut self, name: Name, event: &str, has_id: bool) {
        if has_id {
            let token = token::write((self.api.clock)(), &self.positions);
            self.text.push_str("id: ");
            self.text.push_str(&token);
            self.text.push('\n');
        }
        self.text.push_str(event);
        self.text.push('\n');
        self.slot.metrics().events.with_label_values(&[name.text()]).inc();
    }
}

/// Where a client says it stopped.
#[derive(Debug)]
pub(super) enum After {
    Token(Token),
    /// A browser sends what it was given; this was given by somebody else.
    Nonsense,
}

/// Whether any position lies before its bound.
fn is_behind(positions: &[Offset], bounds: &[Offset]) -> bool {
    positions.iter().zip(bounds).any(|(position, bound)| position < bound)
}

/// Moves positions forward to `ends`, never back.
fn raise(positions: &mut [Offset], ends: &[Offset]) {
    for (position, end) in positions.iter_mut().zip(ends) {
        *position = (*position).max(*end);
    }
}

/// Returns once the server drains.
async fn drained(draining: &mut watch::Receiver<bool>) {
    // An error says that the server is gone.
    drop(draining.wait_for(|draining| *draining).await);
}
