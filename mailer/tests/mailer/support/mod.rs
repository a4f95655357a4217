//! A plant to test in: accounts on disk, a log of commands, a clock, and a transport that does as it is told.

mod faults;
mod logs;
mod reading;
mod source;
mod transport;
mod views;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use andon_domain::{
    Command, CommandKind, IncidentId, LineId, LineStatus, Millis, NotificationId, SubscriberId,
    SubscriptionId, text,
};
use andon_log::Reader;
use andon_mailer::{Config, Links, Mailer, Metrics, Outbox, Parts, Transport};
use andon_schemas::encode_command;
use andon_store::sqlite::{Options, SqliteAccounts, SqliteViews};
use andon_store::{Accounts, Delivery, DeliveryState, LinkKey, NewSubscriber, Subscriber, Views};
use prometheus::Registry;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub(crate) use faults::{FaultyAccounts, Moment};
pub(crate) use logs::captured;
pub(crate) use reading::{parsed, read};
pub(crate) use source::Source;
pub(crate) use transport::Scripted;
pub(crate) use views::{Fate, FatedViews};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// 2026-11-24T06:00:00Z, when every test begins.
pub(crate) const START: Millis = 1_795_500_000_000;

pub(crate) struct Plant {
    pub(crate) folder: TempDir,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) views: Arc<dyn Views>,
    pub(crate) links: Option<Links>,
    pub(crate) source: Source,
    pub(crate) transport: Scripted,
    pub(crate) config: Config,
    clock: Arc<AtomicI64>,
    runtime: Runtime,
}

impl Plant {
    /// A plant whose every message is accepted, with three subscribers.
    pub(crate) fn new() -> Self {
        logs::install();
        let folder = tempfile::tempdir().unwrap();
        let accounts = SqliteAccounts::open(folder.path(), &Options::default()).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let outbox = Outbox::open(&folder.path().join("outbox")).unwrap();
        let plant = Self {
            transport: Scripted::new(outbox),
            accounts: Arc::new(accounts),
            source: Source::default(),
            // Most tests tell of stops that no view knows.
            config: Config { views_ms_max: 0, ..Config::default() },
            views: Arc::new(
                SqliteViews::open(folder.path(), &Options { readers: 1, ..Options::default() }).unwrap(),
            ),
            links: None,
            clock: Arc::new(AtomicI64::new(START)),
            folder,
            runtime,
        };
        for id in 1..=3 {
            plant.subscribe(&subscriber(id));
        }
        plant
    }

    /// A plant whose mailer is behind its log for as long as there is more than a batch.
    pub(crate) fn that_reads_one_batch_a_turn() -> Self {
        let mut plant = Self::new();
        plant.config.intake_batches_max = 1;
        plant
    }

    pub(crate) fn subscribe(&self, subscriber: &Subscriber) {
        let new = NewSubscriber { subscriber: subscriber.clone(), address_key: subscriber.address.clone() };
        self.run(self.accounts.insert_subscriber(&new)).unwrap();
    }

    /// A subscriber chooses another language and zone.
    pub(crate) fn set(&self, id: u128, locale: &str, zone: &str) {
        assert!(self.run(self.accounts.update_subscriber(subscriber_id(id), locale, zone)).unwrap());
    }

    pub(crate) fn erase(&self, id: u128) {
        assert!(self.run(self.accounts.erase_subscriber(subscriber_id(id), self.now())).unwrap());
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.load(Ordering::SeqCst)
    }

    pub(crate) fn clock(&self) -> Arc<AtomicI64> {
        self.clock.clone()
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// A mailer that goes on from the accounts' positions.
    pub(crate) fn mailer(&self) -> Mailer {
        self.mailer_with(self.accounts.clone(), Box::new(self.transport.clone()))
    }

    pub(crate) fn mailer_with(&self, accounts: Arc<dyn Accounts>, transport: Box<dyn Transport>) -> Mailer {
        let positions = self.run(self.accounts.positions()).unwrap();
        let from = positions.first().map_or(0, |position| position.offset);
        // Metrics of its own: a mailer that comes after a crash is a new process.
        self.make(Box::new(self.source.reader(from)), accounts, transport, &Registry::new())
    }

    /// A mailer over another log.
    pub(crate) fn mailer_over(&self, reader: Box<dyn Reader>, registry: &Registry) -> Mailer {
        self.make(reader, self.accounts.clone(), Box::new(self.transport.clone()), registry)
    }

    fn make(
        &self,
        reader: Box<dyn Reader>,
        accounts: Arc<dyn Accounts>,
        transport: Box<dyn Transport>,
        registry: &Registry,
    ) -> Mailer {
        let clock = self.clock.clone();
        Mailer::new(Parts {
            reader,
            accounts,
            views: self.views.clone(),
            transport,
            config: self.config.clone(),
            links: self.links.clone(),
            metrics: Metrics::new(registry),
            clock: Arc::new(move || clock.load(Ordering::SeqCst)),
            runtime: self.runtime.handle().clone(),
        })
        .unwrap()
    }

    /// The log takes commands.
    pub(crate) fn log(&self, commands: &[Command]) {
        for command in commands {
            let mut value = Vec::new();
            encode_command(command, &mut value);
            self.source.append(value, self.now());
        }
    }

    /// Turns and lets time pass until every delivery is settled; fails after ten days.
    pub(crate) fn settle_all(&self, mailer: &mut Mailer) {
        let end = self.now() + 10 * DAY;
        loop {
            assert!(self.now() < end, "some delivery is never settled: {:?}", self.ledger_of(&[1, 2, 3]));
            match mailer.turn(Duration::ZERO, &AtomicBool::new(false)) {
                Ok(true) if self.run(self.accounts.counts()).unwrap().unsettled == 0 => return,
                Ok(_) => {}
                // The role would rest and go on, and so does this loop.
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
            let next = self.run(self.accounts.next_due_at()).unwrap().unwrap_or(0);
            self.pass((next - self.now()).max(100));
        }
    }

    pub(crate) fn delivery(&self, incident: u128, kind: CommandKind, subscriber: u128) -> Delivery {
        let id = NotificationId::derive(incident_id(incident), kind, subscriber_id(subscriber));
        self.run(self.accounts.delivery(id)).unwrap().expect("the delivery is in the ledger")
    }

    pub(crate) fn state(&self, incident: u128, kind: CommandKind, subscriber: u128) -> DeliveryState {
        self.delivery(incident, kind, subscriber).state
    }

    /// The ledger of some incidents, by kind, state and rule.
    pub(crate) fn ledger_of(&self, incidents: &[u128]) -> Vec<(CommandKind, DeliveryState, String)> {
        let of = |incident: &u128| {
            self.run(self.accounts.deliveries_of(incident_id(*incident), None, 1_000)).unwrap()
        };
        let row = |delivery: Delivery| (delivery.kind, delivery.state, delivery.rule);
        incidents.iter().flat_map(of).map(row).collect()
    }

    /// All files below the outbox, sorted.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().join("outbox")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        files
    }

    /// The names of all files, without their time and id: as in `down`.
    pub(crate) fn kinds_of_files(&self) -> Vec<String> {
        let kind = |path: &Path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.split('-').nth(1).unwrap_or(name).to_owned()
        };
        self.files().iter().map(|path| kind(path)).collect()
    }
}

/// One turn without waiting.
pub(crate) fn turn(mailer: &mut Mailer) -> bool {
    mailer.turn(Duration::ZERO, &AtomicBool::new(false)).unwrap()
}

pub(crate) fn subscriber_id(id: u128) -> SubscriberId {
    SubscriberId(Uuid::from_u128(id))
}

pub(crate) fn incident_id(id: u128) -> IncidentId {
    IncidentId(Uuid::from_u128(0xabc0_0000 + id))
}

pub(crate) fn subscriber(id: u128) -> Subscriber {
    Subscriber {
        id: subscriber_id(id),
        address: format!("worker{id}@plant.example"),
        locale: "en".to_owned(),
        zone: "Europe/Madrid".to_owned(),
        created_at: 0,
    }
}

/// A command about line `press-<incident>`, decided at `created_at`.
pub(crate) fn command(incident: u128, kind: CommandKind, subscriber: u128, created_at: Millis) -> Command {
    Command {
        notification_id: NotificationId::derive(incident_id(incident), kind, subscriber_id(subscriber)),
        incident_id: incident_id(incident),
        kind,
        subscriber_id: subscriber_id(subscriber),
        subscription_id: SubscriptionId::derive(subscriber_id(subscriber), "press"),
        line_id: LineId::new(&format!("press-{incident}")).unwrap(),
        version: created_at * 1_000,
        created_at,
        first_told_start: START - 10_000,
        started_at: START - 10_000,
        ended_at: (kind == CommandKind::Restored).then_some(created_at - 1_000),
        status: if kind == CommandKind::Down { LineStatus::Faulted } else { LineStatus::Running },
        reason_code: None,
        source_status: text(Some("major_outage")),
    }
}

/// Links as they are in every test: what they sign stays the same.
pub(crate) fn links(url: &str) -> Links {
    Links::new(url.parse().unwrap(), LinkKey::new([7; 32]))
}
