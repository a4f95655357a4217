//! The loop of the mailer: take in what the log says, send what is due, forget what is old, wait.
//!
//! It runs on a thread of its own. It must never hold a decision in memory alone: after a crash at any point a new
//! mailer goes on from the ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use andon_domain::Millis;
use andon_log::{Read, Reader, Topic, chain};
use andon_store::{Accounts, Views};
use tokio::runtime::Handle;
use tracing::{error, warn};
use uuid::Uuid;

use crate::breaker::Breaker;
use crate::dispatch::Dispatcher;
use crate::intake::{Taken, take};
use crate::metrics::Intake;
use crate::{Config, ConfigError, Error, Links, Look, Metrics, Transport};

/// Wall time, in ms since the epoch.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Longest wait for commands: 1 s.
const WAIT_MS_MAX: i64 = 1_000;

/// Shortest wait while nothing is due: 5 ms.
const WAIT_MS_MIN: i64 = 5;

/// How often the ledger is counted for the metrics: 5 s.
const COUNT_EVERY_MS: i64 = 5_000;

/// First and longest pause after a failure that may pass.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// The mailer role.
pub struct Mailer {
    reader: Box<dyn Reader>,
    dispatcher: Dispatcher,
    /// Read and not yet entered into the ledger.
    taken: Option<Taken>,
    /// Whether the log was read to its end after the last command was entered.
    is_caught_up: bool,
    /// Whether more may be due than was handled.
    has_more: bool,
    next_sweep_at: Millis,
    next_count_at: Millis,
}

/// What a mailer is made of.
pub struct Parts {
    /// Follows [`Topic::NotificationCommands`] from the accounts' positions; for accounts that have none, from the end of
    /// the log, and that end is to be stored as their position first.
    pub reader: Box<dyn Reader>,
    /// Addresses and the delivery ledger.
    pub accounts: Arc<dyn Accounts>,
    /// What the messages tell beyond their commands.
    pub views: Arc<dyn Views>,
    /// The way out.
    pub transport: Box<dyn Transport>,
    /// Settings.
    pub config: Config,
    /// The links in messages; none where no address of andon is known.
    pub links: Option<Links>,
    /// Metrics.
    pub metrics: Metrics,
    /// The wall clock.
    pub clock: Clock,
    /// Runs what accounts and views do. Its timers must be enabled and must run by themselves, as in a multi-threaded
    /// one: a current-thread runtime moves them only while it is blocked on itself.
    pub runtime: Handle,
}

impl Mailer {
    /// Makes a mailer.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn new(parts: Parts) -> Result<Self, ConfigError> {
        let Parts { reader, accounts, views, transport, config, links, metrics, clock, runtime } = parts;
        let dispatcher = Dispatcher {
            accounts,
            views,
            transport: Arc::from(transport),
            runtime,
            clock,
            look: Look::new(&config)?.with_links(links),
            config,
            metrics,
            owner: Uuid::new_v4().to_string(),
            breaker: Breaker::default(),
            unrecorded: Vec::new(),
        };
        Ok(Self {
            reader,
            dispatcher,
            taken: None,
            is_caught_up: false,
            has_more: false,
            next_sweep_at: Millis::MIN,
            next_count_at: Millis::MIN,
        })
    }

    /// Turns until `stop`, then returns; messages on their way are waited for. `on_turn` hears after each turn
    /// whether the log was read to its end.
    ///
    /// # Errors
    /// What does not get better by itself. Everything else is logged and tried again, less and less often.
    pub fn run(mut self, stop: &AtomicBool, on_turn: &dyn Fn(bool)) -> Result<(), Error> {
        let mut pause = BACKOFF.0;
        while !stop.load(Ordering::Acquire) {
            let turned = self.next_wait().and_then(|wait| self.turn(wait, stop));
            match turned {
                Ok(is_caught_up) => {
                    pause = BACKOFF.0;
                    on_turn(is_caught_up);
                }
                Err(_) if stop.load(Ordering::Acquire) => break,
                Err(error) if error.is_transient() => {
                    warn!("the mailer goes on in {} ms: {}", pause.as_millis(), chain(&error));
                    rest(pause, stop);
                    pause = (pause * 2).min(BACKOFF.1);
                }
                Err(error) => {
                    error!("the mailer ends: {}", chain(&error));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// One turn: waits up to `wait` for commands and enters them, handles a portion of what is due, tidies up.
    /// Whether the log was read to its end. Once `stop` is set, no further message begins to leave.
    ///
    /// # Errors
    /// Log or accounts did not answer; the next turn goes on from there.
    pub fn turn(&mut self, wait: Duration, stop: &AtomicBool) -> Result<bool, Error> {
        let taken = self.take_in(wait);
        // Mail that waits does not depend on the log.
        self.has_more = self.dispatcher.turn(self.is_caught_up, stop)?;
        taken?;
        self.sweep()?;
        self.count()?;
        Ok(self.is_caught_up)
    }

    fn now(&self) -> Millis {
        (self.dispatcher.clock)()
    }

    fn take_in(&mut self, mut wait: Duration) -> Result<(), Error> {
        self.enter()?;
        for _ in 0..self.dispatcher.config.intake_batches_max {
            match self.reader.poll(wait).map_err(Error::Read)? {
                Read::Records(Topic::NotificationCommands, batch) => {
                    let now = (self.dispatcher.clock)();
                    self.is_caught_up = false;
                    self.taken = Some(take(batch, now, self.dispatcher.config.notify_max_age_ms));
                }
                Read::Records(..) => {}
                Read::CaughtUp => {
                    self.is_caught_up = true;
                    self.dispatcher.metrics.lag_seconds.set(0.0);
                    return Ok(());
                }
            }
            self.enter()?;
            wait = Duration::ZERO;
        }
        Ok(())
    }

    /// Enters what was read into the ledger.
    fn enter(&mut self) -> Result<(), Error> {
        let Some(taken) = &self.taken else { return Ok(()) };
        let Dispatcher { accounts, runtime, metrics, .. } = &self.dispatcher;
        runtime
            .block_on(accounts.accept(&taken.deliveries, &taken.positions))
            .map_err(Error::accounts("enter deliveries into the ledger"))?;
        metrics.commands(Intake::Accepted, taken.deliveries.len() as u64);
        metrics.commands(Intake::Undecodable, taken.undecodable);
        if let Some(appended_at) = taken.appended_at {
            metrics.lag_seconds.set(seconds_since(appended_at, self.now()));
        }
        self.taken = None;
        Ok(())
    }

    /// How long the next turn may wait for commands.
    fn next_wait(&self) -> Result<Duration, Error> {
        let now = self.now();
        let Dispatcher { accounts, runtime, .. } = &self.dispatcher;
        if let Some(until) = self.dispatcher.paused_until(now) {
            return Ok(wait_ms(until.saturating_sub(now)));
        }
        if self.has_more {
            return Ok(Duration::ZERO);
        }
        let next_due_at = runtime
            .block_on(accounts.next_due_at())
            .map_err(Error::accounts("find the next delivery in the ledger"))?;
        Ok(wait_ms(next_due_at.map_or(WAIT_MS_MAX, |due_at| due_at.saturating_sub(now))))
    }

    /// Forgets deliveries that were settled long ago.
    fn sweep(&mut self) -> Result<(), Error> {
        let now = self.now();
        let config = &self.dispatcher.config;
        self.next_sweep_at = self.next_sweep_at.min(now.saturating_add(config.sweep_every_ms));
        if now < self.next_sweep_at {
            return Ok(());
        }
        let before = now.saturating_sub(config.keep_settled_ms);
        let forgotten = self
            .dispatcher
            .runtime
            .block_on(self.dispatcher.accounts.forget_settled(before, config.sweep_limit))
            .map_err(Error::accounts("forget old deliveries"))?;
        if forgotten < config.sweep_limit {
            self.next_sweep_at = now.saturating_add(config.sweep_every_ms);
        }
        Ok(())
    }

    /// Shows how much waits.
    fn count(&mut self) -> Result<(), Error> {
        let now = self.now();
        self.next_count_at = self.next_count_at.min(now.saturating_add(COUNT_EVERY_MS));
        if now < self.next_count_at {
            return Ok(());
        }
        let Dispatcher { accounts, runtime, metrics, .. } = &self.dispatcher;
        let counts =
            runtime.block_on(accounts.counts()).map_err(Error::accounts("count the deliveries that wait"))?;
        metrics.unsettled.set(i64::try_from(counts.unsettled).unwrap_or(i64::MAX));
        metrics.oldest_due_seconds.set(counts.oldest_due_at.map_or(0.0, |due_at| seconds_since(due_at, now)));
        self.next_count_at = now.saturating_add(COUNT_EVERY_MS);
        Ok(())
    }
}

fn seconds_since(at: Millis, now: Millis) -> f64 {
    now.saturating_sub(at).max(0) as f64 / 1_000.0
}

fn wait_ms(ms: i64) -> Duration {
    Duration::from_millis(ms.clamp(WAIT_MS_MIN, WAIT_MS_MAX).unsigned_abs())
}

/// Waits, but not past `stop` for long.
fn rest(pause: Duration, stop: &AtomicBool) {
    let until = Instant::now() + pause;
    while !stop.load(Ordering::Acquire) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}
